"""Telling the road of the demonstration as it goes: what arrived, what not, how it ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zhidao.core.geo import bound_in_words
from zhidao.core.timescale import NS
from zhidao.positioning.events import risk_in_words
from zhidao.simulation import participants
from zhidao.simulation.client import Caller
from zhidao.simulation.scenario import Scenario


@dataclass(slots=True)
class Outcome:
    """How the road ended. `steps`: sentence of each step that was reached.

    `exporter_proof`: what the exporter's own node got by exchange; None where there is one node.
    `acknowledged`: digests of the terminal's frames for which the node has taken responsibility.
    """

    paid: bool = False
    reason: str = ""
    sentence: str = ""
    steps: dict[int, str] = field(default_factory=dict)
    proof: Path | None = None
    trust: Path | None = None
    exporter_proof: Path | None = None
    acknowledged: frozenset[bytes] = frozenset()


class StepReport:
    """Says each step of a road once, and how it ended."""

    def __init__(
        self,
        scenario: Scenario,
        outcome: Outcome,
        *,
        customs: Caller,
        fail: str,
        step: Callable[[int, str], None],
        scenario_time: Callable[[int], Awaitable[None]],
    ) -> None:
        self._scenario = scenario
        self._outcome = outcome
        self._customs = customs
        self._fail = fail
        self._step = step
        self._scenario_time = scenario_time

    async def tell(self, road: dict[str, Any], told: set[int]) -> None:
        """Says what is new on a road, and does what customs and the clock have to do then."""
        arrival = road["arrival"]
        if arrival and 6 not in told:
            told.add(6)
            self._tell_arrival(arrival)
        if road["network"] and 7 not in told:
            told.add(7)
            network = road["network"]
            self._step(7, f"the network says {network['verdict']}: {network['reason']}")
        delivered = any(s["type"] == "trade.Delivered.v1" for s in road["said"])
        if delivered and 8 not in told:
            told.add(8)
            await self._customs.post(
                f"/v1/trade/consignments/{self._scenario.consignment}/customs-release",
                {"declaration": "KZ-2026-884213", "decision": "released"},
            )
            self._step(8, "delivered by the proven arrival; customs released the goods")
        if (arrival and arrival["state"] == "proven") or 9 in told:
            return
        if not self._waiting_is_useless(road):
            return
        told.add(9)
        # Nothing more will come: scenario time passes the deadline.
        await self._scenario_time(
            self._scenario.not_after.since_ns(self._scenario.begins) // NS + 7200
        )

    def _waiting_is_useless(self, road: dict[str, Any]) -> bool:
        if road["arrival"] is not None:
            # It is not proven, and the terminal has no other window to send.
            return True
        kinds = {s["type"] for s in road["said"]}
        refused = "devices.SubmissionRefused.v1" in kinds
        return self._fail in ("wrong-token", "replay", "forged") and (
            refused or self._fail == "wrong-token"
        )

    def _tell_arrival(self, arrival: dict[str, Any]) -> None:
        if arrival["state"] == "proven":
            self._step(
                6,
                f"arrival proven: within {bound_in_words(arrival['protection_m'])} at a risk of "
                f"{risk_in_words(arrival['risk_ppb'])}, {arrival['satellites']} satellites, "
                f"{arrival['epochs']} epochs; {_by_model(arrival['marks'])}",
            )
        else:
            self._step(6, f"arrival not proven ({arrival['reason']}): {arrival['sentence']}")

    def ended(self, deal: dict[str, Any]) -> None:
        """Says how the deal ended."""
        self._outcome.paid = deal["paid"]
        self._outcome.reason = deal["reason"]
        decision = deal["decision"] or {}
        self._outcome.sentence = decision.get("sentence", "")
        amount = f"{participants.CURRENCY} {deal['amount_minor'] / 100:,.2f}"
        if deal["paid"]:
            self._step(9, f"title passed and payment of {amount} posted by one decision")
        else:
            self._step(9, f"refused ({deal['reason']}): {amount} released, title returned")


def _by_model(marks: dict[str, Any]) -> str:
    """Which of the two marks of a place inside was given, for a person."""
    if marks["inside_risk_ppb"]:
        return "mark: inside_at_risk"
    return (
        "mark: inside_open_sky_model, for nobody has measured the errors on a lorry; "
        "the deal asks for just that"
    )
