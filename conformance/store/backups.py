"""Altered backups: each is refused by name, whatever was put right again without the node's key.

500 cases, 10,000 with `--long`; each by its own number, so that a failure can be made again: bytes,
members that changed places or are gone, and archives older than one that is known. No outside data.
"""

from __future__ import annotations

import io
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conformance.verdicts import judged

ROOT = Path(__file__).resolve().parents[2]
COUNT, LONG, SEED = 500, 10_000, 2026
OLDER = 20


def run(shared: Path | None, *, long: bool = False) -> dict[str, Any]:
    """The report."""
    del shared
    return judged("backups", _cases(LONG if long else COUNT))


def _cases(count: int) -> Iterator[tuple[str, bool]]:
    sys.path.insert(0, str(ROOT))
    from tests.store.altered_backups import NAMES, altered, refusal

    whole = _archive(1)
    yield "the archive as written", refusal(whole) == ""
    for name, data in altered(whole, count=count, seed=SEED):
        yield name, refusal(data) in NAMES
    for number in range(1, OLDER):
        yield f"backup {number} of {OLDER}", _judged_older(number)


def _archive(number: int) -> bytes:
    """An archive of forty tables with random rows, signed."""
    from zhidao.core.canonical import jcs
    from zhidao.core.keys import Algorithm, SoftwareKey
    from zhidao.store.backup_contents import FORMAT, Seal, Table
    from zhidao.store.backup_format import HEAD, VERSION, Writer

    source, out = random.Random(SEED), io.BytesIO()  # noqa: S311 (repeats by its seed)
    seal = Seal(Writer(out), SoftwareKey(Algorithm.ED25519, source.randbytes(32)))
    meta = {"node": "corridor", "number": number, "at": "2026-11-28T00:00:00Z"}
    head = {"format": FORMAT, "v": VERSION, "meta": meta, "migrations": [], "left_out": []}
    seal.add(HEAD, jcs(head))
    tables = [Table(f"room.table{n:02d}", ["id", "row"], n, 1 + n % 3) for n in range(40)]
    for table in tables:
        for part in range(table.parts):
            name = f"tables/{table.name}/{part:08d}"
            seal.add(name, source.randbytes(source.randrange(1, 2000)))
    seal.finish(tables)
    return out.getvalue()


def _judged_older(number: int) -> bool:
    from tests.store.altered_backups import InMemory

    from zhidao.core.errors import Refused
    from zhidao.node.operations.backup import Conditions
    from zhidao.store.backup import Summary
    from zhidao.store.backup_contents import check

    contents = check(InMemory(_archive(number)))
    assert contents.signer is not None
    summary = Summary(contents.head.meta, {}, 0, contents.signer, sealed=False)
    signers = (contents.signer.fingerprint,)
    Conditions(signers, OLDER, older=number).judge(summary)
    try:
        Conditions(signers, OLDER).judge(summary)
    except Refused as refused:
        return refused.code == "backup_older" and f"--older {number}" in refused.remedy
    return False
