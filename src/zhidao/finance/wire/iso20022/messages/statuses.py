"""How payments stand: pacs.002.001.11 between banks, pain.002.001.12 to the customer."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Final

from zhidao.finance.domain.payments.message import Status, StatusReport
from zhidao.finance.wire.iso20022.syntax.envelope import Envelope
from zhidao.finance.wire.iso20022.syntax.framing import Frame, framed
from zhidao.finance.wire.iso20022.syntax.trees import agent_xml, bank, escaped, optional

if TYPE_CHECKING:
    from lxml.etree import _Element

TO_BANK: Final = "pacs.002.001.11"
TO_CUSTOMER: Final = "pain.002.001.12"
_NOTE_CHARACTERS: Final = 105


def decode(envelope: Envelope) -> StatusReport:
    """The report of a message whose structure was checked."""
    frame = Frame(envelope)
    group = frame.first("OrgnlGrpInfAndSts")
    statuses: list[Status] = []
    if envelope.definition.startswith("pain.002"):
        sender, receiver = frame.header_banks()
        for payment in frame.inside("OrgnlPmtInfAndSts"):
            name = frame.text(payment, "OrgnlPmtInfId")
            statuses += [_status(one, frame, name) for one in frame.all(payment, "TxInfAndSts")]
    else:
        sender, receiver = frame.banks()
        statuses += [_status(one, frame, "") for one in frame.inside("TxInfAndSts")]
        first = frame.first("TxInfAndSts")
        sender = sender or frame.bic(first, "InstgAgt")
        receiver = receiver or frame.bic(first, "InstdAgt")
        if group is None:
            group = next(frame.all(first, "OrgnlGrpInf"), None) if first is not None else None
    reason, note = _why(group, frame)
    return StatusReport(
        envelope.definition,
        frame.message,
        frame.created,
        sender,
        receiver,
        frame.text(group, "OrgnlMsgId"),
        frame.text(group, "OrgnlMsgNmId"),
        frame.text(group, "GrpSts"),
        reason,
        note,
        tuple(statuses),
    )


def _status(element: _Element, frame: Frame, group: str) -> Status:
    names = frame.texts(element)
    reason, note = _why(element, frame)
    return Status(
        group,
        names.get("OrgnlInstrId", ""),
        names.get("OrgnlEndToEndId", ""),
        names.get("OrgnlUETR", ""),
        names.get("TxSts", ""),
        reason,
        note,
    )


def _why(element: _Element | None, frame: Frame) -> tuple[str, str]:
    if element is None:
        return "", ""
    told = next(frame.all(element, "StsRsnInf"), None)
    if told is None:
        return "", ""
    lines = [one.text or "" for one in frame.all(told, "AddtlInf")]
    return frame.code(told, "Rsn"), "".join(lines)


def encode(report: StatusReport) -> bytes:
    """The message."""
    if report.definition.startswith("pain.002"):
        return framed(report.definition, "CstmrPmtStsRpt", _to_customer(report))
    return framed(report.definition, "FIToFIPmtStsRpt", _to_bank(report))


def _to_bank(report: StatusReport) -> Iterator[str]:
    sender = agent_xml("InstgAgt", bank(report.sender)) if report.sender else ""
    receiver = agent_xml("InstdAgt", bank(report.receiver)) if report.receiver else ""
    yield (
        f"<GrpHdr><MsgId>{escaped(report.message)}</MsgId><CreDtTm>{report.created}</CreDtTm>"
        f"{sender}{receiver}</GrpHdr>"
    )
    yield _group(report)
    for one in report.statuses:
        yield _transaction(one)


def _to_customer(report: StatusReport) -> Iterator[str]:
    yield (
        f"<GrpHdr><MsgId>{escaped(report.message)}</MsgId><CreDtTm>{report.created}</CreDtTm>"
        "</GrpHdr>"
    )
    yield _group(report)
    for group, inside in groupby(report.statuses, key=lambda one: one.group):
        yield f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{escaped(group)}</OrgnlPmtInfId>"
        for one in inside:
            yield _transaction(one)
        yield "</OrgnlPmtInfAndSts>"


def _group(report: StatusReport) -> str:
    return (
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{escaped(report.original)}</OrgnlMsgId>"
        f"<OrgnlMsgNmId>{escaped(report.original_definition)}</OrgnlMsgNmId>"
        f"{optional('GrpSts', report.status)}{reason_xml('StsRsnInf', report.reason, report.note)}"
        "</OrgnlGrpInfAndSts>"
    )


def _transaction(one: Status) -> str:
    return (
        f"<TxInfAndSts>{optional('OrgnlInstrId', one.instruction)}"
        f"{optional('OrgnlEndToEndId', one.end_to_end)}{optional('OrgnlUETR', one.uetr)}"
        f"{optional('TxSts', one.status)}{reason_xml('StsRsnInf', one.reason, one.note)}"
        "</TxInfAndSts>"
    )


def reason_xml(name: str, reason: str, note: str) -> str:
    """A reason with its code and lines of text, if there is one."""
    if not reason and not note:
        return ""
    code = f"<Rsn><Cd>{escaped(reason)}</Cd></Rsn>" if reason else ""
    pieces = [
        note[start : start + _NOTE_CHARACTERS] for start in range(0, len(note), _NOTE_CHARACTERS)
    ]
    lines = "".join(f"<AddtlInf>{escaped(piece)}</AddtlInf>" for piece in pieces)
    return f"<{name}>{code}{lines}</{name}>"
