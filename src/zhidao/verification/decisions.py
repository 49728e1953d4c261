"""Decisions: the deal's conditions are judged again, and the title went where it was decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from zhidao.core.encoding import parse_hex
from zhidao.core.errors import Refused
from zhidao.core.money import Currency, Money
from zhidao.devices.events import SubmissionRefused
from zhidao.finance.domain.deals import verdict as judging
from zhidao.finance.domain.deals.deal import (
    ABORT,
    CUSTOMS,
    MARKS,
    NEEDS,
    PAPERS,
    RELEASE,
    TITLE,
    Deal,
    arrivals_of,
    fold,
)
from zhidao.finance.events import ConditionMet, DealOpened, Decided
from zhidao.positioning.events import ArrivalNotProven, ArrivalProven
from zhidao.trade.events import CustomsReleased, PapersChecked
from zhidao.trust.domain.proof import Replayed, Statement
from zhidao.trust.service.titles.replayed_history import Move
from zhidao.trust.wire.evm.transaction import decode
from zhidao.verification.case import Case, OpenedFact
from zhidao.verification.titles import Holding, holding_of, moves_of

_OUTCOMES: Final = {RELEASE: "to pay", ABORT: "not to pay"}


def check_decisions(case: Case) -> Replayed:
    """Judges each deal of the consignment again from the opened facts.

    Raises Refused: `decision_not_reproduced` if a payment was decided without its conditions,
    `title_mismatch` if the title did not go where the decision sent it.
    """
    proven: list[Statement] = []
    open_questions: list[Statement] = []
    deals = [t for t in case.every(DealOpened) if t.fact.consignment == case.consignment]
    for told in deals:
        aggregate = f"deal/{told.fact.deal}"
        deal = fold(case.history(aggregate)) if case.is_whole(aggregate) else None
        if deal is None or told.event.aggregate != aggregate:
            open_questions.append(
                Statement("deal", f"How deal {told.fact.deal} went: it is opened only in part.")
            )
            continue
        _check_deal(case, deal, proven, open_questions)
    if not deals:
        open_questions.append(Statement("deal", "Whether anybody pays: no deal is opened."))
    return Replayed(tuple(proven), tuple(open_questions))


def _check_deal(
    case: Case, deal: Deal, proven: list[Statement], open_questions: list[Statement]
) -> None:
    opened = deal.opened
    amount = Money(opened.amount_minor, Currency(opened.currency))
    needs = ", ".join(deal.needs)
    proven.append(
        Statement(
            "deal",
            f"{opened.payer_bank} promised {amount} of {opened.payer} to {opened.payee} "
            f"(deal {deal.name}) on these conditions: {needs}; the arrival with the marks "
            f"{', '.join(opened.conditions.marks)}, from {opened.conditions.not_before} to "
            f"{opened.conditions.not_after}.",
        )
    )
    decided = next((t for t in case.every(Decided) if t.fact.deal == deal.name), None)
    if decided is None or deal.decided != decided.fact:
        open_questions.append(Statement("decision", f"Deal {deal.name} is not decided here."))
        return
    if decided.fact.outcome not in _OUTCOMES or not decided.event.open:
        raise _contradicted(f"deal {deal.name} was decided in no way that is known")
    _check_names(deal)
    _check_containers(case, deal)
    _check_amount(case, deal)
    _check_references(deal, decided.fact)
    if decided.fact.outcome == RELEASE:
        _check_release(case, deal, decided)
        proven.append(
            Statement(
                "decision",
                f"The decision to pay stands open in the log (leaf {decided.index}), and each of "
                "its conditions, judged again from the opened facts, held before it.",
            )
        )
    else:
        _say_abort(case, deal, decided, proven, open_questions)
    _follow_title(case, deal, decided, proven, open_questions)


def _check_names(deal: Deal) -> None:
    """A node opens no deal on a condition that it does not know; a proof may say it did."""
    conditions = deal.opened.conditions
    unknown = {*conditions.marks} - MARKS | {*conditions.needs} - NEEDS
    if unknown:
        raise _contradicted(f"deal {deal.name} names unknown conditions: {sorted(unknown)[:5]}")


def _check_containers(case: Case, deal: Deal) -> None:
    """A deal waits for every container of the entry, each by a terminal of its own."""
    carried = deal.opened.carried
    containers = sorted(each.container for each in carried)
    terminals = {each.terminal for each in carried}
    if containers != sorted(case.entered.containers) or len(terminals) < len(carried):
        raise _contradicted(
            f"deal {deal.name} does not wait for each container of the entry, by a terminal each"
        )
    if bool(deal.opened.terminal) is bool(carried):
        raise _contradicted(f"deal {deal.name} waits by a terminal, or by one for each container")


def _check_amount(case: Case, deal: Deal) -> None:
    """A deal over several invoices pays what they ask for together, not a part of it."""
    entered, opened = case.entered, deal.opened
    asked = (entered.amount_minor, entered.currency)
    if entered.invoices and (opened.amount_minor, opened.currency) != asked:
        raise _contradicted(
            f"deal {deal.name} is over {opened.amount_minor} minor units of {opened.currency}, and "
            f"the invoices add up to {asked[0]} of {asked[1]}"
        )


def _check_references(deal: Deal, decided: Decided) -> None:
    reserved = deal.reserved
    same = decided.transfer == str(deal.pending_id) and decided.title == deal.opened.title
    if reserved is not None:
        same = same and (reserved.transfer, reserved.amount_minor, reserved.currency) == (
            decided.transfer,
            deal.opened.amount_minor,
            deal.opened.currency,
        )
    if not same:
        raise _contradicted(f"the decision is about other money or another title than {deal.name}")


def _check_release(case: Case, deal: Deal, decided: OpenedFact[Decided]) -> None:
    if deal.reserved is None:
        raise _contradicted("the money was never reserved")
    noted = {
        told.fact.name: told
        for told in case.every(ConditionMet)
        if told.fact.deal == deal.name and told.index < decided.index
    }
    lacking = [need for need in deal.needs if need not in noted or need not in deal.met]
    # Nothing counts as met before it is judged here.
    blank = replace(deal, met={}, obstacles=())
    lacking += [need for need in deal.needs if not _holds(case, blank, need, decided)]
    if lacking:
        raise _contradicted(f"paid without {', '.join(dict.fromkeys(lacking))}")


def _holds(case: Case, deal: Deal, need: str, decided: OpenedFact[Decided]) -> bool:
    """Whether a condition held by the facts that were logged before the decision."""
    before = decided.index
    match need:
        case _ if need in arrivals_of(deal.opened):
            return any(
                told.index < before and _meets(judging.of_arrival(deal, told.fact), need)
                for told in case.every(ArrivalProven)
                if told.fact.consignment == case.consignment
            )
        case "papers_agree":
            checks = [t for t in case.every(PapersChecked) if t.index < before]
            return bool(checks) and _meets(judging.of_papers(deal, checks[-1].fact), PAPERS)
        case "customs_released":
            return any(
                told.index < before and _meets(judging.of_customs(deal, told.fact), CUSTOMS)
                for told in case.every(CustomsReleased)
            )
        case _:
            assert need == TITLE, "a deal needs only what it knows"
            return _was_in_custody(case, deal, decided.fact)


def _meets(found: judging.Verdict, name: str) -> bool:
    return any(isinstance(fact, ConditionMet) and fact.name == name for fact in found.facts)


def _was_in_custody(case: Case, deal: Deal, decided: Decided) -> bool:
    """Whether the decided transaction leaves the deal's own custody account."""
    if not decided.title_transaction:
        return False
    signer = "0x" + decode(parse_hex(decided.title_transaction)).sender.hex()
    return holding_of(case, decided.title, signer).deal == deal.name


