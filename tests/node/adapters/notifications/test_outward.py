"""Where webhooks and push messages may go: public addresses, and what the operator opened."""

from __future__ import annotations

import asyncio

import pytest
from tests.node.adapters.notifications.stubs import receiver

from zhidao.core.errors import MalformedInput, Refused, Unavailable, ZhidaoError
from zhidao.node.adapters.notifications.outward import (
    URL_CHARACTERS_MAX,
    Outward,
    check_url,
    networks,
)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/hook",
        "https://[::1]/hook",
        "https://10.0.0.8/hook",
        "https://192.168.1.1/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://[fe80::1]/hook",
        "https://[::ffff:127.0.0.1]/hook",
        "https://0.0.0.0/hook",
        "https://224.0.0.1/hook",
        "https://localhost/hook",
        "https://2130706433/hook",
        "http://1.1.1.1/hook",
        "http://127.0.0.1/hook",
        "ftp://example.org/hook",
        "file:///etc/passwd",
        "https://user@example.org/hook",
        "https:///hook",
        "https://exam ple.org/",
        "https://example.org/\r\nX: y",
        "gopher://127.0.0.1:25/",
    ],
)
async def test_no_address_of_a_private_network_is_written_to(url: str) -> None:
    with pytest.raises(ZhidaoError) as refused:
        await Outward().post(url, b"{}", {})
    assert refused.value.code in ("no_public_address", "malformed_input")


@pytest.mark.bound("node.adapters.notifications.outward.URL_CHARACTERS_MAX")
def test_a_url_of_two_thousand_signs_and_one_more() -> None:
    url = "https://example.org/"
    url += "a" * (URL_CHARACTERS_MAX - len(url))
    assert check_url(url).hostname == "example.org"
    with pytest.raises(Refused):
        check_url(url + "a")


async def test_a_network_that_the_operator_opened_is_written_to() -> None:
    async with receiver() as (url, took):
        opened = Outward(networks("127.0.0.0/8, ::1/128", name="x"))
        assert await opened.post(f"{url}/hook?a=1", b"hello", {"content-type": "x/y"}) == 200
        await opened.close()
    (request,) = took
    assert request.body == b"hello"
    assert request.target == "/hook?a=1"
    assert request.headers["host"] == url.removeprefix("http://")


async def test_a_redirect_is_not_followed() -> None:
    async with receiver(status=307, location="https://10.0.0.1/") as (url, took):
        opened = Outward(networks("127.0.0.0/8", name="x"))
        assert await opened.post(url, b"", {}) == 307
        await opened.close()
    assert len(took) == 1


async def test_nobody_at_home_is_no_refusal() -> None:
    server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    opened = Outward(networks("127.0.0.0/8", name="x"))
    with pytest.raises(Unavailable) as away:
        await opened.post(f"http://127.0.0.1:{port}/", b"", {})
    assert away.value.code == "no_answer"
    await opened.close()


@pytest.mark.parametrize("text", ["127.0.0.1/33", "here", "10.0.0.1/8"])
def test_networks_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(MalformedInput):
        networks(text, name="notifications.private_networks")
