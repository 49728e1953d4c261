"""The messages of a payment's life read back as what was written, valid by the official schemas."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from tests.finance.business_header import with_header
from tests.finance.wire.iso20022.random_messages import random_message

from zhidao.core.errors import MalformedInput
from zhidao.finance.domain.payments.message import (
    Answer,
    Answers,
    CreditTransfer,
    Message,
    Notice,
    NoticeEntry,
    Recall,
    Recalls,
    Return,
    Returns,
    Status,
    StatusReport,
    Transfers,
)
from zhidao.finance.wire.iso20022.messages import credit_transfers, notices, reversals, statuses
from zhidao.finance.wire.iso20022.messages.messages import decode, encode
from zhidao.finance.wire.iso20022.syntax.envelope import Header, read_envelope
from zhidao.finance.wire.iso20022.syntax.outlines import MESSAGES
from zhidao.finance.wire.iso20022.syntax.structure import check
from zhidao.finance.wire.iso20022.syntax.trees import (
    account,
    bank,
    decimal_of,
    lines,
    minor_of,
    person,
)

SEEN = st.characters(exclude_categories=("Cc", "Cs", "Cn", "Zl", "Zp"), max_codepoint=0x2FFFF)
names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,33}", fullmatch=True)
maybe = st.one_of(st.just(""), names)
uetrs = st.uuids(version=4).map(str)
bics = st.from_regex(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?", fullmatch=True)
currencies = st.sampled_from(["CNY", "JPY", "KWD", "EUR"])
amounts = st.integers(1, 10**15)
days = st.dates().map(lambda day: day.replace(year=2000 + day.year % 100).isoformat())
moments = days.map(lambda day: f"{day}T10:00:30+00:00")
codes = st.sampled_from(["AC01", "AM04", "DUPL", "FOCR"])
notes = st.text(SEEN, max_size=240)


def texts(longest: int) -> st.SearchStrategy[str]:
    return st.text(SEEN, min_size=1, max_size=longest)


people = st.builds(person, texts(140), texts(35), st.sampled_from(["KZ", "CN"]))
accounts = st.one_of(names.map(account), st.just((("IBAN", "DE89370400440532013000"),)))
banks = bics.map(bank)
remittances = st.one_of(st.just(()), texts(140).map(lines))


def reasons(value: str) -> st.SearchStrategy[tuple[str, str]]:
    """A note stands only beside a reason of its own status."""
    return st.tuples(codes, notes) if value == "RJCT" else st.just(("", ""))


def transfers_of(definition: str) -> st.SearchStrategy[Transfers]:
    between_banks, initiation = definition.startswith("pacs.009"), definition.startswith("pain")
    party = banks if between_banks else people
    one = st.builds(
        CreditTransfer,
        group=names if initiation else st.just(""),
        instruction=maybe,
        end_to_end=names,
        uetr=st.one_of(st.just(""), uetrs),
        amount_minor=amounts,
        currency=currencies,
        day=days,
        charges=st.just("") if between_banks else st.sampled_from(["SHAR", "DEBT"]),
        payer=party,
        payer_account=accounts,
        payer_bank=banks,
        payee=party,
        payee_account=accounts,
        payee_bank=banks,
        remittance=remittances,
        ultimate_payer=st.one_of(st.just(()), party),
        ultimate_payee=st.one_of(st.just(()), party),
    )
    inside = st.lists(one, min_size=1, max_size=3)
    if initiation:
        # One payer and day in a file: those of a payment information are told once.
        inside = inside.map(
            lambda many: [
                each._replace(
                    **{
                        name: getattr(many[0], name)
                        for name in ("group", "day", "charges", "payer", "payer_account")
                    },
                    payer_bank=many[0].payer_bank,
                )
                for each in many
            ]
        )
    file = st.builds(Transfers, st.just(definition), names, moments, bics, bics, inside.map(tuple))
    if initiation:
        file = file.map(
            lambda one: one._replace(sender="", receiver=dict(one.transfers[0].payer_bank)["BICFI"])
        )
    return file


def reports_of(definition: str) -> st.SearchStrategy[StatusReport]:
    customer = definition.startswith("pain")
    status = st.sampled_from(["ACSC", "RJCT"]).flatmap(
        lambda value: reasons(value).flatmap(
            lambda why: st.builds(
                Status,
                st.just("G1") if customer else st.just(""),
                maybe,
                names,
                uetrs,
                st.just(value),
                st.just(why[0]),
                st.just(why[1]),
            )
        )
    )
    return st.builds(
        StatusReport,
        *(st.just(definition), names, moments),
        *(st.just("") if customer else bics, st.just("") if customer else bics),
        *(names, st.just("pacs.008.001.08"), st.just("PART"), st.just(""), st.just("")),
        st.lists(status, max_size=3).map(tuple),
    )


originals = st.one_of(st.just(("", "")), st.tuples(names, st.just("pacs.008.001.08")))
returns = st.builds(
    lambda original, *rest: Returns(
        *rest[:5],
        tuple(Return(f"R{n}", *original, *rest[5:]) for n in range(2)),
    ),
    originals,
    *(st.just(reversals.RETURN), names, moments, bics, bics),
    *(maybe, names, uetrs, amounts, amounts, currencies, days, codes, notes),
)
recalls = st.builds(
    lambda original, *rest: Recalls(
        *rest[:5], (Recall("C1", *original, *rest[5:]), Recall("C2", *original, *rest[5:]))
    ),
    originals,
    *(st.just(reversals.RECALL), names, moments, bics, bics),
    *(maybe, names, uetrs, amounts, currencies, days, codes, notes),
)
answers = st.builds(
    lambda original, *rest: Answers(*rest[:6], (Answer("C1", *original, *rest[6:]),)),
    originals,
    *(st.just(reversals.ANSWER), names, moments, bics, bics, st.just("RJCR")),
    *(maybe, names, uetrs, st.just("RJCR"), codes, notes),
)
entries = st.builds(
    NoticeEntry,
    *(names, st.one_of(amounts, amounts.map(lambda a: -a)), days, maybe, names, uetrs),
    *(people, accounts, banks, people, accounts, banks, remittances),
)
told = st.builds(
    Notice,
    *(st.just(notices.DEFINITION), names, moments, accounts, currencies),
    st.lists(entries, max_size=3).map(tuple),
)
KINDS = {
    "pain.001": transfers_of(credit_transfers.INITIATION),
    "pacs.008": transfers_of(credit_transfers.CUSTOMERS),
    "pacs.009": transfers_of(credit_transfers.BANKS),
    "pain.002": reports_of(statuses.TO_CUSTOMER),
    "pacs.002": reports_of(statuses.TO_BANK),
    "pacs.004": returns,
    "camt.056": recalls,
    "camt.029": answers,
    "camt.054": told,
}


@cache
def schema(folder: Path, definition: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(folder / "finance" / "xsd" / f"{definition}.xsd"))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_a_message_reads_back_as_what_was_written(kind: str, data: st.DataObject) -> None:
    message: Message = data.draw(KINDS[kind])
    assert decode(read_envelope(encode(message))) == message


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_what_is_written_is_valid_by_the_official_schema(
    kind: str, shared: Path, data: st.DataObject
) -> None:
    message: Message = data.draw(KINDS[kind])
    official = schema(shared, message.definition)
    assert official.validate(etree.fromstring(encode(message))), official.error_log[0]


@pytest.mark.parametrize("definition", sorted(name for name in MESSAGES if name[:8] in KINDS))
def test_whatever_an_outline_allows_is_read_or_refused_by_name(definition: str) -> None:
    told = {"FF01"}
    for seed in range(25):
        try:
            decode(read_envelope(random_message(definition, seed)))
        except MalformedInput as refusal:
            told.add(refusal.code)
    assert told <= {"FF01", "AM12", "AM03"}


def test_a_header_goes_before_its_message_and_is_valid(shared: Path) -> None:
    header = Header(
        "ALMAKZKA", "XIANCNBJ", "B-1", "pacs.008.001.08", "zhidao.1", "2026-04-13T08:00:00Z"
    )
    envelope = read_envelope(with_header(random_message("pacs.008.001.08", 1), header))
    assert envelope.header == header
    assert envelope.header_element is not None
    assert check(envelope.header_element, "head.001.001.02")
    alone = etree.fromstring(etree.tostring(envelope.header_element))
    assert schema(shared, "head.001.001.02").validate(alone)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("1", "CNY", 100),
        ("1.5", "CNY", 150),
        ("1.50000", "CNY", 150),
        ("7", "JPY", 7),
        ("0.001", "KWD", 1),
        ("12.", "CNY", 1200),
    ],
)
def test_amounts_have_their_currencys_minor_unit(text: str, currency: str, minor: int) -> None:
    assert minor_of(text, currency) == minor
    assert minor_of(decimal_of(minor, currency), currency) == minor


@pytest.mark.parametrize(
    ("text", "currency", "code"),
    [
        ("1.001", "CNY", "AM12"),
        ("1.5", "JPY", "AM12"),
        ("1", "XAU", "AM03"),
        ("", "CNY", "AM12"),
        ("-1", "CNY", "AM12"),
        ("１", "CNY", "AM12"),
        ("1e3", "CNY", "AM12"),
        (".5", "CNY", "AM12"),
        ("9" * 19, "JPY", "AM12"),
    ],
)
def test_what_is_no_amount_has_its_code(text: str, currency: str, code: str) -> None:
    with pytest.raises(MalformedInput) as refused:
        minor_of(text, currency)
    assert refused.value.code == code


def test_another_version_is_refused_by_name() -> None:
    message = random_message("pacs.008.001.08", 1).replace(b"001.08", b"001.99")
    with pytest.raises(MalformedInput, match=r"pacs.008.001.99 is no message"):
        decode(read_envelope(message))
