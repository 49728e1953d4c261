"""A terminal and a station speak over a strict twin of their units, on a clock that jumps."""

from __future__ import annotations

import json
import random
import sys
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.connectivity.unit_twin import Air, Twin, line

from zhidao.connectivity.domain.message import Form, Message
from zhidao.connectivity.service.inbox import Inbox
from zhidao.connectivity.service.outbox import Outbox
from zhidao.connectivity.service.terminal_session import (
    ANSWER_S,
    Acknowledged,
    Arrived,
    CardKnown,
    NotSent,
    Sent,
    Settings,
    State,
    TerminalSession,
    Unread,
)
from zhidao.connectivity.wire.datagram import Names, encode
from zhidao.core.errors import Refused

LORRY, STATION = "4207733", "0179773"


@dataclass
class End:
    """A session with its twin."""

    twin: Twin
    session: TerminalSession
    arrived: list[tuple[float, Arrived]] = field(default_factory=list)
    told: list[object] = field(default_factory=list)

    def say(self, message: Message, receiver: str, now: float, **more: bool) -> None:
        self.session.outbox.add(message, receiver=receiver, room=self.room, now_s=now, **more)

    @property
    def room(self) -> int:
        assert self.session.card
        return self.session.card.room

    def hear(self, data: bytes, now: float) -> None:
        for each in self.session.feed(data, now):
            self.told.append(each)
            if isinstance(each, Arrived):
                self.arrived.append((now, each))


class World:
    """Two ends and the air between them. Time goes from one moment of interest to the next."""

    def __init__(self, lorry: Twin, station: Twin, *, loss: float = 0.0, seed: int = 0) -> None:
        self.air = Air(loss, seed, doubled=0.1)
        self.now = 1_800_000_000.0
        self.ends: dict[str, End] = {}
        for twin in (lorry, station):
            twin.air = self.air
            self.ends[twin.card] = End(twin, TerminalSession(Outbox(), Inbox()))
        self.lorry, self.station = self.ends[lorry.card], self.ends[station.card]
        self.run(1.0)

    def run(self, seconds: float) -> None:
        until = self.now + seconds
        while True:
            for _ in range(4):
                self._round()
            ahead = [end.session.wake_s(self.now) for end in self.ends.values()]
            later = min((max(at, self.now + 0.05) for at in ahead), default=until)
            if later >= until:
                self.now = until
                return
            self.now = later

    def _round(self) -> None:
        for end in self.ends.values():
            out, told = end.session.tick(self.now)
            end.told += told
            if out:
                end.hear(end.twin.take(out, self.now), self.now)
        for sender, receiver, data in self.air.drain():
            if receiver in self.ends:
                end = self.ends[receiver]
                end.hear(end.twin.heard(sender, data), self.now)

    def faults(self) -> list[str]:
        return [fault for end in self.ends.values() for fault in end.twin.faults]


def world(interval_s: float = 60, *, loss: float = 0.0, seed: int = 0, **lorry: object) -> World:
    return World(
        Twin(LORRY, interval_s, seed=seed, **lorry),
        # A BDS-3 unit, which writes its sender with a zero more in front.
        Twin(STATION, 1, seed=seed + 1_000, old=bool(seed % 3)),
        loss=loss,
        seed=seed,
    )


def alarm(text: str) -> Message:
    return Message(Form.ALARM, text.encode())


@pytest.mark.parametrize("protocol", ["2.1", "BDS-3"])
def test_a_message_goes_is_told_and_leaves_when_it_is_acknowledged(protocol: str):
    here = world(old=protocol == "2.1")
    here.lorry.say(alarm("cut"), STATION, here.now)
    here.run(5)
    assert [each.message for _, each in here.station.arrived] == [alarm("cut")]
    assert [type(each) for each in here.lorry.told] == [CardKnown, Sent, Acknowledged]
    assert here.lorry.session.outbox.waiting == ()
    here.run(600)
    assert len(here.lorry.twin.sent_at) == 1
    assert here.faults() == []


def test_the_card_is_asked_for_again_until_it_answers():
    session = TerminalSession(Outbox(), Inbox())
    assert session.tick(0.0)[0].count(b"$CCIC") == 2
    assert session.tick(1.0)[0] == b""
    assert session.wake_s(1.0) == 5.0
    assert session.tick(5.0)[0]
    (none,) = session.feed(line("BDICI,0000000,00000000,0000000,0,0,0,N,0"), 6.0)
    assert none.absent
    assert session.state is State.ASKING
    (card,) = session.feed(line("BDICI,4207733,0,0,3,60,2,N,22"), 7.0)
    assert (card.number, card.interval_s, card.room) == ("4207733", 60, 51)
    assert session.state is State.READY


def test_the_operator_may_lengthen_the_interval_and_never_shorten_it():
    for given_s, holds_s in ((10, 60), (120, 120)):
        session = TerminalSession(Outbox(), Inbox(), Settings(interval_s=given_s, room=125))
        (card,) = session.feed(line("BDICI,4207733,0,0,3,60,3,N,22"), 0.0)
        assert (card.interval_s, card.room) == (holds_s, 125)


