"""Pictures and tables of the state machines, drawn from the rows that the code decides by.

A state is an upright line, an act an arrow from line to line on a row of its own: nothing can
overlap, however many rows there are.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from zhidao.core.transitions import Machine, Transition
from zhidao.devices.domain.command import COMMAND
from zhidao.devices.domain.enrolment import ENROLMENT
from zhidao.finance.domain.credit.states import CREDIT, DRAWING
from zhidao.finance.domain.deals.deal import DEAL
from zhidao.finance.domain.deals.escrow import ESCROW
from zhidao.trade.domain.tracking.consignment_states import CONSIGNMENT
from zhidao.trust.domain.title_transitions import TITLE

MACHINES: Final[dict[str, Machine[Any]]] = {
    "deal": DEAL,
    "escrow": ESCROW,
    "credit": CREDIT,
    "presentation": DRAWING,
    "title": TITLE,
    "consignment": CONSIGNMENT,
    "enrolment": ENROLMENT,
    "command": COMMAND,
}
_WIDTH: Final = 1_000
_TOP: Final = 44
_ROW: Final = 30


def described(machine: Machine[Any]) -> str:
    """The picture of a machine, and below it the table with the guards."""
    head = "| In state | Act | Whose | Leads to | If |\n|---|---|---|---|---|\n"
    cells = [
        (row.state, row.act, row.who, row.then, "; ".join(guard.reads for guard in row.guards))
        for row in machine.rows
    ]
    table = "".join("| " + " | ".join(map(str, each)) + " |\n" for each in cells)
    return drawn(machine) + "\n" + head + table


def drawn(machine: Machine[Any]) -> str:
    """A machine as inline SVG that follows the page's colours."""
    states = machine.states
    gap = _WIDTH / len(states)
    middle = {state: gap * (place + 0.5) for place, state in enumerate(states)}
    arrows = list(_arrows(machine))
    height = _TOP + _ROW * len(arrows) + 16
    name = html.escape(machine.name)
    out = [
        (
            f'<svg class="machine" role="img" viewBox="0 0 {_WIDTH} {height}" '
            'xmlns="http://www.w3.org/2000/svg">'
            f"<title>The states of a {name} and what leads from one to another</title>"
        )
    ]
    for state in states:
        x, kind = middle[state], "end" if state in machine.ends else "state"
        out.append(
            f'<rect class="{kind}" x="{x - gap / 2 + 3:.0f}" y="2" width="{gap - 6:.0f}" '
            f'height="28" rx="4"/><line x1="{x:.0f}" y1="30" x2="{x:.0f}" y2="{height}"/>'
            f"{_lines(state, x, gap)}"
        )
    for place, (row, said) in enumerate(arrows):
        out.append(_arrow(middle[row.state], middle[row.then], _TOP + _ROW * (place + 0.6), said))
    out.append("</svg>")
    return "".join(out) + "\n"


def _arrows(machine: Machine[Any]) -> Iterator[tuple[Transition[Any], str]]:
    """One arrow for each pair of states and act, in the order of the rows."""
    seen = set()
    for row in machine.rows:
        key = (row.state, row.act, row.then)
        if key not in seen:
            seen.add(key)
            yield row, row.act.replace("_", " ") + (" *" if row.guards else "")


def _lines(state: str, x: float, gap: float) -> str:
    """A state's name over its line, in two lines where it is long."""
    words, lines = state.split(), [""]
    for word in words:
        longer = f"{lines[-1]} {word}".strip()
        if len(longer) * 6.4 > gap - 8 and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = longer
    first = 20 if len(lines) == 1 else 14
    return "".join(
        f'<text x="{x:.0f}" y="{first + 11 * n}" text-anchor="middle">{html.escape(line)}</text>'
        for n, line in enumerate(lines[:2])
    )


def _arrow(start: float, end: float, y: float, said: str) -> str:
    label = html.escape(said)
    if start == end:
        near = "start" if start < _WIDTH * 0.7 else "end"
        shift = 20 if near == "start" else -20
        loop = f"M{start:.0f} {y - 7:.0f} h{shift * 0.7:.0f} v10 h{-shift * 0.5:.0f}"
        return (
            f'<path d="{loop}"/>{_head(start, y + 3, -shift)}'
            f'<text x="{start + shift:.0f}" y="{y + 2:.0f}" text-anchor="{near}">{label}</text>'
        )
    way = 1 if end > start else -1
    middle = (start + end) / 2
    # A label wider than its arrow stays inside the picture.
    half = len(said) * 3.1
    middle = min(max(middle, half + 2), _WIDTH - half - 2)
    return (
        f'<path d="M{start:.0f} {y:.0f} H{end:.0f}"/>{_head(end, y, way)}'
        f'<text x="{middle:.0f}" y="{y - 5:.0f}" text-anchor="middle">{label}</text>'
    )


def _head(x: float, y: float, way: float) -> str:
    back = x - 7 if way > 0 else x + 7
    return f'<path class="head" d="M{x:.0f} {y:.0f} L{back:.0f} {y - 4:.0f} V{y + 4:.0f} Z"/>'


TABLES: Final[dict[str, Callable[[], str]]] = {
    f"machine-{name}": partial(described, machine) for name, machine in MACHINES.items()
}
