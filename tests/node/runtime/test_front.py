"""What a process answers with while it holds its leases and while it does not."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from zhidao.node.leases.ports import Member
from zhidao.node.operations.alarms import Alarm
from zhidao.node.runtime.front import Front
from zhidao.node.runtime.holders import Holders
from zhidao.node.runtime.standby import PASSED, Standby

WORD = "0123"
VACANT = Alarm(code="role_vacant", sentence="nobody", remedy="start one")


def front(holder: Member | None = None, alarms: tuple[Alarm, ...] = ()) -> Front:
    return Front(Standby(lambda: holder, lambda: list(alarms)), WORD)


async def asked(
    app: Any, path: str = "/", headers: tuple[tuple[bytes, bytes], ...] = (), query: str = ""
) -> tuple[int, dict[bytes, bytes], Any]:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": list(headers),
        "client": ("203.0.113.9", 5),
        "server": ("192.0.2.1", 443),
    }
    await app(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent)
    return sent[0]["status"], dict(sent[0]["headers"]), json.loads(body)


async def seen_by_node(scope: Any, receive: Any, send: Any) -> None:
    names = [name.decode() for name, _ in scope["headers"]]
    body = json.dumps([scope["client"][0], scope["server"][0], names]).encode()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


async def test_without_a_holder_everything_is_asked_for_again_in_a_second():
    status, headers, body = await asked(front(), "/v1/parties")
    assert (status, headers[b"retry-after"], body["code"]) == (503, b"1", "no_holder")
    assert body["remedy"]


async def test_a_holder_that_takes_no_connection_is_said_to_be_away():
    holder = Member("a", "all", "http://127.0.0.1:1")
    status, headers, body = await asked(front(holder), "/v1/parties")
    assert (status, headers[b"retry-after"], body["code"]) == (503, b"1", "holder_silent")


async def test_what_was_passed_on_once_goes_no_further():
    holder = Member("a", "all", "http://127.0.0.1:1")
    passed = (PASSED, b"0123 198.51.100.7 192.0.2.2")
    _, _, body = await asked(front(holder), "/v1/parties", (passed,))
    assert body["code"] == "no_holder"


async def test_only_who_knows_the_word_says_who_asked():
    node = front()
    node.serve(seen_by_node)
    true, lying = b"0123 198.51.100.7 192.0.2.2", b"3210 198.51.100.7 192.0.2.2"
    assert (await asked(node, headers=((PASSED, true),)))[2] == ["198.51.100.7", "192.0.2.2", []]
    ours = ["203.0.113.9", "192.0.2.1", []]
    for said in (lying, b"0123", b"", true + b" more"):
        assert (await asked(node, headers=((PASSED, said),)))[2] == ours
    assert (await asked(node, headers=((PASSED, true), (PASSED, true))))[2] == ours


async def test_a_standby_is_ready_for_what_it_passes_on_and_never_for_what_needs_a_lease():
    holder = Member("a", "all", "http://127.0.0.1:1")
    with_one, without = front(holder), front(alarms=(VACANT,))
    assert (await asked(with_one, "/readyz"))[::2] == (
        200,
        {"ready": True, "down": [], "alarms": []},
    )
    assert (await asked(with_one, "/readyz", query="role=page"))[0] == 200
    status, _, body = await asked(with_one, "/readyz", query="role=ledger")
    assert (status, body["down"]) == (503, ["ledger"])
    status, _, body = await asked(without, "/readyz")
    assert (status, body["down"], body["alarms"][0]["code"]) == (503, ["holder"], "role_vacant")
    status, _, body = await asked(with_one, "/readyz", query="role=nonsense")
    assert (status, body["code"]) == (400, "unknown_role")
    assert (await asked(without, "/healthz"))[0] == 200


async def test_a_request_under_way_when_the_leases_are_lost_ends_with_a_reason():
    node = front()
    begun = asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        begun.set()
        await asyncio.sleep(60)

    node.serve(slow)
    asking = asyncio.create_task(asked(node))
    await begun.wait()
    await node.withdraw()
    status, headers, body = await asyncio.wait_for(asking, 1)
    assert (status, headers[b"retry-after"], body["code"]) == (503, b"1", "lease_lost")


class Places:
    """Leases and members as a test says."""

    def __init__(self) -> None:
        from zhidao.node.adapters.leases.memory import MemoryLeases

        self.now_s = 1_800_000_000.0
        self.leases = MemoryLeases(lambda: self.now_s)
        self.holders = Holders(self.leases, ("ledger", "log"), clock_s=lambda: self.now_s)


async def test_a_role_that_nobody_holds_is_told_within_ten_seconds():
    places = Places()
    await places.holders.look()
    assert places.holders.alarms() == []
    places.now_s += 9
    await places.holders.look()
    assert [(each.code, each.args) for each in places.holders.alarms()] == [
        ("role_vacant", {"roles": "ledger, log"})
    ]
    await places.leases.take(("ledger", "log"), "a", {})
    await places.leases.tell(Member("a", "all", "http://127.0.0.1:1"))
    await places.holders.look()
    assert places.holders.alarms() == []
    holder = places.holders.holder()
    assert holder is not None
    assert holder.holder == "a"


async def test_a_holder_that_stopped_renewing_is_asked_nothing():
    places = Places()
    await places.leases.take(("ledger", "log"), "a", {})
    await places.leases.tell(Member("a", "all", "http://127.0.0.1:1"))
    await places.holders.look()
    places.now_s += 5
    await places.holders.look()
    assert places.holders.holder() is None
