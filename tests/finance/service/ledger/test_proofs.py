"""Proofs hold for an outsider who has only the log's word, and for nothing that was changed."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput, NotFound
from zhidao.finance.adapters.postgres_ledger import PostgresLedgerStore
from zhidao.finance.adapters.postgres_places import PostgresTransferPlaces
from zhidao.finance.domain.ledger.ledger import Account, AccountFlag, Transfer, TransferFlag
from zhidao.finance.service.ledger.ledger import Ledger
from zhidao.finance.service.ledger.proofs import Proofs
from zhidao.finance.wire.ledger_proof import BYTES_MAX, decode, encode
from zhidao.store.database import Database
from zhidao.store.journal import PostgresJournal

CHECK = Path(__file__).resolve().parents[4] / "docs" / "checks" / "ledger_proof_check.py"
LIMITED = AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS


def pay(number: int, amount: int = 5, **more: Any) -> Transfer:
    return Transfer(UUID(int=number), UUID(int=1), UUID(int=2), amount, ledger=7, code=1, **more)


async def written(store: Any, durable: Any) -> Ledger:
    """Two batches; the second also spends id 22 on a failure of its moment."""
    ledger = Ledger(store, scribe=durable.scribe, clock=durable.clock, holder="node")
    accounts = [
        Account(UUID(int=n), 7, 1, LIMITED if n == 3 else AccountFlag(0)) for n in (1, 2, 3)
    ]
    await ledger.open_accounts("X", accounts, [])
    await ledger.submit("X", [pay(10), pay(11, 9)])
    poor = Transfer(UUID(int=22), UUID(int=3), UUID(int=1), 1, ledger=7, code=1)
    await ledger.submit("X", [pay(n) for n in range(12, 19)] + [poor])
    return ledger


async def heads(store: Any) -> list[bytes]:
    return [batch.head for batch in await store.batches("X", after=0)]


async def proves_what_stands(store: Any, places: Any, durable: Any) -> None:
    ledger = await written(store, durable)
    proofs = Proofs(store, places)
    for number, batch in ((10, 0), (11, 0), (12, 1), (18, 1)):
        proof = await proofs.transfer("X", UUID(int=number))
        assert proof.anchor == (await heads(store))[batch]
        assert decode(encode(proof)) == proof
    for absent in (22, 99):
        with pytest.raises(NotFound):
            await proofs.transfer("X", UUID(int=absent))
    with pytest.raises(NotFound):
        await proofs.balance("X", UUID(int=2))
    stated = await ledger.state_balances("X")
    await ledger.submit("X", [pay(30)])
    proof = await proofs.balance("X", UUID(int=2))
    assert (proof.anchor or b"").hex() == stated.root
    with pytest.raises(NotFound):
        await proofs.balance("X", UUID(int=5))


async def test_proofs_lead_to_what_the_log_states(durable) -> None:
    await proves_what_stands(durable.store, durable.store, durable)


@pytest.mark.service
async def test_proofs_from_postgresql_are_the_same(durable, database: Database) -> None:
    store = PostgresLedgerStore(database, PostgresJournal(database, "finance", lambda: None))
    await proves_what_stands(store, PostgresTransferPlaces(database), durable)


async def test_a_changed_part_leads_elsewhere(durable) -> None:
    await written(durable.store, durable)
    proof = await Proofs(durable.store, durable.store).transfer("X", UUID(int=14))
    for change in (
        {"record": bytes([proof.record[0] ^ 1]) + proof.record[1:]},
        {"index": proof.index + 1},
        {"count": proof.count + 1},
        {"batch": proof.batch + 1},
        {"path": proof.path[:-1]},
        {"head_before": bytes(32)},
    ):
        assert replace(proof, **change).anchor != proof.anchor


async def test_the_independent_verifier_agrees(durable, tmp_path: Path) -> None:
    ledger = await written(durable.store, durable)
    stated = await ledger.state_balances("X")
    proofs = Proofs(durable.store, durable.store)
    file = tmp_path / "proof.json"

    def checked(anchor: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-I", str(CHECK), str(file), anchor]
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=20)

    file.write_bytes(encode(await proofs.transfer("X", UUID(int=11))))
    done = checked((await heads(durable.store))[0].hex())
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["id"], told["amount"], told["batch"]) == (11, 9, 1)
    assert checked((await heads(durable.store))[1].hex()).returncode == 1
    file.write_bytes(encode(await proofs.balance("X", UUID(int=2))))
    assert json.loads(checked(stated.root).stdout)["credits_posted"] == 49


def test_the_verifier_is_short_and_imports_nothing_of_ours() -> None:
    text = CHECK.read_text()
    assert text.count("\n") <= 60
    assert "zhidao" not in text


@given(st.binary(max_size=300) | st.just(b"x" * (BYTES_MAX + 1)))
def test_any_bytes_are_a_proof_or_refused(data: bytes) -> None:
    with contextlib.suppress(MalformedInput):
        decode(data)


async def test_kinds_of_flags_do_not_matter(durable) -> None:
    await written(durable.store, durable)
    ledger = Ledger(durable.store, scribe=durable.scribe, clock=durable.clock, holder="b")
    await ledger.submit("X", [pay(40, flags=TransferFlag.PENDING)])
    proof = await Proofs(durable.store, durable.store).transfer("X", UUID(int=40))
    assert proof.anchor == (await heads(durable.store))[-1]
