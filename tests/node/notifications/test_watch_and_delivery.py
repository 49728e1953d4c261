"""From what waits to what is sent: each thing once, in its time, and never to who has left."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.errors import Conflict, Forbidden, NotFound, Refused, Unavailable
from zhidao.core.ids import PartyId
from zhidao.core.timescale import Utc
from zhidao.node.adapters.notifications.postgres import PostgresNotifications
from zhidao.node.notifications.choice import DIGEST, KINDS, Choice
from zhidao.node.notifications.delivery import PAUSES, Delivery
from zhidao.node.notifications.message import (
    About,
    Address,
    AddressState,
    Channel,
    Item,
    Message,
    State,
)
from zhidao.node.notifications.ports import AddressEnded
from zhidao.node.notifications.subscriptions import (
    ADDRESSES_OF_PERSON_MAX,
    CODES_OF_DAY_MAX,
    WRONG_CODES_MAX,
    Notifications,
)
from zhidao.node.notifications.watch import Found, Watch
from zhidao.store.database import Database

pytestmark = pytest.mark.service
MIA = Actor(PartyId("maker"), Role.PARTY, "mia", "session")
ADMIN = Actor(PartyId("corridor"), Role.ADMIN, "aida", "session")


class Far:
    """Where messages go. `raises`: the next answers, good ones after."""

    def __init__(self) -> None:
        self.took: list[tuple[Message, list[str]]] = []
        self.raises: list[Exception] = []

    async def send(self, address: Address, message: Message, items: Sequence[Item]) -> None:
        if self.raises:
            raise self.raises.pop(0)
        self.took.append((message, [each.label for each in items]))


class Any:
    async def check(self, channel: Channel, target: str, *, public_key: str, shared: str) -> None:
        if target == "https://10.0.0.1/":
            raise Refused("no", code="no_public_address")


class Corridor:
    """A node's notifications with everything around them in the test's hand."""

    def __init__(self, database: Database) -> None:
        self.clock = HandClock(Utc.parse("2026-11-29T09:00:00Z"))
        self.store = PostgresNotifications(database)
        self.far = Far()
        self.here = [MIA]
        self.waits: list[Item] = []
        self.more = False
        self.delivery = self.new_delivery()
        self.service = Notifications(
            self.store,
            Any(),
            self.clock,
            SeededRandomness(1),
            secret=b"s" * 32,
            wake=self.delivery.wake,
            languages=("en", "kk"),
        )
        self.watch = Watch(
            self.store,
            self._persons,
            self._worklist,
            self.clock,
            changed=self._changed,
            wake=self.delivery.wake,
        )

    def new_delivery(self) -> Delivery:
        channels = dict.fromkeys(Channel, self.far)
        return Delivery(self.store, channels, self.clock, SeededRandomness(2))

    async def step(self) -> list[list[str]]:
        """Looks, sends, and tells what arrived."""
        before = len(self.far.took)
        await self.watch.look()
        await self.delivery.send_due()
        return [labels for _, labels in self.far.took[before:]]

    async def _persons(self) -> list[Actor]:
        return self.here

    async def _worklist(self, actor: Actor) -> Found:
        return Found(self.waits if actor == MIA else [], more=self.more)

    async def _changed(self, seen: int) -> int:
        return seen


def item(name: str, kind: str = "move") -> Item:
    return Item(kind=kind, act="seal", subject=name, label=name)


@pytest.fixture
async def corridor(database: Database) -> Corridor:
    made = Corridor(database)
    await made.service.add(MIA, channel=Channel.WEBHOOK, target="https://a.example/")
    return made


async def test_each_thing_is_told_once_until_it_comes_again(corridor: Corridor) -> None:
    assert await corridor.step() == []
    corridor.waits = [item("a"), item("b")]
    assert await corridor.step() == [["a", "b"]]
    assert await corridor.step() == []
    corridor.waits = [item("b"), item("c")]
    assert await corridor.step() == [["c"]]
    corridor.waits = [item("a"), item("b"), item("c")]
    corridor.clock.advance(1)
    assert await corridor.step() == [["a"]]


async def test_what_a_long_list_leaves_out_is_not_gone(corridor: Corridor) -> None:
    corridor.waits = [item("a"), item("b")]
    await corridor.step()
    corridor.waits, corridor.more = [item("b")], True
    await corridor.step()
    corridor.waits, corridor.more = [item("a"), item("b")], False
    assert await corridor.step() == []


async def test_two_who_look_at_the_same_time_tell_once(corridor: Corridor) -> None:
    (address,) = await corridor.service.addresses(MIA)
    now = corridor.clock.now()
    told = []
    for name in "ab":
        message = Message(
            id=name * 32,
            person="mia",
            address=address.id,
            about=About.WAITS,
            due_at=now,
            made_at=now,
        )
        told.append(await corridor.store.tell("mia", new=[item("a")], gone=(), messages=[message]))
    assert told == [True, False]
    assert [each.id for each in await corridor.store.due(now, 10)] == ["a" * 32]


async def test_what_nobody_waits_for_any_more_is_not_sent(corridor: Corridor) -> None:
    await corridor.service.choose(MIA, Choice(pace=DIGEST, digest_minute=10 * 60))
    corridor.waits = [item("a"), item("b")]
    assert await corridor.step() == []
    corridor.clock.advance(600)
    corridor.waits = [item("b"), item("c")]
    assert await corridor.step() == []
    corridor.clock.advance(3000)
    # The first look of the hour finds nothing new; the digest that was gathered goes out.
    assert await corridor.step() == [["b", "c"]]
    corridor.waits = [item("d")]
    await corridor.step()
    corridor.waits = []
    corridor.clock.advance(86_400)
    assert await corridor.step() == []
    states = [each.state for each in await corridor.service.own_messages(MIA, after="", limit=9)]
    assert states == [State.DROPPED, State.SENT]


async def test_only_wanted_kinds_are_told(corridor: Corridor) -> None:
    await corridor.service.choose(MIA, Choice(kinds=frozenset(KINDS) - {"move"}))
    corridor.waits = [item("a"), item("b", "approval")]
    assert await corridor.step() == [["b"]]
    await corridor.service.choose(MIA, Choice())
    corridor.clock.advance(1)
    assert await corridor.step() == [["a"]]


async def test_a_failure_is_tried_again_under_the_same_id_with_the_same_words(
    corridor: Corridor,
) -> None:
    corridor.far.raises = [Unavailable("away", code="no_answer")] * 2
    corridor.waits = [item("a")]
    assert await corridor.step() == []
    (message,) = await corridor.store.messages(limit=5)
    assert (message.state, message.attempts, message.code) == (State.WAITING, 1, "no_answer")
    # It may have been taken on the other side: what no longer waits is said all the same.
    corridor.waits = []
    for _ in range(3):
        corridor.clock.advance(10)
        await corridor.step()
    assert [(each.id, labels) for each, labels in corridor.far.took] == [(message.id, ["a"])]


async def test_after_the_last_try_a_person_decides(corridor: Corridor) -> None:
    corridor.far.raises = [Unavailable("away", code="no_answer")] * PAUSES.attempts_max
    corridor.waits = [item("a")]
    for _ in range(PAUSES.attempts_max):
        await corridor.step()
        corridor.clock.advance(4000)
    (dead,) = await corridor.service.queue(ADMIN, state="dead", after="", limit=5)
    assert dead.attempts == PAUSES.attempts_max
    assert await corridor.step() == []
    with pytest.raises(Forbidden):
        await corridor.service.again(MIA, dead.id)
    await corridor.service.again(ADMIN, dead.id)
    assert await corridor.step() == [["a"]]
    with pytest.raises(Conflict):
        await corridor.service.again(ADMIN, dead.id)


async def test_an_address_where_nobody_is_ends_and_takes_the_rest_with_it(
    corridor: Corridor,
) -> None:
    corridor.far.raises = [AddressEnded("410", code="push_gone")]
    corridor.waits = [item("a")]
    await corridor.step()
    (address,) = await corridor.service.addresses(MIA)
    assert (address.state, address.reason) == (AddressState.ENDED, "push_gone")
    corridor.waits = [item("a"), item("b")]
    assert await corridor.step() == []
    with pytest.raises(Refused) as refused:
        await corridor.service.test(MIA, address.id)
    assert refused.value.code == "address_not_live"
    # Said again, it is an address like a new one.
    corridor.clock.advance(1)
    again = await corridor.service.add(MIA, channel=Channel.WEBHOOK, target="https://a.example/")
    assert [each.id for each in await corridor.service.addresses(MIA)] == [again.id]
    assert await corridor.step() == [["b"]]


async def test_who_has_left_is_told_nothing(corridor: Corridor) -> None:
    await corridor.service.choose(MIA, Choice(pace=DIGEST, digest_minute=9 * 60 + 1))
    corridor.waits = [item("a")]
    await corridor.step()
    corridor.here = []
    corridor.clock.advance(120)
    assert await corridor.step() == []
    (address,) = await corridor.store.addresses("mia")
    assert (address.state, address.reason) == (AddressState.ENDED, "left")


async def test_a_mail_address_is_told_only_after_its_code(corridor: Corridor) -> None:
    mail = await corridor.service.add(MIA, channel=Channel.MAIL, target="mia@example.org")
    corridor.waits = [item("a")]
    assert sorted(await corridor.step()) == [[], ["a"]]
    code = corridor.service.code(mail.id)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    for _ in range(WRONG_CODES_MAX - 1):
        with pytest.raises(Refused) as refused:
            await corridor.service.confirm(MIA, mail.id, wrong)
        assert refused.value.code == "code_differs"
    assert (await corridor.service.confirm(MIA, mail.id, code)).state is AddressState.LIVE
    corridor.waits = [item("a"), item("b")]
    assert await corridor.step() == [["b"], ["b"]]


@pytest.mark.bound("node.notifications.subscriptions.WRONG_CODES_MAX")
async def test_who_guesses_codes_has_no_address_left_to_guess_at(corridor: Corridor) -> None:
    mail = await corridor.service.add(MIA, channel=Channel.MAIL, target="mia@example.org")
    code = corridor.service.code(mail.id)
    for _ in range(WRONG_CODES_MAX):
        with pytest.raises(Refused):
            await corridor.service.confirm(MIA, mail.id, "x" * 6)
    ended = await corridor.service.confirm(MIA, mail.id, code)
    assert (ended.state, ended.reason) == (AddressState.ENDED, "too_many_codes")


@pytest.mark.bound("node.notifications.subscriptions.ADDRESSES_OF_PERSON_MAX")
async def test_ten_addresses_and_one_more(corridor: Corridor) -> None:
    for number in range(ADDRESSES_OF_PERSON_MAX - 1):
        await corridor.service.add(
            MIA, channel=Channel.WEBHOOK, target=f"https://{number}.example/"
        )
    with pytest.raises(Refused) as refused:
        await corridor.service.add(MIA, channel=Channel.WEBHOOK, target="https://more.example/")
    assert refused.value.code == "too_many_addresses"


@pytest.mark.bound("node.notifications.subscriptions.CODES_OF_DAY_MAX")
async def test_ten_codes_a_day_and_no_more(corridor: Corridor) -> None:
    for number in range(CODES_OF_DAY_MAX):
        mail = await corridor.service.add(MIA, channel=Channel.MAIL, target=f"{number}@example.org")
        await corridor.service.remove(MIA, mail.id)
    with pytest.raises(Refused) as refused:
        await corridor.service.add(MIA, channel=Channel.MAIL, target="more@example.org")
    assert refused.value.code == "too_many_codes"
    corridor.clock.advance(86_401)
    await corridor.service.add(MIA, channel=Channel.MAIL, target="more@example.org")


async def test_what_is_ones_own_is_nobody_elses(corridor: Corridor) -> None:
    (address,) = await corridor.service.addresses(MIA)
    ben = replace(MIA, person="ben")
    with pytest.raises(NotFound):
        await corridor.service.test(ben, address.id)
    with pytest.raises(NotFound):
        await corridor.service.remove(ben, address.id)
    with pytest.raises(Forbidden):
        await corridor.service.queue(MIA, state="", after="", limit=5)
    with pytest.raises(Forbidden) as nobody:
        await corridor.service.addresses(replace(MIA, person=""))
    assert nobody.value.code == "nobody_to_tell"
    with pytest.raises(Conflict):
        await corridor.service.add(MIA, channel=Channel.WEBHOOK, target="https://a.example/")
    with pytest.raises(Refused):
        await corridor.service.add(MIA, channel=Channel.WEBHOOK, target="https://10.0.0.1/")
    await corridor.service.remove(MIA, address.id)
    assert await corridor.service.addresses(MIA) == []


async def test_a_test_is_one_message_in_half_a_minute(corridor: Corridor) -> None:
    (address,) = await corridor.service.addresses(MIA)
    for _ in range(3):
        await corridor.service.test(MIA, address.id)
    assert await corridor.step() == [[]]
    corridor.clock.advance(30)
    await corridor.service.test(MIA, address.id)
    assert await corridor.step() == [[]]


async def test_messages_are_read_page_by_page_and_forgotten_in_the_end(
    corridor: Corridor,
) -> None:
    for number in range(5):
        corridor.waits = [item(str(number))]
        await corridor.step()
        corridor.clock.advance(1)
    pages, after = [], ""
    while page := await corridor.service.own_messages(MIA, after=after, limit=2):
        pages += page
        after = page[-1].id
    assert len({each.id for each in pages}) == len(pages) == 5
    assert [each.made_at for each in pages] == sorted((e.made_at for e in pages), reverse=True)
    await corridor.store.forget(corridor.clock.now())
    assert await corridor.store.messages(limit=9) == []


class Away:
    """The store of a node whose disk is full for the first calls of some names."""

    def __init__(self, store: PostgresNotifications, **times: int) -> None:
        self._store, self._left = store, times

    def __getattr__(self, name: str) -> object:
        method = getattr(self._store, name)

        async def called(*args: object, **more: object) -> object:
            if self._left.get(name, 0) > 0:
                self._left[name] -= 1
                raise Unavailable("the disk is full", code="disk_full")
            return await method(*args, **more)

        return called


@pytest.mark.parametrize("name", ["due", "items", "settle", "forget"])
async def test_a_database_that_is_away_ends_no_delivery(corridor: Corridor, name: str) -> None:
    corridor.waits = [item("C-1")]
    await corridor.watch.look()
    channels = dict.fromkeys(Channel, corridor.far)
    away = Away(corridor.store, **{name: 2})
    delivery = Delivery(away, channels, corridor.clock, SeededRandomness(2))
    running = asyncio.create_task(delivery.run())
    try:
        for _ in range(100):
            if not await corridor.store.due(corridor.clock.now(), 10):
                break
            assert not running.done()
            await asyncio.sleep(0.1)
        else:
            raise AssertionError("nothing was sent after the disk was free")
    finally:
        running.cancel()
    # What was not written down goes out again under its id: the other side knows it by that.
    assert len({message.id for message, _ in corridor.far.took}) == 1


async def test_a_database_that_is_away_ends_no_look(corridor: Corridor) -> None:
    corridor.waits = [item("C-1")]
    away = Away(corridor.store, addresses=1, tell=1)
    watch = Watch(
        away,
        corridor._persons,
        corridor._worklist,
        corridor.clock,
        changed=corridor._changed,
        wake=corridor.delivery.wake,
    )
    running = asyncio.create_task(watch.run())
    try:
        for _ in range(100):
            if await corridor.store.due(corridor.clock.now(), 10):
                break
            assert not running.done()
            await asyncio.sleep(0.1)
        else:
            raise AssertionError("nothing was told after the disk was free")
    finally:
        running.cancel()


async def test_messages_speak_the_language_of_the_pages(corridor: Corridor) -> None:
    await corridor.service.choose(MIA, Choice(zone="Asia/Almaty"))
    await corridor.service.speak(MIA, "kk")
    assert await corridor.service.choice(MIA) == Choice(zone="Asia/Almaty", language="kk")
    # Where there are no words of it, and for whom nothing waits, all stays as it was.
    await corridor.service.speak(MIA, "xx")
    assert (await corridor.service.choice(MIA)).language == "kk"
    auditor = Actor(PartyId("ministry"), Role.AUDITOR, "otto", "session")
    await corridor.service.speak(auditor, "kk")
    assert await corridor.service.choice(auditor) == Choice()
