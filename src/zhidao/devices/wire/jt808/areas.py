"""Areas and routes (0x8600 to 0x8608, 0x0608), as layouts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from zhidao.devices.wire.jt808 import vocabulary as words
from zhidao.devices.wire.jt808.fields import LATITUDE, TIME, U1, U2, U4
from zhidao.devices.wire.jt808.frame import Edition
from zhidao.devices.wire.jt808.layout import By, Layout, Many, Number, Sized, Values, When


def _has(bit: int, name: str = "properties") -> Callable[[Values, Edition], bool]:
    return lambda told, _: bool(told[name] >> bit & 1)


_TIMED: Final = _has(0)
_LIMITED: Final = _has(1)
_HEAD: Final[Layout] = (("area", U4), ("properties", Number(2, bits=words.AREA_BITS)))
_TIMES: Final[Layout] = (("start", When(_TIMED, TIME)), ("end", When(_TIMED, TIME)))
_SPEEDS: Final[Layout] = (
    ("top_speed", When(_LIMITED, Number(2, unit="km/h"))),
    ("overspeed_s", When(_LIMITED, U1)),
)
_NIGHT: Final = ("night_speed", By(When(_LIMITED, Number(2, unit="km/h")), None))
_NAME: Final = ("name", By(Sized(2), None))
_POINT: Final[Layout] = (("latitude", LATITUDE), ("longitude", LATITUDE))

CIRCLE: Final[Layout] = (
    *(*_HEAD, *_POINT, ("radius", Number(4, unit="m"))),
    *(*_TIMES, *_SPEEDS, _NIGHT, _NAME),
)
RECTANGLE: Final[Layout] = (
    *(*_HEAD, *_POINT, ("latitude_2", LATITUDE), ("longitude_2", LATITUDE)),
    *(*_TIMES, *_SPEEDS, _NIGHT, _NAME),
)
POLYGON: Final[Layout] = (
    *(*_HEAD, *_TIMES, *_SPEEDS),
    *(("points", Many(2, _POINT)), _NIGHT, _NAME),
)
_SECTION: Final[Layout] = (
    ("point", U4),
    ("section", U4),
    *_POINT,
    ("width", Number(1, unit="m")),
    ("properties", Number(1, bits=words.SECTION_BITS)),
    ("too_long_s", When(_TIMED, U2)),
    ("too_short_s", When(_TIMED, U2)),
    *(*_SPEEDS, _NIGHT),
)
ROUTE: Final[Layout] = (*_HEAD, *_TIMES, ("points", Many(2, _SECTION)), _NAME)
