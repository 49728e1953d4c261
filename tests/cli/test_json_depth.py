"""Whoever reads JSON of others does so by the reader that knows a depth."""

from __future__ import annotations

import ast
from pathlib import Path

import zhidao

# What the program itself wrote or shipped: its own state, its children, its own packs; and the
# body of a request whose depth the guard has looked at (`test_bodies_are_read_strictly`).
_OWN = {
    "node/http/strict.py",
    "core/canonical.py",
    "bus/nats.py",
    "finance/wire/ledger_bundle.py",
    "finance/domain/ledger/snapshot.py",
    "connectivity/adapters/postgres.py",
    "trade/adapters/rule_worker.py",
    "trust/adapters/chain/own_artefacts.py",
    "trust/adapters/chain/title_artefacts.py",
    "trust/adapters/witness/file.py",
    "finance/adapters/schema_pack.py",
    "node/operations/checkup.py",
    "node/security/administration.py",
    "node/identity/log_rotation.py",
}
_ROOMS = {"simulation", "labs", "conformance"}


def test_json_of_others_is_read_with_a_bound_on_its_depth() -> None:
    root = Path(zhidao.__path__[0])
    found = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        if path.relative_to(root).parts[0] not in _ROOMS
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("json.loads", "orjson.loads", "msgspec.json.decode")
    }
    assert found - _OWN == set(), "use core.canonical.parse_strict or decode_json"