def _say_abort(
    case: Case,
    deal: Deal,
    decided: OpenedFact[Decided],
    proven: list[Statement],
    open_questions: list[Statement],
) -> None:
    fact = decided.fact
    text = (
        f"The decision not to pay stands open in the log (leaf {decided.index}): {fact.reason}. "
        f"{fact.sentence}"
    )
    proven.append(Statement("decision", text))
    cause = _cause(case, deal, decided)
    if cause:
        proven.append(Statement("decision_ground", f"Its ground is opened here: {cause}."))
    else:
        open_questions.append(
            Statement("decision_ground", f"That {fact.reason} was so: the node's word.")
        )


def _cause(case: Case, deal: Deal, decided: OpenedFact[Decided]) -> str:
    """The opened fact that leads to this reason, in words; `` if there is none."""
    reason, before = decided.fact.reason, decided.index
    blank = replace(deal, met={}, obstacles=())
    for failed in case.every(ArrivalNotProven):
        if failed.index < before and failed.fact.reason == reason:
            return f"a window of terminal {failed.fact.terminal} was examined"
    for checked in case.every(PapersChecked):
        found = judging.of_papers(blank, checked.fact)
        if checked.index < before and found.abort and found.abort.reason == reason:
            return "the papers were compared, and conflict"
    for refused in case.every(SubmissionRefused):
        if refused.index < before and refused.fact.reason == reason:
            return f"the node recorded that it refused what came: {refused.fact.sentence}"
    late = deal.decided_at is not None and deal.decided_at > deal.deadline
    return f"the time was over at {deal.deadline}" if late else ""


