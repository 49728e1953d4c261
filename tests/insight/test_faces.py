"""The report reads facts by published names; here those names are held to what rooms publish."""

from __future__ import annotations

import ast
from pathlib import Path

import msgspec
import pytest

from zhidao import insight
from zhidao.connectivity import events as connectivity
from zhidao.core.events import Fact
from zhidao.devices import events as devices
from zhidao.finance import events as finance
from zhidao.industry import events as industry
from zhidao.positioning import events as positioning
from zhidao.trade import events as trade
from zhidao.trust import events as trust

DOMAIN = Path(insight.__file__).parent / "domain"
FACES = (connectivity, devices, finance, industry, positioning, trade, trust)


def facts() -> dict[str, type[Fact]]:
    found = {}
    for face in FACES:
        for value in vars(face).values():
            if isinstance(value, type) and issubclass(value, Fact) and value.TYPE:
                # Versions that were logged before are read for ever.
                found |= dict.fromkeys((value.TYPE, *value.FORMER), value)
    return found


def words_of(name: str) -> set[str]:
    tree = ast.parse((DOMAIN / name).read_text())
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


MODULES = ("journeys.py", "report.py", "corridor/observed.py")


@pytest.mark.parametrize("module", MODULES)
def test_every_event_type_that_a_report_reads_is_published(module: str):
    types = {word for word in words_of(module) if word.endswith(".v1")}
    assert types
    assert types <= set(facts())


def test_every_field_that_a_report_reads_is_published():
    published = {
        field.name for fact in facts().values() for field in msgspec.structs.fields(fact)
    } | {field.name for field in msgspec.structs.fields(positioning.Marks)}
    for module in MODULES:
        tree = ast.parse((DOMAIN / module).read_text())
        read = {
            node.args[1].value
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("text", "flag")
            and len(node.args) == 2
            and isinstance(node.args[1], ast.Constant)
        }
        assert read
        assert read <= published, module


def test_every_mark_that_a_report_counts_is_published():
    from zhidao.insight.domain.report import MARKS

    assert set(MARKS) == {field.name for field in msgspec.structs.fields(positioning.Marks)}
