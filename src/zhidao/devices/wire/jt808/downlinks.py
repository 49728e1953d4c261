"""The 42 messages that a node sends, as layouts, each with what a terminal answers."""

from __future__ import annotations

from typing import Final

from zhidao.devices.wire.jt808 import vocabulary as words
from zhidao.devices.wire.jt808.areas import CIRCLE, POLYGON, RECTANGLE, ROUTE
from zhidao.devices.wire.jt808.fields import PARAMETER, TIME, U1, U2, U4
from zhidao.devices.wire.jt808.forms import BEFORE_2019, SINCE_2019, Form, Kind
from zhidao.devices.wire.jt808.layout import (
    Bcd,
    By,
    Bytes,
    IfLeft,
    Layout,
    Many,
    Number,
    Sized,
    Text,
)
from zhidao.devices.wire.jt808.uplinks import RESEND, RESEND_SHORT

_NAMED: Final[Layout] = (("id", U4),)
_DELETED: Final[Layout] = (("areas", Many(1, (("area", U4),))),)
_ACTION: Final = ("action", Number(1, names=words.AREA_ACTIONS))
_LIST: Final = {0: "clear", 1: "replace", 2: "append", 3: "change", 4: "delete named"}
_SEARCH: Final[Layout] = (
    ("kind", Number(1, names=words.MEDIA)),
    ("channel", U1),
    ("event", Number(1, names=words.MEDIA_EVENTS)),
    ("start", TIME),
    ("end", TIME),
)
_RECORDER: Final[Layout] = (("command", U1), ("block", IfLeft(Bytes())))
_CONTROLLED: Final[Layout] = (("type", U2), ("value", U1))


def _upgrade(maker: int) -> Layout:
    return (
        ("kind", Number(1, names=words.UPGRADED)),
        ("maker", Text(maker)),
        ("version", Sized()),
        ("data", Sized(4, of_text=False)),
    )


# What a terminal answers with, where that is not its general answer.
ANSWERS: Final = {
    0x8104: 0x0104,
    0x8106: 0x0104,
    0x8107: 0x0107,
    0x8201: 0x0201,
    0x8500: 0x0500,
    0x8608: 0x0608,
    0x8700: 0x0700,
    0x8702: 0x0702,
    0x8801: 0x0805,
    0x8802: 0x0802,
    0x8A00: 0x0A00,
}