def _receiver(case: Case, deal: Deal, decided: OpenedFact[Decided], move: Move) -> Holding:
    """Who got the title. Raises Refused (`title_mismatch`) if it went anywhere but as decided."""
    title = decided.fact.title
    wanted = deal.opened.payer if decided.fact.outcome == RELEASE else deal.opened.payee
    receiver = holding_of(case, title, move.holder)
    from_custody = holding_of(case, title, move.signer).deal == deal.name
    # An account that nobody is shown to own may be the party's: that is told, not refused.
    known = receiver.party or receiver.deal
    if not from_custody or (known and receiver.party != wanted) or move.holder != move.beneficiary:
        raise Refused(
            f"the decision sends the title to {receiver}, not to {wanted}", code="title_mismatch"
        )
    return receiver


def _follow_title(
    case: Case,
    deal: Deal,
    decided: OpenedFact[Decided],
    proven: list[Statement],
    open_questions: list[Statement],
) -> None:
    title, raw = decided.fact.title, decided.fact.title_transaction
    moves = moves_of(case, title) if title else ()
    if not raw:
        _without_transaction(deal, moves, proven)
        return
    # By its hash: the decision holds the signed bytes themselves, so that no other move will do.
    transaction = "0x" + decode(parse_hex(raw)).hash.hex()
    if case.chain_is_unexecuted:
        unchecked = "That the title moved as decided: not checked here, for want of an EVM."
        open_questions.append(Statement("title_passed", unchecked))
        return
    move = next((one for one in moves if one.transaction == transaction), None)
    if move is None:
        if deal.settled is not None:
            raise Refused(
                "the deal is settled, but its title transaction is not among those opened",
                code="title_mismatch",
            )
        open_questions.append(
            Statement("title_passed", "That the title moved as decided: it is not applied here.")
        )
        return
    receiver = _receiver(case, deal, decided, move)
    verb = "passed" if decided.fact.outcome == RELEASE else "went back"
    proven.append(
        Statement(
            "title_passed",
            f"By the transaction that the decision holds, the title {verb} from the deal's "
            f"custody account to {receiver}.",
        )
    )


def _without_transaction(deal: Deal, moves: Sequence[object], proven: list[Statement]) -> None:
    if deal.title_reserved is not None and deal.settled is not None:
        raise Refused(
            "the title was in custody, but the decision moves none", code="title_mismatch"
        )
    if moves:
        proven.append(
            Statement("title_passed", "The title was never in the deal's custody and stays.")
        )


def _contradicted(why: str) -> Refused:
    return Refused(f"the decision does not follow: {why}", code="decision_not_reproduced")
