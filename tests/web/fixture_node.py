"""A small server with the real pages and the answers of a fixture world.

Usage: python tests/web/fixture_node.py PORT. `POST /fixture` {name: value} sets its state:
first_start, signed_in, broken (an event id whose proof has a changed byte), empty, alarm, role.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from uuid import UUID

import uvicorn
from fixture_lists import LISTS
from fixture_money import ANSWERS as MONEY
from fixture_rest import ANSWERS as REST
from fixture_rest import LISTS as LISTS_OF_REST
from fixture_track import track
from fixture_trade import Trade
from fixture_world import ROUTE, World, world
from litestar import Litestar, Request, Response, delete, get, post, put
from litestar.datastructures import Cookie
from litestar.di import Provide
from litestar.exceptions import HTTPException, NotFoundException
from litestar.response import ServerSentEvent, ServerSentEventMessage
from msgspec import to_builtins

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import SeededRandomness
from zhidao.core.ids import party_id
from zhidao.node.http.lists import routes_of_lists
from zhidao.node.http.problems import HANDLERS
from zhidao.node.lists.cursor import Cursors
from zhidao.node.lists.listing import Listing, wanted
from zhidao.node.lists.reading import Lists, Source
from zhidao.node.shipment_timeline.corridor import corridor
from zhidao.node.web.pages import routes, unknown_address

STATE: dict[str, Any] = {
    "first_start": False, "signed_in": True, "broken": "", "empty": False, "alarm": False,
    "role": "party",
}  # fmt: skip
# What a party is not offered, as the node tells it from its routes.
CLOSED = {
    "peers": ["operator", "admin"], "act.peer": ["operator", "admin"], "act.invite": ["admin"],
    "act.terminal": ["operator"], "act.navigation": ["operator", "admin"],
    "act.records": ["operator", "admin", "auditor"],
}  # fmt: skip
WORLD: World = world()


def _session() -> dict[str, Any]:
    signed = STATE["signed_in"] and not STATE["first_start"]
    return {
        "signed_in": signed, "name": "Aigerim" if signed else "", "demo": True,
        "role": STATE["role"] if signed else "",
        "party": ("customs" if STATE["role"] == "party" else "operator") if signed else "",
        "first_start": STATE["first_start"], "organisation": "Khorgos Corridor Authority",
        "closed": CLOSED if signed else {},
    }  # fmt: skip


def _refused(status: int, code: str, detail: str) -> Response[dict[str, Any]]:
    body = {"status": status, "code": code, "detail": detail, "where": "", "remedy": ""}
    return Response(body, status_code=status, media_type="application/problem+json")


def _csrf_is_right(request: Request[Any, Any, Any]) -> bool:
    return request.headers.get("x-csrf-token", "") == request.cookies.get("zhidao_csrf", "")


@get("/v1/session")
async def session() -> Response[dict[str, Any]]:
    return Response(_session(), cookies=[Cookie("zhidao_csrf", "fixture-token", samesite="strict")])


@post(["/v1/session", "/v1/session/link", "/v1/first-admin"], status_code=200)
async def sign_in(request: Request[Any, Any, Any], data: dict[str, Any]) -> Response[Any]:
    if not _csrf_is_right(request):
        return _refused(403, "csrf", "the page's CSRF token is missing or old; reload the page")
    if data.get("password") == "wrong" or data.get("code") == "wrong":
        return _refused(401, "wrong_password", "wrong name or password")
    STATE.update(first_start=False, signed_in=True)
    return Response(_session())


@delete("/v1/session", status_code=204)
async def sign_out() -> None:
    STATE["signed_in"] = False


@get("/v1/roads")
async def roads() -> dict[str, Any]:
    if STATE["empty"]:
        return {"roads": []}
    keep = "consignment label simulated time_scale told state reason sentence waits_for moves amount route position site parties milestones"
    every = [to_builtins(WORLD.timeline(name)) for name in reversed(list(WORLD.of))]
    return {"roads": [{key: road[key] for key in keep.split()} for road in every]}


@get("/v1/corridor")
async def overview() -> dict[str, Any]:
    every = [WORLD.timeline(name) for name in reversed(list(WORLD.of))]
    told: dict[str, Any] = to_builtins(
        corridor([] if STATE["empty"] else every, since=None, more=False)
    )
    return told


@get("/v1/worklist")
async def worklist() -> dict[str, Any]:
    if STATE["empty"]:
        return {"items": [], "more": False}
    own = _session()["party"]
    items = [
        {"kind": "move", "act": move.key, "subject": name, "label": WORLD.timeline(name).label}
        for name in WORLD.of
        for move in WORLD.timeline(name).moves
        if move.party == own
    ]
    return {"items": items, "more": False}


@get("/v1/consignments/{name:str}/road")
async def road(name: str) -> Response[Any]:
    if name not in WORLD.of:
        return _refused(404, "not_found", "no consignment of that name")
    return Response(to_builtins(WORLD.timeline(name)))


@get("/v1/events/{event:str}/proof")
async def proof(event: str) -> Response[Any]:
    found = WORLD.proof(event)
    if found is None:
        return _refused(404, "not_found", "no event of that id")
    if STATE["broken"] == event:
        whole = base64.urlsafe_b64decode(found["event"] + "=" * (-len(found["event"]) % 4))
        changed = whole.replace(b'"carrier":"carrier"', b'"carrier":"mallory"', 1)
        found["event"] = base64.urlsafe_b64encode(changed).rstrip(b"=").decode()
    return Response(found)


@get("/v1/positioning/arrivals/{name:str}/track")
async def one_track(name: str) -> Response[Any]:
    # The second site is too small for any bound.
    radius_mm = {"C-2038": 150_000, "C-2039": 12_000}.get(name)
    if radius_mm is None:
        return _refused(404, "not_found", "no window of this arrival was evaluated yet")
    return Response(to_builtins(track(name, "Chukursay terminal", radius_mm)))


@get("/v1/consignments/{name:str}/proof")
async def export(name: str) -> Response[bytes]:
    return Response(f"proof of {name}".encode(), media_type="application/octet-stream")


@get("/v1/node/health")
async def health() -> dict[str, Any]:
    services = [
        {"name": "database", "state": "up", "detail": "PostgreSQL 18.6, embedded"},
        {
            "name": "bus",
            "state": "down" if STATE["alarm"] else "up",
            "detail": "NATS gives no answer" if STATE["alarm"] else "NATS 2.15.1",
            "code": "no_answer" if STATE["alarm"] else "",
        },
        {"name": "chain", "state": "up", "detail": "block 42, chain 4711"},
        {"name": "terminals", "state": "up", "detail": "port 20808, 1 terminal connected"},
    ]
    alarm = {
        "code": "bus_down", "sentence": "the bus does not answer: connection refused",
        "remedy": "the node starts it again by itself; zhidao doctor tells more",
        "args": {"problem": "no_answer"},
    }  # fmt: skip
    job = {
        "code": "job_failing:consumer road", "sentence": "consumer road failed 4 times in a row: …",
        "remedy": "it starts again by itself; report the trace in the node's log",
        "args": {"job": "consumer road", "failures": 4},
    }  # fmt: skip
    for service in services:
        service.setdefault("code", "")
    return {
        "version": "0.1.0", "uptime_s": 11_532, "services": services,
        "log": {"size": len(WORLD.stored), "root": WORLD.root, "checkpoint_at": "2026-03-05T12:00:04Z"},
        "alarms": [alarm, job] if STATE["alarm"] else [],
        "now": "2026-03-05T12:00:09Z", "scenario_at": "2026-03-05T11:02:30Z",
    }  # fmt: skip


def _exchanged(number: int, **more: Any) -> dict[str, Any]:
    return {
        "document": f"00000000-0000-4000-8000-00000000000{number}",
        "from_party": "exporter", "to_party": "importer", "consignment": "C-2038",
        "sequence": number, "kind": "trade.invoice", "media_type": "application/xml",
        "digest": "a" * 64, "content": "b" * 64, "state": "accepted", "outcome": "",
        "code": "", "reason": "", **more,
    }  # fmt: skip


@get("/v1/exchange/outbox")
async def outbox() -> list[dict[str, Any]]:
    sent = {"recipient": "importer-node", "attempts": 0, "created_at": "2026-03-05T11:00:00Z"}
    refused = {"state": "decided", "outcome": "refused", "code": "amount_differs"}
    dead = {"state": "dead", "attempts": 40, "code": "no_answer", "reason": "nobody answers"}
    return [
        _exchanged(1, **sent),
        _exchanged(2, **sent | refused, reason="the credit says 40,000.00 EUR"),
        _exchanged(3, **sent | dead),
        _exchanged(4, **sent | {"state": "waiting", "attempts": 3, "reason": "no answer"}),
    ]


@get("/v1/exchange/inbox")
async def inbox() -> list[dict[str, Any]]:
    got = {"sender": "importer-node", "received_at": "2026-03-05T11:00:00Z"}
    return [_exchanged(5, **got), _exchanged(6, **got | {"state": "held"})]


def _look(verdict: str, **more: Any) -> dict[str, Any]:
    return {
        "en": "Commercial invoice", "zh": "商业发票", "number": "INV-2026-0417", "verdict": verdict,
        "summary": "", "media_type": "application/xml", "size": 9312, **more,
    }  # fmt: skip


@get("/v1/exchange/inbox/{sender:str}/{document:uuid}/look")
async def inbox_look(sender: str, document: UUID) -> dict[str, Any]:
    del sender
    broken = "BR-CO-15 at /Invoice/cac:LegalMonetaryTotal: the sums differ"
    unknown = {"en": "", "zh": "", "number": "", "media_type": "application/pdf"}
    return _look("invalid", summary=broken) if document.int % 2 else _look("none", **unknown)


@get("/v1/exchange/outbox/{document:uuid}/look")
async def outbox_look(document: UUID) -> dict[str, Any]:
    return _look("valid" if document.int % 2 else "not_checked")


@get("/v1/exchange/stream", media_type="text/event-stream")
async def arrivals() -> ServerSentEvent:
    async def messages() -> AsyncGenerator[ServerSentEventMessage, None]:
        yield ServerSentEventMessage(event="beat", data="{}")
        await asyncio.sleep(3600)

    return ServerSentEvent(messages())


@get("/v1/stream", media_type="text/event-stream")
async def stream() -> ServerSentEvent:
    async def messages() -> AsyncGenerator[ServerSentEventMessage, None]:
        yield ServerSentEventMessage(event="beat", data="{}")
        step = 0
        # As on a node: it ends with the session of who reads it.
        while STATE["signed_in"]:
            await asyncio.sleep(0.5)
            part = (step % 40) / 40
            (x1, y1), (x2, y2) = ROUTE[7], ROUTE[9]
            told = {
                "consignment": "C-2041", "lon": x1 + (x2 - x1) * part, "lat": y1 + (y2 - y1) * part,
                "at": "2026-03-03T06:21:04Z",
            }  # fmt: skip
            yield ServerSentEventMessage(event="position", data=json.dumps(told))
            step += 1

    return ServerSentEvent(messages())


@get("/log/checkpoint", media_type="text/plain")
async def log_head() -> str:
    return WORLD.head()


@get("/v1/trust/log/{index:int}")
async def log_leaf(index: int) -> Response[Any]:
    if index >= len(WORLD.stored):
        return _refused(404, "not_found", "the log has no such leaf yet")
    found = WORLD.proof(str(WORLD.stored[index].event.id))
    assert found is not None
    return Response(
        {name: found[name] for name in ("index", "leaf", "size", "inclusion", "checkpoint")}
    )


@get("/v1/trust/witness")
async def witnesses() -> dict[str, Any]:
    log = {
        "origin": "zhidao-log/almaty/0123456789abcdef", "hash": "00" * 32, "size": 4711, "root": "",
        "cosigned_at_s": 1_772_000_000, "mirrored": 4711, "convicted": STATE["alarm"],
        "unresolved": "",
    }  # fmt: skip
    corridor = {
        "name": "middle-corridor", "witnessed": True, "reason": "", "by": ["aktau", "baku"],
        "witnessed_at_s": 1_772_000_060,
    }  # fmt: skip
    return {
        "keys": [], "logs": [log], "corridors": [corridor], "problems": {},
        "frauds": ["split_view-3f2a"] if STATE["alarm"] else [],
        "brought": [
            {
                "url": "https://baku.example/witness", "corridors": ["middle-corridor"],
                "leaves": 4600, "cosigned": 4480, "cosigned_at_s": 1_772_000_040,
                "problem": "it answered 503" if STATE["alarm"] else "", "failures": 0,
            }
        ],
    }  # fmt: skip


@get("/v1/trust/titles")
async def titles() -> dict[str, Any]:
    title = {
        "title": "8b" * 32, "consignment": "C-2038", "holder": "0x" + "11" * 20,
        "holder_party": "importer", "active": True,
    }  # fmt: skip
    return {"titles": [] if STATE["empty"] else [title], "after": ""}


@get("/v1/trust/titles/{title:str}/endorsements")
async def endorsements(title: str) -> list[dict[str, Any]]:
    del title
    words = [("mint", "carrier", "exporter"), ("transfer", "exporter", "importer")]
    return [
        {
            "number": n, "action": action, "at": "2026-03-03T06:21:04Z", "signer": "0x1",
            "signer_party": signer, "holder": "0x2", "holder_party": holder, "remark": "",
        }
        for n, (action, signer, holder) in enumerate(words, 1)
    ]  # fmt: skip


@get("/v1/trust/titles/{title:str}/acts")
async def title_acts(title: str) -> dict[str, Any]:
    """Whoever looks may only wait: importer and bank move."""
    return {
        "title": title, "state": "held", "seen": 2, "acts": [], "key_here": True,
        "movers": ["importer"], "holder": "importer", "beneficiary": "importer", "nominee": "",
        "issuer": "carrier", "custody": "",
    }  # fmt: skip


@get("/v1/parties")
async def parties() -> list[dict[str, Any]]:
    return [to_builtins(party) for party in WORLD.parties]


@get("/v1/trust-list", media_type="application/json")
async def own_list() -> Response[bytes]:
    golden = Path(__file__).parents[1] / "golden" / "road-circle-v1.trust.json"
    return Response(golden.read_bytes(), media_type="application/json")


@get("/v1/search")
async def search(q: str) -> dict[str, Any]:
    wanted = "".join(each for each in q.lower() if each.isalnum())
    names = [name for name in WORLD.of if name.lower().replace("-", "").startswith(wanted)]
    found = [
        {"kind": "consignment", "subject": name, "label": name, "consignment": name}
        for name in names
    ]
    return {"found": found if wanted else []}


@get("/v1/preferences")
async def preferences() -> dict[str, Any]:
    return {"kept": True, "look": STATE.get("look"), "tables": STATE.get("tables", {})}


@put("/v1/preferences", status_code=204)
async def prefer(data: dict[str, Any]) -> None:
    STATE["look"] = data


@put("/v1/preferences/tables/{name:str}", status_code=204)
async def prefer_table(name: str, data: dict[str, Any]) -> None:
    STATE["tables"] = STATE.get("tables", {}) | {name: data}


# Lists that pages read as tables, by where the fixture answers them whole.
_LISTS: dict[str, Any] = {}


@get("/v1/lists/{name:str}")
async def one_list(name: str, request: Request[Any, Any, Any]) -> Response[Any]:
    """A page of a list by the node's own reading; rows are dictionaries here."""
    if name not in _LISTS:
        return _refused(404, "not_found", "no such list")
    handler, key, inside = _LISTS[name]

    async def whole(*, actor: Actor, **asked: str) -> list[Any]:
        answer = to_builtins(await handler.fn())
        rows = list(answer[inside] if inside else answer)
        return [row for row in rows if all(row[name] == value for name, value in asked.items())]

    rows = await whole(actor=await _actor())
    columns = tuple(rows[0]) if rows else key
    listing = Listing(name, key, columns, asked=tuple((each, each) for each in columns))
    source = Source(listing, whole, is_paged=False)
    query = request.query_params
    asked = wanted(listing, sort=query.get("sort", ""), filters=query.getall("filter", []))
    limit, after = int(query.get("limit", "50")), query.get("after", "")
    shown, behind = await _READER.page(source, await _actor(), asked, limit=limit, after=after)
    return Response({"rows": shown, "next": behind})


