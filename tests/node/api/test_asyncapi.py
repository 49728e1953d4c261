"""The AsyncAPI document says what the code tells, no more and no less, and in its own form."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema_rs
import msgspec
import pytest
from tests.core.test_events import event_of
from tests.node.adapters.notifications.test_webhook import KEY, address
from tests.node.notifications.test_letters import ITEMS, NOW, message

import zhidao
from zhidao.cli.main import main
from zhidao.core.ambient import HandClock
from zhidao.core.events import Fact, WireEvent
from zhidao.core.ids import PartyId
from zhidao.node.adapters.notifications.webhook import Webhook
from zhidao.node.api.asyncapi import ROOMS, STREAMS, asyncapi
from zhidao.node.runtime.live import DocumentArrived, Live, Notice
from zhidao.trade.events import Delivered

SOURCE = Path(zhidao.__file__).parent


def holds(name: str, value: Any) -> None:
    """Raises where a value is not the payload that a message of the document has."""
    document = asyncapi()
    schema = document["components"]["messages"][name]["payload"]
    whole = schema | {"components": document["components"]}
    jsonschema_rs.Draft202012Validator(whole).validate(value)


def test_every_fact_of_every_room_has_its_subject_on_the_bus() -> None:
    rooms = {path.parent.name for path in SOURCE.glob("*/events.py")}
    rooms |= {path.parent.parent.name for path in SOURCE.glob("*/events/__init__.py")}
    assert set(ROOMS) == rooms - {"core"}
    written = (*SOURCE.glob("*/events.py"), *SOURCE.glob("*/events/*.py"))
    facts = {
        kind
        for path in written
        for kind in re.findall(
            r'TYPE(?:: ClassVar(?:\[str\])?)? = "(\w+\.\w+\.v\d+)"', path.read_text()
        )
    }
    channels = asyncapi()["channels"].values()
    told = {each["address"] for each in channels if str(each["address"]).startswith("zhidao.")}
    assert len(facts) > 60
    assert told == {f"zhidao.{each}" for each in facts}


def test_every_notice_stands_in_a_stream() -> None:
    told = {kind for kinds in STREAMS.values() for kind in kinds}
    assert told == set(Notice.__subclasses__())
    for address_of, kinds in STREAMS.items():
        [channel] = [c for c in asyncapi()["channels"].values() if c["address"] == address_of]
        assert set(channel["messages"]) == {kind.EVENT for kind in kinds}


async def test_what_a_page_is_told_is_what_is_written() -> None:
    async def sees(_: str) -> bool:
        return True

    live = Live()
    page = live.listen(PartyId("exporter"), sees, holder="session")
    heard = [await anext(page)]
    live.timeline_changed("zd-1")
    live.position(consignment="zd-1", lon=77.0, lat=43.35, at="2026-09-20T06:00:00Z")
    live.arrived(
        "exporter", DocumentArrived(document="d", sender="n", consignment="zd-1", kind="k")
    )
    heard += [await anext(page) for _ in range(3)]
    await page.aclose()
    assert [event for event, _ in heard] == ["beat", "road", "position", "arrived"]
    for event, data in heard:
        holds(event, json.loads(data))
    with pytest.raises(jsonschema_rs.ValidationError):
        holds("position", {"consignment": "zd-1"})


async def test_a_webhook_is_what_is_written() -> None:
    sent: list[tuple[bytes, dict[str, str]]] = []

    async def post(url: str, body: bytes, headers: dict[str, str]) -> int:
        del url
        sent.append((body, headers))
        return 204

    outward: Any = SimpleNamespace(post=post)
    hook = Webhook(outward, lambda: KEY, HandClock(NOW), node="corridor", page="https://n.example")
    await hook.send(address("https://erp.example/zhidao"), message(), ITEMS)
    [(body, headers)] = sent
    assert json.loads(body)["items"]
    holds("webhook", json.loads(body))
    named = asyncapi()["components"]["messages"]["webhook"]["headers"]["required"]
    assert set(named) <= set(headers)


def test_an_event_on_the_bus_is_what_is_written() -> None:
    fact = Delivered(**{name: _any(kind) for name, kind in _fields(Delivered)})
    whole = json.loads(event_of(fact).encode())
    assert msgspec.convert(whole, WireEvent)
    holds("trade_Delivered_v1", whole)
    with pytest.raises(jsonschema_rs.ValidationError):
        holds("trade_Delivered_v1", whole | {"type": "trade.Other.v1"})
    with pytest.raises(jsonschema_rs.ValidationError):
        holds("trade_Delivered_v1", whole | {"payload": {"other": 1}})


def _fields(fact: type[Fact]) -> list[tuple[str, Any]]:
    return [(field.encode_name, field.type) for field in msgspec.structs.fields(fact)]


def _any(kind: Any) -> Any:
    return {int: 1, bool: True}.get(kind, "x" if kind is str else [])


def test_the_command_prints_the_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["api", "asyncapi"]) == 0
    assert json.loads(capsys.readouterr().out) == asyncapi()
