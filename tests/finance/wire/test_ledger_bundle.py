"""An audit bundle holds a ledger whole, and what was changed in it shows."""

from __future__ import annotations

import json
import zipfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import UUID

import pytest

from zhidao.core.errors import MalformedInput, Refused
from zhidao.finance.domain.ledger.chain import Batch
from zhidao.finance.domain.ledger.ledger import Account, AccountFlag, Transfer, TransferFlag
from zhidao.finance.service.ledger.ledger import Ledger
from zhidao.finance.service.ledger.recovery import recover
from zhidao.finance.wire.ledger_bundle import check_bundle, write_bundle

ONE, TWO = UUID(int=1), UUID(int=2)


@pytest.fixture
async def bundle(durable, tmp_path: Path) -> Path:
    ledger = Ledger(durable.store, scribe=durable.scribe, clock=durable.clock, holder="node")
    limited = AccountFlag.DEBITS_MUST_NOT_EXCEED_CREDITS
    await ledger.open_accounts("CNY", [Account(ONE, 7, 1), Account(TWO, 7, 1, limited)], [])

    def pay(number: int, debit: UUID, credit: UUID, amount: int, **more) -> Transfer:
        return Transfer(UUID(int=number), debit, credit, amount, ledger=7, code=1, **more)

    await ledger.submit("CNY", [pay(10, ONE, TWO, 1_000)])
    await ledger.submit("CNY", [pay(11, TWO, ONE, 9_000), pay(12, TWO, ONE, 400)])
    await ledger.submit("CNY", [pay(13, TWO, ONE, 1, flags=TransferFlag.PENDING)])

    async def batches() -> AsyncIterator[Batch]:
        for batch in await durable.store.batches("CNY", after=0):
            yield batch

    held = await recover(durable.store, "CNY", from_start=True)
    file = tmp_path / "cny.zip"
    with file.open("wb") as out:
        told = await write_bundle(out, "CNY", list(held.book.accounts()), batches(), told={})
    assert (told["batches"], told["transfers"], told["head"]) == (3, 3, held.head.hex())
    return file


async def test_a_bundle_gives_the_same_sums_and_head(bundle: Path) -> None:
    found = check_bundle(bundle)
    assert (found.ledger, found.batches, found.transfers, found.accounts) == ("CNY", 3, 3, 2)


def changed(file: Path, name: str, change: Callable[[bytes], bytes]) -> Path:
    """The bundle with one member changed."""
    with zipfile.ZipFile(file) as archive:
        held = {one: archive.read(one) for one in archive.namelist()}
    held[name] = change(held[name])
    other = file.with_name("changed.zip")
    with zipfile.ZipFile(other, "w") as archive:
        for one, data in held.items():
            archive.writestr(one, data)
    return other


@pytest.mark.parametrize(
    ("name", "change", "code"),
    [
        ("records.bin", lambda data: data[:50] + b"\x01" + data[51:], "ledger_head_differs"),
        (
            "accounts.jsonl",
            lambda data: data.replace(b'"debits_posted": "400"', b'"debits_posted": "401"'),
            "ledger_sums_differ",
        ),
        (
            "ledger.json",
            lambda data: data.replace(b'"batches": 3', b'"batches": 4'),
            "ledger_head_differs",
        ),
    ],
)
async def test_what_was_changed_is_found(
    bundle: Path, name: str, change: Callable[[bytes], bytes], code: str
) -> None:
    with pytest.raises(Refused) as refused:
        check_bundle(changed(bundle, name, change))
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("records.bin", lambda data: data[:-1]),
        ("records.bin", lambda data: data + bytes(128)),
        ("ledger.json", lambda _: b"{}"),
        ("batches.jsonl", lambda _: b"[1]"),
        ("accounts.jsonl", lambda data: data.replace(b'"code"', b'"cod"')),
        # A bit that no flag has, and one that no flag could have.
        ("accounts.jsonl", lambda data: data.replace(b'"flags": "2"', b'"flags": "66"')),
        ("accounts.jsonl", lambda data: data.replace(b'"flags": "2"', b'"flags": "65538"')),
        ("accounts.jsonl", lambda data: data.replace(b'"flags": "2"', b'"flags": "-2"')),
    ],
)
async def test_what_is_no_bundle_is_refused(
    bundle: Path, name: str, change: Callable[[bytes], bytes]
) -> None:
    with pytest.raises(MalformedInput):
        check_bundle(changed(bundle, name, change))
    bundle.write_bytes(b"PK")
    with pytest.raises(MalformedInput):
        check_bundle(bundle)


async def test_a_failed_id_stands_in_the_bundle(bundle: Path) -> None:
    with zipfile.ZipFile(bundle) as archive:
        lines = [json.loads(line) for line in archive.read("batches.jsonl").splitlines()]
    assert [one[1] for line in lines for one in line["failures"]] == ["exceeds_credits"]
