"""Files of payments: pain.001.001.09, pacs.008.001.08 and pacs.009.001.09, read and written.

Written are the elements that `domain.message` knows; read is any message that its outline allows,
and what stands there beside that (purposes, charges of others) is not carried on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Final

from zhidao.core.errors import MalformedInput
from zhidao.finance.domain.payments.message import CreditTransfer, Transfers, Tree
from zhidao.finance.wire.iso20022.syntax.columns import Columns
from zhidao.finance.wire.iso20022.syntax.envelope import Envelope, line_of, path_of
from zhidao.finance.wire.iso20022.syntax.framing import Frame, framed
from zhidao.finance.wire.iso20022.syntax.trees import (
    EMPTY,
    agent_xml,
    amount_xml,
    at,
    bank,
    decimal_of,
    escaped,
    minor_of,
    optional,
    tree_of,
    xml_of,
)

if TYPE_CHECKING:
    from lxml.etree import _Element

INITIATION: Final = "pain.001.001.09"
CUSTOMERS: Final = "pacs.008.001.08"
BANKS: Final = "pacs.009.001.09"


def decode(envelope: Envelope, columns: Columns | None = None) -> Transfers:
    """The payments of a message whose structure was checked. Raises MalformedInput with the place.

    `columns`: the payments by columns, if the file is such (`columns_of`).

    Sender and receiver are the instructing and instructed agents, else those of the header.
    """
    frame = Frame(envelope)
    if envelope.definition.startswith("pain.001"):
        return _initiation(frame)
    sender, receiver = frame.banks()
    transfers = None if columns is None else _by_columns(frame, columns)
    if transfers is None:
        transfers = tuple(_between(one, frame) for one in frame.inside("CdtTrfTxInf"))
    if not (sender and receiver):
        first = frame.first("CdtTrfTxInf")
        sender = sender or frame.bic(first, "InstgAgt")
        receiver = receiver or frame.bic(first, "InstdAgt")
    return Transfers(envelope.definition, frame.message, frame.created, sender, receiver, transfers)


def _by_columns(frame: Frame, columns: Columns) -> tuple[CreditTransfer, ...] | None:
    """The same payments as one by one, or None if one of them has to be looked at by itself."""
    between_banks = frame.definition.startswith("pacs.009")
    currencies = columns.currencies["IntrBkSttlmAmt"]
    try:
        amounts = list(map(minor_of, columns.texts["IntrBkSttlmAmt"], currencies))
    except MalformedInput:
        return None
    party = "/FinInstnId" if between_banks else ""
    count = columns.count
    return tuple(
        map(
            CreditTransfer._make,
            zip(
                [""] * count,
                columns.get("PmtId/InstrId"),
                columns.texts["PmtId/EndToEndId"],
                columns.get("PmtId/UETR"),
                amounts,
                currencies,
                columns.texts.get("IntrBkSttlmDt") or [frame.day] * count,
                columns.get("ChrgBr"),
                columns.trees(f"Dbtr{party}"),
                columns.trees("DbtrAcct/Id"),
                columns.trees("DbtrAgt/FinInstnId"),
                columns.trees(f"Cdtr{party}"),
                columns.trees("CdtrAcct/Id"),
                columns.trees("CdtrAgt/FinInstnId"),
                columns.trees("RmtInf"),
                columns.trees(f"UltmtDbtr{party}"),
                columns.trees(f"UltmtCdtr{party}"),
                strict=True,
            ),
        )
    )


def _between(element: _Element, frame: Frame) -> CreditTransfer:
    parts = frame.parts(element)
    names = frame.texts(parts["PmtId"])
    amount = parts["IntrBkSttlmAmt"]
    currency = str(amount.get("Ccy"))
    get = parts.get
    between_banks = frame.definition.startswith("pacs.009")
    start = frame.start
    return CreditTransfer(
        group="",
        instruction=names.get("InstrId", ""),
        end_to_end=names["EndToEndId"],
        uetr=names.get("UETR", ""),
        amount_minor=_minor(amount, currency),
        currency=currency,
        day=_text(get("IntrBkSttlmDt")) or frame.day,
        charges=_text(get("ChrgBr")),
        payer=_bank(parts["Dbtr"]) if between_banks else tree_of(parts["Dbtr"], start),
        payer_account=_inner(get("DbtrAcct"), start),
        payer_bank=_inner(get("DbtrAgt"), start),
        payee=_bank(parts["Cdtr"]) if between_banks else tree_of(parts["Cdtr"], start),
        payee_account=_inner(get("CdtrAcct"), start),
        payee_bank=_inner(get("CdtrAgt"), start),
        remittance=_whole(get("RmtInf"), start),
        ultimate_payer=(_inner if between_banks else _whole)(get("UltmtDbtr"), start),
        ultimate_payee=(_inner if between_banks else _whole)(get("UltmtCdtr"), start),
    )


def _initiation(frame: Frame) -> Transfers:
    transfers: list[CreditTransfer] = []
    for payment in frame.inside("PmtInf"):
        transfers += _payment(payment, frame)
    sender, receiver = frame.header_banks()
    first = frame.first("PmtInf")
    receiver = receiver or frame.bic(first, "DbtrAgt")
    return Transfers(
        frame.definition, frame.message, frame.created, sender, receiver, tuple(transfers)
    )


def _payment(payment: _Element, frame: Frame) -> Iterator[CreditTransfer]:
    start, common = frame.start, {}
    transfers: list[_Element] = []
    for child in payment:
        name = str(child.tag)[start:]
        if name == "CdtTrfTxInf":
            transfers.append(child)
        else:
            common[name] = child
    day = "".join(_text(one) for one in common["ReqdExctnDt"])[:10]
    payer = tree_of(common["Dbtr"], start)
    payer_account = _inner(common["DbtrAcct"], start)
    payer_bank = _inner(common["DbtrAgt"], start)
    for_all = _whole(common.get("UltmtDbtr"), start)
    group, bearer = _text(common["PmtInfId"]), _text(common.get("ChrgBr"))
    for element in transfers:
        parts = frame.parts(element)
        names = frame.texts(parts["PmtId"])
        [amount] = parts["Amt"]
        currency = amount.get("Ccy")
        if currency is None:
            raise _wrong(amount, "an equivalent amount is not taken; give InstdAmt", "AM12")
        get = parts.get
        yield CreditTransfer(
            group=group,
            instruction=names.get("InstrId", ""),
            end_to_end=names["EndToEndId"],
            uetr=names.get("UETR", ""),
            amount_minor=_minor(amount, str(currency)),
            currency=str(currency),
            day=day,
            charges=_text(get("ChrgBr")) or bearer,
            payer=payer,
            payer_account=payer_account,
            payer_bank=payer_bank,
            payee=_whole(get("Cdtr"), start),
            payee_account=_inner(get("CdtrAcct"), start),
            payee_bank=_inner(get("CdtrAgt"), start),
            remittance=_whole(get("RmtInf"), start),
            ultimate_payer=_whole(get("UltmtDbtr"), start) or for_all,
            ultimate_payee=_whole(get("UltmtCdtr"), start),
        )


def _minor(element: _Element, currency: str) -> int:
    try:
        return minor_of(element.text or "", currency)
    except MalformedInput as error:
        raise _wrong(element, str(error.args[0]), error.code) from error


def _wrong(element: _Element, what: str, code: str) -> MalformedInput:
    return MalformedInput(what, code=code, where=f"{path_of(element)}, {line_of(element)}")


def _text(element: _Element | None) -> str:
    return "" if element is None else element.text or ""


def _whole(element: _Element | None, start: int) -> Tree:
    return EMPTY if element is None else tree_of(element, start)


def _inner(element: _Element | None, start: int) -> Tree:
    """What stands in the first element inside: FinInstnId of an agent, Id of an account."""
    return EMPTY if element is None else tree_of(element[0], start)


def _bank(element: _Element) -> Tree:
    space = str(element.tag).partition("}")[0]
    return tree_of(element[0], len(space) + 1)


def encode(file: Transfers) -> bytes:
    """The message. What it holds must be what its kind can say: pain.001 by groups in a row."""
    if file.definition.startswith("pain.001"):
        return framed(file.definition, "CstmrCdtTrfInitn", _initiation_xml(file))
    root = "FIToFICstmrCdtTrf" if file.definition.startswith("pacs.008") else "FICdtTrf"
    return framed(file.definition, root, _bank_xml(file))


def _bank_xml(file: Transfers) -> Iterator[str]:
    transfers = file.transfers
    yield (
        f"<GrpHdr><MsgId>{escaped(file.message)}</MsgId><CreDtTm>{file.created}</CreDtTm>"
        f"<NbOfTxs>{len(transfers)}</NbOfTxs>{_sum(transfers)}"
        "<SttlmInf><SttlmMtd>INGA</SttlmMtd></SttlmInf></GrpHdr>"
    )
    instructing = agent_xml("InstgAgt", bank(file.sender)) if file.sender else ""
    instructed = agent_xml("InstdAgt", bank(file.receiver)) if file.receiver else ""
    between_banks = file.definition.startswith("pacs.009")
    for one in transfers:
        payer, payee, ultimate_payer, ultimate_payee = (
            _named_xml(tree, between_banks=between_banks)
            for tree in (one.payer, one.payee, one.ultimate_payer, one.ultimate_payee)
        )
        yield (
            f"<CdtTrfTxInf><PmtId>{optional('InstrId', one.instruction)}"
            f"<EndToEndId>{escaped(one.end_to_end)}</EndToEndId>"
            f"{optional('UETR', one.uetr)}</PmtId>"
            f"{amount_xml('IntrBkSttlmAmt', one.amount_minor, one.currency)}"
            f"{optional('IntrBkSttlmDt', one.day)}{optional('ChrgBr', one.charges)}"
            f"{instructing}{instructed}{_filled('UltmtDbtr', ultimate_payer)}<Dbtr>{payer}</Dbtr>"
            f"{_account_xml('DbtrAcct', one.payer_account)}{agent_xml('DbtrAgt', one.payer_bank)}"
            f"{agent_xml('CdtrAgt', one.payee_bank)}<Cdtr>{payee}</Cdtr>"
            f"{_account_xml('CdtrAcct', one.payee_account)}{_filled('UltmtCdtr', ultimate_payee)}"
            f"{_part('RmtInf', one.remittance)}</CdtTrfTxInf>"
        )


def _initiation_xml(file: Transfers) -> Iterator[str]:
    transfers = file.transfers
    initiator = transfers[0].payer if transfers else EMPTY
    yield (
        f"<GrpHdr><MsgId>{escaped(file.message)}</MsgId><CreDtTm>{file.created}</CreDtTm>"
        f"<NbOfTxs>{len(transfers)}</NbOfTxs>{_sum(transfers)}"
        f"<InitgPty>{optional('Nm', at(initiator, 'Nm'))}</InitgPty></GrpHdr>"
    )
    for group, inside in groupby(transfers, key=lambda one: one.group):
        payments = list(inside)
        first = payments[0]
        yield (
            f"<PmtInf><PmtInfId>{escaped(group)}</PmtInfId><PmtMtd>TRF</PmtMtd>"
            f"<NbOfTxs>{len(payments)}</NbOfTxs>{_sum(payments)}"
            f"<ReqdExctnDt><Dt>{first.day}</Dt></ReqdExctnDt><Dbtr>{xml_of(first.payer)}</Dbtr>"
            f"{_account_xml('DbtrAcct', first.payer_account)}"
            f"{agent_xml('DbtrAgt', first.payer_bank)}{optional('ChrgBr', first.charges)}"
        )
        for one in payments:
            yield (
                f"<CdtTrfTxInf><PmtId>{optional('InstrId', one.instruction)}"
                f"<EndToEndId>{escaped(one.end_to_end)}</EndToEndId>"
                f"{optional('UETR', one.uetr)}</PmtId>"
                f"<Amt>{amount_xml('InstdAmt', one.amount_minor, one.currency)}</Amt>"
                f"{_part('UltmtDbtr', one.ultimate_payer)}"
                f"{agent_xml('CdtrAgt', one.payee_bank)}{_part('Cdtr', one.payee)}"
                f"{_account_xml('CdtrAcct', one.payee_account)}"
                f"{_part('UltmtCdtr', one.ultimate_payee)}"
                f"{_part('RmtInf', one.remittance)}</CdtTrfTxInf>"
            )
        yield "</PmtInf>"


def _sum(transfers: Sequence[CreditTransfer]) -> str:
    """The control sum, where all amounts are of one currency."""
    currencies = {one.currency for one in transfers}
    if len(currencies) != 1:
        return ""
    total = sum(one.amount_minor for one in transfers)
    return f"<CtrlSum>{decimal_of(total, currencies.pop())}</CtrlSum>"


def _account_xml(name: str, tree: Tree) -> str:
    return f"<{name}><Id>{xml_of(tree)}</Id></{name}>" if tree else ""


def _named_xml(tree: Tree, *, between_banks: bool) -> str:
    """A party, or a bank where banks pay each other; nothing for nobody."""
    inside = xml_of(tree) if tree else ""
    return f"<FinInstnId>{inside}</FinInstnId>" if inside and between_banks else inside


def _filled(name: str, inside: str) -> str:
    return f"<{name}>{inside}</{name}>" if inside else ""


def _part(name: str, tree: Tree) -> str:
    return f"<{name}>{xml_of(tree)}</{name}>" if tree else ""
