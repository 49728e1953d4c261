from __future__ import annotations

from typing import Annotated, Any

import msgspec
import pytest
from litestar import get, post
from litestar.testing import TestClient

from zhidao.core.access import OPEN
from zhidao.core.ambient import SeededRandomness
from zhidao.core.errors import Unauthenticated
from zhidao.node.http.access import ACCESS
from zhidao.node.http.bodies import Bodies
from zhidao.node.http.guards import Buckets, Guards
from zhidao.node.http.problems import HANDLERS
from zhidao.node.http.strict import StrictRequest
from zhidao.node.operations.metrics import Metrics
from zhidao.node.operations.signing_permit import SigningPermit
from zhidao.node.operations.write_gate import WriteGate


class Order(msgspec.Struct, forbid_unknown_fields=True):
    amount: Annotated[int, msgspec.Meta(gt=0)]
    lines: list[str] = []


@post("/orders", opt={ACCESS: OPEN})
async def order(data: Order) -> Order:
    return data


@get("/orders")
async def orders() -> list[Order]:
    return []


@post("/closed")
async def closed(data: Order) -> Order:
    return data


async def nobody(_: Any) -> None:
    raise Unauthenticated("nobody is known here")


@pytest.fixture
def client() -> TestClient[Any]:
    from litestar import Litestar

    app = Litestar(
        [order, orders, closed],
        exception_handlers=HANDLERS,
        request_class=StrictRequest,
        openapi_config=None,
    )
    guarded = Guards(
        app,
        metrics=Metrics(),
        randomness=SeededRandomness(1),
        bodies=Bodies(nobody, bytes_max=1000),
        requests_per_second=0,
        refusals_per_second=0,
        writes=WriteGate(lambda: False, SigningPermit(), lambda: 0.0),
    )
    return TestClient(guarded)  # type: ignore[arg-type]


def send(client: TestClient[Any], body: bytes, **headers: str) -> tuple[int, str, str]:
    named = {"content-type": "application/json"} | {
        k.replace("_", "-"): v for k, v in headers.items()
    }
    answer = client.post("/orders", content=body, headers=named)
    found = answer.json()
    return answer.status_code, found.get("code", ""), found.get("where", "")


def test_a_right_body_passes(client: TestClient[Any]) -> None:
    assert send(client, b'{"amount":1}') == (201, "", "")


@pytest.mark.parametrize(
    ("body", "code", "where"),
    [
        (b'{"amount":"1"}', "invalid", "body.amount"),
        (b'{"amount":true}', "invalid", "body.amount"),
        (b'{"amount":1.0}', "invalid", "body.amount"),
        (b'{"amount":0}', "invalid", "body.amount"),
        (b'{"amount":1,"lines":[1]}', "invalid", "body.lines[0]"),
        (b'{"amount":1,"x":1}', "invalid", "body"),
        (b'{"amount":1,"amount":2}', "duplicate_key", ""),
        (b'{"amount":NaN}', "non_finite", ""),
        (b"", "invalid", "body"),
        (b"[", "malformed_input", "line 1 column 2"),
    ],
)
def test_a_wrong_body_is_refused_at_its_place(
    client: TestClient[Any], body: bytes, code: str, where: str
) -> None:
    assert send(client, body) == (400, code, where)


def test_large_compressed_and_foreign_bodies_are_refused(client: TestClient[Any]) -> None:
    assert send(client, b" " * 1001)[:2] == (413, "body_too_large")
    assert send(client, b"x", content_encoding="gzip")[:2] == (415, "unsupported_encoding")
    assert send(client, b"{}", content_type="text/plain")[:2] == (415, "unsupported_media_type")


def test_a_stranger_is_refused_before_his_body_is_looked_at(client: TestClient[Any]) -> None:
    answer = client.post("/closed", content=b"[" * 999, headers={"content-type": "text/json"})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert client.post("/none", content=b"x" * 2000).status_code == 404
    assert client.put("/closed", content=b"x" * 2000).status_code == 405


def test_options_and_wrong_methods_name_the_right_ones(client: TestClient[Any]) -> None:
    asked = client.options("/orders")
    assert (asked.status_code, asked.content) == (204, b"")
    assert {"GET", "HEAD", "POST"} <= set(asked.headers["allow"].split(", "))
    wrong = client.delete("/orders")
    assert {"GET", "HEAD"} <= set(wrong.headers["allow"].split(", "))
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")
    assert client.options("/none").status_code == 404


def test_head_is_what_get_would_say_without_a_body(client: TestClient[Any]) -> None:
    for path in ("/orders", "/none", "/closed"):
        got, asked = client.get(path), client.head(path)
        assert (asked.status_code, asked.content) == (got.status_code, b"")
        assert asked.headers["content-type"] == got.headers["content-type"]
        if got.status_code == 200:
            assert asked.headers["content-length"] == str(len(got.content)) != "0"
    assert client.head("/orders").status_code == 200


def test_a_caller_gets_four_seconds_worth_at_once_and_then_its_rate() -> None:
    buckets = Buckets(10)
    assert sum(buckets.take("a", 0.0) for _ in range(100)) == 40
    assert buckets.take("b", 0.0)
    assert sum(buckets.take("a", 1.0) for _ in range(100)) == 10
    assert all(Buckets(0).take("a", 0.0) for _ in range(1000))
