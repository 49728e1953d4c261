"""Links of nodes that invite: written and read again, anything else is refused in words."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.exchange.wire.test_any_input import CARD
from tests.spoiling import BOUNDED

from zhidao.core.errors import MalformedInput, Refused
from zhidao.exchange.wire.card import decode_card
from zhidao.exchange.wire.peer_link import LINK_CHARACTERS_MAX, PeerLink, decode_link

LINK = PeerLink("https://almaty.example:8443", "A" * 32, decode_card(CARD).key)


def test_a_link_reads_as_it_was_written_with_blanks_around_it() -> None:
    assert decode_link(str(LINK)) == LINK
    room = LINK_CHARACTERS_MAX - len(str(LINK))
    assert decode_link(str(LINK) + " " * room) == LINK
    with pytest.raises(MalformedInput, match=str(LINK_CHARACTERS_MAX)):
        decode_link(str(LINK) + " " * (room + 1))


@pytest.mark.parametrize(
    "change",
    [("/meet#", "/join#"), ("#A", "#-A"), ("https://", "https://x@"), (".z", "."), ("8443", "x")],
)
def test_another_form_is_none(change: tuple[str, str]) -> None:
    with pytest.raises(MalformedInput):
        decode_link(str(LINK).replace(*change))


def test_a_node_far_away_is_not_asked_without_tls() -> None:
    with pytest.raises(Refused) as refused:
        decode_link(str(LINK).replace("https", "http"))
    assert refused.value.code == "bad_url"


@BOUNDED
@given(st.integers(0, len(str(LINK)) - 1), st.text(max_size=3))
def test_a_spoiled_link_is_one_or_refused(at: int, more: str) -> None:
    text = str(LINK)
    with contextlib.suppress(MalformedInput, Refused):
        assert str(decode_link(text[:at] + more + text[at + 1 :])).startswith("http")
