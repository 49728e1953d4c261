"""Messages of banks whose books this node keeps: only what their own service made moves money.

A bank that keeps its accounts here is debited here before its message leaves. A message that it
writes by hand would move another bank's books and leave its own as they are. So would a word on a
payment (pacs.002) that its books do not bear out. A bank that only brings its messages here, with
its books elsewhere, is not asked.
"""

from __future__ import annotations

from typing import Final

from zhidao.core.errors import Refused
from zhidao.finance.domain.payments.message import Message, StatusReport, Transfers
from zhidao.finance.domain.payments.payment_legs import Leg, leg_name
from zhidao.finance.events import BankAdmitted
from zhidao.finance.service.ledger.ledger import Ledger
from zhidao.finance.service.payments.directory import Directory
from zhidao.finance.service.payments.sending import SentMessages

_RETURN: Final = "pacs.004"
_MOVES_MONEY: Final = ("pacs.008", "pacs.009", _RETURN)
_PAID: Final = ("ACSC", "ACCC")
_REFUSED: Final = "RJCT"


class OwnMessages:
    """Knows what each bank of this node sent."""

    def __init__(self, directory: Directory, sent: SentMessages, ledger: Ledger) -> None:
        self._directory = directory
        self._sent = sent
        self._ledger = ledger

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
        else:
            made = await self._sent.of(sender, bank.bic, message.message)
            if made is not None and made.digest == digest:
                return
        raise Refused(
            f"this node keeps the books of {sender.bank}, which do not bear out this"
            f" {message.definition} {message.message}",
            code="past_own_books",
            where=message.message,
            remedy="have the bank make it: by pain.001 a payment, by /v1/finance/returns or an"
            " answer to a recall what goes back; the node answers payments and returns itself",
        )

    async def _is_borne_out(
        self, bank: BankAdmitted, sender: BankAdmitted, report: StatusReport
    ) -> bool:
        """Whether what is said to be paid was credited, and what is refused can never be."""
        said = {one.uetr: one.status for one in report.statuses if one.uetr}
        if not said:
            told = await self._sent.of(bank, sender.bic, report.original)
            file = None if told is None else await self._sent.read(told)
            if isinstance(file, Transfers):
                said = {one.uetr: report.status for one in file.transfers}
        names = {uetr: leg_name(sender.bank, uetr, Leg.CREDIT) for uetr in said}
        paid, refused = set(), set()
        for currency in await self._ledger.shards():
            history = await self._ledger.find(currency, list(names.values()))
            paid |= {uetr for uetr, name in names.items() if name in history.transfers}
            refused |= {uetr for uetr, name in names.items() if history.failed(name)}
        return all(
            uetr in (paid if word in _PAID else refused)
            for uetr, word in said.items()
            if word in (*_PAID, _REFUSED)
        )
