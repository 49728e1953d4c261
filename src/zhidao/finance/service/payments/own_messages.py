"""Messages of banks whose books this node keeps: only what their own service made moves money.

A bank that keeps its accounts here is debited here before its message leaves. A message that it
writes by hand would move another bank's books and leave its own as they are. A bank that only
brings its messages here, because its books are elsewhere, is not asked.
"""

from __future__ import annotations

from typing import Final

from zhidao.core.errors import Refused
from zhidao.finance.domain.payments.message import Message
from zhidao.finance.events import BankAdmitted
from zhidao.finance.service.payments.directory import Directory
from zhidao.finance.service.payments.sending import SentMessages

_MOVES_MONEY: Final = ("pacs.008", "pacs.009", "pacs.004")


class OwnMessages:
    """Knows what each bank of this node sent."""

    def __init__(self, directory: Directory, sent: SentMessages) -> None:
        self._directory = directory
        self._sent = sent

    async def require(self, sender: BankAdmitted, message: Message, digest: str) -> None:
        """Returns for what the sender's service made, and for a bank with its books elsewhere.

        `digest`: of the message's bytes. Raises Refused (`past_own_books`).
        """
        if not message.definition.startswith(_MOVES_MONEY):
            return
        if not await self._directory.keeps_books(sender.bank):
            return
        made = await self._sent.of(sender, getattr(message, "receiver", ""), message.message)
        if made is None or made.digest != digest:
            raise Refused(
                f"this node keeps the books of {sender.bank}, and they know no"
                f" {message.definition} {message.message} with these bytes",
                code="past_own_books",
                where=message.message,
                remedy="have the bank make it: by pain.001 a payment, by /v1/finance/returns or an"
                " answer to a recall what goes back",
            )
