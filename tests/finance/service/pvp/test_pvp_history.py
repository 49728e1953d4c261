"""A start reads what is still of importance; a process that dies anywhere loses no sum."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
from tests.finance.service.pvp.test_service import (
    BANK,
    LEDGER,
    TURNED_AWAY_MAX,
    A,
    B,
    Net,
    Node,
    _accept,
    _quoted,
    _rest,
    speaks,
)
from tests.node.api.finance.conftest import Written

from zhidao.core.errors import Refused, Unavailable
from zhidao.finance.adapters.postgres_ledger import PostgresLedgerStore
from zhidao.finance.adapters.postgres_pvp import PostgresPvpIndex
from zhidao.finance.service.pvp import pvp_history as pvp_books
from zhidao.store.database import Database
from zhidao.store.journal import PostgresJournal
from zhidao.store.migrate import all_migrations, migrate


class Killed(Exception):
    """The process ends here."""


class SureNet(Net):
    """A post that keeps a letter until it was taken, as the exchange does."""

    async def deliver(self, chance: Any = None) -> None:
        turned_away = 0
        while self.waiting:
            assert turned_away < TURNED_AWAY_MAX, self.waiting
            to, letter, content = one = self.waiting[0]
            try:
                await self.nodes[to].service.take(letter, content)
            except Unavailable:
                turned_away += 1
                self.waiting.append(one)
            except Refused as error:
                self.refused.append(error.code)
            self.waiting.remove(one)


class Writes:
    """Counts what a node writes beside its ledger, and lets it die at one of these writes."""

    def __init__(self, durable: Any, *, at: int = 0, after: bool = False) -> None:
        self.count, self.at, self._after = 0, at, after
        durable.journal = _Dying(durable.journal, self, ("append",))
        durable.pvp_index = _Dying(durable.pvp_index, self, ("add", "close"))

    async def write(self, done: Callable[[], Awaitable[Any]]) -> Any:
        self.count += 1
        if self.count != self.at:
            return await done()
        if self._after:
            await done()
        raise Killed


class _Dying:
    def __init__(self, inner: Any, writes: Writes, names: tuple[str, ...]) -> None:
        self._inner, self._writes, self._names = inner, writes, names

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if name not in self._names:
            return method

        async def counted(*words: Any, **named: Any) -> Any:
            return await self._writes.write(lambda: method(*words, **named))

        return counted


class Reads:
    """Counts the histories that are read from a journal."""

    def __init__(self, inner: Any) -> None:
        self._inner, self.loaded = inner, list[str]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def load(self, aggregate: str, **named: Any) -> Any:
        self.loaded.append(aggregate)
        return await self._inner.load(aggregate, **named)


def _on_postgres(durable: Any, database: Database) -> Any:
    durable.journal = Written(PostgresJournal(database, "finance", lambda: None))
    durable.store = PostgresLedgerStore(database, durable.journal.inner)
    return durable


async def _made(durables: dict[str, Any]) -> SureNet:
    made = SureNet()
    for name, durable in durables.items():
        made.nodes[name] = Node(name, made, durable).start()
        await made.nodes[name].fill()
    return made


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.service)])
def dealer(request: pytest.FixtureRequest, make_durable: Callable[[], Any]) -> Any:
    """What is durable of the dealer's node: once on memory and once on PostgreSQL."""
    made = make_durable()
    if request.param == "postgres":
        database = request.getfixturevalue("database")
        _on_postgres(made, database).pvp_index = PostgresPvpIndex(database)
    return made


@pytest.fixture
async def net(dealer: Any, make_durable: Callable[[], Any]) -> SureNet:
    """Two nodes of a bank each."""
    return await _made({A: make_durable(), B: dealer})


async def _go_on(net: Net) -> None:
    """Everything moves that can, and no time passes."""
    for _ in range(2):
        await net.deliver()
        for node in net.nodes.values():
            await node.service.tick()


async def _deal(net: Net, reference: str, *, sold: int) -> None:
    await _accept(net, reference, sold=sold)
    await _go_on(net)


