"""A forwarded header counts from the operator's own proxies alone."""

from __future__ import annotations

import pytest

from zhidao.core.errors import MalformedInput
from zhidao.node.http.connections import networks_of
from zhidao.node.http.forwarded import Proxies

OWN = Proxies(networks_of("10.0.0.0/8, 2001:db8::/32", "http.trusted_proxies"))


@pytest.mark.parametrize(
    ("peer", "told", "client"),
    [
        ("192.0.2.1", ["203.0.113.9"], "192.0.2.1"),
        ("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["198.51.100.1, 203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["198.51.100.1, 203.0.113.9, 10.2.3.4"], "203.0.113.9"),
        ("10.0.0.1", ["198.51.100.1", "203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["203.0.113.9:4711"], "203.0.113.9"),
        ("2001:db8::1", ["[2001:470::7]:443"], "2001:470::7"),
        ("10.0.0.1", ["2001:470::7"], "2001:470::7"),
        ("10.0.0.1", ["10.0.0.9"], "10.0.0.9"),
        ("10.0.0.1", ["nonsense"], "10.0.0.1"),
        ("10.0.0.1", ["203.0.113.9, nonsense"], "10.0.0.1"),
        ("10.0.0.1", [], "10.0.0.1"),
    ],
)
def test_the_caller_is_the_nearest_address_that_is_no_proxy(
    peer: str, told: list[str], client: str
) -> None:
    headers = [(b"x-forwarded-for", value.encode()) for value in told]
    assert OWN.client(peer, [*headers, (b"forwarded", b"for=1.2.3.4")]) == client
    assert Proxies().client(peer, headers) == peer


def test_a_network_that_is_none_is_told_with_its_setting() -> None:
    with pytest.raises(MalformedInput, match=r"http\.trusted_proxies"):
        networks_of("10.0.0.0/8, 300.1.1.1/8", "http.trusted_proxies")
