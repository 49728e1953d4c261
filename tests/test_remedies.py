"""A refusal says what, where and what to do: by itself, or by the tables of the rooms."""

from __future__ import annotations

import ast
import pickle
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import pytest

import zhidao
from zhidao.core.errors import MalformedInput, NotFound, Refused
from zhidao.core.remedies import FILE, remedies, remedy_of, with_remedy
from zhidao.finance.domain.ledger.ledger import Result
from zhidao.node.runtime.worker_process import _as_bytes
from zhidao.trust.domain import title_rules
from zhidao.trust.wire.log.note import decode_note
from zhidao.trust.wire.proof_file.zdproof import decode_proof

ROOT: Final = Path(zhidao.__file__).parent
# As wide as their class: what to do depends on what was read, or on where it was raised.
WIDE: Final = {"malformed_input", "not_found", "conflict", "refused", "unavailable"}
# Codes that are no literal at the place of the raise, and where their words come from.
DYNAMIC: Final = {
    *(
        result.value
        for result in Result
        if result.value not in ("posted", "voided", "expired", "created")
    ),
    *title_rules._SENTENCES,
    *("unknown_speaker", "revoked_key", "retired_key", "early_key"),
    *("revoked", "suspended", "did_deactivated", "deal_state", "escrow_state", "disputed"),
    *("peer_busy", "status_stale", "bad_status_list"),
}
# What the framework itself refuses by, and answers that are no exception.
OF_HTTP: Final = {
    *("bad_request", "invalid", "method_not_allowed", "internal", "request_entity_too_large"),
    *("error", "unsupported_media_type"),
}


class Raise(NamedTuple):
    module: str
    line: int
    code: str


@cache
def default_codes() -> dict[str, str]:
    """The code of each class of refusals, read from the classes' own text."""
    found = {"ZhidaoError": "error"}
    classes = [
        node
        for path in ROOT.rglob("*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef) and node.bases and isinstance(node.bases[0], ast.Name)
    ]
    grown = True
    while grown:
        grown = False
        for node in classes:
            base = node.bases[0]
            assert isinstance(base, ast.Name)
            if node.name not in found and base.id in found:
                own = [
                    each.value.value
                    for each in node.body
                    if isinstance(each, ast.Assign | ast.AnnAssign)
                    and isinstance(each.value, ast.Constant)
                    and "default_code" in ast.unparse(each)
                ]
                found[node.name] = str(own[0]) if own else found[base.id]
                grown = True
    return found


def raises(tree: ast.AST, module: str) -> Iterator[Raise]:
    """Refusals that are made without a remedy of their own; the code of dynamic ones is ""."""
    known = default_codes()
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        default = known.get(node.func.id)
        words = {each.arg: each.value for each in node.keywords}
        # CAMARA's refusals have a form of their own, without such a member.
        if default is None or node.func.id == "Declined" or "remedy" in words:
            continue
        code = words.get("code")
        if code is None:
            yield Raise(module, node.lineno, default)
        else:
            told = code.value if isinstance(code, ast.Constant) else ""
            yield Raise(module, node.lineno, str(told))


def all_raises() -> list[Raise]:
    found: list[Raise] = []
    for path in ROOT.rglob("*.py"):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        found += raises(ast.parse(path.read_text()), module)
    return found


def covered(places: Iterable[str], module: str) -> set[str]:
    return {place for place in places if module == place or module.startswith(f"{place}.")}


RAISES: Final = all_raises()


def test_each_code_that_is_raised_without_a_remedy_of_its_own_stands_in_a_table() -> None:
    table = remedies()
    codes = {one.code for one in RAISES} - {""} | DYNAMIC
    assert len(codes) > 300
    assert sorted(code for code in codes if not table.of_code(code)) == []


def test_a_code_as_wide_as_its_class_has_a_remedy_for_each_place() -> None:
    table = remedies()
    lacking = set()
    for one in RAISES:
        if one.code not in WIDE:
            continue
        found = covered(table.raised.get(one.code, {}), one.module)
        if one.code == "malformed_input":
            found |= covered(table.readers, one.module)
        if not found:
            lacking.add((one.code, one.module))
    assert sorted(lacking) == []


def test_the_tables_hold_nothing_that_is_not_raised() -> None:
    table = remedies()
    codes = {one.code for one in RAISES} | DYNAMIC | OF_HTTP
    every = set(default_codes().values())
    assert sorted(set(table.codes) - codes - every) == []
    for start in table.families:
        assert any(code.startswith(start) for code in codes), start
    for code, places in table.raised.items():
        raised = {one.module for one in RAISES if one.code == code}
        assert not [place for place in places if not any(covered([place], m) for m in raised)]
    modules = {one.module for one in RAISES if one.code == "malformed_input"}
    assert not [place for place in table.readers if not any(covered([place], m) for m in modules)]


def test_a_code_stands_in_one_room_and_a_remedy_is_one_short_sentence() -> None:
    seen: dict[str, str] = {}
    for file in ROOT.glob(f"*/{FILE}"):
        told = tomllib.loads(file.read_text())
        assert set(told) <= {"codes", "families", "readers", "raised"}, file
        for code in (*told.get("codes", {}), *told.get("families", {})):
            assert code not in seen, (code, file.parent.name, seen[code])
            seen[code] = file.parent.name
    table = remedies()
    texts = [*table.codes.values(), *table.families.values(), *table.readers.values()]
    texts += [text for places in table.raised.values() for text in places.values()]
    for text in texts:
        assert 10 < len(text) <= 130, text
        assert text[0].islower(), text
        assert not text.endswith("."), text
        assert "\n" not in text


def test_a_refusal_without_a_remedy_is_seen() -> None:
    text = 'raise Refused("no")\nraise Refused("no", remedy="ask")\nprint(MalformedInput("x", code="y"))'
    assert list(raises(ast.parse(text), "m")) == [Raise("m", 1, "refused"), Raise("m", 3, "y")]


def test_the_outermost_reader_tells_what_to_do() -> None:
    with pytest.raises(MalformedInput) as proof:
        decode_proof(b"nothing")
    assert "proof file" in remedy_of(proof.value)
    with pytest.raises(MalformedInput) as note:
        decode_note(b"\xff")
    assert "signed note" in remedy_of(note.value)
    assert with_remedy(note.value).endswith(remedy_of(note.value))


def test_its_own_remedy_goes_first_and_one_without_a_place_has_that_of_its_code() -> None:
    own = Refused("no", code="bad_proof", remedy="ask Ann")
    assert remedy_of(own) == "ask Ann"
    assert with_remedy(own) == "no; ask Ann"
    assert "list" in remedy_of(NotFound("none"))
    assert remedy_of(Refused("no", code="of_nobody")) == remedy_of(Refused("no"))
    assert remedy_of(Refused("no", code="peer_of_tomorrow")).startswith("wait")


def test_raising_reads_no_table() -> None:
    """`zhidao --help` and a hot reader pay nothing for the tables."""
    code = (
        "import sys; from zhidao.cli.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "sys.exit('tomllib' in sys.modules or 'zhidao.core.remedies' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert ended.returncode == 0


def test_a_refusal_that_a_worker_sends_keeps_what_to_do() -> None:
    with pytest.raises(MalformedInput) as raised:
        decode_note(b"\xff")
    _, error = pickle.loads(_as_bytes(raised.value))
    assert "signed note" in remedy_of(error)
