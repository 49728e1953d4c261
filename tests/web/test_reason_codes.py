"""Every reason that the rooms can give has words in both catalogues of the page.

The rooms are read, not listed: a new reason without words fails here.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from zhidao.connectivity.domain.crosscheck import Agreement
from zhidao.node.operations.signing_permit import RECOVERING_KINDS
from zhidao.node.shipment_timeline import reason_codes
from zhidao.positioning.domain.integrity.arrival import Decision
from zhidao.positioning.domain.single_point.solution import Reason
from zhidao.trade.domain.documents.formalities import FORMS
from zhidao.trade.domain.model.catalogue import FIELDS
from zhidao.trade.domain.printing import labels

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "zhidao"
# What a page's own requests can meet; other refusals are shown in English, marked as English.
PROBLEM_PLACES = (
    *(
        "core/errors.py",
        "node/operations/signing_permit.py",
        "node/operations/write_gate.py",
        "node/runtime/live.py",
    ),
    *("store/database.py", "store/pool.py", "node/api", "node/security"),
)
CALLS_WITH_A_REASON = {
    "Abort": 0, "_Obstacle": 0, "_obstacle": 1, "refuse": 1, "refuse_unknown": 0,
}  # fmt: skip


@cache
def catalogue(language: str) -> dict[str, str]:
    words: dict[str, str] = json.loads(
        (ROOT / "web" / "src" / "i18n" / f"{language}.json").read_text(encoding="utf-8")
    )
    return words


def lacking(keys: set[str]) -> set[str]:
    return {
        f"{language}: {key}"
        for language in ("en", "zh")
        for key in keys
        if key not in catalogue(language)
    }


def trees(*places: str) -> Iterator[ast.Module]:
    for place in places:
        path = SOURCE / place
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            yield ast.parse(file.read_text(encoding="utf-8"))


def calls(*places: str) -> Iterator[tuple[str, ast.Call]]:
    for tree in trees(*places):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = node.func
                yield (
                    name.id if isinstance(name, ast.Name) else getattr(name, "attr", ""),
                    node,
                )


def text_of(node: ast.expr | None) -> str:
    """A literal text; of an f-string the part before its first value."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr) and node.values:
        return text_of(node.values[0])
    return ""


def codes_of_errors(*places: str) -> set[str]:
    found = set()
    for _, call in calls(*places):
        found |= {text_of(word.value) for word in call.keywords if word.arg == "code"}
    for tree in trees(*places):
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Assign)
                and any(
                    isinstance(target, ast.Name) and target.id == "default_code"
                    for target in node.targets
                )
            ) or (
                isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "default_code"
            ):
                found.add(text_of(node.value))
    return found - {""}


def test_every_reason_of_an_arrival_and_of_a_deal_has_words() -> None:
    found = {decision.value for decision in Decision}
    for name, call in calls("positioning/service", "finance", "devices/service"):
        place = CALLS_WITH_A_REASON.get(name)
        if place is not None and place < len(call.args):
            found.add(text_of(call.args[place]))
    # A window that is not accepted is refused by the code of its error.
    found |= codes_of_errors("devices/service/windows.py", "devices/wire/chunk.py")
    found.discard("")
    assert {"too_late", "customs_held", "arrival_lacks_marks", "unknown_key"} <= found
    assert lacking({f"reason.{code}" for code in found}) == set()


def test_every_rule_between_papers_and_every_field_that_it_compares_has_words() -> None:
    rules, fields = set(), set()
    for name, call in calls("trade/domain/crosscheck.py"):
        rules |= {text for arg in call.args if (text := text_of(arg))[:3] in ("XD-", "ZD-")}
        if name == "Statement":
            fields.add(reason_codes._side(f"invoice:{whole(call.args[1])} = x").field)
    for tree in trees("trade/domain/crosscheck.py"):
        # Rows of tables name rules and fields too.
        rules |= {
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and str(node.value)[:3] in ("XD-", "ZD-")
            if len(str(node.value)) == 5
        }
    variants = {f"finding.{rule}.{name}" for (rule, _), name in reason_codes._VARIANTS.items()}
    keys = {f"finding.{rule}" for rule in rules} | variants
    assert len(rules) > 15
    plain = {field for field in fields if "X" not in field and "{" not in field}
    assert lacking(keys | {f"field.{field}" for field in plain}) == set()
    # A field that is named at run time has words for each name that it can take.
    for field in {field for field in fields if "X" in field}:
        beginning = f"field.{field.partition('X')[0]}"
        assert sum(key.startswith(beginning) for key in catalogue("zh")) >= 2, field


def whole(node: ast.expr) -> str:
    """A field's name with a stand-in for each value."""
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) or "X" for part in node.values)
    return text_of(node) or "{given}"


