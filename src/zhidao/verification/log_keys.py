"""The log's key: whether a log that goes on from a former one says so truthfully."""

from __future__ import annotations

from zhidao.core.errors import Refused
from zhidao.trust.domain.log_key import check_declaration
from zhidao.trust.domain.proof import Replayed, Statement
from zhidao.trust.events import LogKeyDeclared
from zhidao.verification.case import Case


def check_log_keys(case: Case) -> Replayed:
    """Follows the declaration by which this log goes on from a former one, if it does.

    The trust list must name both keys. Raises Refused (`wrong_log_key`).
    """
    proven: list[Statement] = []
    open_questions: list[Statement] = []
    for told in case.every(LogKeyDeclared):
        if told.fact.origin != case.proof.origin:
            continue
        former = [log for log in case.node.logs if log.name == told.fact.former_origin]
        if not former or told.event.recorded_by.party != case.node.party:
            raise Refused(
                f"this log goes on from {told.fact.former_origin}, which the trust list does not"
                " give to the node",
                code="wrong_log_key",
            )
        fact = check_declaration(told.event, former=former[0], new=case.log)
        if told.index < fact.carried_leaves:
            raise Refused(
                "the new log key is declared inside of what it carries over", code="wrong_log_key"
            )
        proven.append(
            Statement(
                "log_key",
                f"The log goes on from {fact.former_origin} under a new key since leaf "
                f"{told.index}: the node's own key and the new one signed the declaration, and the "
                f"trust list gives both to the node. Reason: {fact.reason}",
            )
        )
        open_questions.append(_lost(fact))
    return Replayed(tuple(proven), tuple(open_questions))


def _lost(fact: LogKeyDeclared) -> Statement:
    if not fact.known_leaves:
        said = "its last head is not known"
    else:
        said = f"its last known head covered {fact.known_leaves} leaves"
    return Statement(
        "log_before",
        f"What the former log held after its first {fact.carried_leaves} leaves ({said}): this log "
        "does not have it. Whoever holds an older proof of it can show it.",
    )
