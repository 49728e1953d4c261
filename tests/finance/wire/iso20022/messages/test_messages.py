"""pacs.008 and camt.054: valid by the official schemas, read back exactly, strict to strangers."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.money import Currency, Money
from zhidao.finance.adapters.schema_pack import FolderSchemas
from zhidao.finance.domain.payments.payment import Payment, Person
from zhidao.finance.wire.iso20022.messages import camt054, pacs008

MESSAGES = [pacs008, camt054]
letters = st.characters(exclude_categories=("Cc", "Cs", "Cn", "Zl", "Zp"), max_codepoint=0x2FFFF)
references = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,33}", fullmatch=True)
bics = st.from_regex(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?", fullmatch=True)


def texts(longest: int) -> st.SearchStrategy[str]:
    return st.text(letters, min_size=1, max_size=longest).filter(lambda text: text.strip())


people = st.builds(Person, texts(140), texts(35), st.from_regex(r"[A-Z]{2}", fullmatch=True))
moments = st.datetimes(
    min_value=datetime(2000, 1, 1),  # noqa: DTZ001
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001
).map(lambda at: at.replace(microsecond=0, tzinfo=UTC))
payments = st.builds(
    Payment,
    message=references,
    instruction=references,
    end_to_end=references,
    uetr=st.uuids(version=4),
    created=moments,
    settled_on=st.dates(min_value=datetime(2000, 1, 1).date()),  # noqa: DTZ001
    amount=st.builds(
        Money,
        st.integers(1, 10**18 - 1),
        st.sampled_from(["CNY", "KZT", "JPY", "KWD", "CLF", "EUR"]).map(Currency),
    ),
    payer=people,
    payer_account=references,
    payer_bank=bics,
    payee=people,
    payee_account=references,
    payee_bank=bics,
    remittance=texts(140),
)

EXAMPLE = Payment(
    message="0196c0ffee",
    instruction="0196c0ffef",
    end_to_end="D-1",
    uetr=UUID("3e7b91d4-af28-4c53-b6e1-92d4a7c83f52"),
    created=datetime(2026, 5, 1, 10, 0, 30, tzinfo=UTC),
    settled_on=datetime(2026, 5, 1, tzinfo=UTC).date(),
    amount=Money(4_200_000, Currency("CNY")),
    payer=Person("Алма & Сервис <ЖШС>", "Almaty", "KZ"),
    payer_account="a1",
    payer_bank="ALMAKZKA",
    payee=Person("西安泵业有限公司", "Xi'an", "CN"),
    payee_account="b2",
    payee_bank="XIANCNBJXXX",
    remittance="consignment C-1",
)


@pytest.mark.parametrize("codec", MESSAGES)
@settings(max_examples=50, deadline=None)
@given(payment=payments)
def test_a_message_reads_back_as_what_was_written(codec: ModuleType, payment: Payment) -> None:
    assert codec.decode(codec.encode(payment)) == payment


@pytest.mark.parametrize("codec", MESSAGES)
@settings(deadline=None)
@given(data=st.binary(max_size=400))
def test_no_bytes_do_more_harm_than_a_refusal(codec: ModuleType, data: bytes) -> None:
    with pytest.raises(MalformedInput):
        codec.decode(data)


@pytest.mark.parametrize("codec", MESSAGES)
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_changed_message_is_refused_or_means_something_else(
    codec: ModuleType, data: st.DataObject
) -> None:
    message = bytearray(codec.encode(EXAMPLE))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(message) - 1))
        match data.draw(st.sampled_from(["change", "drop", "double"])):
            case "change":
                message[place] = data.draw(st.integers(0, 255))
            case "drop":
                del message[place]
            case _:
                message[place:place] = message[place : place + 40]
    try:
        again = codec.decode(bytes(message))
    except (MalformedInput, Refused):
        return
    # Blank changes between elements mean nothing; everything else must show.
    squeezed = re.sub(rb">\s+<", b"><", bytes(message))
    if squeezed != re.sub(rb">\s+<", b"><", codec.encode(EXAMPLE)):
        assert again != EXAMPLE or _same_xml(bytes(message), codec.encode(EXAMPLE))


def _same_xml(left: bytes, right: bytes) -> bool:
    from lxml import etree

    def canonical(data: bytes) -> bytes:
        parser = etree.XMLParser(remove_blank_text=True)
        return etree.tostring(etree.fromstring(data, parser), method="c14n")

    return canonical(left) == canonical(right)


@pytest.mark.parametrize("codec", MESSAGES)
async def test_messages_are_valid_by_the_official_schemas(codec: ModuleType, shared: Path) -> None:
    schemas = FolderSchemas(shared / "finance" / "xsd")
    verdict = await schemas.check(codec.DEFINITION, codec.encode(EXAMPLE))
    assert verdict.startswith(f"valid by {codec.DEFINITION}.xsd sha256 ")


@pytest.mark.parametrize("codec", MESSAGES)
@settings(max_examples=25, deadline=None)
@given(payment=payments)
def test_every_message_that_can_be_made_is_valid_by_the_schema(
    codec: ModuleType, shared: Path, payment: Payment
) -> None:
    schemas = FolderSchemas(shared / "finance" / "xsd")
    assert schemas._check(codec.DEFINITION, codec.encode(payment)).startswith("valid")


async def test_an_invalid_document_is_refused_with_its_place(shared: Path) -> None:
    schemas = FolderSchemas(shared / "finance" / "xsd")
    broken = pacs008.encode(EXAMPLE).replace(b"SHAR", b"SHAX")
    with pytest.raises(MalformedInput, match="ChrgBr"):
        await schemas.check(pacs008.DEFINITION, broken)


async def test_without_a_pack_nothing_is_claimed(tmp_path: Path) -> None:
    verdict = await FolderSchemas(tmp_path).check(pacs008.DEFINITION, pacs008.encode(EXAMPLE))
    assert verdict == "not checked"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b"<ChrgBr>SHAR</ChrgBr>", b"", "ChrgBr is missing"),
        (b"<ChrgBr>SHAR</ChrgBr>", b"<ChrgBr>SHAR</ChrgBr>" * 2, "ChrgBr stands twice"),
        (b"<ChrgBr>SHAR</ChrgBr>", b"<X/><ChrgBr>SHAR</ChrgBr>", "X is not known here"),
        (b"<NbOfTxs>1<", b"<NbOfTxs>2<", "not of the expected form"),
        (b"pacs.008.001.08", b"pacs.008.001.09", "is expected"),
        (b'Ccy="CNY"', b'Ccy="XAU"', "not a currency in use"),
        (b">42000.00<", b">42000.0<", "decimals"),
        (b">42000.00<", b">42000.001<", "decimals"),
        (b"<GrpHdr>", b'<GrpHdr a="1">', "no attribute"),
        (b"<GrpHdr>", b"<GrpHdr>text", "text stands between"),
        (b"<GrpHdr>", b"<GrpHdr><!-- c -->", "not known here"),
        (b"</Document>", b"</Document><!-- c -->", "outside the document"),
        (b"<Document", b'<!DOCTYPE Document [<!ENTITY e "x">]><Document', "has a DOCTYPE"),
        (b"2026-05-01T10:00:30", b"2026-13-01T10:00:30", "no such time"),
    ],
)
def test_what_is_wrong_is_named(old: bytes, new: bytes, says: str) -> None:
    message = pacs008.encode(EXAMPLE)
    assert old in message
    with pytest.raises(MalformedInput, match=says):
        pacs008.decode(message.replace(old, new, 1))


def test_amounts_in_two_places_must_agree() -> None:
    message = camt054.encode(EXAMPLE)
    assert message.count(b">42000.00<") == 2
    with pytest.raises(MalformedInput, match="do not agree"):
        camt054.decode(message.replace(b">42000.00<", b">42000.01<", 1))


def test_a_message_of_a_megabyte_is_refused_unread() -> None:
    with pytest.raises(MalformedInput, match="at most"):
        pacs008.decode(b" " * (1024 * 1024 + 1))


@pytest.mark.parametrize("name", ["", " ", "x" * 141, "a\nb", "a\x00b", "a\ud800b", "a\ufffeb"])
def test_a_name_that_no_message_can_carry_is_refused(name: str) -> None:
    with pytest.raises(MalformedInput):
        Person(name, "Almaty", "KZ")
