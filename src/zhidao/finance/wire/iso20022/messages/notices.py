"""camt.054.001.08 with any number of entries: what was booked on an account, credits and debits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from zhidao.core.errors import MalformedInput
from zhidao.finance.domain.payments.message import Notice, NoticeEntry, Tree
from zhidao.finance.wire.iso20022.syntax.envelope import Envelope
from zhidao.finance.wire.iso20022.syntax.framing import Frame, framed
from zhidao.finance.wire.iso20022.syntax.trees import (
    EMPTY,
    account_number,
    agent_xml,
    amount_xml,
    escaped,
    minor_of,
    optional,
    tree_of,
    xml_of,
)

if TYPE_CHECKING:
    from lxml.etree import _Element

DEFINITION: Final = "camt.054.001.08"


def decode(envelope: Envelope) -> Notice:
    """The first notification of a message whose structure was checked.

    Raises MalformedInput for several: they are of several accounts.
    """
    frame = Frame(envelope)
    told = list(frame.inside("Ntfctn"))
    if len(told) != 1:
        raise MalformedInput("one notification a message is taken", code="FF01")
    parts = frame.parts(told[0])
    owned = frame.parts(parts["Acct"])
    currency = frame.text(parts["Acct"], "Ccy")
    entries = tuple(
        entry for one in frame.all(told[0], "Ntry") for entry in _entries(one, frame, currency)
    )
    return Notice(
        envelope.definition,
        frame.message,
        frame.created,
        tree_of(owned["Id"], frame.start),
        currency,
        entries,
    )


def _entries(element: _Element, frame: Frame, currency: str) -> Iterator[NoticeEntry]:
    reference = frame.text(element, "AcctSvcrRef")
    day = frame.text(element, "BookgDt", "Dt") or frame.text(element, "BookgDt", "DtTm")[:10]
    details = next(frame.all(element, "NtryDtls"), None)
    inside = [] if details is None else list(frame.all(details, "TxDtls"))
    # An entry without details stands for itself.
    for one in inside or [element]:
        parts = frame.parts(one)
        amount = parts.get("Amt")
        if amount is None:
            amount = frame.parts(element)["Amt"]
        side = frame.text(one, "CdtDbtInd") or frame.text(element, "CdtDbtInd")
        minor = minor_of(amount.text or "", str(amount.get("Ccy") or currency))
        names = frame.texts(parts["Refs"]) if "Refs" in parts else {}
        people = frame.parts(parts["RltdPties"]) if "RltdPties" in parts else {}
        banks = frame.parts(parts["RltdAgts"]) if "RltdAgts" in parts else {}
        yield NoticeEntry(
            entry=names.get("AcctSvcrRef", "") or reference,
            amount_minor=minor if side == "CRDT" else -minor,
            day=day,
            instruction=names.get("InstrId", ""),
            end_to_end=names.get("EndToEndId", ""),
            uetr=names.get("UETR", ""),
            payer=_first(people.get("Dbtr"), frame),
            payer_account=_first(people.get("DbtrAcct"), frame),
            payer_bank=_first(banks.get("DbtrAgt"), frame),
            payee=_first(people.get("Cdtr"), frame),
            payee_account=_first(people.get("CdtrAcct"), frame),
            payee_bank=_first(banks.get("CdtrAgt"), frame),
            remittance=_whole(parts.get("RmtInf"), frame),
        )


def _first(element: _Element | None, frame: Frame) -> Tree:
    return EMPTY if element is None else tree_of(element[0], frame.start)


def _whole(element: _Element | None, frame: Frame) -> Tree:
    return EMPTY if element is None else tree_of(element, frame.start)


def encode(notice: Notice) -> bytes:
    """The message; each entry stands for one transaction."""
    return framed(notice.definition, "BkToCstmrDbtCdtNtfctn", _xml(notice))


def _xml(notice: Notice) -> Iterator[str]:
    assert account_number(notice.account), "a notice is of an account"
    yield (
        f"<GrpHdr><MsgId>{escaped(notice.message)}</MsgId><CreDtTm>{notice.created}</CreDtTm>"
        f"</GrpHdr><Ntfctn><Id>{escaped(notice.message)}</Id>"
        f"<Acct><Id>{xml_of(notice.account)}</Id><Ccy>{notice.currency}</Ccy></Acct>"
    )
    for one in notice.entries:
        credit = one.amount_minor >= 0
        amount = amount_xml("Amt", abs(one.amount_minor), notice.currency)
        side = f"<CdtDbtInd>{'CRDT' if credit else 'DBIT'}</CdtDbtInd>"
        family = "RCDT" if credit else "ICDT"
        yield (
            f"<Ntry>{amount}{side}<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{one.day}</Dt></BookgDt>"
            f"<ValDt><Dt>{one.day}</Dt></ValDt>{optional('AcctSvcrRef', one.entry)}"
            f"<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>{family}</Cd><SubFmlyCd>OTHR</SubFmlyCd></Fmly>"
            f"</Domn></BkTxCd><NtryDtls><TxDtls>{_references(one)}{amount}{side}{_people(one)}"
            f"{_banks(one)}{_remittance(one)}</TxDtls></NtryDtls></Ntry>"
        )
    yield "</Ntfctn>"


def _references(one: NoticeEntry) -> str:
    inside = (
        optional("InstrId", one.instruction)
        + optional("EndToEndId", one.end_to_end)
        + optional("UETR", one.uetr)
    )
    return f"<Refs>{inside}</Refs>" if inside else ""


def _people(one: NoticeEntry) -> str:
    inside = (
        _party("Dbtr", one.payer)
        + _account("DbtrAcct", one.payer_account)
        + _party("Cdtr", one.payee)
        + _account("CdtrAcct", one.payee_account)
    )
    return f"<RltdPties>{inside}</RltdPties>" if inside else ""


def _banks(one: NoticeEntry) -> str:
    inside = agent_xml("DbtrAgt", one.payer_bank) + agent_xml("CdtrAgt", one.payee_bank)
    return f"<RltdAgts>{inside}</RltdAgts>" if inside else ""


def _remittance(one: NoticeEntry) -> str:
    return f"<RmtInf>{xml_of(one.remittance)}</RmtInf>" if one.remittance else ""


def _party(name: str, tree: Tree) -> str:
    return f"<{name}><Pty>{xml_of(tree)}</Pty></{name}>" if tree else ""


def _account(name: str, tree: Tree) -> str:
    return f"<{name}><Id>{xml_of(tree)}</Id></{name}>" if tree else ""
