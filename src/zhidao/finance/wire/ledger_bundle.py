"""The audit bundle: a whole ledger in one file, to be checked by somebody who trusts nobody.

A ZIP archive: `ledger.json` says what it holds; `accounts.jsonl` each account with its final sums;
`batches.jsonl` each batch's number, count, root, head and failed ids; `records.bin` every transfer
as TigerBeetle's 128-byte record, one batch after the other. Checking applies every batch again to
an empty ledger, so that a wrong sum, a missing or an added transfer shows at its batch.
"""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple
from uuid import UUID

from zhidao.core.canonical import check_depth
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.versions import check_tag
from zhidao.finance.domain.ledger.chain import Batch, Failures
from zhidao.finance.domain.ledger.ledger import Account, AccountFlag, Result, account_flags
from zhidao.finance.domain.ledger.records import RECORD_BYTES
from zhidao.finance.domain.ledger.validator import Validator

FORMAT: Final = "zhidao ledger bundle 1"
_LINE_BYTES_MAX: Final = 16 * 1024 * 1024
_NAMES: Final = ("ledger.json", "accounts.jsonl", "batches.jsonl", "records.bin")
_NUMBERS: Final = (
    *("ledger", "code", "flags", "user_data_128", "user_data_64", "user_data_32", "timestamp"),
    *("debits_pending", "debits_posted", "credits_pending", "credits_posted"),
)


# What reading a spoiled archive raises: a ZIP of another version, an encrypted member, damaged
# data, another shape of JSON.
_SPOILED: Final = (
    *(OSError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, struct.error),
    *(KeyError, IndexError, ValueError, TypeError, AttributeError, OverflowError),
)


class Checked(NamedTuple):
    """What a bundle holds, once every batch was applied again."""

    ledger: str
    batches: int
    transfers: int
    accounts: int
    head: str


async def write_bundle(
    file: BinaryIO,
    shard: str,
    accounts: Sequence[Account],
    batches: AsyncIterator[Batch],
    *,
    told: dict[UUID, dict[str, str]],
) -> dict[str, Any]:
    """Writes the archive; what `ledger.json` says. `told`: what else is known of accounts."""
    summary: dict[str, Any] = {"format": FORMAT, "ledger": shard, "accounts": len(accounts)}
    lines, transfers, number, head = [], 0, 0, ""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        # Records do not compress.
        entry = zipfile.ZipInfo("records.bin")
        with archive.open(entry, "w", force_zip64=True) as records:
            async for batch in batches:
                records.write(batch.data)
                lines.append(json.dumps(_batch_line(batch)))
                transfers += len(batch.data) // RECORD_BYTES
                number, head = batch.number, batch.head.hex()
        archive.writestr("batches.jsonl", "\n".join(lines))
        archive.writestr(
            "accounts.jsonl",
            "\n".join(
                json.dumps(_account_line(one) | {"told": told.get(one.id, {})}) for one in accounts
            ),
        )
        summary |= {"batches": number, "transfers": transfers, "head": head}
        archive.writestr("ledger.json", json.dumps(summary, indent=1))
    return summary


def check_bundle(file: Path) -> Checked:
    """Applies every batch again; what the bundle holds.

    Raises MalformedInput for what is no bundle, Refused with code `ledger_head_differs` or
    `ledger_sums_differ` for one that does not hold.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            if sorted(archive.namelist()) != sorted(_NAMES):
                raise MalformedInput(f"{file} is no audit bundle of a ledger")
            return _check(archive)
    except _SPOILED as error:
        raise MalformedInput(f"{file} is no audit bundle: {error}") from error


def _check(archive: zipfile.ZipFile) -> Checked:
    summary = _read(archive.read("ledger.json"))
    told = str(summary["format"])
    check_tag(told, (FORMAT,), form="an audit bundle", where="ledger.json format")
    if summary["format"] != FORMAT:
        raise MalformedInput(f"a bundle of another format: {str(summary['format'])[:40]!r}")
    shard = str(summary["ledger"])
    held, final = Validator(shard), {}
    for line in _lines(archive, "accounts.jsonl"):
        account = _account(line)
        final[account.id] = account
        held.book.put_account(_at_first(account))
    transfers = 0
    with archive.open("records.bin") as records:
        for line in _lines(archive, "batches.jsonl"):
            batch = _batch(shard, line, records)
            transfers += len(batch.data) // RECORD_BYTES
            if not held.replay(batch):
                raise Refused(
                    f"batch {batch.number} does not give the head that is written for it",
                    code="ledger_head_differs",
                )
        if records.read(1):
            raise MalformedInput("records stand behind the last batch")
    for account in held.book.accounts():
        if account != final[account.id]:
            raise Refused(
                f"account {account.id} does not end with the sums that are written for it",
                code="ledger_sums_differ",
            )
    if (held.number, held.head.hex() if held.number else "") != (
        summary["batches"],
        summary["head"],
    ):
        raise Refused("the last head is not the one written", code="ledger_head_differs")
    return Checked(shard, held.number, transfers, len(final), held.head.hex())


def _lines(archive: zipfile.ZipFile, name: str) -> Iterator[dict[str, Any]]:
    with archive.open(name) as stream:
        while line := stream.readline(_LINE_BYTES_MAX + 1):
            if len(line) > _LINE_BYTES_MAX:
                raise MalformedInput(f"a line of more than {_LINE_BYTES_MAX} bytes in {name}")
            if line.strip():
                yield _read(line)


def _read(data: bytes) -> Any:
    # Sums of accounts have 128 bits, more than strict reading takes.
    check_depth(data)
    return json.loads(data)


def _batch_line(batch: Batch) -> dict[str, Any]:
    return {
        "number": batch.number,
        "transfers": len(batch.data) // RECORD_BYTES,
        "root": batch.root.hex(),
        "head": batch.head.hex(),
        "failures": [[name.hex(), result.value] for name, result in batch.failures],
    }


def _batch(shard: str, line: dict[str, Any], records: Any) -> Batch:
    size = int(line["transfers"]) * RECORD_BYTES
    if not 0 <= size <= _LINE_BYTES_MAX:
        raise MalformedInput(
            f"a batch of {line['transfers']} transfers; at most"
            f" {_LINE_BYTES_MAX // RECORD_BYTES} are read"
        )
    data = records.read(size)
    if len(data) != size:
        raise MalformedInput("records.bin ends before the last batch")
    failures: Failures = tuple(
        (bytes.fromhex(name), Result(result)) for name, result in line["failures"]
    )
    return Batch(
        shard,
        int(line["number"]),
        data,
        failures,
        bytes.fromhex(line["root"]),
        bytes.fromhex(line["head"]),
    )


def _account_line(account: Account) -> dict[str, Any]:
    # As strings: 128 bits do not survive every JSON reader.
    return {"id": account.id.hex} | {name: str(int(getattr(account, name))) for name in _NUMBERS}


def _account(line: dict[str, Any]) -> Account:
    numbers = {name: int(line[name]) for name in _NUMBERS}
    flags = account_flags(numbers.pop("flags"))
    return Account(UUID(line["id"]), flags=flags, **numbers)


def _at_first(account: Account) -> Account:
    """The account as it was opened: no sums, and open."""
    return Account(
        account.id,
        account.ledger,
        account.code,
        account.flags & ~AccountFlag.CLOSED,
        account.user_data_128,
        user_data_64=account.user_data_64,
        user_data_32=account.user_data_32,
        timestamp=account.timestamp,
    )
