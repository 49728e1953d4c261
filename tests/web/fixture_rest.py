"""Answers of the fixture about people, terminals, orders and notifications: a few rows of each state."""

from __future__ import annotations

from typing import Any

from litestar import get

AT = "2026-03-04T09:12:31Z"
LATER = "2026-03-05T11:00:00Z"


@get("/v1/industry/orders")
async def orders() -> list[dict[str, Any]]:
    lots = [
        {"lot": "L-2038-01", "serials": 420, "within_limits": True, "samples": 240, "simulated": True, "verdict": "within"},
        {"lot": "L-2038-02", "serials": 12, "within_limits": False, "samples": 240, "simulated": True, "verdict": "outside"},
        {"lot": "L-2038-03", "serials": 8, "within_limits": False, "samples": 12, "simulated": True, "verdict": "not_shown"},
    ]  # fmt: skip
    return [
        {"order": "O-2038", "gtin": "06901234567892", "quantity": 440, "mine": False, "lots": lots},
        {"order": "O-2044", "gtin": "06901234567892", "quantity": 96, "mine": False, "lots": []},
    ]


@get("/v1/epcis/trace")
async def traced(thing: str, direction: str = "forward") -> dict[str, Any]:
    lot, serial = (
        "https://id.gs1.org/01/06901234567892/10/L-1",
        "https://id.gs1.org/01/06901234567892/21/7",
    )
    case, event = (
        "https://id.gs1.org/00/340123451111111111",
        "ni:///sha-256;" + "0" * 64 + "?ver=CBV2.0",
    )
    said = {"event": event, "by": "exporter"}
    return {
        "thing": thing, "direction": direction, "made": 2, "carried": 1, "beside": 9, "complete": False, "cut_short": False,
        "steps": [
            {"thing": thing, "role": "made", "from_time": "", "to_time": "", "before": "", "event": "", "by": ""},
            {"thing": lot, "role": "made", "from_time": LATER, "to_time": "", "before": thing, **said},
            {"thing": serial, "role": "made", "from_time": LATER, "to_time": "", "before": lot, **said},
            {"thing": case, "role": "carried", "from_time": LATER, "to_time": LATER, "before": serial, **said},
        ],
        "ends": [{"thing": case, "why": "shipped", **said}, {"thing": lot, "why": "not_told", "event": "", "by": ""}],
        "cycles": [[lot, serial]], "contradictions": [[serial, case, event, "urn:epc:id:sscc:4012345.3111111112", event]],
    }  # fmt: skip


@get("/v1/devices/terminals")
async def terminals() -> list[dict[str, Any]]:
    row = {
        "owner": "carrier",
        "keyed": True,
        "connected": True,
        "heard_at": AT,
        "refused": None,
        "state": "enrolled",
        "invited_until": "",
    }
    point = {"latitude_udeg": 44_420_000, "longitude_udeg": 84_900_000}
    refused = {"reason": "bad_checksum", "sentence": "a frame's check code is wrong", "at": AT}
    return [
        row | {"terminal": "T-2041", "phone": "013800138000", "point": point},
        row | {"terminal": "T-2042", "phone": "013800138001", "point": None, "connected": False,
               "state": "invited", "invited_until": AT, "heard_at": ""},
        row | {"terminal": "T-2043", "phone": "013800138002", "point": None, "refused": refused,
               "keyed": False, "heard_at": ""},
    ]  # fmt: skip


@get("/v1/devices/seals")
async def seals() -> list[dict[str, Any]]:
    row = {"container": "MSCU6639870", "sealed_by": "carrier"}
    return [
        row | {"seal": "S-88120", "consignment": "C-2038", "terminal": "T-2038", "bound": True,
               "checked_by": "customs"},
        row | {"seal": "S-88121", "consignment": "C-2041", "terminal": "T-2041", "bound": False,
               "checked_by": ""},
    ]  # fmt: skip


@get("/v1/people")
async def people() -> list[dict[str, Any]]:
    rows = [
        ("Aigerim", "customs", "party", "customs", "", "enters"),
        ("Dana", "customs", "party", "", "customs", "waits"),
        ("olga", "operator", "operator", "operator", "", "invited"),
        ("Timur", "carrier", "party", "operator", "", "withdrawn"),
    ]
    names = ("name", "party", "role", "agreed", "waits", "state")
    return [dict(zip(names, row, strict=True)) for row in rows]


@get("/v1/tokens")
async def tokens() -> list[dict[str, Any]]:
    row = {"made_by": "ada", "party": "customs", "role": "party", "created_at": AT}
    return [
        row | {"id": "t1", "label": "single window", "revoked": False, "agreed": "customs"},
        row | {"id": "t2", "label": "old scanner", "revoked": True, "agreed": "customs"},
    ]


@get("/v1/people/{name:str}/passkeys")
async def passkeys(name: str) -> list[dict[str, Any]]:
    del name
    row = {"passkey": "p1", "label": "Phone", "host": "node.example", "created_at": AT}
    return [row | {"used_at": LATER}]


@get("/v1/people/{name:str}/identities")
async def identities(name: str) -> list[dict[str, Any]]:
    del name
    return []


@get("/v1/people/{name:str}/sessions")
async def sessions(name: str) -> list[dict[str, Any]]:
    del name
    row = {"began_at": AT, "ends_at": LATER, "block": "198.51.100.0/24"}
    return [row | {"session": "s1", "here": True}, row | {"session": "s2", "here": False}]


@get("/v1/administration")
async def administration() -> list[dict[str, Any]]:
    row = {"party": "customs", "by": "operator", "person": "ada", "at": AT}
    acts = ("person_invited", "token_made", "signed_in")
    return [row | {"id": f"a{n}", "act": act, "subject": "Dana", "leaf": 40 + n} for n, act in enumerate(acts)]  # fmt: skip


@get("/v1/notifications")
async def notifications() -> dict[str, Any]:
    wishes = {
        "kinds": ["move"], "pace": "at_once", "digest_minute": 480, "quiet_from": 1320,
        "quiet_to": 420, "zone": "Asia/Almaty", "language": "en",
    }  # fmt: skip
    row = {"state": "live", "reason": "", "made_at": AT}
    addresses = [
        row | {"address": "1", "channel": "mail", "target": "aigerim@customs.example"},
        row | {"address": "2", "channel": "webhook", "target": "https://window.customs.example/in",
               "state": "unconfirmed"},
    ]  # fmt: skip
    return {
        "wishes": wishes, "kinds": ["move", "declaration", "approval", "agreement", "alarm"],
        "languages": ["en", "zh", "ru", "kk"], "addresses": addresses, "push_key": "", "mail": True,
    }  # fmt: skip


@get("/v1/notifications/messages")
async def messages() -> list[dict[str, Any]]:
    row = {"person": "Aigerim", "attempts": 1, "items": 2, "code": "", "due_at": AT}
    return [
        row | {"message": "m1", "about": "items", "state": "sent", "done_at": AT},
        row | {"message": "m2", "about": "items", "state": "dead", "done_at": LATER,
               "code": "no_answer", "attempts": 12},
    ]  # fmt: skip


ANSWERS = [
    orders, traced, terminals, seals, people, tokens, passkeys, identities, sessions, administration,
    notifications, messages,
]  # fmt: skip
LISTS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "administration": ("/v1/administration", ("id",), ""),
    "seals": ("/v1/devices/seals", ("seal",), ""),
    "terminals": ("/v1/devices/terminals", ("terminal",), ""),
}
