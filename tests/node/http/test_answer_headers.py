"""What every answer says beside its content."""

from __future__ import annotations

from typing import Any

import pytest

from zhidao.node.http.answer_headers import secured


def _headers(path: str, scheme: str = "https", *said: tuple[bytes, bytes]) -> dict[bytes, bytes]:
    start: Any = {"type": "http.response.start", "status": 200, "headers": list(said)}
    return dict(secured(start, {"path": path, "scheme": scheme})["headers"])


@pytest.mark.parametrize("path", ["/v1/tokens", "/v1/session", "/schema/openapi.json", "/metrics"])
def test_what_is_for_the_caller_alone_is_kept_by_nobody(path: str) -> None:
    told = _headers(path)
    assert told[b"cache-control"] == b"no-store"
    assert told[b"x-content-type-options"] == b"nosniff"


def test_what_a_route_says_of_itself_stands() -> None:
    tile = (b"Cache-Control", b"public, immutable")
    assert b"cache-control" not in _headers("/v1/trade/x", "https", tile)
    assert b"cache-control" not in _headers("/log/tile/0/000")


def test_a_browser_is_told_to_ask_by_tls_from_now_on_if_it_did() -> None:
    assert _headers("/")[b"strict-transport-security"].startswith(b"max-age=31536000")
    assert b"strict-transport-security" not in _headers("/", "http")