async def _sold(node: Node) -> int:
    return await node.service._books.sold_under(BANK[node.name], "Q-1")


async def _is_whole(net: Net, name: str) -> None:
    """What a new process of a node holds is what the histories of all its deals say."""
    node = net.nodes[name].start()
    deals = await node.service.deals(speaks(name), limit=50)
    counts = [d for d in deals if d.agreed.side == "second" and d.state != "aborted"]
    assert await _sold(node) == sum(d.terms.first.amount_minor for d in counts)
    open_deals = sorted(d.agreed.deal for d in deals if d.ended is None)
    assert [d.agreed.deal for d in await node.service._books.open()] == open_deals
    channels = {d.channel(name).name for d in deals}
    assert {chain.channel.name for chain in await node.service._books.chains()} == channels


async def test_a_start_reads_as_many_histories_after_forty_ended_deals_as_after_four(
    net: SureNet,
) -> None:
    await _quoted(net, sold_minor_max=10**9)
    read: dict[str, list[int]] = {A: [], B: []}
    for until in (4, 40):
        made = len(await net.nodes[A].service.deals(speaks(A), limit=50))
        for number in range(made, until):
            await _accept(net, f"D-{number}", sold=1_000)
            await net.deliver()
        for name, node in net.nodes.items():
            reads = node.durable.journal = Reads(node.durable.journal)
            node.start()
            await node.service.tick()
            read[name].append(len(reads.loaded))
            assert len([one for one in reads.loaded if one.startswith("pvp-deal/")]) == 1
            node.durable.journal = reads._inner
            await _is_whole(net, name)
        assert await _sold(net.nodes[B]) == until * 1_000
    for name, (few, many) in read.items():
        assert few == many <= 6, name


async def test_a_start_knows_open_deals_among_ended_ones_and_refuses_what_passes_the_quote(
    net: SureNet,
) -> None:
    await _quoted(net, sold_minor_max=4_000)
    for number in range(3):
        await _accept(net, f"D-{number}", sold=1_000)
        await net.deliver()
    net.logs_closed = True
    await _accept(net, "D-open", sold=1_000)
    await net.deliver()
    for name in net.nodes:
        await _is_whole(net, name)
    assert await _sold(net.nodes[B]) == 4_000
    await _accept(net, "D-more", sold=1)
    await net.deliver()
    assert net.refused == ["quote_exceeded"]
    net.logs_closed = False
    await _rest(net)
    for name in net.nodes:
        await _is_whole(net, name)
        assert await net.nodes[name].durable.pvp_index.open(limit=9) == ()
    assert await net.nodes[A].balance("other") == 4_000


async def test_an_end_that_the_index_did_not_hear_of_is_healed_by_the_next_start(
    net: SureNet,
) -> None:
    await _quoted(net)
    b = net.nodes[B]

    close = b.durable.pvp_index.close

    async def dies(ended: Any) -> None:
        if ended:
            raise Killed

    b.durable.pvp_index.close = dies
    await _accept(net, sold=1_000)
    with pytest.raises(Killed):
        await net.deliver()
    b.durable.pvp_index.close = close
    (dealing,) = await b.service.deals(speaks(B), limit=9)
    assert dealing.state == "committed", "the event stands"
    assert await b.durable.pvp_index.open(limit=9) == (dealing.aggregate,), "the entry does not"
    for _ in range(2):
        await _is_whole(net, B)
        assert await _sold(b) == 1_000
        assert await b.durable.pvp_index.open(limit=9) == ()
    assert await b.durable.pvp_index.sold(BANK[B], "Q-1") == 1_000


async def test_an_entry_whose_deal_was_never_made_counts_nothing_until_it_is(
    net: SureNet,
) -> None:
    await _quoted(net)
    a = net.nodes[A]
    await a.durable.pvp_index.add(f"pvp-deal/{BANK[A]}/D-1", bank=BANK[A])
    await _is_whole(net, A)
    assert await a.service._books.chains() == []
    await _accept(net, sold=1_000)
    await _rest(net)
    assert (await a.service.deal(speaks(A), "D-1")).state == "committed"
    for name in net.nodes:
        await _is_whole(net, name)


