"""An independent model of TigerBeetle's ledger, written from its rules and from none of our code.

Plain integers and dictionaries, one transfer at a time, a broken chain undone by a copy of
everything: slow, and so short that it can be checked on paper. The order of the checks is that of
release 0.17.9, as its own reference model has it. Amounts beyond 63 bits, which that one takes, are
refused last under the names of this ledger.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

TOP = 2**128 - 1
OURS = 2**63 - 1
S = 1_000_000_000
LINKED, PENDING, POST, VOID, BALANCE_DEBIT, BALANCE_CREDIT, CLOSE_DEBIT, CLOSE_CREDIT = (
    1 << bit for bit in range(8)
)
DEBITS_LIMITED, CREDITS_LIMITED, CLOSED = 2, 4, 32
SPENT = {
    *("debit_account_not_found", "credit_account_not_found", "pending_transfer_not_found"),
    *("debit_account_already_closed", "credit_account_already_closed"),
    *("exceeds_credits", "exceeds_debits"),
}
DATA = ("user_data_128", "user_data_64", "user_data_32")


@dataclass
class Sums:
    """An account."""

    ledger: int
    flags: int
    debits_pending: int = 0
    debits_posted: int = 0
    credits_pending: int = 0
    credits_posted: int = 0


@dataclass
class Move:
    """A transfer. `state`: of a reservation."""

    id: int
    debit_account_id: int
    credit_account_id: int
    amount: int
    ledger: int = 1
    code: int = 1
    flags: int = 0
    pending_id: int = 0
    timeout: int = 0
    timestamp: int = 0
    user_data_128: int = 0
    user_data_64: int = 0
    user_data_32: int = 0
    state: str = ""


@dataclass
class Model:
    """A ledger, its transfers, and the ids that are spent on a failure."""

    accounts: dict[int, Sums] = field(default_factory=dict)
    moves: dict[int, Move] = field(default_factory=dict)
    spent: set[int] = field(default_factory=set)

    def batch(self, asked: Sequence[Move], first_ns: int) -> list[str]:
        """The answers of a batch whose first transfer comes at this moment, the others 1 ns on."""
        self._expire(first_ns)
        answers: list[str] = []
        while len(answers) < len(asked):
            begin = end = len(answers)
            while end < len(asked) and asked[end].flags & LINKED:
                end += 1
            is_open = end == len(asked)
            chain = asked[begin : end + 1]
            answers += self._chain(chain, first_ns + begin, is_open=is_open)
        return answers

    def _chain(self, chain: Sequence[Move], at_ns: int, *, is_open: bool) -> list[str]:
        before = copy.deepcopy((self.accounts, self.moves))
        answers: list[str] = []
        failed = -1
        for place, move in enumerate(chain):
            if is_open and place == len(chain) - 1:
                answer = "linked_event_chain_open"
            elif failed >= 0:
                answer = "linked_event_failed"
            else:
                answer = self._one(move, at_ns + place)
            answers.append(answer)
            if answer != "created" and failed < 0:
                failed = place
        if failed < 0:
            return answers
        self.accounts, self.moves = before
        if answers[failed] in SPENT:
            self.spent.add(chain[failed].id)
        return ["linked_event_failed"] * failed + answers[failed:]

    def _expire(self, now_ns: int) -> None:
        for move in self.moves.values():
            if move.state == "pending" and _is_over(move, now_ns):
                move.state = "expired"
                self._let_go(move)

    def _let_go(self, held: Move) -> None:
        debit, credit = (
            self.accounts[held.debit_account_id],
            self.accounts[held.credit_account_id],
        )
        debit.debits_pending -= held.amount
        credit.credits_pending -= held.amount
        if held.state != "posted":
            debit.flags &= ~(CLOSED if held.flags & CLOSE_DEBIT else 0)
            credit.flags &= ~(CLOSED if held.flags & CLOSE_CREDIT else 0)

    def _one(self, move: Move, now_ns: int) -> str:
        for wrong, answer in (
            (move.timestamp, "timestamp_must_be_zero"),
            (move.flags >> 8, "reserved_flag"),
            (move.id == 0, "id_must_not_be_zero"),
            (move.id == TOP, "id_must_not_be_int_max"),
        ):
            if wrong:
                return answer
        if move.id in self.moves:
            return self._exists(move, self.moves[move.id])
        if move.id in self.spent:
            return "id_already_failed"
        if move.flags & (POST | VOID):
            return self._resolve(move, now_ns)
        return self._move(move, now_ns)

    def _move(self, move: Move, now_ns: int) -> str:
        pending = move.flags & PENDING
        for wrong, answer in (
            (move.debit_account_id == 0, "debit_account_id_must_not_be_zero"),
            (move.debit_account_id == TOP, "debit_account_id_must_not_be_int_max"),
            (move.credit_account_id == 0, "credit_account_id_must_not_be_zero"),
            (move.credit_account_id == TOP, "credit_account_id_must_not_be_int_max"),
            (move.debit_account_id == move.credit_account_id, "accounts_must_be_different"),
            (move.pending_id, "pending_id_must_be_zero"),
            (move.timeout and not pending, "timeout_reserved_for_pending_transfer"),
            (
                move.flags & (CLOSE_DEBIT | CLOSE_CREDIT) and not pending,
                "closing_transfer_must_be_pending",
            ),
            (move.ledger == 0, "ledger_must_not_be_zero"),
            (move.code == 0, "code_must_not_be_zero"),
            (move.debit_account_id not in self.accounts, "debit_account_not_found"),
            (move.credit_account_id not in self.accounts, "credit_account_not_found"),
        ):
            if wrong:
                return answer
        debit = self.accounts[move.debit_account_id]
        credit = self.accounts[move.credit_account_id]
        for wrong, answer in (
            (debit.ledger != credit.ledger, "accounts_must_have_the_same_ledger"),
            (move.ledger != debit.ledger, "transfer_must_have_the_same_ledger_as_accounts"),
            (debit.flags & CLOSED, "debit_account_already_closed"),
            (credit.flags & CLOSED, "credit_account_already_closed"),
        ):
            if wrong:
                return answer
        amount = _balanced(move, debit, credit)
        debits = debit.debits_pending + debit.debits_posted + amount
        credits_ = credit.credits_pending + credit.credits_posted + amount
        answer = (
            _overflow(pending, amount, debit, credit, TOP)
            or ("exceeds_credits" if _over(debit, DEBITS_LIMITED, debits) else "")
            or ("exceeds_debits" if _over(credit, CREDITS_LIMITED, credits_) else "")
            or ("amount_must_not_exceed_int64_max" if amount > OURS else "")
            or _overflow(pending, amount, debit, credit, OURS)
        )
        if answer:
            return answer
        if pending:
            debit.debits_pending += amount
            credit.credits_pending += amount
        else:
            debit.debits_posted += amount
            credit.credits_posted += amount
        debit.flags |= CLOSED if move.flags & CLOSE_DEBIT else 0
        credit.flags |= CLOSED if move.flags & CLOSE_CREDIT else 0
        state = "pending" if pending else ""
        self.moves[move.id] = replace(move, amount=amount, timestamp=now_ns, state=state)
        return "created"

    def _resolve(self, move: Move, now_ns: int) -> str:
        others = PENDING | BALANCE_DEBIT | BALANCE_CREDIT | CLOSE_DEBIT | CLOSE_CREDIT
        held = self.moves.get(move.pending_id)
        for wrong, answer in (
            (move.flags & POST and move.flags & VOID, "flags_are_mutually_exclusive"),
            (move.flags & others, "flags_are_mutually_exclusive"),
            (move.pending_id == 0, "pending_id_must_not_be_zero"),
            (move.pending_id == TOP, "pending_id_must_not_be_int_max"),
            (move.pending_id == move.id, "pending_id_must_be_different"),
            (move.timeout, "timeout_reserved_for_pending_transfer"),
            (held is None, "pending_transfer_not_found"),
            (held is not None and not held.flags & PENDING, "pending_transfer_not_pending"),
        ):
            if wrong:
                return answer
        assert held is not None
        for name in ("debit_account_id", "credit_account_id", "ledger", "code"):
            if getattr(move, name) not in (0, getattr(held, name)):
                return f"pending_transfer_has_different_{name}"
        filled = _filled(move, held)
        debit = self.accounts[held.debit_account_id]
        credit = self.accounts[held.credit_account_id]
        for wrong, answer in (
            (filled.amount > held.amount, "exceeds_pending_transfer_amount"),
            (
                move.flags & VOID and filled.amount < held.amount,
                "pending_transfer_has_different_amount",
            ),
            (held.state == "posted", "pending_transfer_already_posted"),
            (held.state == "voided", "pending_transfer_already_voided"),
            (held.state == "expired" or _is_over(held, now_ns), "pending_transfer_expired"),
            (move.flags & POST and debit.flags & CLOSED, "debit_account_already_closed"),
            (move.flags & POST and credit.flags & CLOSED, "credit_account_already_closed"),
        ):
            if wrong:
                return answer
        held.state = "posted" if move.flags & POST else "voided"
        self._let_go(held)
        if move.flags & POST:
            debit.debits_posted += filled.amount
            credit.credits_posted += filled.amount
        self.moves[move.id] = replace(filled, timestamp=now_ns)
        return "created"

    def _exists(self, move: Move, old: Move) -> str:
        for name in ("flags", "pending_id", "timeout"):
            if getattr(move, name) != getattr(old, name):
                return f"exists_with_different_{name}"
        if move.flags & (POST | VOID):
            move = _filled(move, self.moves[move.pending_id])
        balancing = move.flags & (BALANCE_DEBIT | BALANCE_CREDIT)
        for name in ("debit_account_id", "credit_account_id", "amount", *DATA, "ledger", "code"):
            new, stands = getattr(move, name), getattr(old, name)
            if (new < stands) if balancing and name == "amount" else new != stands:
                return f"exists_with_different_{name}"
        return "exists"


def _is_over(held: Move, now_ns: int) -> bool:
    return bool(held.timeout) and held.timestamp + held.timeout * S <= now_ns


def _filled(move: Move, held: Move) -> Move:
    blank = {
        name: getattr(move, name) or getattr(held, name)
        for name in ("debit_account_id", "credit_account_id", "ledger", "code", *DATA)
    }
    whole = TOP if move.flags & POST else 0
    return replace(move, **blank, amount=held.amount if move.amount == whole else move.amount)


def _balanced(move: Move, debit: Sums, credit: Sums) -> int:
    amount = move.amount
    if move.flags & BALANCE_DEBIT:
        free = debit.credits_posted - debit.debits_posted - debit.debits_pending
        amount = min(amount, max(0, free))
    if move.flags & BALANCE_CREDIT:
        free = credit.debits_posted - credit.credits_posted - credit.credits_pending
        amount = min(amount, max(0, free))
    return amount


def _over(account: Sums, limit: int, whole: int) -> bool:
    other = account.credits_posted if limit == DEBITS_LIMITED else account.debits_posted
    return bool(account.flags & limit) and whole > other


def _overflow(pending: int, amount: int, debit: Sums, credit: Sums, most: int) -> str:
    for sums, answer in (
        (debit.debits_pending if pending else 0, "overflows_debits_pending"),
        (credit.credits_pending if pending else 0, "overflows_credits_pending"),
        (debit.debits_posted, "overflows_debits_posted"),
        (credit.credits_posted, "overflows_credits_posted"),
        (debit.debits_pending + debit.debits_posted, "overflows_debits"),
        (credit.credits_pending + credit.credits_posted, "overflows_credits"),
    ):
        if amount <= most and sums + amount > most:
            return answer
    return ""