def test_every_verdict_and_every_silence_of_a_network_has_words() -> None:
    kinds = {value.value for value in Agreement} | set(reason_codes.SILENCES.values())
    assert lacking({f"crosscheck.{kind}" for kind in kinds}) == set()
    said = [text_of(call.args[0]) for name, call in calls("connectivity") if name == "unknown"]
    assert len(said) >= 4
    unnamed = [words for words in said if not words.startswith(tuple(reason_codes.SILENCES))]
    assert unnamed == []


def test_every_alarm_has_words_and_a_remedy() -> None:
    found = {
        "database_down",
        "bus_down",
        "devices_down",
        "job_failing",
        "relay_stopped",
        "mirror_behind",
        "clock_jumped",
        "ledger_differs",
    }
    for name, call in calls("node"):
        if name == "Alarm":
            found |= {text_of(word.value) for word in call.keywords if word.arg == "code"}
        elif name == "sound":
            found.add(text_of(call.args[0]))
    found.discard("")
    assert "lease_lost" in found
    keys = {f"{kind}.{code}" for code in found for kind in ("alarm", "remedy")}
    assert lacking(keys) == set()
    assert lacking({f"recovering.{kind}" for kind in RECOVERING_KINDS.values()}) == set()


def test_the_writer_of_the_log_says_nothing_that_has_no_kind() -> None:
    said = []
    for tree in trees("trust/service/log/sequencer.py"):
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == "_gap":
                said = [
                    text
                    for each in ast.walk(node)
                    if isinstance(each, ast.Return) and (text := text_of(each.value))
                ]
    assert len(said) == 4
    assert [text for text in said if not text.startswith(tuple(RECOVERING_KINDS))] == []


def test_every_refusal_that_a_page_can_meet_has_words() -> None:
    found = codes_of_errors(*PROBLEM_PLACES) | {"no_answer"}
    assert len(found) > 20
    assert lacking({f"problem.{code}" for code in found}) == set()


def test_every_field_and_document_of_an_entry_has_its_name_in_each_language() -> None:
    named = {labels.label_of(path) for path in FIELDS} | set(labels.ROLES.values())
    named |= {form.titles for form in FORMS.values()}
    assert len(named) > 100
    assert lacking({f"label.{english}" for english, _ in named}) == set()
    english = catalogue("en")
    assert all(english[f"label.{name}"] == name for name, _ in named)


def test_every_epoch_without_a_position_has_words() -> None:
    assert lacking({f"epoch.{reason.name.lower()}" for reason in Reason}) == set()


def test_every_ground_of_a_condition_has_words() -> None:
    found = {
        text_of(word.value)
        for name, call in calls("node/shipment_timeline/reason_codes.py")
        if name == "ReasonView"
        for word in call.keywords
        if word.arg == "code" and isinstance(word.value, ast.Constant)
    }
    assert len(found) == 4
    assert lacking(found) == set()


def test_every_simulated_part_has_words() -> None:
    from zhidao.cli.operations.demo import SIMULATED_PARTS

    assert lacking({f"part.{part}" for part in (*SIMULATED_PARTS, "observations")}) == set()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_words_need_no_argument_that_their_reason_does_not_give(language: str) -> None:
    given: dict[str, set[str]] = {
        "because": {"place", "at", "scale", "checks", "documents", "declaration", "title"},
        "crosscheck": {"away", "bound", "radius", "gap"},
        "finding": {"line", "what"},
        "recovering": {"has", "signed", "kind"},
        "reason": {"scale", "away", "bound", "radius", "until", "from", "who"},
    }
    for key, words in catalogue(language).items():
        kind = key.partition(".")[0]
        if kind in given:
            needed = set(re.findall(r"\{(\w+)", words))
            assert needed <= given[kind], key


def test_chinese_words_are_not_left_in_english() -> None:
    same: list[Any] = [
        key
        for key, words in catalogue("zh").items()
        if words == catalogue("en")[key]
        and key.partition(".")[0] in {"reason", "finding", "because", "alarm", "problem", "epoch"}
    ]
    assert same == []


def _acts(path: Path) -> set[str]:
    """What two persons are asked about in a module: the names under which acts are carried out."""
    asked = {
        ast.unparse(call.args[0])
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "carries_out"
    }
    if not asked:
        return set()
    module = import_module(".".join(path.relative_to(SOURCE.parent).with_suffix("").parts))
    # A loop over a table has no constant of its own.
    tables = module.COUNTED.values() if hasattr(module, "COUNTED") else ()
    return {getattr(module, name) for name in asked if name.isupper()} | set(tables)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_act_that_two_persons_are_asked_about_has_words(language: str) -> None:
    acts = {each for path in (SOURCE / "finance/service").rglob("*.py") for each in _acts(path)}
    assert acts >= {"pay", "open_escrow", "pledge_share", "give_back"}
    words = json.loads((ROOT / "web/src/i18n" / f"{language}.json").read_text())
    assert sorted(act for act in acts if f"act.{act}" not in words) == []
