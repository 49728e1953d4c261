"""Routes of money in motion: payment messages, recalls, a bank's own transfers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Router, post
from litestar.params import Parameter

from zhidao.core.actor import Actor
from zhidao.core.ids import parse_id, party_id
from zhidao.core.limits import DAY, JSON_INTEGER_MAX
from zhidao.core.money import Currency
from zhidao.finance.domain.ledger.ledger import NO_ID, Transfer, TransferFlag, ledger_number
from zhidao.finance.domain.ledger.records import from_bytes
from zhidao.finance.domain.naming import TransferCode
from zhidao.finance.service.ledger.accounts import BANKS, Accounts
from zhidao.finance.service.payments.bank_transfers import MAY_MOVE, BankTransfers
from zhidao.finance.service.payments.payments import MAY_SEND, Payments
from zhidao.finance.service.payments.sending import Outgoing
from zhidao.node.http.access import ACCESS
from zhidao.node.http.openapi import BODY_BYTES, PLAIN_BYTES

TRANSFERS_MAX = 1_000
_BankPath = Annotated[str, Parameter(min_length=1, max_length=64)]
_Message = Annotated[str, Parameter(pattern=r"^[A-Za-z0-9./+-]{1,35}\Z")]
_Currency = Annotated[str, Parameter(pattern=r"^[A-Z]{3}\Z")]
_Account = Annotated[str, Parameter(min_length=1, max_length=64)]
_Day = Annotated[str, Parameter(pattern=DAY)]
Uetr = Annotated[
    str,
    msgspec.Meta(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\Z"),
]
Uetrs = Annotated[list[Uetr], msgspec.Meta(min_length=1, max_length=100)]
Reason = Annotated[str, msgspec.Meta(pattern=r"^[A-Z0-9]{4}\Z")]
Note = Annotated[str, msgspec.Meta(max_length=210)]
SentBy = Annotated[str, msgspec.Meta(pattern=r"^([A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?)?\Z")]
OneCurrency = Annotated[str, msgspec.Meta(pattern=r"^([A-Z]{3})?\Z")]
Identifier = Annotated[str, msgspec.Meta(min_length=32, max_length=36)]
Flag = Literal["linked", "pending", "post_pending_transfer", "void_pending_transfer"]


class MessageView(msgspec.Struct, kw_only=True):
    """A message that follows from one that was sent: what it is, for whom, and its XML.

    `receiver`: a BIC; empty for a customer, who is the account's holder.
    """

    definition: str
    message: str
    receiver: str
    xml: str


class NewRecall(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Payments that the caller's bank sent and asks back. `reason`: DUPL, FRAD, CUST….

    `currency`: needed only where a UETR stands for payments in two currencies.
    """

    uetrs: Uetrs
    reason: Reason
    note: Note = ""
    currency: OneCurrency = ""


class RecallAnswer(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The payees' word: these UETRs of the recall go back, the others do not."""

    agreed: Annotated[list[Uetr], msgspec.Meta(max_length=100)]


class NewReturn(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Payments that the caller's bank received and gives back unasked.

    `sent_by` (a BIC), `currency`: needed only where two payments came in under one UETR.
    """

    uetrs: Uetrs
    reason: Reason
    note: Note = ""
    sent_by: SentBy = ""
    currency: OneCurrency = ""


class NewTransfer(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A transfer between two accounts that the caller's bank keeps, with an id of the caller's.

    A post or void names what it resolves in `pending` and may leave both accounts empty.
    """

    transfer: Identifier
    debit: Annotated[str, msgspec.Meta(max_length=36)] = ""
    credit: Annotated[str, msgspec.Meta(max_length=36)] = ""
    amount_minor: Annotated[int, msgspec.Meta(ge=0, le=JSON_INTEGER_MAX)] = 0
    pending: Annotated[str, msgspec.Meta(max_length=36)] = ""
    timeout_s: Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)] = 0
    flags: Annotated[list[Flag], msgspec.Meta(max_length=4)] = []


