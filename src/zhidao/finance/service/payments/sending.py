"""What leaves a bank and what came in, by its id: none is taken for another's repetition.

What moves money or promises it bears its id once and for all, so that the same bytes go again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from zhidao.core.archive import Archive
from zhidao.core.errors import Refused
from zhidao.finance.domain.ledger.book import History
from zhidao.finance.domain.ledger.records import Name
from zhidao.finance.domain.naming import AccountCode
from zhidao.finance.domain.payments.message import (
    CreditTransfer,
    Message,
    Notice,
    Returns,
    StatusReport,
    Transfers,
)
from zhidao.finance.domain.payments.payment_legs import Refusal, credit_legs
from zhidao.finance.events import BankAdmitted
from zhidao.finance.service.ledger.ledger import Ledger
from zhidao.finance.service.payments.directory import Directory
from zhidao.finance.service.payments.validation import Examined
from zhidao.finance.service.ports import MessageIndex, Remembered
from zhidao.finance.wire.iso20022.messages.messages import decode, encode
from zhidao.finance.wire.iso20022.syntax.envelope import read_envelope
from zhidao.finance.wire.iso20022.syntax.trees import account_number

_LASTING: Final = ("pacs.008", "pacs.009", "pacs.004", "camt.029")
_RETURN: Final = "pacs.004"
_MOVES_MONEY: Final = ("pacs.008", "pacs.009", _RETURN)
_PAID: Final = ("ACSC", "ACCC")
_REFUSED: Final = "RJCT"
_DUPLICATE: Final = Refusal("DUPL", "another message has this id")


class Outgoing(NamedTuple):
    """A message that follows: for whom (a BIC, or an account's number), and its bytes."""

    receiver: str
    definition: str
    message: str
    data: bytes
    lasts: bool = False
    """Whether its id stands for these bytes for ever, as of what moves money."""
    account: str = ""
    """Whose holder it is for, if it tells of an account."""


class SentMessages:
    """What left a bank: found by its id or by the mark of what it booked, and read again."""

    def __init__(self, index: MessageIndex, archive: Archive) -> None:
        self._index = index
        self._archive = archive

    async def of(self, bank: BankAdmitted, receiver: str, message: str) -> Remembered | None:
        """A message by its id and the BIC that it went to, or None."""
        return await self._index.of_message(bank.bank, f">{receiver}", message)

    async def of_marks(
        self, bank: BankAdmitted, marks: Collection[int]
    ) -> Mapping[int, Remembered]:
        """The messages that booked what bears these marks, as far as they are known."""
        return await self._index.of_marks(bank.bank, sorted(set(marks)))

    async def read(self, sent: Remembered) -> Message:
        """What it says."""
        return decode(read_envelope(await self._archive.get(sent.digest)))

    async def keep(
        self, bank: BankAdmitted, receiver: str, message: Message
    ) -> tuple[Message, str]:
        """The message as it was first written under its id, and the digest of its bytes."""
        digest = await self._archive.put(encode(message))
        wanted = Remembered(message.message, message.definition, digest)
        [first] = await self._index.remember(bank.bank, f">{receiver}", [wanted])
        if first != digest:
            message = await self.read(wanted._replace(digest=first))
        return message, first


class Sending:
    """Keeps what leaves, before it leaves."""

    def __init__(self, index: MessageIndex, archive: Archive) -> None:
        self._index = index
        self._archive = archive

    async def send(self, bank: BankAdmitted, messages: Sequence[Message]) -> list[Outgoing]:
        """The bytes of what follows, kept before they leave."""
        [sent] = await self.send_many(bank, [messages])
        return sent

    async def send_many(
        self, bank: BankAdmitted, answers: Sequence[Sequence[Message]]
    ) -> list[list[Outgoing]]:
        """The same for several answers at once."""
        sent = [
            [
                Outgoing(
                    getattr(message, "receiver", ""),
                    message.definition,
                    message.message,
                    encode(message),
                    _lasts(message),
                    account_number(message.account) if isinstance(message, Notice) else "",
                )
                for message in answer
            ]
            for answer in answers
        ]
        digests = iter(
            await self._archive.put_many([one.data for answer in sent for one in answer])
        )
        kept = [[(one, next(digests)) for one in answer] for answer in sent]
        again = await self._sent_before(bank, [pair for answer in kept for pair in answer])
        return [
            [one._replace(data=again[digest]) if digest in again else one for one, digest in answer]
            for answer in kept
        ]

    async def _sent_before(
        self, bank: BankAdmitted, messages: Sequence[tuple[Outgoing, str]]
    ) -> dict[str, bytes]:
        """By digest, the bytes to send in place of new ones that bear an id already used.

        What moves money or promises it bears its id once and for all. Was it sent before, in
        another second? The bytes of then go again: others under the same id would be a duplicate
        there, and refused.
        """
        lasting: dict[str, list[Remembered]] = defaultdict(list)
        for one, digest in messages:
            if one.lasts:
                lasting[one.receiver].append(Remembered(one.message, one.definition, digest))
        again: dict[str, bytes] = {}
        for receiver, wanted in lasting.items():
            first = await self._index.remember(bank.bank, f">{receiver}", wanted)
            for new, digest in zip(wanted, first, strict=True):
                if digest != new.digest:
                    again[new.digest] = await self._archive.get(digest)
        return again

    async def remembered(
        self, bank: BankAdmitted, sender: str, examined: Sequence[Examined]
    ) -> list[Examined]:
        """The messages, each refused whole if its id stands for another."""
        wanted = [
            Remembered(one.message.message, one.message.definition, one.digest) for one in examined
        ]
        first = await self._index.remember(bank.bank, sender, wanted)
        return [
            one if digest == one.digest else one._replace(whole=_DUPLICATE)
            for one, digest in zip(examined, first, strict=True)
        ]


class Reserving(Protocol):
    """What a bank's books say of the money that it gives back."""

    async def is_reserved(self, bank: BankAdmitted, message: Returns, digest: str) -> bool:
        """Whether all that a message of these bytes gives back is reserved for it, or booked."""
        ...


class OwnMessages:
    """Messages of banks whose books this node keeps: only what their own service made moves money.

    A bank that keeps its accounts here is debited here before its message leaves. A message that
    it writes by hand would move another bank's books and leave its own as they are. So would a word
    on a payment (pacs.002) that its books do not bear out, and a return of which nothing is
    reserved or booked: its message is kept before that, so that it was made says nothing. A bank
    that only brings its messages here, with its books elsewhere, is not asked.
    """

    def __init__(
        self, directory: Directory, sent: SentMessages, ledger: Ledger, returns: Reserving
    ) -> None:
        self._directory = directory
        self._sent = sent
        self._ledger = ledger
        self._returns = returns

    async def require(
        self, bank: BankAdmitted, sender: BankAdmitted, message: Message, digest: str
    ) -> None:
        """Returns for what the sender's service made, and for a bank with its books elsewhere.

        `bank`: who gets it; `digest`: of the message's bytes. Raises Refused (`past_own_books`).
        """
        report = message if isinstance(message, StatusReport) else None
        if report is None and not message.definition.startswith(_MOVES_MONEY):
            return
        if not await self._directory.keeps_books(sender.bank):
            return
        if report is not None and not report.original_definition.startswith(_RETURN):
            if await self._is_borne_out(bank, sender, report):
                return
        elif await self._is_own(bank, sender, message, digest):
            return
        raise Refused(
            f"this node keeps the books of {sender.bank}, which do not bear out this"
            f" {message.definition} {message.message}",
            code="past_own_books",
            where=message.message,
            remedy="have the bank make it: by pain.001 a payment, by /v1/finance/returns or an"
            " answer to a recall what goes back; the node answers payments and returns itself",
        )

    async def _is_own(
        self, bank: BankAdmitted, sender: BankAdmitted, message: Message, digest: str
    ) -> bool:
        """Whether the sender's service made it, and what it gives back is reserved or booked."""
        made = await self._sent.of(sender, bank.bic, message.message)
        if made is None or made.digest != digest:
            return False
        if isinstance(message, Returns):
            return await self._returns.is_reserved(sender, message, digest)
        return True

    async def _is_borne_out(
        self, bank: BankAdmitted, sender: BankAdmitted, report: StatusReport
    ) -> bool:
        """Whether what is said to be paid was credited, and what is refused can never be.

        Of the payments of that bank, and of the currency that the message was in that it is on.
        """
        sent = await self._transfers(bank, sender, report)
        said = _said(report, sent)
        currencies = {one.uetr: one.currency for one in sent}
        legs = {uetr: credit_legs(sender.bank, uetr, bank.bic) for uetr, _ in said}
        names = [name for pair in legs.values() for name in pair]
        paid, refused = set(), set()
        for currency in await self._ledger.shards():
            history = await self._ledger.find(currency, names)
            due = self._directory.name_between(
                sender, AccountCode.DUE_FROM_BANK, bank.bank, currency
            )
            here = {u: pair for u, pair in legs.items() if currencies.get(u, currency) == currency}
            credited, failed = _fates(history, here, due)
            paid |= credited
            refused |= failed
        return all(uetr in (paid if word in _PAID else refused) for uetr, word in said)

    async def _transfers(
        self, bank: BankAdmitted, sender: BankAdmitted, report: StatusReport
    ) -> Sequence[CreditTransfer]:
        """The payments of the message that a report is on, if it was sent from here."""
        told = await self._sent.of(bank, sender.bic, report.original)
        file = None if told is None else await self._sent.read(told)
        return file.transfers if isinstance(file, Transfers) else ()


def _fates(
    history: History, legs: Mapping[str, Sequence[Name]], due: Name
) -> tuple[set[str], set[str]]:
    """The UETRs of what was credited to the debit of that account, and of what never can be."""
    credited = {uetr for uetr, names in legs.items() if _credits(history, names, due)}
    failed = {uetr for uetr, names in legs.items() if any(map(history.failed, names))}
    return credited, failed - credited


def _credits(history: History, names: Sequence[Name], due: Name) -> bool:
    """Whether one of these stands and debits that account."""
    stand = [history.transfers[name] for name in names if name in history.transfers]
    return any(one.debit_account_id == due for one in stand)


def _said(report: StatusReport, sent: Sequence[CreditTransfer]) -> list[tuple[str, str]]:
    """What is said for good of each UETR; a report on a whole file says it of each payment.

    Each entry is judged: one that says something else of the same payment hides none.
    """
    said = [(one.uetr, one.status) for one in report.statuses if one.uetr]
    said = said or [(one.uetr, report.status) for one in sent]
    return [(uetr, word) for uetr, word in said if word in (*_PAID, _REFUSED)]


def require_once_each(message: Message) -> None:
    """Returns unless it is a report that names one payment twice: only one word could be true.

    Raises Refused (`named_twice`) with the UETR.
    """
    if not isinstance(message, StatusReport):
        return
    seen: set[str] = set()
    for one in message.statuses:
        if one.uetr and one.uetr in seen:
            raise Refused(
                f"{message.definition} {message.message} names payment {one.uetr[:40]} twice",
                code="named_twice",
                where=one.uetr[:40],
                remedy="say of each payment once how it stands, and send the rest in other reports",
            )
        seen.add(one.uetr)


def _lasts(message: Message) -> bool:
    """What moves money or promises it, and the word on a return, which ends it over there."""
    if isinstance(message, StatusReport):
        return message.original_definition.startswith("pacs.004")
    return message.definition.startswith(_LASTING)
