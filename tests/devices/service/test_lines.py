"""Whose line it is, and from which network."""

from __future__ import annotations

import pytest

from zhidao.devices.service.lines import Line, Lines, network_of


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.0/24"),
        ("::ffff:203.0.113.9", "203.0.113.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("", ""),
        ("a name", ""),
    ],
)
def test_a_network_is_as_wide_as_a_terminal_wanders(address: str, network: str) -> None:
    assert network_of(address) == network


def test_the_last_line_stands_and_an_ended_one_takes_nothing_with_it() -> None:
    ended: list[str] = []
    lines = Lines()
    first = Line("a", lambda: ended.append("first"))
    second = Line("b", lambda: ended.append("second"))
    assert not lines.take("t", first)
    assert not lines.take("t", first)
    assert lines.take("t", second)
    lines.leave("t", first)
    assert lines.connected == ("t",)
    assert ended == ["first"]
    lines.end("t")
    lines.end("t")
    assert (lines.connected, ended) == ((), ["first", "second"])