DOWNLINKS: Final[dict[int, Kind]] = {
    0x8001: Kind(
        "general answer",
        Form(
            (
                ("serial", U2),
                ("message_id", U2),
                ("result", Number(1, names=words.RESULTS_DOWN)),
            )
        ),
    ),
    0x8003: Kind(
        "send sub-packets again", Form(RESEND), Form(RESEND_SHORT, name="count of one byte")
    ),
    0x8004: Kind("the time, in UTC", Form((("time_utc", Bcd(6)),))),
    0x8100: Kind(
        "answer to a registration",
        Form(
            (
                ("serial", U2),
                ("result", Number(1, names=words.REGISTERED)),
                ("token", IfLeft(Text())),
            )
        ),
    ),
    0x8103: Kind("set parameters", Form((("parameters", Many(1, PARAMETER)),))),
    0x8104: Kind("ask for all parameters", Form(())),
    0x8105: Kind(
        "control the terminal",
        Form((("command", Number(1, names=words.CONTROLS)), ("arguments", IfLeft(Text())))),
    ),
    0x8106: Kind("ask for parameters", Form((("parameters", Many(1, _NAMED)),))),
    0x8107: Kind("ask for attributes", Form(())),
    0x8108: Kind(
        "upgrade",
        Form(_upgrade(5)),
        Form(_upgrade(11), editions=SINCE_2019, name="maker of 11 bytes"),
    ),
    0x8201: Kind("ask for the position", Form(())),
    0x8202: Kind(
        "follow for a while",
        Form(
            (
                ("interval_s", Number(2, unit="s")),
                ("valid_s", IfLeft(Number(4, unit="s"))),
            )
        ),
    ),
    0x8203: Kind(
        "confirm alarms", Form((("serial", U2), ("alarms", Number(4, bits=words.ALARMS))))
    ),
    0x8204: Kind("is the link alive", Form(())),
    0x8300: Kind(
        "text",
        Form(
            (
                ("flags", Number(1, bits=words.TEXT_BITS)),
                ("kind", By(Number(1, names={1: "notice", 2: "service"}), None)),
                ("text", Text()),
            )
        ),
    ),
    0x8301: Kind(
        "set events",
        Form(
            (("kind", Number(1, names=_LIST)), ("events", Many(1, (("id", U1), ("text", Sized())))))
        ),
    ),
    0x8302: Kind(
        "ask a question",
        Form(
            (
                ("flags", Number(1, bits=words.TEXT_BITS)),
                ("question", Sized()),
                ("answers", Many(0, (("id", U1), ("text", Sized(2))))),
            )
        ),
    ),
    0x8303: Kind(
        "set the menu of information",
        Form(
            (
                ("kind", Number(1, names=_LIST)),
                ("menu", Many(1, (("kind", U1), ("name", Sized(2))))),
            )
        ),
    ),
    0x8304: Kind("information", Form((("kind", U1), ("text", Sized(2))))),
    0x8400: Kind(
        "call back",
        Form((("flag", Number(1, names={0: "talk", 1: "listen"})), ("number", Text()))),
    ),
    0x8401: Kind(
        "set the phone book",
        Form(
            (
                ("kind", Number(1, names=_LIST)),
                (
                    "contacts",
                    Many(
                        1,
                        (
                            ("flag", Number(1, names={1: "in", 2: "out", 3: "both"})),
                            ("number", Sized()),
                            ("name", Sized()),
                        ),
                    ),
                ),
            )
        ),
    ),
    0x8500: Kind(
        "control the vehicle",
        Form((("controls", Many(2, _CONTROLLED)),), editions=SINCE_2019),
        Form(_CONTROLLED, editions=SINCE_2019, name="without a count"),
        Form(
            (("flag", Number(1, names={0: "unlock doors", 1: "lock doors"})),),
            editions=BEFORE_2019,
        ),
    ),
    0x8600: Kind("set circles", Form((_ACTION, ("circles", Many(1, CIRCLE))))),
    0x8601: Kind("delete circles", Form(_DELETED)),
    0x8602: Kind("set rectangles", Form((_ACTION, ("rectangles", Many(1, RECTANGLE))))),
    0x8603: Kind("delete rectangles", Form(_DELETED)),
    0x8604: Kind("set a polygon", Form(POLYGON)),
    0x8605: Kind("delete polygons", Form(_DELETED)),
    0x8606: Kind("set a route", Form(ROUTE)),
    0x8607: Kind("delete routes", Form(_DELETED)),
    0x8608: Kind(
        "ask for areas or routes",
        Form((("kind", Number(1, names=words.AREAS)), ("areas", Many(4, (("area", U4),))))),
    ),
    0x8700: Kind("ask for the recorder's data", Form(_RECORDER)),
    0x8701: Kind("set the recorder's parameters", Form(_RECORDER)),
    0x8702: Kind("ask for the driver", Form(())),
    0x8800: Kind(
        "answer to a medium",
        Form((("media", U4), ("packets", IfLeft(Many(1, (("number", U2),)))))),
    ),
    0x8801: Kind(
        "use the camera",
        Form(
            (
                ("channel", U1),
                ("order", Number(2, names={0: "stop", 0xFFFF: "video"})),
                ("interval_s", U2),
                ("keep", Number(1, names={0: "send at once", 1: "store"})),
                ("size", Number(1, names=words.PICTURE_SIZES)),
                *(("quality", U1), ("brightness", U1), ("contrast", U1)),
                *(("saturation", U1), ("colour", U1)),
            )
        ),
    ),
    0x8802: Kind("search stored media", Form(_SEARCH)),
    0x8803: Kind(
        "send stored media",
        Form((*_SEARCH, ("delete", Number(1, names={0: "no", 1: "yes"})))),
    ),
    0x8804: Kind(
        "record sound",
        Form(
            (
                ("order", Number(1, names={0: "stop", 1: "start"})),
                ("seconds", Number(2, unit="s")),
                ("keep", Number(1, names={0: "send at once", 1: "store"})),
                ("rate", Number(1, names={0: "8k", 1: "11k", 2: "23k", 3: "32k"})),
            )
        ),
    ),
    0x8805: Kind(
        "send a stored medium",
        Form((("media", U4), ("delete", Number(1, names={0: "no", 1: "yes"})))),
    ),
    0x8900: Kind(
        "transparent data",
        Form((("kind", Number(1, names=words.TRANSPARENT)), ("data", Bytes()))),
    ),
    0x8A00: Kind("node's RSA key", Form((("e", U4), ("n", Bytes(128))))),
}
