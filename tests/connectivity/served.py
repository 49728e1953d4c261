"""Stand-ins of the tests' own for networks of others: real sockets, documents of their forms."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qs

import uvicorn

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]
SUPI = "imsi-999700000000001"
PHONE = "+77010000001"
PLMN = "99970"
NCI = 1_638_401


@contextmanager
def serving(app: Any, certificate: str = "", key: str = "") -> Iterator[str]:
    """The address of an ASGI application on this machine; over TLS with a certificate."""
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    more: dict[str, Any] = {"log_level": "error", "lifespan": "off", "date_header": False}
    if certificate:
        more |= {"ssl_certfile": certificate, "ssl_keyfile": key}
    server = uvicorn.Server(uvicorn.Config(app, **more))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]}, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the stand-in did not start"
        time.sleep(0.01)
    try:
        yield f"http{'s' if certificate else ''}://127.0.0.1:{taken.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        taken.close()


def device(number: int = 1, **changes: Any) -> dict[str, Any]:
    """An item of `/ue-info`, in the form of src/amf/ue-info.c."""
    item = {
        "id": number,
        "supi": f"imsi-9997000000{number:05d}",
        "suci": "suci-0-999-70-0000-0-0-0000000001",
        "pei": "imeisv-3535938300494715",
        "cm_state": "connected",
        "guti": "99970-030080-CC00007AB",
        "m_tmsi": 3_221_227_435,
        "gnb": {"ostream_id": 1, "amf_ue_ngap_id": 2, "ran_ue_ngap_id": 39},
        "location": {
            "timestamp": round(time.time() * 1e6),
            "nr_tai": {"plmn": PLMN, "tac_hex": "000001", "tac": 1},
            "nr_cgi": {"plmn": PLMN, "nci": NCI, "gnb_id": 100, "cell_id": 1},
            "last_visited_plmn_id": "000000",
        },
        "msisdn": [],
        "security": {"valid": 1, "enc": "nea2", "int": "nia2"},
        "ambr": {"downlink": 1_000_000_000, "uplink": 1_000_000_000},
        "pdu_sessions": [],
        "am_policy_features": 4,
    }
    return item | changes


def located(**changes: Any) -> dict[str, Any]:
    """The location of an item; timestamp and the members of nr_cgi may be others."""
    location = device()["location"]
    if "timestamp" in changes:
        location["timestamp"] = changes.pop("timestamp")
    location["nr_cgi"] |= changes
    return location


STATION = {
    "gnb_id": 100,
    "plmn": PLMN,
    "network": {"amf_name": "amf0", "ngap_port": 38412},
    "ng": {"sctp": {"peer": "[10.0.0.9]:60110"}, "setup_success": True},
    "supported_ta_list": [{"tac": "000001", "bplmns": []}],
    "num_connected_ues": 1,
}


@dataclass
class Core:
    """Lists of a core by path, in pages of a hundred; `lie` answers in their place."""

    lists: dict[str, list[Any]] = field(default_factory=dict)
    lie: Callable[[Send, str], Awaitable[None]] | None = None
    ahead_s: float = 0.0
    asked: list[tuple[str, int]] = field(default_factory=list)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        query = parse_qs(scope["query_string"].decode())
        page, size = int(query["page"][0]), int(query["page_size"][0])
        self.asked.append((scope["path"], page))
        if self.lie is not None:
            await self.lie(send, scope["path"])
            return
        items = self.lists.get(scope["path"])
        if items is None:
            await answer(send, b"", 404)
            return
        shown = items[page * size : (page + 1) * size]
        pager: dict[str, Any] = {"page": page, "page_size": size, "count": len(shown)}
        if len(items) > (page + 1) * size:
            pager["next"] = f"{scope['path']}?page={page + 1}"
        date = formatdate(time.time() + self.ahead_s, usegmt=True).encode()
        body = json.dumps({"items": shown, "pager": pager}).encode()
        await answer(send, body, 200, [(b"date", date)])


async def answer(
    send: Send, body: bytes, status: int = 200, headers: list[tuple[bytes, bytes]] | None = None
) -> None:
    """One whole answer."""
    await send({"type": "http.response.start", "status": status, "headers": headers or []})
    await send({"type": "http.response.body", "body": body})


@dataclass
class Operator:
    """An operator's token server and CAMARA APIs; each path answers status, document, headers."""

    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    asked: list[tuple[str, dict[bytes, bytes], bytes]] = field(default_factory=list)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        body = b""
        while True:
            piece = await receive()
            body += piece.get("body", b"")
            if not piece.get("more_body"):
                break
        self.asked.append((scope["path"], dict(scope["headers"]), body))
        status, document = self.answers.get(scope["path"], (404, {"code": "NOT_FOUND"}))
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        await answer(send, data, status, self.headers)
