"""The contract of the exchange's store, kept by the memory twin and by PostgreSQL."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from tests.exchange.two_nodes import OPERATOR, Line, Node, carry, make_node, make_pair

from zhidao.core.errors import Conflict, NotFound, Refused
from zhidao.core.ids import PartyId
from zhidao.exchange.adapters.memory import MemoryExchange
from zhidao.exchange.adapters.postgres import PostgresExchange
from zhidao.exchange.domain.peer import Wanted
from zhidao.exchange.domain.receipt import Stage
from zhidao.exchange.service.peers import Peers
from zhidao.exchange.service.ports import Book, Due, Store
from zhidao.store.database import Database
from zhidao.store.journal import PostgresJournal


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.service)])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "memory":
        return MemoryExchange()
    database: Database = request.getfixturevalue("database")
    journal = PostgresJournal(database, "exchange", lambda: None)
    return PostgresExchange(database, journal)


async def pair(store: Store) -> tuple[Node, Node]:
    """The first node stands on the store under test."""
    return await make_pair(Line(), (store, MemoryExchange()))


async def test_what_is_sent_and_received_comes_back_as_it_was_written(store: Store) -> None:
    one, two = await pair(store)
    await one.send(1, two)
    await two.send(2, one, b"order")
    await carry(one, two)
    (sent,) = await one.outbox.listed(one.party)
    (got,) = await one.inbox.listed(one.party)
    assert (sent.state, sent.outcome, got.state) == ("accepted", "accepted", "accepted")
    assert len(await one.outbox.receipts(one.party, UUID(int=1))) == 2
    content, _ = await one.exchange.content(one.party, "importer", UUID(int=2))
    assert content == b"order"
    assert len(await one.exchange.export(one.party)) > 1000


async def test_a_transaction_that_raises_leaves_nothing(store: Store) -> None:
    one, two = await pair(store)

    async def work(book: Book) -> None:
        assert await book.next_sequence(two.name, "C-1") == 1
        await book.keep(b"half")
        raise NotFound("on purpose")

    with pytest.raises(NotFound):
        await store.run(work)
    assert (await one.send(1, two)).sequence == 1
    with pytest.raises(NotFound):
        await store.content("5" * 64)


async def test_numbers_taken_in_one_transaction_go_on_in_the_next(store: Store) -> None:
    _, two = await pair(store)

    async def work(book: Book) -> list[int]:
        taken = [await book.next_sequence(two.name, name) for name in ("C-1", "C-2", "C-1", "C-1")]
        return [*taken, await book.next_sequence(two.name, "C-2")]

    assert await store.run(work) == [1, 1, 2, 3, 2]
    assert await store.run(work) == [4, 3, 5, 6, 4]


async def test_streams_that_are_looked_up_ahead_lose_no_number(store: Store) -> None:
    one, two = await pair(store)
    await two.send(1, one)
    await carry(two, one)
    mine, theirs = (two.name, "C-1"), (two.name, "C-2")

    async def look(book: Book) -> None:
        await book.look_up(numbering=[mine, theirs], accepting=[mine, theirs])

    async def work(book: Book) -> list[int]:
        await look(book)
        last = [await book.last_accepted(*stream) for stream in (mine, theirs)]
        await book.accepted_up_to(*theirs, 7)
        return [*last, await book.next_sequence(*mine), await book.last_accepted(*theirs)]

    await store.run(look)
    assert await store.run(work) == [1, 0, 1, 7]
    assert await store.run(work) == [1, 7, 2, 7]


@pytest.mark.service
async def test_what_is_refused_leaves_no_stream(database: Database) -> None:
    store = PostgresExchange(database, PostgresJournal(database, "exchange", lambda: None))
    one, two = await pair(store)
    await one.send(1, two)
    with pytest.raises(Conflict):
        await one.send(1, two, b"other", consignment="C-9")
    async with database.session() as session:
        rows = await session.fetch_all("select consignment from exchange.outgoing_stream")
    assert [row["consignment"] for row in rows] == ["C-1"]


async def test_many_at_once_get_numbers_without_gap_and_the_same_document_one(
    store: Store,
) -> None:
    one, two = await pair(store)
    sent = await asyncio.gather(
        *(one.send(n, two) for n in range(1, 9)), *(one.send(3, two) for _ in range(3))
    )
    assert sorted({s.document: s.sequence for s in sent}.values()) == [*range(1, 9)]
    clashes = await asyncio.gather(
        *(one.send(50, two, b"%d" % n) for n in range(4)), return_exceptions=True
    )
    refused = [each for each in clashes if isinstance(each, Conflict)]
    assert len(refused) == 3
    assert {each.code for each in refused} == {"document_differs"}


async def test_the_same_bundle_many_times_at_once_has_one_effect(store: Store) -> None:
    line = Line()
    one, two = await make_pair(line, (MemoryExchange(), store))
    for number in range(1, 7):
        await one.send(number, two)
    await one.dispatcher.step(two.name)
    bundle = line.bundles[-1][1]
    peer = two.peers.of("exporter")
    answers = await asyncio.gather(*(two.exchange.take_bundle(peer, bundle) for _ in range(4)))
    assert len(set(answers)) == 1
    assert [told.sequence for told in two.told] == [*range(1, 7)]


async def test_failures_are_counted_and_dead_letters_found(store: Store) -> None:
    one, two = await pair(store)
    for number in (1, 2):
        await one.send(number, two)
    await store.failed([UUID(int=1)], code="no_answer", reason="refused")
    assert await store.give_up(two.name, before_ns=0) == 0
    await store.bury(UUID(int=1))
    (dead,) = await store.list_sent(
        party=one.party.party, state="dead", consignment="C-1", limit=5, after=None
    )
    assert (dead.document, dead.attempts, dead.code) == (UUID(int=1), 1, "no_answer")
    (left,) = await store.waiting(two.name, limit=5, bytes_max=1)
    assert left.document == UUID(int=2)


async def test_pages_follow_each_other(store: Store) -> None:
    one, two = await pair(store)
    for number in range(1, 6):
        one.clock.advance(1)
        two.clock.advance(1)
        await one.send(number, two)
        await two.send(10 + number, one)
        await carry(one, two)
    first = await one.outbox.listed(one.party, limit=2)
    rest = await one.outbox.listed(one.party, limit=9, after=UUID(first[-1].document))
    assert [UUID(s.document).int for s in (*first, *rest)] == [5, 4, 3, 2, 1]
    got = await one.inbox.listed(one.party, limit=2)
    more = await one.inbox.listed(one.party, limit=9, after=(two.name, UUID(got[-1].document)))
    assert [UUID(g.document).int for g in (*got, *more)] == [15, 14, 13, 12, 11]
    assert await one.inbox.listed(one.party, consignment="C-9") == []


async def test_receipts_are_due_until_the_peer_has_them(store: Store) -> None:
    due = Due(PartyId("importer"), UUID(int=1), Stage.DECIDED, b"signed")

    async def queue(book: Book) -> None:
        await book.queue_receipt(due)
        await book.queue_receipt(due)

    async def drop(book: Book) -> None:
        await book.drop_receipts([due])

    await store.run(queue)
    assert list(await store.due_receipts(PartyId("importer"), limit=5)) == [due]
    assert not await store.due_receipts(PartyId("other"), limit=5)
    await store.run(drop)
    assert not await store.due_receipts(PartyId("importer"), limit=5)


async def test_a_peer_is_remembered_with_what_it_wants(store: Store) -> None:
    one, two = await pair(store)
    await two.exchange.subscribe(OPERATOR, "exporter", Wanted(("trade.",), ("C-",)))
    await carry(one, two)
    await one.peers.load()
    peer = one.peers.of("importer")
    assert peer.wanted == Wanted(("trade.",), ("C-",))
    assert peer.keys == (two.key.public,)
    await one.peers.dismiss(OPERATOR, "importer")
    assert await store.peers() == []


@pytest.mark.parametrize("processes", [1, 2])
async def test_of_two_nodes_of_one_name_that_come_at_once_one_is_admitted(
    store: Store, processes: int
) -> None:
    one = make_node("exporter", Line(), store)
    strangers = [make_node("importer", Line(), seed=seed) for seed in (1, 2, 3)]
    every = [one.peers, Peers(store, one.peers._scribe, lambda _: ())]
    asked = [
        every[at % processes].admit(OPERATOR, each.card, keys=[each.key.public], trust="t")
        for at, each in enumerate(strangers)
    ]
    told = await asyncio.gather(*asked, return_exceptions=True)
    refused = [each for each in told if isinstance(each, BaseException)]
    assert [isinstance(e, Refused) and e.code for e in refused] == ["name_taken"] * 2
    (admitted,) = [each for each in told if not isinstance(each, BaseException)]
    assert await store.peers() == [admitted]
    assert one.peers.every() in ([admitted], [])


async def test_what_a_peer_wants_and_its_renewed_card_do_not_undo_each_other(store: Store) -> None:
    one, two = await pair(store)
    wanted = Wanted(("trade.",), ())

    async def subscribe(book: Book) -> None:
        done.append(await one.peers.subscribed(book, two.name, wanted))

    done: list[object] = []
    await asyncio.gather(
        store.run(subscribe),
        one.peers.admit(
            OPERATOR,
            two.card,
            keys=[two.key.public],
            trust="corridor",
            url="https://new.example",
        ),
    )
    (kept,) = await store.peers()
    assert (kept.url, kept.wanted) == ("https://new.example", wanted)


async def test_ids_keep_the_admission_that_brought_them_over_renewal_and_restart(
    store: Store,
) -> None:
    one = make_node("exporter", Line(), store)
    lists = {b"zh": ["bank"], b"al": ["bank", "carrier"], b"zh2": ["bank", "carrier"]}
    peers = Peers(store, one.peers._scribe, lambda listed: [*map(PartyId, lists.get(listed, []))])

    async def admit(node: Node, listed: bytes, **more: str) -> dict[str, int]:
        peer = await peers.admit(
            OPERATOR, node.card, keys=[node.key.public], trust="t", listed=listed, **more
        )
        return dict(peer.came)

    first, second = make_node("zhetysu", Line()), make_node("almaty", Line())
    assert await admit(first, b"zh") == {"zhetysu": 1, "bank": 1}
    assert await admit(second, b"al") == {"almaty": 2, "bank": 2, "carrier": 2}
    assert await admit(first, b"zh2") == {"zhetysu": 1, "bank": 1, "carrier": 3}
    again = Peers(store, one.peers._scribe, lambda _: ())
    await again.load()
    assert [(p.node, dict(p.came)) for p in again.every()] == [
        ("almaty", {"almaty": 2, "bank": 2, "carrier": 2}),
        ("zhetysu", {"zhetysu": 1, "bank": 1, "carrier": 3}),
    ]
    # Another node in the place of the first comes last.
    other = make_node("zhetysu", Line(), seed=9)
    replaces = first.key.public.fingerprint
    assert await admit(other, b"zh", replaces=replaces) == {"zhetysu": 4, "bank": 4}


async def test_another_node_in_a_peers_place_is_sent_to_from_the_first_number_on(
    store: Store,
) -> None:
    one, two = await pair(store)
    await one.send(1, two)
    await carry(one, two)
    assert (await one.send(2, two)).sequence == 2
    other = make_node("importer", Line(), seed=9)
    await one.peers.admit(
        OPERATOR,
        other.card,
        keys=[other.key.public],
        trust="corridor",
        replaces=two.key.public.fingerprint,
    )
    assert (await one.send(3, other)).sequence == 1
    states = {each.document: each.state for each in await one.outbox.listed(one.party)}
    assert states[str(UUID(int=2))] == "dead", "it was sealed and numbered for the former one"
    assert states[str(UUID(int=3))] == "waiting"