def test_what_the_unit_refuses_waits_for_the_seconds_that_it_says():
    session = TerminalSession(Outbox(), Inbox())
    list(session.feed(line("BDICI,4207733,0,0,3,60,3,N,22"), 0.0))
    session.outbox.add(alarm("cut"), receiver=STATION, room=78, now_s=0.0)
    first, _ = session.tick(0.0)
    (refused,) = session.feed(line("BDFKI,TXA,N,Y,0,0023"), 1.0)
    assert refused == NotSent("0", 23.0)
    assert session.wake_s(1.0) == 24.0
    assert session.tick(23.9)[0] == b""
    assert session.tick(24.0)[0] == first
    list(session.feed(line("BDFKI,TXA,Y,Y,0,0000"), 25.0))
    assert session.tick(84.9)[0] == b""
    assert session.tick(85.0)[0] == first


def test_what_is_not_answered_counts_as_sent():
    session = TerminalSession(Outbox(), Inbox())
    list(session.feed(line("BDICI,4207733,0,0,3,60,3,N,22"), 0.0))
    session.outbox.add(alarm("cut"), receiver=STATION, room=78, now_s=0.0)
    assert session.tick(0.0)[0]
    # Kept on disk before the bytes go: who is killed now starts no sooner than this.
    assert session.next_send_s == ANSWER_S + 60
    out, told = session.tick(ANSWER_S)
    assert out == b""
    assert [(type(each), each.sure) for each in told] == [(Sent, False)]
    assert session.tick(ANSWER_S + 59.9)[0] == b""
    assert session.tick(ANSWER_S + 60)[0]


def test_who_starts_again_holds_the_interval_of_the_run_before():
    session = TerminalSession(Outbox(), Inbox(), next_send_s=40.0)
    list(session.feed(line("BDICI,4207733,0,0,3,60,3,N,22"), 0.0))
    session.outbox.add(alarm("cut"), receiver=STATION, room=78, now_s=0.0)
    assert session.tick(39.0)[0] == b""
    assert session.tick(40.0)[0]
    # A clock that was set back by a year holds nothing up for so long.
    session = TerminalSession(Outbox(), Inbox(), next_send_s=3e7)
    list(session.feed(line("BDICI,4207733,0,0,3,60,3,N,22"), 0.0))
    assert session.next_send_s == 75.0


# --- with loss ----------------------------------------------------------------------------------
SEEDS = 200


def test_every_alarm_arrives_through_a_third_lost_within_ten_intervals():
    """Up to four alarms at once, beside positions, gates and texts; the interval is never undercut."""
    slowest, alarms, faults = 0.0, 0, 0
    for seed in range(SEEDS):
        chance = random.Random(seed)
        interval_s = chance.choice((1, 30, 60, 300))
        here = world(interval_s, loss=0.3, seed=seed, old=chance.random() < 0.5)
        for n in range(6):
            here.lorry.say(Message(Form.POSITIONS, b"p%d" % n * 20), STATION, here.now + n)
        here.lorry.say(Message(Form.GATE, b"gate"), STATION, here.now)
        here.run(chance.uniform(0, 3 * interval_s))
        began = here.now
        said = [alarm(f"alarm {n} of {seed}") for n in range(chance.randint(1, 4))]
        for each in said:
            here.lorry.say(each, STATION, here.now)
        here.run(10 * interval_s + 1)
        came = {each.message: at for at, each in here.station.arrived}
        assert set(said) <= set(came), f"seed {seed}"
        slowest = max(slowest, *((came[each] - began) / interval_s for each in said))
        alarms += len(said)
        faults += len(here.faults())
        assert len(came) == len(here.station.arrived), "a copy was told"
    figures = {"alarms": alarms, "slowest_intervals": round(slowest, 2), "faults": faults}
    sys.stdout.write(json.dumps({"claim": "alarms_through_loss", "loss": 0.3, **figures}))
    assert faults == 0
    assert slowest <= 10


@pytest.mark.parametrize("seed", range(20))
def test_all_arrives_once_through_loss_refusals_and_silence_within_the_interval(seed: int):
    here = world(30, loss=0.3, seed=seed, refuses=0.2, silent=0.2, old=bool(seed % 2))
    said = [
        Message(form, bytes((n,)) * (20 if n % 5 else 300))
        for n, form in enumerate((Form.ALARM, Form.GATE, Form.TEXT, Form.POSITIONS, Form.ORDER) * 4)
    ]
    for each in said:
        here.lorry.say(each, STATION, here.now)
    back = Message(Form.ORDER, b"unseal 4711")
    here.station.say(back, LORRY, here.now)
    here.run(4 * 3600)
    assert sorted(each.message.body for _, each in here.station.arrived) == sorted(
        each.body for each in said
    )
    assert [each.message for _, each in here.lorry.arrived] == [back]
    assert here.lorry.session.outbox.waiting == here.station.session.outbox.waiting == ()
    assert here.lorry.twin.refusals > 0
    assert here.faults() == []


