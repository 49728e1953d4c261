"""Two banks at two nodes exchange two currencies: over a post that loses nothing but the order.

The real services, ledgers and deciders; only the post between the nodes and the look into the other's
log are twins of the exchange and the log.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import msgspec
import pytest

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.errors import Conflict, Forbidden, MalformedInput, NotFound, Refused, Unavailable
from zhidao.core.events import SignedEvent
from zhidao.core.ids import IdSource, PartyId
from zhidao.core.journal import FixedKeyRing, Records, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.money import Currency, Money
from zhidao.core.timescale import NS, Utc
from zhidao.finance.domain.payments.approval import Limits
from zhidao.finance.domain.pvp.fx import Quote, Rate
from zhidao.finance.domain.pvp.pvp import FIRST_HEAD, Channel, Letter, Side, decision_head
from zhidao.finance.events import BankAdmitted, PvpDecided
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.ledger.accounts import Accounts
from zhidao.finance.service.ledger.ledger import Ledger
from zhidao.finance.service.pvp.fx_quotes import QUOTE, FxQuotes, once
from zhidao.finance.service.pvp.service import DECISION, TERMS, VOTES, PvpService
from zhidao.finance.wire.pvp import Vote, encode_quote, encode_votes
from zhidao.node.runtime.wakeup import Wakeup

START = Utc.parse("2026-06-01T08:00:00Z")
A, B = "node-a", "node-b"
BANK = {A: PartyId("importer-bank"), B: PartyId("exporter-bank")}
LEDGER = {A: "CNY", B: "KZT"}
FUNDS = 1_000_000_000
OPERATOR = Actor(PartyId("operator"), Role.OPERATOR)


def speaks(node: str) -> Actor:
    return Actor(BANK[node], Role.PARTY)


# So often is a letter brought again at most: a node that never takes it ends the test.
TURNED_AWAY_MAX = 1_000


@dataclass
class Net:
    """The post of both nodes, and what each node's log holds."""

    nodes: dict[str, Node] = field(default_factory=dict)
    waiting: list[tuple[str, Letter, bytes]] = field(default_factory=list)
    sent: set[bytes] = field(default_factory=set)
    logs_closed: bool = False
    refused: list[str] = field(default_factory=list)

    async def deliver(self, chance: random.Random | None = None) -> None:
        """Brings everything that waits; with a chance, letters of one kind pass each other."""
        turned_away = 0
        while self.waiting:
            assert turned_away < TURNED_AWAY_MAX, self.waiting
            place = chance.randrange(len(self.waiting)) if chance else 0
            to, letter, content = self.waiting.pop(place)
            service = self.nodes[to].service
            try:
                await service.take(letter, content)
            except Unavailable:
                turned_away += 1
                self.waiting.append((to, letter, content))
            except Refused as error:
                self.refused.append(error.code)


@dataclass
class Post:
    net: Net
    node: str

    async def send(self, actor: Actor, *, node: str, party: str, kind: str, content: bytes) -> None:
        if node not in self.net.nodes:
            raise NotFound("no such peer", code="unknown_peer")
        name = hashlib.sha256(f"{self.node} {node} {kind}".encode() + content).digest()
        if name not in self.net.sent:
            self.net.sent.add(name)
            letter = Letter(kind, self.node, actor.party, party)
            self.net.waiting.append((node, letter, content))


@dataclass
class Logs:
    net: Net
    node: str

    async def prove(self, event: SignedEvent) -> bytes | None:
        stands = any(
            e.event.id == event.id for e in self.net.nodes[self.node].durable.journal.written
        )
        return b"proof" if stands and not self.net.logs_closed else None

    async def check(self, event: SignedEvent, proof: bytes, *, node: str) -> None:
        written = self.net.nodes[node].durable.journal.written
        if proof != b"proof" or all(e.event.encode() != event.encode() for e in written):
            raise Refused("not in the log", code="pvp_unlogged")

    def keys(self, node: str) -> tuple[str, ...]:
        if node not in self.net.nodes:
            raise NotFound("no such peer", code="unknown_peer")
        return tuple(key.public.multikey for key in self.net.nodes[node].keys)


