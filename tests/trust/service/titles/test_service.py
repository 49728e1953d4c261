from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import coincurve
import pytest
from tests.trust.title_bench import BILL, CHAIN, TitleBench, actor

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Conflict, Forbidden, NotFound, Refused, Unavailable, ZhidaoError
from zhidao.core.events import every
from zhidao.core.ids import PartyId
from zhidao.core.journal import Records
from zhidao.store.memory import MemoryJournal
from zhidao.trust.events import ChainTransaction, TitleMoved
from zhidao.trust.service.chain.submissions import Submission
from zhidao.trust.wire.evm import rlp
from zhidao.trust.wire.evm.title_contract import mint_call
from zhidao.trust.wire.evm.transaction import Draft, decode, sign

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@pytest.fixture
async def node() -> AsyncIterator[TitleBench]:
    node = TitleBench()
    yield node
    await node.stop()


async def minted(node: TitleBench):
    return await node.titles.mint(
        actor("carrier"),
        document=BILL,
        consignment="c-1",
        holder="exporter",
        readers=["importer", "importer-bank"],
    )


async def test_a_title_is_minted_kept_for_a_deal_and_released_to_the_buyer(node: TitleBench):
    title = await minted(node)
    assert (title.holder_party, title.beneficiary_party) == ("exporter", "exporter")
    assert title.registry == "0x" + node.registry.token.hex()
    kept = await node.titles.into_custody(actor("exporter"), title=BILL, deal="deal-1")
    assert (kept.custody, kept.holder_party) == ("deal-1", "node")
    raw = await node.titles.sign_from_custody(title=BILL, deal="deal-1", to_party="importer")
    assert (await node.titles.title(BILL)).custody == "deal-1", "signing moves nothing"
    sold = await node.titles.send(actor("importer-bank"), raw=raw, title=BILL, purpose="release")
    assert (sold.holder_party, sold.beneficiary_party, sold.custody) == ("importer", "importer", "")
    assert [fact.purpose for fact in node.transactions()] == [
        "deploy factory",
        "deploy registry",
        "let mint",
        "mint",
        "custody",
        "release",
    ]
    assert len(sold.transactions) == 3


async def test_every_use_case_repeated_answers_the_same_and_logs_nothing(node: TitleBench):
    first = await minted(node)
    assert await minted(node) == first
    kept = await node.titles.into_custody(actor("exporter"), title=BILL, deal="d")
    assert await node.titles.into_custody(actor("exporter"), title=BILL, deal="d") == kept
    raw = await node.titles.sign_from_custody(title=BILL, deal="d", to_party="importer")
    assert raw == await node.titles.sign_from_custody(title=BILL, deal="d", to_party="importer")
    bank = actor("importer-bank")
    sold = await node.titles.send(bank, raw=raw, title=BILL, purpose="release")
    written = len(node.journal.written)
    assert await node.titles.send(bank, raw=raw, title=BILL, purpose="release") == sold
    assert len(node.journal.written) == written


async def test_an_aborted_deal_returns_the_title_and_its_commit_can_never_run(node: TitleBench):
    await minted(node)
    await node.titles.into_custody(actor("exporter"), title=BILL, deal="d")
    commit = await node.titles.sign_from_custody(title=BILL, deal="d", to_party="importer")
    abort = await node.titles.sign_from_custody(title=BILL, deal="d", to_party="exporter")
    bank = actor("importer-bank")
    back = await node.titles.send(bank, raw=abort, title=BILL, purpose="abort")
    assert (back.holder_party, back.custody) == ("exporter", "")
    with pytest.raises(Refused) as caught:
        await node.titles.send(bank, raw=commit, title=BILL, purpose="release")
    assert caught.value.code == "replayed_nonce"
    # The seller may try the same deal's account again: its count went on.
    again = await node.titles.into_custody(actor("exporter"), title=BILL, deal="d")
    assert again.custody == "d"
    raw = await node.titles.sign_from_custody(title=BILL, deal="d", to_party="importer")
    sold = await node.titles.send(bank, raw=raw, title=BILL, purpose="release")
    assert sold.holder_party == "importer"


