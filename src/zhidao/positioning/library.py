"""Files on a disk for those who use positioning as a library, and for the command line."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from itertools import chain
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Utc
from zhidao.positioning.adapters.png import png_of
from zhidao.positioning.adapters.recording_files import recording_of
from zhidao.positioning.domain.observables.observations import Observations
from zhidao.positioning.domain.observables.signal_codes import SINGLE_SIGNALS, there
from zhidao.positioning.domain.positions import Positions, join_positions
from zhidao.positioning.domain.solver_settings import Settings
from zhidao.positioning.service.by_parts import SolvedPart, Wanted, solve_parts
from zhidao.positioning.service.recordings import Recordings, read_recordings
from zhidao.positioning.wire.rtcm.frame import FrameReader, frame, message_number

if TYPE_CHECKING:
    import ssl

    from zhidao.core.ambient import Randomness
    from zhidao.positioning.wire.receivers.ntrip import Address, Login, Source

__all__ = [
    "Client",
    "Received",
    "ntrip_client",
    "png_of",
    "read",
    "receive",
    "recording_of",
    "refuse_unheard",
    "solve_files",
    "solved_parts",
    "usual_settings",
]

_Path: TypeAlias = str | PathLike[str]


def read(
    *paths: _Path,
    signals: Mapping[str, str] | None = None,
    near: Utc | None = None,
    strict: bool = False,
    warned: Callable[[str], None] | None = None,
    step: Callable[[int], None] = lambda _: None,
) -> Recordings:
    """What files of any kind hold: `receiver()` gives the observations, `broadcast()` ephemerides.

    signals: whose clocks and delays are taken from the navigation files. near: a time near an RTCM
    stream. A file of observations that is cut at its end gives its whole epochs; `warned` is told
    (a Python warning, if left out), and with `strict` such a file is refused. step: told how many
    bytes were read. Raises MalformedInput naming the file.
    """
    if not paths:
        raise MalformedInput("no file to read", remedy='read("day.crx.gz", "day_MN.rnx.gz")')
    found = (recording_of(Path(path), step=step) for path in paths)
    said = None if strict else warned or _warn
    return read_recordings(found, signals=signals or SINGLE_SIGNALS, near=near, warned=said)


def solve_files(
    *paths: _Path,
    settings: Settings | None = None,
    wanted: Wanted | None = None,
    strict: bool = False,
) -> Positions:
    """Positions of all epochs of one receiver's files of any length, a part in memory at a time.

    Without settings all systems that observations and ephemerides have take part, one signal each.
    """
    signals = settings.signals if settings else None
    found = read(*paths, signals=signals, strict=strict)
    # Positions do not hold what speaks against signals; `solved_parts` gives both.
    asked = replace(wanted or Wanted(), check=False)
    parts = solved_parts(found, lambda systems: settings or usual_settings(systems), asked)
    return join_positions([part.positions for part in parts])


def usual_settings(systems: str) -> Settings:
    """One signal of each of the systems."""
    return Settings(signals={system: SINGLE_SIGNALS[system] for system in systems})


def solved_parts(
    found: Recordings, choose: Callable[[str], Settings], wanted: Wanted | None = None
) -> Iterator[SolvedPart]:
    """The same part after part, with what speaks against the signals of each.

    choose: settings for the systems that observations and ephemerides have in common. Raises
    MalformedInput where there are none, or not the signals that the settings ask for.
    """
    navigation = found.broadcast()
    parts = found.parts()
    first = next(parts)
    both = [s for s in SINGLE_SIGNALS if s in first.systems and s in navigation.systems]
    if not both:
        raise MalformedInput(
            f"observations of {''.join(sorted(first.systems)) or 'no system'} and ephemerides of "
            f"{navigation.systems}: nothing in common"
        )
    settings = choose("".join(both))
    refuse_unheard(first, settings.signals)
    yield from solve_parts(chain((first,), parts), navigation, settings, wanted)


def refuse_unheard(seen: Observations, signals: Mapping[str, str]) -> None:
    """Raises MalformedInput where no range of a system was observed, naming those that were."""
    for system, text in signals.items():
        heard = set(there(seen, system))
        if any(heard.issuperset(choice.split("+")) for choice in text.split("/")):
            continue
        others = ", ".join(f"{s}={' '.join(there(seen, s))}" for s in sorted(seen.systems))
        raise MalformedInput(
            f"no ranges {system}={text} in the observations; there are: {others or 'none'}",
            code="no_such_signal",
            remedy="choose of these",
        )


@dataclass(slots=True)
class Received:
    """What has come of a stream: messages by number, bytes of none, connections made again."""

    messages: Counter[int] = field(default_factory=Counter)
    bytes_of_no_frame: int = 0
    reconnected: int = 0


class Client(Protocol):
    """A caster's client: its table of sources, and streams that are made again when they break."""

    reconnected: int

    async def sources(self) -> list[Source]:
        """The caster's table."""

    def stream(self, mount: str, *, gga: Callable[[], str] = ...) -> AsyncGenerator[bytes, None]:
        """The bytes of a stream, without end."""


def ntrip_client(
    address: Address,
    randomness: Randomness,
    *,
    login: Login | None = None,
    authority: ssl.SSLContext | None = None,
) -> Client:
    """A client of the caster at an address (see `address_of`), for `receive` and its sources.

    authority: whose certificates count, where the system's do not.
    """
    from zhidao.positioning.adapters.ntrip import Caster, NtripClient

    caster = Caster(address.host, address.port, login, tls=address.tls, authority=authority)
    return NtripClient(caster, randomness)


async def receive(
    client: Client, mount: str, into: Received, *, gga: str = ""
) -> AsyncGenerator[bytes, None]:
    """The whole RTCM frames of a stream, as they come, without end; `into` counts them.

    client: which makes broken connections again. gga: the receiver's place as an
    NMEA sentence, for casters that compute a station near it. Raises as its `stream` does.
    """
    reader = FrameReader()
    async with aclosing(client.stream(mount, gga=lambda: gga)) as parts:
        async for part in parts:
            whole = list(reader.feed(part))
            into.bytes_of_no_frame, into.reconnected = reader.skipped, client.reconnected
            for payload in whole:
                into.messages[message_number(payload)] += 1
                yield frame(payload)


def _warn(text: str) -> None:
    warnings.warn(text, stacklevel=2)