class Node:
    """A node with one bank; `start` is a new process over what is durable."""

    def __init__(self, name: str, net: Net, durable: Any) -> None:
        self.name, self.net, self.durable = name, net, durable
        self.keys = [SoftwareKey(Algorithm.ED25519, hashlib.sha256(name.encode()).digest())]
        keys = {
            bank: SoftwareKey(Algorithm.ED25519, hashlib.sha256(bank.encode()).digest())
            for bank in (BANK[name], OPERATOR.party)
        }
        self.ring = FixedKeyRing(keys)
        self.clock = HandClock(START)
        randomness = SeededRandomness(name.encode())
        self.ids, self.randomness, self.limits = IdSource(self.clock, randomness), randomness, ""

    def start(self) -> Node:
        self.durable.scribe = Scribe(
            node=PartyId(self.name),
            key=self.keys[-1],
            ring=self.ring,
            clock=self.clock,
            ids=self.ids,
            randomness=self.randomness,
        )
        records = Records(self.durable.journal, self.durable.scribe)
        self.ledger = Ledger(
            self.durable.store, scribe=self.durable.scribe, clock=self.clock, holder=self.name
        )
        self.accounts = Accounts(records, self.durable.scribe, self.ledger)
        self.approvals = Approvals(
            records=records, clock=self.clock, limits=Limits.parse(self.limits)
        )
        post, logs = Post(self.net, self.name), Logs(self.net, self.name)
        self.quotes = FxQuotes(
            node=PartyId(self.name),
            ring=self.ring,
            records=records,
            accounts=self.accounts,
            post=post,
            decisions=logs,
            approvals=self.approvals,
            holds=None,
        )
        self.logged = Wakeup()
        self.service = PvpService(
            node=PartyId(self.name),
            node_keys=[key.public for key in self.keys],
            records=records,
            index=self.durable.pvp_index,
            ledger=self.ledger,
            accounts=self.accounts,
            approvals=self.approvals,
            quotes=self.quotes,
            post=post,
            decisions=logs,
            clock=self.clock,
            logged=self.logged,
            holds=None,
        )
        return self

    async def fill(self) -> None:
        admitted = BankAdmitted(
            bank=BANK[self.name], name="Bank", bic="ALMAKZKA", town="Almaty", country="KZ"
        )
        await self.accounts.admit(OPERATOR, admitted)
        for holder in ("own", "other"):
            await self.accounts.open(
                speaks(self.name),
                holder=holder,
                currency=LEDGER[self.name],
                name=holder,
                town="Almaty",
                country="KZ",
            )
        money = Money(FUNDS, Currency(LEDGER[self.name]))
        await self.accounts.deposit(speaks(self.name), deposit="d", holder="own", amount=money)

    async def account(self, holder: str) -> UUID:
        found = await self.accounts.customer(BANK[self.name], holder, LEDGER[self.name])
        return UUID(found.account)

    async def balance(self, holder: str) -> int:
        account = await self.ledger.account(LEDGER[self.name], await self.account(holder))
        assert account.debits_pending >= 0
        return account.balance

    async def held(self) -> int:
        accounts = await self.ledger.accounts(LEDGER[self.name])
        assert sum(account.balance for account in accounts) == 0
        return sum(account.debits_pending for account in accounts)


@pytest.fixture
async def net(make_durable: Callable[[], Any]) -> Net:
    made = Net()
    for name in (A, B):
        made.nodes[name] = Node(name, made, make_durable()).start()
        await made.nodes[name].fill()
    return made


async def _quoted(net: Net, **changes: Any) -> None:
    a, b = net.nodes[A], net.nodes[B]
    fields = {
        "id": "Q-1",
        "dealer": str(BANK[B]),
        "sold": Currency("CNY"),
        "bought": Currency("KZT"),
        "rate": Rate(6_803, 100),
        "sold_minor_max": 10_000_000,
        "valid_until": START.plus_ns(600 * NS),
    }
    await b.quotes.give(
        speaks(B),
        Quote(**fields | changes),
        client=str(BANK[A]),
        client_node=A,
        pays_from=await b.account("own"),
        receives_at=await a.account("other"),
    )
    await net.deliver()