async def test_an_index_that_fails_after_its_commit_makes_no_deal_count_twice(
    net: SureNet,
) -> None:
    await _quoted(net)
    b = net.nodes[B]
    close, failures = b.durable.pvp_index.close, []

    async def fails(ended: Any) -> None:
        await close(ended)
        if ended and len(failures) < 2:
            failures.append(ended)
            raise Unavailable("whether it stood is unknown")

    b.service._books._index.close = fails
    await _accept(net, sold=1_000)
    turns = 0
    while len(failures) < 1:
        turns += 1
        assert turns < TURNED_AWAY_MAX, net.waiting
        to, letter, content = net.waiting.pop(0)
        try:
            await net.nodes[to].service.take(letter, content)
        except Unavailable:
            net.waiting.append((to, letter, content))
    b.service._books._held.sold.clear()
    with pytest.raises(Unavailable):
        await _sold(b)
    assert await _sold(b) == 1_000
    await net.deliver()
    assert await _sold(b) == 1_000
    await _is_whole(net, B)


@pytest.mark.parametrize("name", [A, B])
@pytest.mark.parametrize("after", [False, True])
async def test_a_process_that_dies_at_any_write_finds_the_same_sums_again(
    make_durable: Callable[[], Any], name: str, *, after: bool
) -> None:
    at, died = 0, True
    while died:
        at, died = at + 1, False
        net = await _made({A: make_durable(), B: make_durable()})
        await _quoted(net, sold_minor_max=2_000)
        node = net.nodes[name]
        writes = Writes(node.durable, at=at, after=after)
        node.start()
        steps = [
            partial(_deal, net, "D-1", sold=1_000),
            partial(_deal, net, "D-2", sold=1_000),
            partial(_deal, net, "D-3", sold=1),
            partial(_rest, net),
        ]
        for step in steps:
            try:
                await step()
            except Killed:
                died = True
                node.start()
                await step()
        writes.at = 0
        states = [d.state for d in await net.nodes[A].service.deals(speaks(A), limit=9)]
        assert states == ["committed", "committed", "aborted"], at
        assert net.refused == ["quote_exceeded"], at
        for one in net.nodes:
            await _is_whole(net, one)
            assert await net.nodes[one].durable.pvp_index.open(limit=9) == ()
            assert await net.nodes[one].held() == 0
        assert await _sold(net.nodes[B]) == await net.nodes[A].balance("other") == 2_000
    assert at > 8, "every write was tried"


@pytest.mark.service
@pytest.mark.parametrize("page", [1, 200])
async def test_a_database_of_before_the_index_comes_up_with_all_its_deals(
    empty_database_url: str,
    make_durable: Callable[[], Any],
    monkeypatch: pytest.MonkeyPatch,
    page: int,
) -> None:
    monkeypatch.setattr(pvp_books, "PAGE", page)
    database = await Database.open(empty_database_url, connections_max=4)
    try:
        await migrate(database, [m for m in all_migrations() if m.name != "0022_pvp"])
        net = await _made({A: make_durable(), B: _on_postgres(make_durable(), database)})
        await _quoted(net, sold_minor_max=10_000)
        for number in range(3):
            await _accept(net, f"D-{number}", sold=1_000)
            await net.deliver()
        net.logs_closed = True
        await _accept(net, "D-open", sold=500)
        await net.deliver()

        assert await migrate(database) == ("finance/0022_pvp",)
        index = net.nodes[B].durable.pvp_index = PostgresPvpIndex(database)
        assert len(await index.open(limit=9)) == 4
        await _is_whole(net, B)
        assert await _sold(net.nodes[B]) == 3_500
        assert len(await index.open(limit=9)) == 1
        net.logs_closed = False
        await _rest(net)
        await _is_whole(net, B)
        assert await index.open(limit=9) == ()
        assert await index.sold(BANK[B], "Q-1") == 3_500
        accounts = await net.nodes[B].ledger.accounts(LEDGER[B])
        assert sum(account.balance for account in accounts) == 0
    finally:
        await database.close()