class NewTransfers(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Transfers of one ledger, applied in order; linked ones hold together or not at all."""

    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z")]
    transfers: Annotated[list[NewTransfer], msgspec.Meta(min_length=1, max_length=TRANSFERS_MAX)]


def routes(accounts: Accounts, payments: Payments, transfers: BankTransfers) -> Router:
    """Routes under /v1/finance."""

    @post(
        "/banks/{bank:str}/messages",
        opt={ACCESS: MAY_SEND, BODY_BYTES: "application/xml"},
    )
    async def send(
        bank: _BankPath, request: Request[Any, Any, Any], actor: Actor
    ) -> list[MessageView]:
        """Takes an ISO 20022 message (XML) for a bank of this node and answers it with others.

        A customer sends pain.001; another bank pacs.002, pacs.004, pacs.008, pacs.009, camt.029
        and camt.056. What is wrong with a message is said in the answer (RJCT, an external code
        and the place). Again the same message: the same answer, and nothing more is moved.
        """
        admitted = await accounts.bank(party_id(bank))
        return _views(await payments.carry(admitted, actor, await request.body()))

    @post("/recalls", opt={ACCESS: BANKS})
    async def recall(data: NewRecall, actor: Actor) -> list[MessageView]:
        """Asks payments back (camt.056); banks only."""
        bank = await accounts.require_bank(actor)
        asked = await payments.back.recall(
            bank, data.uetrs, reason=data.reason, note=data.note, currency=data.currency
        )
        return _views(asked)

    @post("/recalls/{sender:str}/{recall:str}/answer", opt={ACCESS: BANKS})
    async def answer(
        sender: _BankPath, recall: _Message, data: RecallAnswer, actor: Actor
    ) -> list[MessageView]:
        """Answers another bank's recall: camt.029, and pacs.004 with what goes back; banks only."""
        bank = await accounts.require_bank(actor)
        answered = await payments.back.answer_recall(
            bank, party_id(sender), recall, agreed=data.agreed, by=actor
        )
        return _views(await payments.carry_on(bank, answered))

    @post("/returns", opt={ACCESS: BANKS})
    async def give_back(data: NewReturn, actor: Actor) -> list[MessageView]:
        """Gives payments back unasked (pacs.004); banks only.

        Each is reserved until the payer's bank has answered, and the payee's again if that refuses.
        """
        bank = await accounts.require_bank(actor)
        given = await payments.back.give_back(
            bank,
            data.uetrs,
            reason=data.reason,
            note=data.note,
            sent_by=data.sent_by,
            currency=data.currency,
            by=actor,
        )
        return _views(await payments.carry_on(bank, given))

    @post("/transfers", opt={ACCESS: MAY_MOVE})
    async def move(data: NewTransfers, actor: Actor) -> list[str]:
        """Moves money between accounts that the caller's bank keeps; one result a transfer.

        Results have TigerBeetle's names; `created` and `exists` mean that it stands.
        """
        number = ledger_number(Currency(data.currency))
        wanted = [_transfer(one, number) for one in data.transfers]
        return [one.value for one in await transfers.move(actor, data.currency, wanted)]

    @post(
        "/transfers/{currency:str}/records",
        opt={ACCESS: MAY_MOVE, BODY_BYTES: PLAIN_BYTES},
    )
    async def move_records(
        currency: _Currency, request: Request[Any, Any, Any], actor: Actor
    ) -> list[str]:
        """The same as TigerBeetle's records of 128 bytes, one after the other, 8,189 at most."""
        records = from_bytes(await request.body())
        return [one.value for one in await transfers.move_records(actor, currency, records)]

    handlers = [send, recall, answer, give_back, move, move_records]
    return Router("/v1/finance", route_handlers=handlers, tags=["finance"])


def _views(many: list[Outgoing]) -> list[MessageView]:
    return [
        MessageView(
            definition=one.definition,
            message=one.message,
            receiver=one.receiver,
            xml=one.data.decode(),
        )
        for one in many
    ]


def _transfer(one: NewTransfer, number: int) -> Transfer:
    flags = TransferFlag(0)
    for name in one.flags:
        flags |= TransferFlag[name.upper()]
    resolves = bool(one.pending)
    return Transfer(
        id=parse_id(one.transfer),
        debit_account_id=parse_id(one.debit) if one.debit else NO_ID,
        credit_account_id=parse_id(one.credit) if one.credit else NO_ID,
        amount=one.amount_minor,
        pending_id=parse_id(one.pending) if one.pending else NO_ID,
        ledger=0 if resolves else number,
        code=0 if resolves else TransferCode.PAYMENT,
        flags=flags,
        timeout=one.timeout_s,
    )