async def test_a_document_gets_one_title_whoever_asks_again(node: TitleBench):
    await minted(node)
    for party, holder in (("carrier", "importer"), ("stranger", "stranger")):
        with pytest.raises(Conflict) as caught:
            await node.titles.mint(
                actor(party), document=BILL, consignment="c-1", holder=holder, readers=[]
            )
        assert caught.value.code == "title_exists"


async def test_strangers_see_no_title_and_move_none(node: TitleBench):
    await minted(node)
    stranger = actor("stranger")
    for attempt in (
        node.titles.title_for(stranger, BILL),
        node.titles.into_custody(stranger, title=BILL, deal="d"),
        node.titles.send(stranger, raw=b"\x02", title=BILL, purpose="x"),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert await node.titles.titles_for(stranger, limit=10) == ([], "")
    with pytest.raises(Refused) as caught:
        await node.titles.into_custody(actor("importer"), title=BILL, deal="d")
    assert caught.value.code == "not_holder"
    seen, _ = await node.titles.titles_for(actor("importer"), limit=10)
    assert [title.title for title in seen] == [BILL]


async def test_only_parties_that_may_mint_do(node: TitleBench):
    with pytest.raises(Forbidden):
        await node.titles.mint(
            Actor(PartyId("carrier"), Role.AUDITOR),
            document=BILL,
            consignment="c",
            holder="exporter",
            readers=[],
        )
    with pytest.raises(NotFound):
        await node.titles.mint(
            actor("carrier"), document=BILL, consignment="c", holder="unknown", readers=[]
        )
    assert not node.journal.written


def _malleated(raw: bytes) -> bytes:
    fields = rlp.decode(raw[1:])
    parity = 1 - int.from_bytes(fields[9], "big")
    s = ORDER - int.from_bytes(fields[11], "big")
    twin = [*fields[:9], rlp.encode_integer(parity), fields[10], rlp.encode_integer(s)]
    return b"\x02" + rlp.encode(twin)


async def test_forged_transfers_are_refused_with_their_reason_and_never_logged(node: TitleBench):
    await minted(node)
    bank = actor("importer-bank")
    good = node.transfer("exporter", "importer")
    other = _for_another_title(node, good)
    attacks = {
        "not_holder": node.transfer("stranger", "stranger"),
        "wrong_chain": node.transfer("exporter", "importer", chain_id=CHAIN + 1),
        "nonce_gap": node.transfer("exporter", "importer", nonce=1),
        "malleated_signature": _malleated(good),
        "wrong_registry": other,
        "malformed_input": good[:-1],
    }
    written = len(node.journal.written)
    for code, raw in attacks.items():
        with pytest.raises(ZhidaoError) as caught:
            await node.titles.send(bank, raw=raw, title=BILL, purpose="attack")
        assert caught.value.code == code
    assert len(node.journal.written) == written
    moved = await node.titles.send(bank, raw=good, title=BILL, purpose="transfer")
    assert moved.holder_party == "importer"
    late = node.transfer("exporter", "stranger")
    with pytest.raises(Refused) as caught:
        await node.titles.send(bank, raw=late, title=BILL, purpose="attack")
    assert caught.value.code == "replayed_nonce"


def _for_another_title(node: TitleBench, raw: bytes) -> bytes:
    transaction = decode(raw)
    draft = Draft(
        chain_id=CHAIN,
        nonce=0,
        to=node.registry.escrow(bytes(32)),
        data=transaction.data,
        gas=600_000,
    )
    return sign(draft, node.accounts.of_party(PartyId("exporter")).sign_digest)


async def test_what_is_logged_all_the_same_changes_nothing(node: TitleBench):
    """A log entry that breaks the chain's rules gets a receipt and no effect."""
    await minted(node)
    root = await node.executor.state_root()
    carrier = node.accounts.of_party(PartyId("carrier"))
    twice = sign(
        Draft(
            chain_id=CHAIN,
            nonce=1,
            to=node.registry.token,
            data=mint_call(bytes.fromhex(BILL), carrier.address),
            gas=600_000,
        ),
        carrier.sign_digest,
    )
    (sent,) = await node.log.submit(lambda _: [Submission(actor("carrier"), twice, "attack", BILL)])
    receipt = await node.executor.receipt(sent.hash, timeout_s=5)
    assert receipt.refusal.code == "title_exists"
    # The reverted call used up the sender's number, as on every EVM; a bad one does not even that.
    assert await node.executor.state_root() != root
    bad = ChainTransaction(chain_id=CHAIN, raw="02c0", hash="0x00", purpose="junk", title="")
    history = await node.records.history(node.log.aggregate)
    await node.records.record(
        actor("stranger"),
        node.log.aggregate,
        [bad],
        after=len(history),
        owner=PartyId("stranger"),
    )
    # The writer finds out that somebody else wrote, reads anew and goes on.
    kept = await node.titles.into_custody(actor("exporter"), title=BILL, deal="d")
    assert kept.custody == "d"
    assert len([f for f in node.transactions() if f.purpose == "junk"]) == 1


async def test_a_restart_replays_the_log_to_the_same_state(node: TitleBench):
    await minted(node)
    await node.titles.into_custody(actor("exporter"), title=BILL, deal="d")
    raw = await node.titles.sign_from_custody(title=BILL, deal="d", to_party="importer")
    root = await node.executor.state_root()
    await node.stop()
    node.start()
    assert await node.executor.state_root() == root
    assert raw == await node.titles.sign_from_custody(title=BILL, deal="d", to_party="importer")
    sold = await node.titles.send(actor("importer-bank"), raw=raw, title=BILL, purpose="release")
    assert sold.holder_party == "importer"


async def test_a_mint_that_outlived_its_caller_is_found_again_not_repeated(node: TitleBench):
    await node.stop()
    node.start(relay=False, timeout_s=0.05)
    with pytest.raises(Unavailable) as caught:
        await minted(node)
    assert caught.value.code == "not_executed_yet"
    with pytest.raises(Unavailable):
        await minted(node)
    await node.stop()
    node.start()
    assert (await minted(node)).holder_party == "exporter"
    assert [fact.purpose for fact in node.transactions()].count("mint") == 1


@pytest.mark.parametrize("crash_after", range(1, 20))
async def test_a_crash_after_any_write_is_finished_by_repeating(node: TitleBench, crash_after: int):
    class Crash(Exception):
        pass

    journal_append = node.journal.append
    writes = 0

    @dataclass
    class CrashingJournal:
        journal: MemoryJournal

        async def append(self, entries, *, handled=None):
            nonlocal writes
            writes += 1
            done = await journal_append(entries, handled=handled)
            if writes == crash_after:
                raise Crash
            return done

        def __getattr__(self, name):
            return getattr(self.journal, name)

    node.records = Records(CrashingJournal(node.journal), node.records._scribe)
    await node.stop()

    decision: list[bytes] = []

    async def road():
        if not decision:
            await minted(node)
            await node.titles.into_custody(actor("exporter"), title=BILL, deal="d")
            raw = await node.titles.sign_from_custody(title=BILL, deal="d", to_party="importer")
            # What finance writes down durably, and then only carries out.
            decision.append(raw)
        return await node.titles.send(
            actor("importer-bank"), raw=decision[0], title=BILL, purpose="release"
        )

    # One crash; on a busy machine the short time-out may end a few sound attempts, too.
    for _ in range(20):
        node.start(timeout_s=0.3)
        try:
            sold = await road()
            break
        except (Crash, Unavailable):
            await node.stop()
    assert sold.holder_party == "importer"
    moves = every(await node.records.history(f"title/{BILL}"), TitleMoved)
    assert [move.action for move in moves] == ["mint", "transfer", "transfer"]
    assert len(node.transactions()) == 6


def test_malleated_twin_has_the_same_sender_but_is_refused():
    key = coincurve.PrivateKey(b"k" * 32)
    draft = Draft(chain_id=1, nonce=0, to=None, data=b"", gas=60_000)
    raw = sign(draft, lambda digest: key.sign_recoverable(digest, hasher=None))
    with pytest.raises(Refused) as caught:
        decode(_malleated(raw))
    assert caught.value.code == "malleated_signature"
