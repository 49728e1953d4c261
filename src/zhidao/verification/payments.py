"""Payments: the enclosed messages are read back and held against the deal."""

from __future__ import annotations

from zhidao.core.errors import Refused, ZhidaoError
from zhidao.core.money import Currency, Money
from zhidao.finance.domain.deals.deal import RELEASE, Deal, fold
from zhidao.finance.domain.naming import AccountCode, account_id
from zhidao.finance.domain.payments.payment import Payment
from zhidao.finance.events import BankAdmitted, DealOpened, Settled
from zhidao.finance.wire.iso20022.messages import camt054, pacs008
from zhidao.trade.domain.promise import PAYMENT
from zhidao.trust.domain.proof import Replayed, Statement
from zhidao.verification.case import Case


def check_payments(case: Case) -> Replayed:
    """Reads pacs.008 and camt.054 and compares them with the deal and with each other.

    Raises Refused (`payment_mismatch`).
    """
    proven: list[Statement] = []
    open_questions: list[Statement] = []
    shown = False
    for told in case.every(DealOpened):
        aggregate = f"deal/{told.fact.deal}"
        if told.fact.consignment != case.consignment or not case.is_whole(aggregate):
            continue
        deal = fold(case.history(aggregate))
        if deal is None or deal.settled is None:
            lacking = f"Whether deal {told.fact.deal} is applied: it is not settled here."
            open_questions.append(Statement("payment", lacking))
        else:
            shown |= _check_settled(case, deal, deal.settled, proven, open_questions)
    parts = frozenset((PAYMENT,) if shown else ())
    return Replayed(tuple(proven), tuple(open_questions), parts)


def _check_settled(
    case: Case,
    deal: Deal,
    settled: Settled,
    proven: list[Statement],
    open_questions: list[Statement],
) -> bool:
    """Whether a payment is shown: made, and by both of its messages."""
    decided = deal.decided
    if (
        decided is None
        or settled.paid != (decided.outcome == RELEASE)
        or (settled.reason != decided.reason)
    ):
        raise _mismatch(f"deal {deal.name} was settled otherwise than decided")
    if settled.paid:
        return _check_messages(case, deal, settled, proven, open_questions)
    if settled.pacs008 or settled.camt054:
        raise _mismatch(f"deal {deal.name} is not paid, but bears payment messages")
    open_questions.append(
        Statement(
            "funds_released",
            "That the money is free again: the books are the banks' and the node's word.",
        )
    )
    return False


def _check_messages(
    case: Case,
    deal: Deal,
    settled: Settled,
    proven: list[Statement],
    open_questions: list[Statement],
) -> bool:
    transfer, notice = case.file(settled.pacs008), case.file(settled.camt054)
    if transfer is None or notice is None:
        open_questions.append(Statement("payment", "What the payment messages say: not enclosed."))
    else:
        payment = _read(transfer, notice)
        _compare(case, deal, payment)
        proven.append(
            Statement(
                "payment",
                f"The enclosed pacs.008 and camt.054 tell one payment of {payment.amount} from "
                f"{payment.payer.name} at {payment.payer_bank} to {payment.payee.name} at "
                f"{payment.payee_bank}, as the deal says (UETR {payment.uetr}).",
            )
        )
    if settled.schema == "not checked":
        open_questions.append(
            Statement("schema", "That the messages are valid by the official XSDs: not checked.")
        )
    open_questions.append(
        Statement(
            "money_moved",
            "That the money moved: the banks' books and balances are theirs and the node's word; "
            "the messages bear no bank's signature.",
        )
    )
    return transfer is not None and notice is not None


def _read(transfer: bytes, notice: bytes) -> Payment:
    try:
        one, other = pacs008.decode(transfer), camt054.decode(notice)
    except ZhidaoError as error:
        raise _mismatch(f"a payment message cannot be read: {error}") from error
    if one != other:
        raise _mismatch("pacs.008 and camt.054 tell different payments")
    return one


def _compare(case: Case, deal: Deal, payment: Payment) -> None:
    opened = deal.opened
    told = (
        payment.amount,
        payment.end_to_end,
        payment.payer_account,
        payment.payee_account,
        payment.instruction,
    )
    wanted = (
        Money(opened.amount_minor, Currency(opened.currency)),
        opened.deal,
        _account(opened.payer_bank, opened.payer, opened.currency),
        _account(opened.payee_bank, opened.payee, opened.currency),
        deal.pending_id.hex,
    )
    if told != wanted:
        raise _mismatch(f"the messages are not over what deal {deal.name} promises")
    bics = {t.fact.bank: t.fact.bic for t in case.every(BankAdmitted)}
    for bank, bic in (
        (opened.payer_bank, payment.payer_bank),
        (opened.payee_bank, payment.payee_bank),
    ):
        if bics.get(bank, bic) != bic:
            raise _mismatch(f"the messages give {bank} the BIC {bic}")


def _account(bank: str, holder: str, currency: str) -> str:
    code = AccountCode.CUSTOMER
    return account_id(bank=bank, code=code, holder=holder, currency=currency).hex


def _mismatch(why: str) -> Refused:
    return Refused(why, code="payment_mismatch")
