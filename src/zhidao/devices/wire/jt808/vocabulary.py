"""What bits, numbers and items of JT/T 808 mean, in words.

Written from public implementations read side by side, since no copy of the standard was at hand;
where its text differs, the text wins (not checked).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ALARMS: Final[Mapping[int, str]] = {
    0: "emergency (SOS)",
    1: "overspeed",
    2: "tired driving",
    3: "danger warning",
    4: "GNSS module fails",
    5: "GNSS antenna cut",
    6: "GNSS antenna short",
    7: "main power low",
    8: "main power lost",
    9: "display fails",
    10: "speech fails",
    11: "camera fails",
    12: "card module fails",
    13: "overspeed warning",
    14: "tired driving warning",
    18: "too long driving in a day",
    19: "parked too long",
    20: "area entered or left",
    21: "route entered or left",
    22: "section time wrong",
    23: "off route",
    24: "speed sensor fails",
    25: "fuel wrong",
    26: "vehicle stolen",
    27: "unlawful ignition",
    28: "unlawful move",
    29: "collision",
    30: "rolling over",
    31: "door opened unlawfully",
}
STATUS: Final[Mapping[int, str]] = {
    0: "ignition on",
    1: "positioned",
    2: "south",
    3: "west",
    4: "out of service",
    5: "coordinates by the plug-in (GCJ-02)",
    8: "load, low bit",
    9: "load, high bit",
    10: "fuel cut",
    11: "circuit cut",
    12: "doors locked",
    13: "door 1 open",
    14: "door 2 open",
    15: "door 3 open",
    16: "door 4 open",
    17: "door 5 open",
    18: "by GPS",
    19: "by BeiDou",
    20: "by GLONASS",
    21: "by Galileo",
    22: "moving",
}
RESULTS: Final = {0: "done", 1: "failed", 2: "message wrong", 3: "not supported"}
RESULTS_DOWN: Final = {**RESULTS, 4: "alarm confirmed"}
REGISTERED: Final = {
    0: "registered",
    1: "vehicle registered already",
    2: "no such vehicle",
    3: "terminal registered already",
    4: "no such terminal",
}
PLATE_COLOURS: Final = {
    0: "no plate: a VIN follows",
    1: "blue",
    2: "yellow",
    3: "black",
    4: "white",
}
MEDIA: Final = {0: "image", 1: "sound", 2: "video"}
CODINGS: Final = {0: "JPEG", 1: "TIF", 2: "MP3", 3: "WAV", 4: "WMV"}
MEDIA_EVENTS: Final = {
    0: "ordered",
    1: "timed",
    2: "robbery",
    3: "crash or roll-over",
    4: "door opened",
    5: "door closed",
    6: "doors closed, above 20 km/h",
    7: "by distance",
}
UPGRADED: Final = {0: "terminal", 12: "IC card reader", 52: "BeiDou module"}
TRANSPARENT: Final = {
    0x00: "GNSS module",
    0x0B: "IC card",
    0x41: "serial port 1",
    0x42: "serial port 2",
}
AREAS: Final = {1: "circle", 2: "rectangle", 3: "polygon", 4: "route"}
AREA_ACTIONS: Final = {0: "replace all", 1: "append", 2: "change"}
AREA_BITS: Final = {
    0: "by time",
    1: "speed limit",
    2: "tell the driver on entry",
    3: "tell the platform on entry",
    4: "tell the driver on leaving",
    5: "tell the platform on leaving",
    6: "south",
    7: "west",
    8: "doors stay shut",
    14: "radio off inside",
    15: "detailed GNSS inside",
}
SECTION_BITS: Final = {0: "driving time", 1: "speed limit", 2: "south", 3: "west"}
TEXT_BITS: Final = {
    0: "urgent",
    2: "display",
    3: "read aloud",
    4: "advertising screen",
    5: "CAN fault code",
}
CONTROLS: Final = {
    1: "upgrade over the air",
    2: "connect to a named server",
    3: "switch off",
    4: "reset",
    5: "factory settings",
    6: "close the data link",
    7: "close all radio",
}
VEHICLE_TYPES: Final = {
    0: "for passengers",
    1: "for dangerous goods",
    2: "for freight",
    3: "taxi",
    6: "disk recorder",
    7: "split device",
}
GNSS_BITS: Final = {0: "GPS", 1: "BeiDou", 2: "GLONASS", 3: "Galileo"}
MODEM_BITS: Final = {
    0: "GPRS",
    1: "CDMA",
    2: "TD-SCDMA",
    3: "WCDMA",
    4: "CDMA2000",
    5: "TD-LTE",
    7: "other",
}
CARD: Final = {1: "card in", 2: "card out"}
CARD_RESULTS: Final = {
    0: "read",
    1: "key check failed",
    2: "locked",
    3: "pulled out",
    4: "data error",
}
PICTURE_SIZES: Final = {
    1: "320x240",
    2: "640x480",
    3: "800x600",
    4: "1024x768",
    5: "176x144",
    6: "352x288",
    7: "704x288",
    8: "704x576",
}

# Items of a position report: name, unit, scale.
ITEMS: Final[Mapping[int, tuple[str, str, float]]] = {
    0x01: ("odometer", "km", 0.1),
    0x02: ("fuel", "L", 0.1),
    0x03: ("recorder's speed", "km/h", 0.1),
    0x04: ("alarm to be confirmed", "", 1),
    0x25: ("vehicle signals", "", 1),
    0x2A: ("inputs", "", 1),
    0x2B: ("analogue inputs", "", 1),
    0x30: ("network signal", "", 1),
    0x31: ("satellites", "", 1),
}

# Parameters: the type of each (1, 2, 4 bytes, "text", or bytes) and its name.
PARAMETERS: Final[Mapping[int, tuple[int | str, str]]] = {
    0x0001: (4, "heartbeat interval, s"),
    0x0002: (4, "TCP response time, s"),
    0x0003: (4, "TCP retries"),
    0x0004: (4, "UDP response time, s"),
    0x0005: (4, "UDP retries"),
    0x0006: (4, "SMS response time, s"),
    0x0007: (4, "SMS retries"),
    0x0010: ("text", "main server's APN"),
    0x0011: ("text", "main server's user"),
    0x0012: ("text", "main server's password"),
    0x0013: ("text", "main server's address"),
    0x0014: ("text", "spare server's APN"),
    0x0015: ("text", "spare server's user"),
    0x0016: ("text", "spare server's password"),
    0x0017: ("text", "spare server's address"),
    0x0018: (4, "TCP port"),
    0x0019: (4, "UDP port"),
    0x001A: ("text", "IC card server"),
    0x001B: (4, "IC card server's TCP port"),
    0x001C: (4, "IC card server's UDP port"),
    0x001D: ("text", "spare IC card server"),
    0x0020: (4, "how positions are reported"),
    0x0021: (4, "by which plan"),
    0x0022: (4, "interval without a driver, s"),
    0x0023: ("text", "second server's APN"),
    0x0024: ("text", "second server's user"),
    0x0025: ("text", "second server's password"),
    0x0026: ("text", "second server's address"),
    0x0027: (4, "interval asleep, s"),
    0x0028: (4, "interval in emergency, s"),
    0x0029: (4, "interval, s"),
    0x002C: (4, "distance, m"),
    0x002D: (4, "distance without a driver, m"),
    0x002E: (4, "distance asleep, m"),
    0x002F: (4, "distance in emergency, m"),
    0x0030: (4, "turning angle, degrees"),
    0x0031: (2, "unlawful move from, m"),
    **dict.fromkeys(
        (0x0040, 0x0041, 0x0042, 0x0043, 0x0044, 0x0048, 0x0049), ("text", "telephone number")
    ),
    0x0045: (4, "how calls are answered"),
    0x0046: (4, "longest call, s"),
    0x0047: (4, "longest calls in a month, s"),
    0x0050: (4, "alarms masked"),
    0x0051: (4, "alarms with a text"),
    0x0052: (4, "alarms with a picture"),
    0x0053: (4, "alarms whose picture is stored"),
    0x0054: (4, "key alarms"),
    0x0055: (4, "top speed, km/h"),
    0x0056: (4, "overspeed lasts, s"),
    0x0057: (4, "longest driving, s"),
    0x0058: (4, "longest driving in a day, s"),
    0x0059: (4, "shortest rest, s"),
    0x005A: (4, "longest parking, s"),
    0x005B: (2, "overspeed warning margin, 0.1 km/h"),
    0x005C: (2, "tired driving warning margin, s"),
    0x005D: (2, "collision"),
    0x005E: (2, "roll-over, degrees"),
    0x0064: (4, "timed pictures"),
    0x0065: (4, "pictures by distance"),
    0x0070: (4, "picture quality"),
    0x0071: (4, "brightness"),
    0x0072: (4, "contrast"),
    0x0073: (4, "saturation"),
    0x0074: (4, "colour"),
    0x0080: (4, "mileage, 0.1 km"),
    0x0081: (2, "province"),
    0x0082: (2, "city"),
    0x0083: ("text", "plate"),
    0x0084: (1, "plate colour"),
    0x0090: (1, "GNSS systems"),
    0x0091: (1, "GNSS speed of the line"),
    0x0092: (1, "GNSS output rate"),
    0x0093: (4, "GNSS collection rate, s"),
    0x0094: (1, "GNSS upload by"),
    0x0095: (4, "GNSS upload setting"),
    0x0100: (4, "CAN 1 collection, ms"),
    0x0101: (2, "CAN 1 upload, s"),
    0x0102: (4, "CAN 2 collection, ms"),
    0x0103: (2, "CAN 2 upload, s"),
}
