"""Examination of documentary credits: what is missed, what is refused wrongly, how long it takes.

Every presentation is one that complies with up to three harmless changes and, in all but a fifth,
one to four planted discrepancies; every fifth is data under URDTT with at most one. Time runs from
JSON to the notice.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator
from typing import Any, Final

from benchmarks.measuring import claim
from zhidao.core.canonical import jcs
from zhidao.finance.domain.credit.calendar import BankingCalendar
from zhidao.finance.domain.credit.checks import CHECKS
from zhidao.finance.domain.credit.examination import examine
from zhidao.finance.wire.credit import examination_plain, read_credit, read_presentation

COUNT: Final = 2_000
WARM_UP: Final = 50


def run(long: bool) -> Iterator[dict[str, Any]]:  # noqa: FBT001 (the contract of all benchmarks)
    """Missed, refused wrongly, milliseconds; ten times as many in the long run."""
    from tests.finance.credit_cases import mutated, mutated_digital

    chance, calendar = random.Random(600), BankingCalendar("Suzhou")
    planted_sum = missed = good = refused = 0
    times: list[float] = []
    cpu: list[float] = []
    for turn in range(WARM_UP + COUNT * (10 if long else 1)):
        wanted = chance.choice((0, 1, 2, 3, 4))
        if turn % 5 == 0:  # all data, under URDTT
            credit, presentation, planted = mutated_digital(chance)
        else:
            credit, presentation, planted = mutated(chance, count=wanted)
        files = jcs(credit), jcs(presentation)
        began, began_cpu = time.perf_counter(), time.process_time()
        answer = examine(read_credit(files[0]), read_presentation(files[1]), calendar)
        jcs(examination_plain(answer))
        if turn < WARM_UP:
            continue
        times.append((time.perf_counter() - began) * 1000)
        cpu.append((time.process_time() - began_cpu) * 1000)
        found = {one.check for one in answer.discrepancies}
        if planted - found:
            print(f"missed {planted - found}", file=sys.stderr)
        planted_sum, missed = planted_sum + len(planted), missed + len(planted - found)
        if not planted:
            good, refused = good + 1, refused + (not answer.complies)
    cpu.sort()
    yield claim("credit_checks", [len(CHECKS)], "checks", target=60)
    yield claim(
        "credit_planted_missed", [missed], f"of {planted_sum} planted", target=0, at_most=True
    )
    yield claim(
        "credit_false_refusals_percent",
        [100 * refused / good],
        f"% of {good}",
        target=1,
        at_most=True,
    )
    yield claim("credit_examination_ms", times, "ms", target=5, at_most=True)
    yield claim(
        "credit_examination_p99_cpu_ms",
        [cpu[len(cpu) * 99 // 100]],
        "ms",
        target=5,
        at_most=True,
    )
