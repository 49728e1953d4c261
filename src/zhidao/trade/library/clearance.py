"""What command lines ask of the single window without a running node: risk, and risk again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.errors import MalformedInput
from zhidao.trade.domain.clearance.facts import screened_facts
from zhidao.trade.domain.clearance.risk import RiskDecision, decide
from zhidao.trade.domain.clearance.screening import read_list
from zhidao.trade.service.entering import declared
from zhidao.trade.wire import risk_file

RECORD = "zhidao.RiskRecord.v1"


def assess(
    declaration: bytes, rules: bytes, *, kind: str, listing: bytes | None, listed_on: date
) -> dict[str, Any]:
    """A record of the risk decision: rules, facts and the decision made from them."""
    said = declared(declaration, kind)
    names = read_list(listing, issued_on=listed_on) if listing is not None else None
    ruleset = replace(risk_file.read_rules(rules), screened=True)
    facts = screened_facts(said, rules=ruleset, listing=names)
    return {
        "type": RECORD,
        "rules": ruleset.plain(),
        "facts": facts,
        "decision": _plain(decide(facts, ruleset)),
    }


def rerun(record: bytes) -> dict[str, Any]:
    """Whether a record's decision, made again from its rules and facts, is the same."""
    plain = parse_strict(record)
    if not isinstance(plain, dict) or plain.get("type") != RECORD:
        raise MalformedInput(f"not a {RECORD}")
    facts = plain.get("facts")
    if not isinstance(facts, dict) or not all(isinstance(v, str) for v in facts.values()):
        raise MalformedInput("facts are texts by name", where="facts")
    again = _plain(decide(facts, risk_file.read_rules(jcs(plain.get("rules")))))
    return {"same": again == plain.get("decision"), "decision": again}


def _plain(decision: RiskDecision) -> dict[str, Any]:
    return {
        "rules": decision.rules,
        "facts": decision.facts,
        "score": decision.score,
        "channel": decision.channel.value,
        "at_random": decision.at_random,
        "matches": [
            {"rule": m.rule, "fact": m.fact, "value": m.value, "weight": m.weight}
            for m in decision.matches
        ],
    }