def test_the_twin_is_strict():
    """It would notice: too early, too long, of the other protocol, a wrong checksum."""
    twin = Twin(LORRY, 60)
    body = "CCTXA,0179773,1,1,"
    assert b",Y,Y," in twin.take(line(body + "00"), 0.0)
    twin.take(line(body + "00"), 59.0)
    twin.take(line(body + "00" * 79), 200.0)
    twin.take(line("CCTCQ,0179773,2,1,2,00,0"), 300.0)
    twin.take(b"$CCTXA,0179773,1,1,00*00\r\n", 400.0)
    assert len(twin.faults) == 4


def test_alarms_go_before_gates_and_the_newest_position_before_the_others():
    here = world(60, bits=8 * 40)
    here.lorry.session._settings = Settings(room=40)
    here.lorry.hear(here.lorry.twin.take(line("CCICA,0,00"), here.now), here.now)
    for n in range(3):
        here.lorry.say(Message(Form.POSITIONS, b"p%d" % n * 15), STATION, here.now + n)
    here.lorry.say(Message(Form.GATE, b"g" * 30), STATION, here.now)
    here.lorry.say(Message(Form.ALARM, b"a" * 30), STATION, here.now + 9)
    here.run(400)
    order = [each.message.body[:2] for _, each in here.station.arrived]
    assert order == [b"aa", b"gg", b"p2", b"p1", b"p0"]


def test_small_messages_share_one_sending():
    here = world(60)
    for n in range(4):
        here.lorry.say(alarm(f"alarm {n}"), STATION, here.now)
    here.run(2)
    assert len(here.station.arrived) == 4
    assert len(here.lorry.twin.sent_at) == 1


def test_what_is_too_long_for_the_card_is_refused_when_it_is_given():
    here = world(60)
    with pytest.raises(Refused, match="77 of text at once"):
        here.lorry.say(Message(Form.PLAIN, b"x" * 78), STATION, here.now, acknowledged=False)
    with pytest.raises(Refused, match="64 pieces"):
        here.lorry.session.outbox.add(
            Message(Form.TEXT, b"x" * 4_000), receiver=STATION, room=50, now_s=0.0
        )
    here.lorry.say(Message(Form.PLAIN, b"x" * 77), STATION, here.now, acknowledged=False)
    here.run(2)
    assert here.lorry.session.outbox.waiting == ()
    assert here.station.arrived[0][1].bare
    assert here.faults() == []


def test_only_the_receiver_can_say_that_he_has_it():
    here = world(60, loss=1.0)
    here.lorry.say(alarm("cut"), STATION, here.now)
    names = encode((Names((alarm("cut").name,)),))
    here.lorry.hear(here.lorry.twin.heard("0242407", names), here.now)
    assert len(here.lorry.session.outbox.waiting) == 1
    here.lorry.hear(here.lorry.twin.heard("179773", names), here.now)
    assert here.lorry.session.outbox.waiting == ()


def test_a_card_that_is_not_expected_is_kept_apart_and_not_answered():
    session = TerminalSession(Outbox(), Inbox(), Settings(senders=frozenset({LORRY})))
    list(session.feed(line("BDICI,0179773,0,0,3,1,3,N,22"), 0.0))
    twin = Twin(STATION, 1)
    (apart,) = session.feed(twin.heard("0242407", encode((alarm("x"),))), 1.0)
    assert isinstance(apart, Unread)
    assert session.tick(2.0)[0] == b""
    (come,) = session.feed(twin.heard(LORRY, encode((alarm("x"),))), 3.0)
    assert isinstance(come, Arrived)
    assert session.tick(4.0)[0]


@given(st.lists(st.tuples(st.binary(max_size=60), st.floats(0, 100)), max_size=20))
def test_any_bytes_at_any_time_are_told_or_passed_over(pieces: list[tuple[bytes, float]]):
    session = TerminalSession(Outbox(), Inbox())
    session.outbox.add(alarm("cut"), receiver=STATION, room=78, now_s=0.0)
    now = 0.0
    for data, later in pieces:
        now += later
        list(session.feed(data, now))
        session.tick(now)
        session.wake_s(now)


def test_a_hundred_thousand_spoiled_answers_stop_no_session():
    chance = random.Random(7)
    session = TerminalSession(Outbox(), Inbox())
    session.outbox.add(Message(Form.TEXT, b"t" * 300), receiver=STATION, room=78, now_s=0.0)
    twin = Twin(LORRY, 1)
    good = [
        line("BDICI,4207733,0,0,3,1,3,N,22"),
        line("BDFKI,TXA,Y,Y,0,0000"),
        line("BDFKI,TXA,N,Y,4,0003"),
        twin.heard(STATION, encode((alarm("x"), Names((b"12345",))))),
        twin.heard(STATION, b"\x40abc"),
    ]
    sent = 0
    for n in range(100_000):
        data = bytearray(chance.choice(good))
        if chance.random() < 0.7:
            data[chance.randrange(len(data))] = chance.randrange(256)
        list(session.feed(bytes(data), float(n)))
        sent += b"CCTXA" in session.tick(float(n))[0]
    assert sent > 100
