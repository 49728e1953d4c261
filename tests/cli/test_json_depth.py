"""Whoever reads JSON of others does so by the reader that knows a depth, and answers within bounds.

The source is looked through: a new reader without a bound fails here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
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
    "node/security/administration.py",
    "node/identity/log_rotation.py",
}
_ROOMS = {"simulation", "labs", "conformance"}
# Who reads an answer piece by piece, counting; everybody else asks by `core.hosts.answers.ask`. Each is
# tried past its bound in `tests/bounds`, and has one clock for the whole answer.
_COUNTING = {
    "core/hosts/answers.py",
    "exchange/adapters/http_invitations.py",
    "exchange/adapters/http_transport.py",
    "node/adapters/notifications/outward.py",
    "node/adapters/sign_in/provider.py",
    "trust/adapters/chain/json_rpc.py",
    "trust/adapters/evidence/http_evidence.py",
    "trust/adapters/http_network.py",
}
# It passes on what another process of the same node answers, piece by piece, and keeps nothing.
_PASSING_ON = {"node/runtime/standby.py"}
_READERS = ("json.loads", "json.load", "orjson.loads", "msgspec.json.decode", "json.JSONDecoder")
_PIECES = {"stream", "send"}
# These read an answer whole, however long and slow it is.
_WHOLE = {"get", "post", "put", "patch", "delete", "head", "options", "request", "build_request"}
_READ = {"json", "text", "content", "read", "aread", "iter_bytes", "aiter_bytes", "aiter_raw"}


def _modules() -> Iterator[tuple[str, str, ast.Module]]:
    root = Path(zhidao.__path__[0])
    for path in root.rglob("*.py"):
        if path.relative_to(root).parts[0] not in _ROOMS:
            text = path.read_text()
            yield str(path.relative_to(root)), text, ast.parse(text)


def _uses_client(tree: ast.Module) -> bool:
    """Whether it imports httpx, or names the module to have it loaded beside the loop."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and any(each.name == "httpx" for each in node.names):
            return True
        if isinstance(node, ast.ImportFrom) and node.module == "httpx":
            return True
        if isinstance(node, ast.Constant) and node.value == "httpx":
            return True
    return False


def _unbounded(tree: ast.Module) -> Iterator[str]:
    """What of a module asks a host, or reads an answer, with no bound of its own."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        name, of = node.func.attr, ast.unparse(node.func.value)
        of_client = of in ("httpx", "library") or "client" in of.lower() or "_opened" in of
        if (of_client and name in _WHOLE | _PIECES | {"Client"}) or name in _READ - {"json"}:
            yield f"{node.lineno}: {of}.{name}()"


def test_answers_of_others_are_read_within_bounds() -> None:
    asking = {name: (text, tree) for name, text, tree in _modules() if _uses_client(tree)}
    assert _COUNTING - {"core/hosts/answers.py"} | _PASSING_ON <= set(asking)
    found = {
        f"{name}:{place}"
        for name, (_, tree) in asking.items()
        if name not in _COUNTING | _PASSING_ON
        for place in _unbounded(tree)
    }
    assert not found, "use core.hosts.answers.ask"


def test_who_counts_the_bytes_of_an_answer_has_a_clock_for_the_whole() -> None:
    texts = {name: text for name, text, _ in _modules() if name in _COUNTING}
    assert set(texts) == _COUNTING
    for name, text in texts.items():
        assert re.search(r"asyncio\.timeout\(", text), name
        assert re.search(
            r"len\(\w+\) > \w*bytes_max|len\(\w+\) > \w*BYTES_MAX|> _ANSWER_BYTES", text
        ), name


def test_json_of_others_is_read_with_a_bound_on_its_depth() -> None:
    found = {
        name
        for name, _, tree in _modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in _READERS
    }
    assert found - _OWN == set(), "use core.canonical.parse_strict or decode_json"
