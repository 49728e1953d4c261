"""The replayable evidence of a position: what was looked at, by which rules, and what came out.

Canonical JSON (RFC 8785) of whole numbers and text only. Whoever has the window and the navigation
file of the two digests can compute the result again.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

import msgspec

from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.errors import MalformedInput
from zhidao.core.versions import check_tag
from zhidao.positioning.domain.solver_settings import (
    SINCE_VERSION_2,
    SINCE_VERSION_3,
    SINCE_VERSION_4,
    Settings,
)
from zhidao.positioning.domain.support import BASELINE_OF_VERSION_3
from zhidao.positioning.events import Site

EVIDENCE_BYTES_MAX: Final = 64 * 1024
# Written where no bound can be given, and for wider ones: 1,000 km.
PROTECTION_MM_MAX: Final = 1_000_000_000


class Question(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was asked of a window: by whom it came, where and when it had to be, at what risk."""

    consignment: str
    terminal: str
    site: Site
    not_before: str
    not_after: str
    risk_ppb: int


class Noted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A finding of a window: over how many epochs, first and last of them, and the sentence."""

    reason: str
    epochs: int
    first_at: str
    last_at: str
    satellites: list[str]
    sentence: str


class Result(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the computation gave. Times RFC 3339 text, empty where there is none.

    `observed_at`, coordinates, `protection_mm` and `satellites` belong to the deciding epoch;
    `epochs` and `fixes` count the window; `stretch_*` the proving stretch.
    Since version 2: `mark` is what an `inside` bears, `inside_at_risk` or, where nobody measured
    the class of surroundings, `inside_open_sky_model`. `systems`: the constellations that took
    part. `findings` over the whole window, `findings_before` over the window before it. `open`:
    codes of what remains possible although nothing was found.
    """

    decision: str
    sentence: str
    observed_at: str
    latitude_ndeg: int
    longitude_ndeg: int
    height_mm: int
    protection_mm: int
    satellites: int
    excluded: list[str]
    epochs: int
    fixes: int
    first_at: str
    last_at: str
    stretch_from: str
    stretch_until: str
    stretch_epochs: int
    simulated: bool
    mark: str = ""
    systems: str = ""
    findings: list[Noted] = []
    findings_before: list[Noted] = []
    open: list[str] = []


_SINCE_TYPE_2: Final = ("before", "attempt", "surroundings")
_SINCE_RESULT_2: Final = ("mark", "systems", "findings", "findings_before", "open")


class PositionEvidence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Digests of raw data and navigation, the question, settings, software, and the result.

    Version 1 stands on settings of up to version 3. Since version 2: `before` is the digest of the
    terminal's window before this one, empty if there is none; `attempt` counts the windows near the
    site that were asked the same question, this one included; `surroundings`: the class that the
    terminal is registered with.
    """

    TYPE: ClassVar[str] = "positioning.PositionEvidence.v2"
    EARLIER: ClassVar[str] = "positioning.PositionEvidence.v1"
    type: str
    window: str
    navigation: str
    question: Question
    settings: dict[str, Any]
    software: str
    result: Result
    before: str = ""
    attempt: int = 1
    surroundings: str = ""

    @property
    def first_version(self) -> bool:
        """Whether it is written, and judged, as the first version was."""
        return self.type == self.EARLIER

    def chosen(self) -> Settings:
        """The settings as values. Raises MalformedInput for others than this version knows."""
        return settings_of(self.settings)

    def encode(self) -> bytes:
        """The one byte form."""
        plain = msgspec.to_builtins(self)
        if self.first_version:
            for name in _SINCE_TYPE_2:
                del plain[name]
            for name in _SINCE_RESULT_2:
                del plain["result"][name]
        return jcs(plain)

    @classmethod
    def decode(cls, data: bytes) -> PositionEvidence:
        """Reads the byte form. Raises MalformedInput for anything but exactly that form."""
        plain = parse_strict(data, bytes_max=EVIDENCE_BYTES_MAX)
        if isinstance(plain, dict):
            told, tags = str(plain.get("type")), (cls.EARLIER, cls.TYPE)
            check_tag(told, tags, form="position evidence", where="type")
        try:
            found = msgspec.convert(plain, cls, strict=True)
        except msgspec.ValidationError as error:
            raise MalformedInput(f"position evidence: {error}") from error
        if found.type not in (cls.TYPE, cls.EARLIER):
            raise MalformedInput(
                f"evidence of type {found.type[:60]!r}; this reader knows {cls.EARLIER} and "
                f"{cls.TYPE}"
            )
        if found.first_version is not (found.chosen().version < 4):
            raise MalformedInput("settings of version 4 belong to evidence of version 2, and only")
        if found.encode() != data:
            raise MalformedInput("the position evidence is not in its canonical form")
        return found


# What older evidence does not tell, since it was so by itself.
_FIRST: Final[dict[str, Any]] = {
    "version": 1,
    "tie_delays": False,
    "support": msgspec.to_builtins(BASELINE_OF_VERSION_3),
}
_BEFORE_VERSION_4: Final[dict[str, Any]] = {"ionosphere_unknown_mm": 0, "fault_s": 1}


def plain_settings(settings: Settings) -> dict[str, Any]:
    """Settings as JSON values; those of older versions as they were written."""
    plain: dict[str, Any] = msgspec.to_builtins(settings)
    later = SINCE_VERSION_4 if settings.version < 4 else frozenset()
    later |= SINCE_VERSION_3 if settings.version < 3 else frozenset()
    later |= SINCE_VERSION_2 if settings.version < 2 else frozenset()
    return {name: value for name, value in plain.items() if name not in later}


def settings_of(plain: dict[str, Any]) -> Settings:
    """Settings from JSON values. Raises MalformedInput for a missing, unknown or wrong one."""
    first = {} if "version" in plain else _FIRST
    if (plain | first).get("version") in (1, 2, 3):
        first = first | _BEFORE_VERSION_4
    try:
        settings = msgspec.convert(plain | first, Settings, strict=True)
    except msgspec.ValidationError as error:
        raise MalformedInput(f"positioning settings: {error}") from error
    if plain_settings(settings) != plain:
        raise MalformedInput("positioning settings: unknown or missing values")
    return settings
