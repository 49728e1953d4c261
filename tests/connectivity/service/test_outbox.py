"""What waits keeps its order, gives way by urgency, and stays within its bounds."""

from __future__ import annotations

import pytest

from zhidao.connectivity.domain.erasure import piece_of
from zhidao.connectivity.domain.message import Form, Message
from zhidao.connectivity.service import inbox as inbox_module
from zhidao.connectivity.service.inbox import UNFINISHED_MAX, UNFINISHED_S, Inbox
from zhidao.connectivity.service.outbox import (
    _OWED_MAX,
    _STATIONS_MAX,
    WAITING_MAX,
    Outbox,
    check_size,
)
from zhidao.connectivity.wire.datagram import Names, Piece, decode
from zhidao.core.errors import Conflict, Refused

TO = "0179773"


def position(n: int) -> Message:
    return Message(Form.POSITIONS, n.to_bytes(4, "big"))


def filled(count: int) -> Outbox:
    outbox = Outbox()
    for n in range(count):
        outbox.add(position(n), receiver=TO, room=78, now_s=float(n))
    return outbox


@pytest.mark.bound("connectivity.service.outbox.WAITING_MAX")
def test_a_full_outbox_lets_go_of_the_oldest_position_and_never_of_an_alarm():
    outbox = filled(WAITING_MAX)
    alarm = Message(Form.ALARM, b"cut")
    outbox.add(alarm, receiver=TO, room=78, now_s=9e9)
    bodies = [each.message.body for each in outbox.waiting]
    assert len(bodies) == WAITING_MAX
    assert bodies[0] == b"cut"
    assert position(0).body not in bodies
    with pytest.raises(Refused, match=str(WAITING_MAX)):
        outbox.add(position(-0 + 7_000_000), receiver=TO, room=78, now_s=-1.0)
    alarms = Outbox()
    for n in range(WAITING_MAX):
        alarms.add(Message(Form.ALARM, b"%d" % n), receiver=TO, room=78, now_s=float(n))
    with pytest.raises(Refused, match="none of them less urgent"):
        alarms.add(Message(Form.ALARM, b"more"), receiver=TO, room=78, now_s=9e9)
    # Nor does one that was sent before, and is not acknowledged, give way to a new one.
    alarms.waiting[-1].tries = 7
    with pytest.raises(Refused, match="none of them less urgent"):
        alarms.add(Message(Form.ALARM, b"more"), receiver=TO, room=78, now_s=9e9)


def test_the_same_twice_is_once():
    outbox = filled(1)
    with pytest.raises(Conflict):
        outbox.add(position(0), receiver=TO, room=78, now_s=5.0)
    outbox.add(position(0), receiver="0242407", room=78, now_s=5.0)
    assert outbox.remove(position(0).name)
    assert not outbox.remove(position(0).name)


@pytest.mark.parametrize("room", [14, 20, 51, 78, 1750])
def test_whatever_is_taken_can_be_sent_within_the_cards_length(room: int):
    """At the last size that is taken, and not one byte past it."""
    sizes = range(1, 4097)
    taken = [size for size in sizes if _is_taken(size, room)]
    assert taken == list(range(1, taken[-1] + 1))
    for size in {1, taken[-1] // 2, taken[-1]}:
        outbox = Outbox()
        outbox.add(Message(Form.TEXT, b"x" * size), receiver=TO, room=room, now_s=0.0)
        offer = outbox.offer(room=room, interval_s=60, now_s=0.0)
        assert offer is not None
        assert len(offer.payload) <= room
        assert decode(offer.payload)


def _is_taken(size: int, room: int) -> bool:
    try:
        check_size(Message(Form.TEXT, b"x" * size), room=room)
    except Refused:
        return False
    return True


@pytest.mark.bound("connectivity.service.outbox._OWED_MAX")
@pytest.mark.bound("connectivity.service.outbox._STATIONS_MAX")
def test_names_that_are_owed_are_bounded_for_each_card_and_for_all():
    outbox = Outbox()
    for n in range(_OWED_MAX + 1):
        outbox.owe(n.to_bytes(5, "big"), to=TO)
    told: set[bytes] = set()
    while (offer := outbox.offer(room=78, interval_s=1, now_s=0.0)) is not None:
        (record,) = decode(offer.payload)
        assert isinstance(record, Names)
        told |= set(record.names)
        outbox.sent(offer, room=78, now_s=0.0)
    assert len(told) == _OWED_MAX
    assert (0).to_bytes(5, "big") not in told
    for n in range(_STATIONS_MAX + 1):
        outbox.owe(b"12345", to=f"{n:07}")
    assert len(outbox._owed) == _STATIONS_MAX
    assert "0000000" not in outbox._owed


# --- what comes ---------------------------------------------------------------------------------
def piece(body: bytes, index: int, name: bytes | None = None) -> Piece:
    message = Message(Form.TEXT, body)
    data = piece_of(body, count=3, index=index)
    return Piece(Form.TEXT, name or message.name, 3, index, len(body), data)


@pytest.mark.bound("connectivity.service.inbox.KNOWN_MAX")
def test_copies_are_known_until_so_many_others_came(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(inbox_module, "KNOWN_MAX", 4)
    inbox = Inbox()
    assert inbox.take(position(0), sender="0000007")
    assert not inbox.take(position(0), sender="7")
    assert inbox.take(position(0), sender="8")
    for n in range(1, 3):
        assert inbox.take(position(n), sender="7")
    assert not inbox.take(position(0), sender="7")
    for n in range(3, 7):
        assert inbox.take(position(n), sender="7")
    assert inbox.take(position(0), sender="7")


def test_pieces_in_any_order_make_the_message_and_forged_ones_do_not():
    inbox = Inbox()
    body = b"a long text " * 20
    for index in (200, 1):
        assert inbox.join(piece(body, index), sender="7", now_s=0.0) is None
    assert inbox.join(piece(body, 1), sender="7", now_s=0.0) is None
    # Of another sender, or under another name, it completes nothing.
    assert inbox.join(piece(body, 0), sender="8", now_s=0.0) is None
    assert inbox.join(piece(body, 0, b"other"), sender="7", now_s=0.0) is None
    assert inbox.join(piece(body, 9), sender="7", now_s=0.0) == Message(Form.TEXT, body)
    for index in range(3):
        assert inbox.join(piece(body, index, b"forge"), sender="7", now_s=0.0) is None


@pytest.mark.bound("connectivity.service.inbox.UNFINISHED_MAX")
def test_what_is_not_finished_is_bounded_and_forgotten():
    inbox = Inbox()
    for n in range(UNFINISHED_MAX + 1):
        inbox.join(piece(b"%03d" % n * 9, 0), sender="7", now_s=0.0)
    assert len(inbox._unfinished) == UNFINISHED_MAX
    inbox.join(piece(b"new" * 9, 0), sender="7", now_s=UNFINISHED_S)
    assert len(inbox._unfinished) == 1
