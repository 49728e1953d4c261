"""A title that came from paper or went to it, as a proof tells it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.verification.corridor_bench import Corridor

from zhidao.trust.adapters.chain.py_evm import PyEvmEngine
from zhidao.trust.events import MediumChanged
from zhidao.trust.wire.proof_file.zdproof import decode_proof
from zhidao.verification.verdict import verify

PAPER = "cd" * 32


@dataclass
class Change:
    """When and by whom a change of medium is told on the road."""

    change: str
    before_mint: bool
    by: str = "carrier"
    fields: dict[str, Any] = field(default_factory=dict)


class Media(Corridor):
    """A road on which the title changes its medium."""

    def __init__(self, change: Change) -> None:
        super().__init__()
        self.change = change

    def _say(self) -> None:
        fact = MediumChanged(
            change=self.change.change,
            title=self.title,
            paper=PAPER,
            holder="exporter",
            statement="Its medium changed.",
        )
        self.say(self.change.by, f"medium/{self.title}", fact)

    def _mint(self) -> None:
        if self.change.before_mint:
            self._say()
        super()._mint()
        if not self.change.before_mint:
            self._say()


GOOD = Change("to_token", before_mint=True)
LIES = [
    (Change("to_token", before_mint=False), "medium_changed"),
    # The title went on after paper took its place.
    (Change("to_paper", before_mint=False), "medium_changed"),
    (Change("to_stone", before_mint=True), "medium_changed"),
    (Change("to_token", before_mint=True, by="importer"), "wrong_speaker"),
]


async def test_a_title_from_paper_says_so_and_what_stays_open() -> None:
    corridor = Media(GOOD)
    verdict = verify(decode_proof(await corridor.proof()), [corridor.trust()], evm=PyEvmEngine)
    assert verdict.holds, verdict.sentence
    told = {s.code: s.text for s in verdict.proven}
    assert PAPER in told["medium"]
    open_questions = {s.code: s.text for s in verdict.not_proven}
    assert "destroyed or marked" in open_questions["title_elsewhere"]


@pytest.mark.parametrize(("change", "reason"), LIES)
async def test_a_change_in_another_order_is_refused(change: Change, reason: str) -> None:
    corridor = Media(change)
    verdict = verify(decode_proof(await corridor.proof()), [corridor.trust()], evm=PyEvmEngine)
    assert (verdict.verdict, verdict.reason) == ("refused", reason), verdict.sentence
