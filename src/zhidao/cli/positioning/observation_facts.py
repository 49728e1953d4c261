"""What is told of observations, gathered part after part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from zhidao.positioning.domain.observables.observations import Observations

_NS: Final = 1_000_000_000


def observation_facts(parts: Iterable[Observations]) -> dict[str, Any]:
    """Receiver, times, gaps, and by system satellites and how often each signal was observed."""
    import numpy as np

    first = last = None
    epochs = 0
    steps: Counter[int] = Counter()
    rows: Counter[str] = Counter()
    satellites: dict[str, set[int]] = {}
    signals: dict[str, Counter[str]] = {}
    for part in parts:
        times = part.gpst_ns if last is None else np.append(last.gpst_ns[-1:], part.gpst_ns)
        first, last = first or part, part
        epochs += len(part.gpst_ns)
        steps.update(np.diff(times).tolist())
        for system, table in part.systems.items():
            rows[system] += len(table.prn)
            satellites.setdefault(system, set()).update(np.unique(table.prn).tolist())
            filled = np.isfinite(table.values).sum(0).tolist()
            signals.setdefault(system, Counter()).update(
                dict(zip(table.codes, filled, strict=True))
            )
    assert first is not None
    assert last is not None
    facts: dict[str, Any] = {
        "version": first.header.version,
        "marker": first.header.marker,
        "receiver": " ".join(first.header.receiver.split()),
        "antenna": " ".join(first.header.antenna.split()),
        "simulated": first.simulated,
        "epochs": epochs,
    }
    if steps:
        usual = int(np.median(np.repeat(list(steps), list(steps.values()))))
        gaps = sum(count for step, count in steps.items() if step > 1.5 * usual)
        facts |= {"interval_s": usual / _NS, "gaps": gaps}
    facts |= {"first": str(first.utc(0)), "last": str(last.utc(-1))}
    for system in sorted(rows):
        facts[f"system {system}"] = {
            "satellites": len(satellites[system]),
            "rows": rows[system],
            "signals": " ".join(f"{code}:{count}" for code, count in signals[system].items()),
        }
    return facts
