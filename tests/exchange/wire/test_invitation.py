"""Invitations of nodes: what was written is read again, anything else is refused in words."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from tests.exchange.wire.test_any_input import CARD
from tests.spoiling import BOUNDED, spoiled

from zhidao.core.errors import MalformedInput, Refused
from zhidao.exchange.wire.invitation import (
    INVITATION_BYTES_MAX,
    decode_invitation,
    encode_invitation,
)

FILE = encode_invitation(CARD.decode(), '{"a list": 1}')


def test_an_invitation_reads_as_it_was_written_and_as_the_pages_write_it() -> None:
    read = decode_invitation(FILE)
    assert (read.card.node, read.card_text, read.trust) == (
        *("bank-node", CARD.decode()),
        '{"a list": 1}',
    )
    page = {"format": "zhidao.invitation", "v": 1, "card": CARD.decode(), "trust": read.trust}
    assert decode_invitation(json.dumps(page).encode()) == read


@pytest.mark.parametrize("change", [{"v": 2}, {"format": "zhidao.card"}, {"more": 1}, {"card": 1}])
def test_another_form_is_none(change: dict[str, object]) -> None:
    with pytest.raises(MalformedInput, match="invitation"):
        decode_invitation(json.dumps(json.loads(FILE) | change).encode())


def test_a_card_that_somebody_changed_on_its_way_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        decode_invitation(FILE.replace(b"Red River", b"Red Rival"))
    assert refused.value.code == "bad_signature"


def test_an_invitation_is_read_up_to_its_bound() -> None:
    assert decode_invitation(of_size(INVITATION_BYTES_MAX)).card.node == "bank-node"
    with pytest.raises(MalformedInput, match=str(INVITATION_BYTES_MAX)):
        decode_invitation(of_size(INVITATION_BYTES_MAX + 1))


def of_size(size: int) -> bytes:
    room = size - len(encode_invitation(CARD.decode(), ""))
    return encode_invitation(CARD.decode(), "a" * room)


@BOUNDED
@given(spoiled(FILE))
def test_spoiled_bytes_are_an_invitation_or_refused(changed: bytes) -> None:
    with contextlib.suppress(MalformedInput, Refused):
        assert decode_invitation(changed).card.node == "bank-node"
