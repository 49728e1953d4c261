"""Which terminals are on the line, and who may take the line of one that is."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

# So long after a word of it a line counts as alive: one that is gone is silent by then.
ALIVE_S: Final = 60.0
# So long an attempt to take a line is told, unless the operator sees to the terminal before.
TOLD_S: Final = 24 * 3_600.0
_IPV4_BITS, _IPV6_BITS = 24, 48


@dataclass(slots=True)
class Line:
    """A terminal's line: from which network, and how to hang up.

    `heard_s`: when it spoke last; `push` sends what waits for it; `ended`: nothing more comes.
    """

    network: str
    hang_up: Callable[[], None]
    heard_s: float = 0.0
    push: Callable[[], Awaitable[None]] | None = None
    ended: bool = False


class Lines:
    """The lines of this process, one for each terminal.

    `tell` hears of every change with all terminals of which somebody tried to take a live line.
    """

    def __init__(
        self,
        tell: Callable[[Mapping[str, str]], None] = lambda _contested: None,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tell = tell
        self._monotonic_s = monotonic_s
        self._lines: dict[str, Line] = {}
        self._contested: dict[str, tuple[str, float]] = {}
        self._given: dict[str, Line] = {}

    @property
    def connected(self) -> tuple[str, ...]:
        """Terminals that are connected and showed their token."""
        return tuple(sorted(self._lines))

    def is_alive_elsewhere(self, terminal: str, network: str) -> bool:
        """Whether the terminal spoke a moment ago on a line from another network."""
        line = self._lines.get(terminal)
        if line is None or line.network == network:
            return False
        return self._monotonic_s() - line.heard_s < ALIVE_S

    def take(self, terminal: str, line: Line) -> bool:
        """This is the terminal's line now; whether there was another, which ends."""
        before = self._lines.get(terminal)
        line.heard_s = self._monotonic_s()
        self._lines[terminal] = line
        if before is None or before is line:
            return False
        # A device on a flapping link comes back before its old line is known dead.
        before.hang_up()
        return True

    def heard(self, line: Line) -> None:
        """A right frame came on this line."""
        line.heard_s = self._monotonic_s()

    def over(self, line: Line) -> None:
        """Nothing more comes on this line, whoever spoke on it."""
        line.ended = True

    def leave(self, terminal: str, line: Line) -> None:
        """The line has ended; that of a successor stands."""
        if self._lines.get(terminal) is line:
            del self._lines[terminal]

    def end(self, terminal: str) -> None:
        """Hangs up on a terminal, if it is on the line."""
        line = self._lines.pop(terminal, None)
        if line is not None:
            line.hang_up()

    async def push(self, terminal: str) -> None:
        """Sends what waits for a terminal, if it is on the line."""
        line = self._lines.get(terminal)
        if line is None or line.push is None:
            return
        try:
            await line.push()
        except OSError:
            # It does not read, or is gone: whoever pushed has nothing to mend.
            self.leave(terminal, line)
            line.hang_up()

    def given(self, terminal: str, line: Line, *, again: bool) -> None:
        """A token was given on this line; `again`: another was before, in the same window.

        A terminal whose answer was lost asks again, from its own network and on a new line.
        """
        before = self._given.get(terminal)
        line.heard_s = self._monotonic_s()
        self._given[terminal] = line
        if not again or before is None or before is line:
            return
        if before.network != line.network or not before.ended:
            self.contest(
                terminal,
                f"two lines registered as terminal {terminal} in one window, from"
                f" {before.network or 'somewhere'} and {line.network or 'somewhere'}; the later"
                " has the token",
            )

    def contest(self, terminal: str, sentence: str) -> None:
        """Somebody with the terminal's token tried to take its line."""
        self._contested[terminal] = (sentence, self._monotonic_s() + TOLD_S)
        self._say()

    def seen_to(self, terminal: str) -> None:
        """The operator has seen to the terminal."""
        if self._contested.pop(terminal, None):
            self._say()

    def tend(self) -> None:
        """Forgets what was told for long enough."""
        now_s = self._monotonic_s()
        self._given = {
            name: line
            for name, line in self._given.items()
            if not line.ended or now_s - line.heard_s < TOLD_S
        }
        over = [name for name, (_, until_s) in self._contested.items() if until_s <= now_s]
        for name in over:
            self.seen_to(name)

    def _say(self) -> None:
        self._tell({name: sentence for name, (sentence, _) in self._contested.items()})


def network_of(address: str) -> str:
    """The network of an address, as far as a terminal changes it without anybody's doing.

    >>> network_of("203.0.113.7"), network_of("2001:db8:1:2::3"), network_of("")
    ('203.0.113.0/24', '2001:db8:1::/48', '')
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    bits = _IPV4_BITS if parsed.version == 4 else _IPV6_BITS
    return str(ipaddress.ip_network((parsed, bits), strict=False))