async def _accept(net: Net, reference: str = "D-1", sold: int = 1_000_001, **more: Any) -> Any:
    a, b = net.nodes[A], net.nodes[B]
    return await a.service.accept(
        more.pop("actor", speaks(A)),
        reference=reference,
        quote="Q-1",
        sold_minor=sold,
        pays_from=await a.account("own"),
        receives_at=await b.account("other"),
        deadline_s=60,
        **more,
    )


async def _rest(net: Net) -> None:
    """Time passes and everything is said again until nothing moves."""
    for _ in range(4):
        for node in net.nodes.values():
            node.clock.set(node.clock.now().plus_ns(40 * NS))
            await node.service.tick()
        await net.deliver()


BOUGHT = 1_000_001 * 6_803 // 100


async def test_both_currencies_change_hands_after_one_decision(net: Net) -> None:
    await _quoted(net)
    waiting = await _accept(net)
    assert waiting.state == "waiting"
    assert await net.nodes[A].held() == 1_000_001
    await net.deliver()
    for node in net.nodes.values():
        (dealing,) = await node.service.deals(speaks(node.name), limit=9)
        assert dealing.state == "committed"
        assert await node.held() == 0
    assert await net.nodes[A].balance("other") == 1_000_001
    assert await net.nodes[B].balance("other") == BOUGHT
    again = await _accept(net)
    assert again.state == "committed"
    await _rest(net)
    assert await net.nodes[B].balance("own") == FUNDS - BOUGHT
    with pytest.raises(Conflict):
        await _accept(net, sold=5)


async def test_quotes_of_different_dealers_may_bear_one_id_and_one_dealers_name(net: Net) -> None:
    await _quoted(net)
    a = net.nodes[A]
    (first,) = await a.quotes.quotes(speaks(A), limit=9)
    # A third node's dealer with the name of node B's, and one with the name of this node's bank.
    for dealer in (BANK[B], BANK[A]):
        offer = Quote(
            id="Q-1",
            dealer=dealer,
            sold=Currency("CNY"),
            bought=Currency("KZT"),
            rate=Rate(1, 1),
            sold_minor_max=5,
            valid_until=START.plus_ns(600 * NS),
        )
        key = SoftwareKey(Algorithm.ED25519, hashlib.sha256(b"third").digest())
        signed = parse_strict(encode_quote(offer, key), bytes_max=9_999)
        plain = first.payload() | {"given": True, "dealer": dealer, "dealer_node": "node-c"}
        letter = Letter(QUOTE, "node-c", dealer, BANK[A])
        for _ in range(2):
            await a.quotes.take(letter, jcs(plain | {"message": signed}))
    assert len(await a.quotes.quotes(speaks(A), limit=9)) == 3
    assert await a.quotes.quotes(speaks(A), limit=9, after="Q-1") == []
    with pytest.raises(Refused) as refused:
        await _accept(net)
    assert refused.value.code == "quote_of_several"
    with pytest.raises(NotFound):
        await _accept(net, dealer="nobody")
    waiting = await _accept(net, dealer=str(BANK[B]), dealer_node=B)
    assert waiting.agreed.peer_node == B
    await net.deliver()
    assert (await a.service.deal(speaks(A), "D-1")).state == "committed"


@pytest.mark.bound("finance.service.pvp.fx_quotes._DEALERS_MAX")
@pytest.mark.parametrize("dealers", [100, 101])
async def test_a_dealers_quote_is_found_by_its_dealer_however_many_gave_one_so(
    net: Net, dealers: int
) -> None:
    await _quoted(net)
    a = net.nodes[A]
    (last,) = await a.quotes.quotes(speaks(A), limit=9)
    for number in range(dealers - 1):
        # In order of names they all come before the one that is meant.
        told = msgspec.structs.replace(
            last, dealer=f"bank-{number:03}", dealer_node="node-a0", given=False
        )
        name = f"fx-quote/{BANK[A]}/Q-1,{told.dealer_node},{told.dealer}"
        await once(a.quotes._records, speaks(A), name, told)
    with pytest.raises(Refused) as refused:
        await _accept(net)
    assert refused.value.code == "quote_of_several"
    waiting = await _accept(net, dealer=str(BANK[B]), dealer_node=B)
    assert waiting.agreed.peer_node == B


