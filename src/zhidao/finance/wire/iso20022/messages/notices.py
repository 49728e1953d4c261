"""camt.054.001.08 with any number of entries: what was booked on an account, credits and debits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from zhidao.core.errors import MalformedInput
from zhidao.finance.domain.payments.message import Notice, NoticeEntry
from zhidao.finance.wire.iso20022.messages.entry_details import read_details, references, sides
from zhidao.finance.wire.iso20022.syntax.envelope import Envelope
from zhidao.finance.wire.iso20022.syntax.framing import Frame, framed
from zhidao.finance.wire.iso20022.syntax.trees import (
    account_number,
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
        told = read_details(parts, frame)
        yield NoticeEntry(
            entry=names.get("AcctSvcrRef", "") or reference,
            amount_minor=minor if side == "CRDT" else -minor,
            day=day,
            instruction=told.instruction,
            end_to_end=told.end_to_end,
            uetr=names.get("UETR", ""),
            payer=told.payer,
            payer_account=told.payer_account,
            payer_bank=told.payer_bank,
            payee=told.payee,
            payee_account=told.payee_account,
            payee_bank=told.payee_bank,
            remittance=told.remittance,
        )


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
            f"</Domn></BkTxCd><NtryDtls><TxDtls>{references(one, one.uetr)}{amount}{side}"
            f"{sides(one)}</TxDtls></NtryDtls></Ntry>"
        )
    yield "</Ntfctn>"
