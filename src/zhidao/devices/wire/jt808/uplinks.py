"""The 29 messages that a terminal sends, as layouts."""

from __future__ import annotations

from typing import Final

from zhidao.devices.wire.jt808 import vocabulary as words
from zhidao.devices.wire.jt808.areas import CIRCLE, POLYGON, RECTANGLE, ROUTE
from zhidao.devices.wire.jt808.fields import (
    PARAMETER,
    PLACE,
    POSITION,
    REPLY,
    TIME,
    U1,
    U2,
    U4,
)
from zhidao.devices.wire.jt808.forms import BEFORE_2019, SINCE_2019, Form, Kind
from zhidao.devices.wire.jt808.frame import Edition
from zhidao.devices.wire.jt808.layout import (
    Bcd,
    By,
    Bytes,
    Group,
    Layout,
    Many,
    Number,
    Sized,
    SizedGroup,
    Text,
    Values,
    When,
)

_RESULT: Final = Number(1, names=words.RESULTS)
_SERIALS: Final[Layout] = (("number", U2),)
RESEND: Final[Layout] = (
    ("first_serial", U2),
    ("packets", By(Many(2, _SERIALS), Many(1, _SERIALS))),
)
RESEND_SHORT: Final[Layout] = (("first_serial", U2), ("packets", Many(1, _SERIALS)))
_MEDIUM: Final[Layout] = (
    ("media", U4),
    ("kind", Number(1, names=words.MEDIA)),
    ("coding", Number(1, names=words.CODINGS)),
    ("event", Number(1, names=words.MEDIA_EVENTS)),
    ("channel", U1),
)
_STORED: Final[Layout] = (
    ("kind", Number(1, names=words.MEDIA)),
    ("channel", U1),
    ("event", Number(1, names=words.MEDIA_EVENTS)),
    ("place", Group(PLACE)),
)


def _registration(maker: int, model: int, terminal: int) -> Layout:
    return (
        ("province", U2),
        ("city", U2),
        ("maker", Text(maker)),
        ("model", Text(model)),
        ("terminal", Text(terminal)),
        ("plate_colour", Number(1, names=words.PLATE_COLOURS)),
        ("plate", Text()),
    )


def _attributes(maker: int) -> Layout:
    return (
        ("type", Number(2, bits=words.VEHICLE_TYPES)),
        ("maker", Text(maker)),
        ("model", By(Text(30), Text(20))),
        ("terminal", By(Text(30), Text(7))),
        ("iccid", Bcd(10)),
        ("hardware", Sized()),
        ("firmware", Sized()),
        ("gnss", Number(1, bits=words.GNSS_BITS)),
        ("modem", Number(1, bits=words.MODEM_BITS)),
    )


def _is_in(told: Values, _: Edition) -> bool:
    return bool(told["status"] == 1)


def _is_read(told: Values, edition: Edition) -> bool:
    return _is_in(told, edition) and told["result"] == 0


def _is_done(told: Values, _: Edition) -> bool:
    return bool(told["result"] == 0)


def _of_kind(kind: int, layout: Layout) -> When:
    return When(lambda told, _: told["kind"] == kind, Many(4, layout))


_DRIVER: Final[Layout] = (
    ("status", Number(1, names=words.CARD)),
    ("time", TIME),
    ("result", When(_is_in, Number(1, names=words.CARD_RESULTS))),
    ("name", When(_is_read, Sized())),
    ("certificate", When(_is_read, Text(20))),
    ("authority", When(_is_read, Sized())),
    ("valid_until", When(_is_read, Bcd(4))),
    ("identity", By(When(_is_read, Text(20)), None)),
)
_DRIVER_2011: Final[Layout] = (
    ("name", Sized()),
    ("identity", Text(20)),
    ("certificate", Text(40)),
    ("authority", Sized()),
)

