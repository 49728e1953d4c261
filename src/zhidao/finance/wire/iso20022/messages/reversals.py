"""Money that comes back: pacs.004.001.10; what asks for it and answers: camt.056, camt.029."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from zhidao.finance.domain.payments.message import Answer, Answers, Recall, Recalls, Return, Returns
from zhidao.finance.wire.iso20022.messages.statuses import reason_xml
from zhidao.finance.wire.iso20022.syntax.envelope import Envelope
from zhidao.finance.wire.iso20022.syntax.framing import Frame, framed
from zhidao.finance.wire.iso20022.syntax.trees import (
    agent_xml,
    amount_xml,
    bank,
    escaped,
    minor_of,
    optional,
)

if TYPE_CHECKING:
    from lxml.etree import _Element

RETURN: Final = "pacs.004.001.10"
RECALL: Final = "camt.056.001.09"
ANSWER: Final = "camt.029.001.10"


def decode_returns(envelope: Envelope) -> Returns:
    """The returns of a message whose structure was checked."""
    frame = Frame(envelope)
    sender, receiver = frame.banks()
    group = frame.first("OrgnlGrpInf")
    returns = []
    for one in frame.inside("TxInf"):
        names, parts = frame.texts(one), frame.parts(one)
        original = _original(one, frame, group)
        reason, note = _why(one, frame, "RtrRsnInf")
        back = parts["RtrdIntrBkSttlmAmt"]
        currency = str(back.get("Ccy"))
        told = parts.get("OrgnlIntrBkSttlmAmt")
        returns.append(
            Return(
                names.get("RtrId", ""),
                *original,
                names.get("OrgnlInstrId", ""),
                names.get("OrgnlEndToEndId", ""),
                names.get("OrgnlUETR", ""),
                0 if told is None else minor_of(told.text or "", str(told.get("Ccy"))),
                minor_of(back.text or "", currency),
                currency,
                names.get("IntrBkSttlmDt", "") or frame.day,
                reason,
                note,
            )
        )
        sender = sender or frame.bic(one, "InstgAgt")
        receiver = receiver or frame.bic(one, "InstdAgt")
    return Returns(
        envelope.definition, frame.message, frame.created, sender, receiver, tuple(returns)
    )


def encode_returns(message: Returns) -> bytes:
    """The message."""
    return framed(message.definition, "PmtRtr", _returns_xml(message))


def _returns_xml(message: Returns) -> Iterator[str]:
    yield (
        f"<GrpHdr><MsgId>{escaped(message.message)}</MsgId><CreDtTm>{message.created}</CreDtTm>"
        f"<NbOfTxs>{len(message.returns)}</NbOfTxs><SttlmInf><SttlmMtd>INGA</SttlmMtd></SttlmInf>"
        f"{_bank('InstgAgt', message.sender)}{_bank('InstdAgt', message.receiver)}</GrpHdr>"
    )
    for one in message.returns:
        original = (
            amount_xml("OrgnlIntrBkSttlmAmt", one.original_minor, one.currency)
            if one.original_minor
            else ""
        )
        yield (
            f"<TxInf>{optional('RtrId', one.id)}{_original_xml(one)}"
            f"{optional('OrgnlInstrId', one.instruction)}"
            f"{optional('OrgnlEndToEndId', one.end_to_end)}{optional('OrgnlUETR', one.uetr)}"
            f"{original}{amount_xml('RtrdIntrBkSttlmAmt', one.returned_minor, one.currency)}"
            f"{optional('IntrBkSttlmDt', one.day)}"
            f"{reason_xml('RtrRsnInf', one.reason, one.note)}</TxInf>"
        )


def decode_recalls(envelope: Envelope) -> Recalls:
    """The recalls of a message whose structure was checked."""
    frame = Frame(envelope)
    recalls: list[Recall] = []
    for underlying in frame.inside("Undrlyg"):
        group = next(frame.all(underlying, "OrgnlGrpInfAndCxl"), None)
        for one in frame.all(underlying, "TxInf"):
            names, parts = frame.texts(one), frame.parts(one)
            amount = parts.get("OrgnlIntrBkSttlmAmt")
            currency = "" if amount is None else str(amount.get("Ccy"))
            reason, note = _why(one, frame, "CxlRsnInf")
            recalls.append(
                Recall(
                    names.get("CxlId", ""),
                    *_original(one, frame, group),
                    names.get("OrgnlInstrId", ""),
                    names.get("OrgnlEndToEndId", ""),
                    names.get("OrgnlUETR", ""),
                    0 if amount is None else minor_of(amount.text or "", currency),
                    currency,
                    names.get("OrgnlIntrBkSttlmDt", ""),
                    reason,
                    note,
                )
            )
    sender, receiver = _ends(frame)
    return Recalls(
        envelope.definition, frame.message, frame.created, sender, receiver, tuple(recalls)
    )


def encode_recalls(message: Recalls) -> bytes:
    """The message."""
    return framed(message.definition, "FIToFIPmtCxlReq", _recalls_xml(message))


def _recalls_xml(message: Recalls) -> Iterator[str]:
    yield _assignment_xml(message)
    yield f"<CtrlData><NbOfTxs>{len(message.recalls)}</NbOfTxs></CtrlData><Undrlyg>"
    for one in message.recalls:
        amount = (
            amount_xml("OrgnlIntrBkSttlmAmt", one.amount_minor, one.currency)
            if one.currency
            else ""
        )
        yield (
            f"<TxInf>{optional('CxlId', one.id)}{_original_xml(one)}"
            f"{optional('OrgnlInstrId', one.instruction)}"
            f"{optional('OrgnlEndToEndId', one.end_to_end)}{optional('OrgnlUETR', one.uetr)}"
            f"{amount}{optional('OrgnlIntrBkSttlmDt', one.day)}"
            f"{reason_xml('CxlRsnInf', one.reason, one.note)}</TxInf>"
        )
    yield "</Undrlyg>"


def decode_answers(envelope: Envelope) -> Answers:
    """The answers of a message whose structure was checked."""
    frame = Frame(envelope)
    answers: list[Answer] = []
    for details in frame.inside("CxlDtls"):
        group = next(frame.all(details, "OrgnlGrpInfAndSts"), None)
        for one in frame.all(details, "TxInfAndSts"):
            names = frame.texts(one)
            reason, note = _why(one, frame, "CxlStsRsnInf")
            answers.append(
                Answer(
                    names.get("CxlStsId", ""),
                    *_original(one, frame, group),
                    names.get("OrgnlInstrId", ""),
                    names.get("OrgnlEndToEndId", ""),
                    names.get("OrgnlUETR", ""),
                    names.get("TxCxlSts", ""),
                    reason,
                    note,
                )
            )
    sender, receiver = _ends(frame)
    outcome = frame.text(frame.first("Sts"), "Conf")
    return Answers(
        envelope.definition,
        frame.message,
        frame.created,
        sender,
        receiver,
        outcome,
        tuple(answers),
    )


def encode_answers(message: Answers) -> bytes:
    """The message."""
    return framed(message.definition, "RsltnOfInvstgtn", _answers_xml(message))


def _answers_xml(message: Answers) -> Iterator[str]:
    yield _assignment_xml(message)
    yield f"<Sts><Conf>{escaped(message.outcome)}</Conf></Sts>"
    if not message.answers:
        return
    yield "<CxlDtls>"
    for one in message.answers:
        yield (
            f"<TxInfAndSts>{optional('CxlStsId', one.id)}{_original_xml(one)}"
            f"{optional('OrgnlInstrId', one.instruction)}"
            f"{optional('OrgnlEndToEndId', one.end_to_end)}{optional('OrgnlUETR', one.uetr)}"
            f"{optional('TxCxlSts', one.status)}"
            f"{reason_xml('CxlStsRsnInf', one.reason, one.note)}</TxInfAndSts>"
        )
    yield "</CxlDtls>"


def _why(element: _Element, frame: Frame, name: str) -> tuple[str, str]:
    told = next(frame.all(element, name), None)
    if told is None:
        return "", ""
    lines = [one.text or "" for one in frame.all(told, "AddtlInf")]
    return frame.code(told, "Rsn"), "".join(lines)


def _original(element: _Element, frame: Frame, group: _Element | None) -> tuple[str, str]:
    """The message that first carried the payment: of the payment itself, else of its group."""
    own = next(frame.all(element, "OrgnlGrpInf"), None)
    if own is None:
        own = group
    return frame.text(own, "OrgnlMsgId"), frame.text(own, "OrgnlMsgNmId")


def _original_xml(one: Return | Recall | Answer) -> str:
    if not one.original:
        return ""
    return (
        f"<OrgnlGrpInf><OrgnlMsgId>{escaped(one.original)}</OrgnlMsgId>"
        f"<OrgnlMsgNmId>{escaped(one.original_definition)}</OrgnlMsgNmId></OrgnlGrpInf>"
    )


def _ends(frame: Frame) -> tuple[str, str]:
    assignment = frame.first("Assgnmt")
    sender = frame.text(assignment, "Assgnr", "Agt", "FinInstnId", "BICFI")
    receiver = frame.text(assignment, "Assgne", "Agt", "FinInstnId", "BICFI")
    return sender, receiver


def _assignment_xml(message: Recalls | Answers) -> str:
    return (
        f"<Assgnmt><Id>{escaped(message.message)}</Id>"
        f"<Assgnr>{_bank('Agt', message.sender)}</Assgnr>"
        f"<Assgne>{_bank('Agt', message.receiver)}</Assgne>"
        f"<CreDtTm>{message.created}</CreDtTm></Assgnmt>"
    )


def _bank(name: str, bic: str) -> str:
    return agent_xml(name, bank(bic)) if bic else ""