_READER = Lists(Cursors(SeededRandomness(1)))


@post("/fixture", status_code=200)
async def fixture(data: dict[str, Any]) -> dict[str, Any]:
    STATE.update(data)
    return STATE


def application() -> Litestar:
    """The pages of the node over the fixture's answers."""
    answers = [
        session,
        sign_in,
        sign_out,
        roads,
        overview,
        road,
        worklist,
        proof,
        export,
        health,
        stream,
        fixture,
    ]
    answers += [inbox_look, outbox_look]
    answers += [one_track, outbox, inbox, arrivals, log_head, log_leaf, witnesses, titles]
    answers += [endorsements, own_list, title_acts, parties, one_list, search]
    answers += [preferences, prefer, prefer_table]
    answers += [*MONEY, *REST]
    reads = [each for each in answers if "GET" in each.http_methods]
    by_path = {path: each for each in reads for path in each.paths}
    for name, (path, key, inside) in (LISTS | LISTS_OF_REST).items():
        if path in by_path:
            _LISTS[name] = (by_path[path], key, inside)
    trade = Trade()
    return Litestar(
        [*routes(), *answers, *trade.routers, routes_of_lists(trade.routers, _READER)],
        dependencies={"actor": Provide(_actor)},
        exception_handlers=HANDLERS | {NotFoundException: unknown_address(HANDLERS[HTTPException])},
        on_startup=[trade.fill],
        openapi_config=None,
    )


async def _actor() -> Actor:
    return Actor(party_id("customs"), Role.PARTY)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    uvicorn.run(application(), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