UPLINKS: Final[dict[int, Kind]] = {
    0x0001: Kind(
        "terminal's general answer",
        Form((("serial", U2), ("message_id", U2), ("result", _RESULT))),
    ),
    0x0002: Kind("heartbeat", Form(())),
    0x0003: Kind("logout", Form(())),
    0x0004: Kind("what time is it", Form(())),
    0x0005: Kind(
        "send sub-packets again", Form(RESEND), Form(RESEND_SHORT, name="count of one byte")
    ),
    0x0100: Kind(
        "registration",
        Form(_registration(11, 30, 30), editions=SINCE_2019),
        Form(_registration(5, 20, 7), editions=BEFORE_2019, least=37),
        Form(_registration(5, 8, 7), editions=BEFORE_2019, name="2011"),
    ),
    0x0102: Kind(
        "authentication",
        Form((("token", Sized()), ("imei", Text(15)), ("firmware", Text(20))), editions=SINCE_2019),
        Form((("token", Text()),), editions=BEFORE_2019),
    ),
    0x0104: Kind("parameters", Form((REPLY, ("parameters", Many(1, PARAMETER))))),
    0x0107: Kind(
        "attributes",
        Form(_attributes(5)),
        Form(_attributes(11), editions=SINCE_2019, name="maker of 11 bytes"),
    ),
    0x0108: Kind(
        "result of an upgrade",
        Form(
            (
                ("kind", Number(1, names=words.UPGRADED)),
                ("result", Number(1, names={0: "done", 1: "failed", 2: "cancelled"})),
            )
        ),
    ),
    0x0200: Kind("position", Form(POSITION)),
    0x0201: Kind("answer to a position query", Form((REPLY, *POSITION))),
    0x0301: Kind("event", Form((("event", U1),))),
    0x0302: Kind("answer to a question", Form((REPLY, ("answer", U1)))),
    0x0303: Kind(
        "order or cancel information",
        Form((("kind", U1), ("flag", Number(1, names={0: "cancel", 1: "order"})))),
    ),
    0x0500: Kind("answer to vehicle control", Form((REPLY, *POSITION))),
    0x0608: Kind(
        "areas or routes",
        Form(
            (
                ("kind", Number(1, names=words.AREAS)),
                ("circles", _of_kind(1, CIRCLE)),
                ("rectangles", _of_kind(2, RECTANGLE)),
                ("polygons", _of_kind(3, POLYGON)),
                ("routes", _of_kind(4, ROUTE)),
            )
        ),
        Form(
            (("kind", Number(1, names=words.AREAS)), ("areas", Sized(4, of_text=False))),
            name="length in bytes",
        ),
    ),
    0x0700: Kind("recorder's data", Form((REPLY, ("command", U1), ("block", Bytes())))),
    0x0701: Kind("electronic waybill", Form((("waybill", Sized(4, of_text=False)),))),
    0x0702: Kind("driver", Form(_DRIVER), Form(_DRIVER_2011, name="2011")),
    0x0704: Kind(
        "batch of positions",
        Form(
            (
                ("count", U2),
                ("kind", Number(1, names={0: "ordinary", 1: "caught up"})),
                ("reports", Many(0, (("report", SizedGroup(2, POSITION)),))),
            )
        ),
    ),
    0x0705: Kind(
        "CAN frames",
        Form(
            (
                ("count", U2),
                ("time", Bcd(5)),
                ("frames", Many(0, (("id", U4), ("data", Bytes(8))))),
            )
        ),
    ),
    0x0800: Kind("a medium was made", Form(_MEDIUM)),
    0x0801: Kind(
        "a medium's data",
        Form((*_MEDIUM, ("place", Group(PLACE)), ("data", Bytes()))),
        Form((*_MEDIUM, ("data", Bytes())), name="2011"),
    ),
    0x0802: Kind(
        "stored media",
        Form((REPLY, ("media", Many(2, (("media", U4), *_STORED))))),
        Form((REPLY, ("media", Many(2, _STORED))), name="2011"),
    ),
    0x0805: Kind(
        "answer to a camera order",
        Form(
            (
                REPLY,
                ("result", Number(1, names={0: "done", 1: "failed", 2: "no such channel"})),
                ("media", When(_is_done, Many(2, (("media", U4),)))),
            )
        ),
    ),
    0x0900: Kind(
        "transparent data",
        Form((("kind", Number(1, names=words.TRANSPARENT)), ("data", Bytes()))),
    ),
    0x0901: Kind("compressed data", Form((("data", Sized(4, of_text=False)),))),
    0x0A00: Kind("terminal's RSA key", Form((("e", U4), ("n", Bytes(128))))),
}
