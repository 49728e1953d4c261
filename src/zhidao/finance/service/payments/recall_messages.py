"""What is said when money goes back: recalls' answers, returns, reports on them, advice of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from zhidao.core.archive import digest_of
from zhidao.finance.domain.ledger.records import Movement, Name, uuid_of
from zhidao.finance.domain.payments.message import (
    Answer,
    Answers,
    Message,
    Notice,
    NoticeEntry,
    Recall,
    Recalls,
    Return,
    Returns,
    Status,
    StatusReport,
    Tree,
)
from zhidao.finance.domain.payments.payment_legs import (
    Booking,
    Refusal,
    group_status,
)
from zhidao.finance.events import BankAdmitted
from zhidao.finance.service.payments.booking import Books
from zhidao.finance.service.payments.validation import Examined
from zhidao.finance.wire.iso20022.messages import notices, reversals, statuses
from zhidao.finance.wire.iso20022.syntax.trees import account


def answer_id(digest: str) -> str:
    """The id of the answer to a recall. `digest`: of the recall's bytes, SHA-256 in hexadecimal."""
    return f"A{digest[:32]}"


def status_id(digest: str) -> str:
    """The id of pacs.002 on a message with these bytes."""
    return f"S{digest[:32]}"


class Found(NamedTuple):
    """A payment's transfer in the ledger."""

    currency: str
    movement: Movement
    sent_by: str = ""
    """The BIC that the names of its other transfers hold; none if its own does not."""


class RecallMessages:
    """Writes what is said of money that goes back; the ids follow from what is said."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def answers(
        self, bank: BankAdmitted, message: Recalls, answers: Sequence[Answer], name: str
    ) -> Answers:
        """camt.029: what became of each payment that was asked back."""
        told = {one.status for one in answers}
        outcome = "PDCR" if "PDCR" in told else "CNCL" if told == {"ACCR"} else "RJCR"
        return Answers(
            *(reversals.ANSWER, name, self._books.moment(), bank.bic, message.sender, outcome),
            tuple(answers),
        )

    def report(
        self,
        bank: BankAdmitted,
        message: Returns,
        examined: Examined,
        why: Mapping[int, Refusal],
    ) -> StatusReport:
        """pacs.002 on returns that came in."""
        told = []
        for place, one in enumerate(message.returns):
            refusal = why.get(place)
            refused = refusal is not None or examined.whole is not None
            told.append(
                Status(
                    *("", "", one.end_to_end, one.uetr, "RJCT" if refused else "ACSC"),
                    *(("", "") if refusal is None else refusal),
                )
            )
        whole = examined.whole
        return StatusReport(
            *(statuses.TO_BANK, status_id(examined.digest), self._books.moment()),
            *(bank.bic, message.sender, message.message, message.definition),
            group_status([one.status for one in told]),
            *(("", "") if whole is None else whole),
            tuple(told),
        )

    def advise(
        self, returns: Sequence[Return], currency: str, booked: Sequence[Booking]
    ) -> list[Message]:
        """camt.054 to each payer that has money back, all of it in one."""
        by_account: dict[Name, list[NoticeEntry]] = defaultdict(list)
        for one in booked:
            back = returns[one.place]
            note: Tree = (("Ustrd", f"returned: {back.reason}"),)
            by_account[one.credit].append(
                NoticeEntry(
                    entry=uuid_of(one.name).hex,
                    amount_minor=back.returned_minor,
                    day=self._books.moment()[:10],
                    instruction="",
                    end_to_end=back.end_to_end,
                    uetr=back.uetr,
                    payer=(),
                    payer_account=(),
                    payer_bank=(),
                    payee=(),
                    payee_account=(),
                    payee_bank=(),
                    remittance=note,
                ),
            )
        return [
            Notice(
                notices.DEFINITION,
                f"N{digest_of(entries[0].entry.encode())[:32]}",
                self._books.moment(),
                account(uuid_of(name).hex),
                currency,
                tuple(entries),
            )
            for name, entries in by_account.items()
        ]


def answer(one: Recall, why: Refusal | None, status: str) -> Answer:
    """The answer on one payment: as given, or refused."""
    return Answer(
        *(one.id, one.original, one.original_definition, one.instruction, one.end_to_end, one.uetr),
        status if why is None else "RJCR",
        *(("", "") if why is None else why),
    )