async def test_what_a_quote_has_sold_is_a_sum_kept_that_aborted_deals_leave(net: Net) -> None:
    await _quoted(net, sold_minor_max=10**12)
    await _accept(net, "D-1", sold=1_000)
    await _accept(net, "D-2", sold=FUNDS + 1)
    await _rest(net)
    for again in (False, True):
        dealer = net.nodes[B].start() if again else net.nodes[B]
        assert await dealer.service._books.sold_under(BANK[B], "Q-1") == 1_000
        assert dealer.service._books._held.sold == {(BANK[B], "Q-1"): 1_000}


async def test_remainders_below_a_minor_unit_add_up_at_the_dealer(net: Net) -> None:
    await _quoted(net)
    for number in range(40):
        await _accept(net, f"D-{number}", sold=1_001)
    await _rest(net)
    paid = 40 * (1_001 * 6_803 // 100)
    exact = 40 * 1_001 * 6_803 // 100
    assert await net.nodes[B].balance("other") == paid
    accounts = {a.code: a for a in await net.nodes[B].ledger.accounts("KZT")}
    assert accounts[630].balance == exact - paid == 1


async def test_without_funds_nothing_moves_on_either_side(net: Net) -> None:
    await _quoted(net, sold_minor_max=10**12)
    await _accept(net, sold=FUNDS + 1)
    await _rest(net)
    for node in net.nodes.values():
        for dealing in await node.service.deals(speaks(node.name), limit=9):
            assert dealing.state == "aborted"
        assert await node.held() == 0
        assert await node.balance("own") == FUNDS


async def test_the_second_dealer_without_funds_aborts_both(net: Net) -> None:
    await _quoted(net, sold_minor_max=10**12)
    await _accept(net, sold=20_000_000)
    await _rest(net)
    states = [(await n.service.deals(speaks(n.name), limit=9))[0].state for n in net.nodes.values()]
    assert states == ["aborted", "aborted"]
    assert await net.nodes[A].balance("own") == FUNDS


@pytest.mark.parametrize("seed", range(6))
async def test_whoever_crashes_whenever_both_sides_end_alike(net: Net, seed: int) -> None:
    chance = random.Random(seed)
    await _quoted(net)
    for number in range(6):
        await _accept(net, f"D-{number}", sold=chance.randrange(1, 1_000_000))
        if chance.random() < 0.7:
            net.nodes[chance.choice((A, B))].start()
        net.logs_closed = chance.random() < 0.5
        if chance.random() < 0.7:
            await net.deliver(chance)
        node = net.nodes[chance.choice((A, B))]
        node.clock.set(node.clock.now().plus_ns(chance.randrange(40) * NS))
        await node.service.tick()
    net.logs_closed = False
    for node in net.nodes.values():
        node.start()
    await _rest(net)
    told = []
    for node in net.nodes.values():
        dealings = await node.service.deals(speaks(node.name), limit=50)
        assert await node.held() == 0
        told.append({d.agreed.deal: d.state for d in dealings if d.state != "aborted"})
    assert told[0] == told[1]
    terms = [
        d.terms
        for d in await net.nodes[A].service.deals(speaks(A), limit=50)
        if d.state == "committed"
    ]
    assert await net.nodes[A].balance("other") == sum(t.first.amount_minor for t in terms)
    assert await net.nodes[B].balance("other") == sum(t.second.amount_minor for t in terms)


async def test_a_decision_waits_for_the_log_and_a_forged_one_moves_nothing(net: Net) -> None:
    await _quoted(net)
    net.logs_closed = True
    await _accept(net)
    await net.deliver()
    assert await net.nodes[A].held() == 1_000_001, "decided, and not in the log yet"
    net.logs_closed = False
    a = net.nodes[A]
    await a.service.tick()
    to, letter, content = net.waiting[-1]
    assert (to, letter.kind) == (B, DECISION)
    with pytest.raises(MalformedInput):
        await net.nodes[B].service.take(letter, content.replace(b'"proof":', b'"prooF":'))
    with pytest.raises(Refused):
        await net.nodes[B].service.take(letter, content.replace(b'"proof":"proof"', b'"proof":"x"'))
    assert await net.nodes[B].held() > 0
    await net.deliver()
    assert await net.nodes[B].held() == 0


async def test_a_decision_is_told_as_soon_as_the_log_has_it(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zhidao.finance.service.pvp.service._TICK_S", 60.0)
    await _quoted(net)
    net.logs_closed = True
    await _accept(net)
    await net.deliver()
    a = net.nodes[A]
    running = asyncio.create_task(a.service.run())
    try:
        await asyncio.sleep(0.05)
        net.logs_closed = False
        a.logged.wake()
        async with asyncio.timeout(10):
            while not any(letter.kind == DECISION for _, letter, _ in net.waiting):
                await asyncio.sleep(0.005)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_terms_beyond_the_quote_are_refused_and_end_by_the_deadline(net: Net) -> None:
    await _quoted(net)
    await _accept(net)
    await net.deliver()
    await _accept(net, "D-2", sold=9_000_000)  # only 8,999,999 are left
    await net.deliver()
    assert net.refused == ["quote_exceeded"]
    await _rest(net)
    states = {
        d.agreed.reference: d.state for d in await net.nodes[A].service.deals(speaks(A), limit=9)
    }
    assert states == {"D-1": "committed", "D-2": "aborted"}
    assert await net.nodes[A].held() == 0


async def test_letters_of_others_are_refused(net: Net) -> None:
    await _quoted(net)
    await _accept(net)
    to, letter, content = next(w for w in net.waiting if w[1].kind == TERMS)
    strange = Letter(TERMS, A, "somebody", letter.to_party)
    with pytest.raises(Refused):
        await net.nodes[to].service.take(strange, content)
    assert await net.nodes[B].held() == 0
    votes = await _votes(net)
    with pytest.raises(NotFound):
        await net.nodes[A].service.take(Letter(VOTES, B, "somebody", str(BANK[A])), votes)
    assert await net.nodes[A].held() > 0


async def _votes(net: Net) -> bytes:
    await net.nodes[B].service.take(*next((w[1], w[2]) for w in net.waiting if w[1].kind == TERMS))
    return next(w[2] for w in net.waiting if w[1].kind == VOTES)


async def test_only_a_bank_deals_and_only_with_its_own_books(net: Net) -> None:
    await _quoted(net)
    a, b = net.nodes[A], net.nodes[B]
    with pytest.raises(Forbidden):
        await _accept(net, actor=Actor(PartyId("own"), Role.PARTY))
    with pytest.raises(NotFound):
        await a.service.accept(
            speaks(A),
            reference="D-9",
            quote="Q-9",
            sold_minor=1,
            pays_from=await a.account("own"),
            receives_at=await b.account("other"),
            deadline_s=60,
        )
    a.clock.set(START.plus_ns(601 * NS))
    with pytest.raises(Refused, match="was good until"):
        await _accept(net)


async def test_a_node_that_changes_its_key_goes_on_with_its_deals(net: Net) -> None:
    await _quoted(net)
    await _accept(net)
    a = net.nodes[A]
    a.keys.append(SoftwareKey(Algorithm.ED25519, bytes(32)))
    a.start()
    await net.deliver()
    await _rest(net)
    a.clock.set(START)
    net.nodes[B].clock.set(START)
    await _accept(net, "D-2")
    await net.deliver()
    for node in net.nodes.values():
        states = [d.state for d in await node.service.deals(speaks(node.name), limit=9)]
        assert states == ["committed", "committed"]
        assert await node.held() == 0


async def test_one_deal_that_cannot_go_on_does_not_stop_the_others(net: Net) -> None:
    await _quoted(net)
    net.logs_closed = True
    await _accept(net)
    await net.deliver()
    a = net.nodes[A]
    # Between banks of which one left with its node: nobody can be told of this decision.
    gone = Channel(A, str(BANK[A]), "CNY", "gone", "gone-bank", "KZT")
    (dealing,) = await a.service.deals(speaks(A), limit=9)
    held = await a.service._books._restored()
    stuck = replace(a.service._books._make(dealing, gone), peer_node="gone")
    held.chains = {gone.name: stuck, **held.chains}
    head = decision_head(FIRST_HEAD, 1, commits=[], aborts=[])
    fact = PvpDecided(number=1, previous=FIRST_HEAD, commits=[], aborts=[], head=head)
    node = Actor(PartyId(A), Role.NODE)
    records = Records(a.durable.journal, a.durable.scribe)
    await records.record(node, f"pvp-decisions/{gone.name}", [fact], after=0, owner=node.party)
    net.logs_closed = False
    await a.service.tick()
    await net.deliver()
    (dealing,) = await net.nodes[B].service.deals(speaks(B), limit=9)
    assert dealing.state == "committed"


async def test_a_node_decides_no_deal_that_it_never_agreed_to(net: Net) -> None:
    await _quoted(net)
    await _accept(net)
    a, b = net.nodes[A], net.nodes[B]
    (dealing,) = await a.service.deals(speaks(A), limit=9)
    signer = b.quotes.signer(BANK[B])
    own = signer.public.multikey
    terms = replace(dealing.terms, nonce="never", first_key=own, second_key=own)
    votes = encode_votes([Vote(terms, side, yes=True) for side in Side], signer)
    with pytest.raises(Refused) as refused:
        await a.service.take(Letter(VOTES, B, str(BANK[B]), str(BANK[A])), votes)
    assert refused.value.code == "pvp_not_ours"
    assert not [e for e in a.durable.journal.written if e.event.type == PvpDecided.TYPE]


async def test_a_decider_that_rewrites_an_old_decision_stops_the_other_side(net: Net) -> None:
    await _quoted(net)
    for number in range(2):
        await _accept(net, f"D-{number}")
        await net.deliver()
    net.logs_closed = True
    await _accept(net, "D-2")
    await net.deliver()
    a, b = net.nodes[A], net.nodes[B]
    held = await b.held()
    assert held > 0
    (waiting,) = [d for d in await b.service.deals(speaks(B), limit=9) if d.state == "waiting"]
    # A first decision once more, with another content: it says that the third deal is off.
    aborts = [waiting.agreed.deal]
    head = decision_head(FIRST_HEAD, 1, commits=[], aborts=aborts)
    fact = PvpDecided(number=1, previous=FIRST_HEAD, commits=[], aborts=aborts, head=head)
    node = Actor(PartyId(A), Role.NODE)
    (event,) = await Records(a.durable.journal, a.durable.scribe).record(
        node, "pvp-decisions/forged", [fact], after=0, owner=node.party
    )
    body = jcs({"event": event.encode().decode(), "proof": "proof", "ledgers": ["CNY", "KZT"]})
    with pytest.raises(Refused) as refused:
        await b.service.take(Letter(DECISION, A, str(BANK[A]), str(BANK[B])), body)
    assert refused.value.code == "pvp_contradiction"
    assert (await b.service.deal(speaks(B), waiting.agreed.reference)).state == "waiting"
    assert await b.held() == held
    assert await b.service.stopped(speaks(B))


async def test_above_the_limit_two_persons_accept(net: Net) -> None:
    await _quoted(net)
    net.nodes[A].limits = "CNY 10.00"
    net.nodes[A].start()
    for person in ("aigerim", "aigerim"):
        with pytest.raises(Refused) as refused:
            await _accept(net, actor=Actor(BANK[A], Role.PARTY, person))
        assert refused.value.code == "needs_two_persons"
    assert await net.nodes[A].held() == 0
    done = await _accept(net, actor=Actor(BANK[A], Role.PARTY, "daniyar"))
    assert done.state == "waiting"


def _kinds(net: Net) -> list[str]:
    return [letter.kind for _, letter, _ in net.waiting]


async def test_a_vote_is_said_once_and_a_decider_that_starts_anew_knows_it(net: Net) -> None:
    await _quoted(net)
    await _accept(net)
    a, b = net.nodes[A], net.nodes[B]
    votes = await _votes(net)
    a.start()  # It has not counted its own vote yet, so it decides nothing.
    letter = Letter(VOTES, B, str(BANK[B]), str(BANK[A]))
    for _ in range(2):
        await a.service.take(letter, votes)
    net.waiting.clear()
    a.start()
    for _ in range(5):
        b.clock.set(b.clock.now().plus_ns(40 * NS))
        await b.service.tick()
    assert net.waiting == [], "nothing is said again"
    await _rest(net)
    assert (await a.service.deal(speaks(A), "D-1")).state == "committed"
    assert await a.balance("other") == 1_000_001
    # The same vote again, when all is over, is no trouble and no news.
    await a.service.take(letter, votes)
    assert net.waiting == []


async def test_a_vote_that_came_late_stays_late_after_a_start(net: Net) -> None:
    await _quoted(net)
    await _accept(net)
    a = net.nodes[A]
    votes = await _votes(net)
    a.start()
    a.clock.set(START.plus_ns(61 * NS))
    await a.service._books.open()
    heard = a.service._decide

    async def dies(chain: Any) -> None:
        raise Unavailable("the process ends here")

    a.service._decide = dies  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        await a.service.take(Letter(VOTES, B, str(BANK[B]), str(BANK[A])), votes)
    assert heard
    a.start()
    await _rest(net)
    assert (await a.service.deal(speaks(A), "D-1")).state == "aborted"
    assert await a.held() == await net.nodes[B].held() == 0


async def test_nothing_of_ended_deals_stays_in_memory_but_what_their_quote_sold(net: Net) -> None:
    await _quoted(net, sold_minor_max=10**9)
    for number in range(30):
        await _accept(net, f"D-{number}", sold=1_000)
        await net.deliver()
    for started in (False, True):
        for node in net.nodes.values():
            books = (node.start() if started else node).service._books
            assert await books.open() == []
            (chain,) = await books.chains()
            assert await chain.participant.cursor() == 30
            held = chain.participant._held
            # The newest decision is let go with the next one.
            assert len(held.decided) <= 1
            assert len(held.standing) <= 1
            if chain.decider is not None:
                assert len(await chain.decider._restored()) <= 1
                assert len(await chain.decider.decisions(after=29)) == 1
    await _accept(net, "D-last", sold=1_000)
    await _rest(net)
    assert await net.nodes[B].service._books.sold_under(BANK[B], "Q-1") == 31_000
    assert await net.nodes[A].balance("other") == 31_000


async def test_sums_of_quotes_that_are_over_are_let_go(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zhidao.finance.service.pvp.pvp_history.QUOTES_MAX", 1)
    await _quoted(net)
    await _accept(net, sold=1_000)
    await _rest(net)
    b = net.nodes[B]
    b.service._books._held.sold[BANK[B], "Q-0"] = 7
    await b.quotes.give(
        speaks(B),
        Quote(
            id="Q-0",
            dealer=str(BANK[B]),
            sold=Currency("CNY"),
            bought=Currency("KZT"),
            rate=Rate(1, 1),
            sold_minor_max=9,
            valid_until=b.clock.now().plus_ns(NS),
        ),
        client=str(BANK[A]),
        client_node=A,
        pays_from=await b.account("own"),
        receives_at=await net.nodes[A].account("other"),
    )
    assert await b.service._books.sold_under(BANK[B], "Q-1") == 1_000
    assert len(b.service._books._held.sold) == 2
    b.clock.set(b.clock.now().plus_ns(2 * NS))
    await b.service._books.sold_under(BANK[B], "Q-1")
    assert set(b.service._books._held.sold) == {(BANK[B], "Q-1")}


async def test_who_asks_while_a_node_starts_sees_the_same_chains(net: Net) -> None:
    """A page that looks in the first moment must not make the decider forget a vote."""
    await _quoted(net)
    await _accept(net)
    a = net.nodes[A].start()
    history = a.service._books._records.history

    async def slow(*words: Any) -> Any:
        await asyncio.sleep(0)
        return await history(*words)

    a.service._books._records.history = slow  # type: ignore[method-assign]
    first, second = await asyncio.gather(a.service._books.chains(), a.service._books.chains())
    assert first[0] is second[0]
