"""The replayable evidence of a position: what was looked at, by which rules, and what came out.

Canonical JSON (RFC 8785) of whole numbers and text only. Whoever has the window and the navigation
file of the two digests can compute the result again.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

import msgspec

from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.errors import MalformedInput
from zhidao.positioning.domain.settings import SINCE_VERSION_2, SINCE_VERSION_3, Settings
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


class Result(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the computation gave. Times RFC 3339 text, empty where there is none.

    `observed_at`, coordinates, `protection_mm` and `satellites` belong to the deciding epoch;
    `epochs` and `fixes` count the window; `stretch_*` the proving stretch.
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


class PositionEvidence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Digests of raw data and navigation, the question, settings, software, and the result."""

    TYPE: ClassVar[str] = "positioning.PositionEvidence.v1"
    type: str
    window: str
    navigation: str
    question: Question
    settings: dict[str, Any]
    software: str
    result: Result

    def chosen(self) -> Settings:
        """The settings as values. Raises MalformedInput for others than this version knows."""
        return settings_of(self.settings)

    def encode(self) -> bytes:
        """The one byte form."""
        return jcs(msgspec.to_builtins(self))

    @classmethod
    def decode(cls, data: bytes) -> PositionEvidence:
        """Reads the byte form. Raises MalformedInput for anything but exactly that form."""
        plain = parse_strict(data, bytes_max=EVIDENCE_BYTES_MAX)
        try:
            found = msgspec.convert(plain, cls, strict=True)
        except msgspec.ValidationError as error:
            raise MalformedInput(f"position evidence: {error}") from error
        if found.type != cls.TYPE:
            raise MalformedInput(
                f"evidence of type {found.type[:60]!r}; this reader knows {cls.TYPE}"
            )
        found.chosen()
        if found.encode() != data:
            raise MalformedInput("the position evidence is not in its canonical form")
        return found


def plain_settings(settings: Settings) -> dict[str, Any]:
    """Settings as JSON values; those of older versions as they were written."""
    plain: dict[str, Any] = msgspec.to_builtins(settings)
    later = SINCE_VERSION_3 if settings.version < 3 else frozenset()
    later |= SINCE_VERSION_2 if settings.version < 2 else frozenset()
    return {name: value for name, value in plain.items() if name not in later}


def settings_of(plain: dict[str, Any]) -> Settings:
    """Settings from JSON values. Raises MalformedInput for a missing, unknown or wrong one."""
    first = {} if "version" in plain else {"version": 1, "tie_delays": False}
    try:
        settings = msgspec.convert(plain | first, Settings, strict=True)
    except msgspec.ValidationError as error:
        raise MalformedInput(f"positioning settings: {error}") from error
    if plain_settings(settings) != plain:
        raise MalformedInput("positioning settings: unknown or missing values")
    return settings
