"""Patterns that the API publishes mean the same to a JSON Schema validator and to this program."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import hypothesis
import jsonschema_rs
import msgspec
import pytest
from hypothesis import strategies
from msgspec import inspect

from zhidao.core import limits
from zhidao.node.http.openapi import operations

SOURCE = Path(__file__).parents[2] / "src" / "zhidao"
# By its letter a class means other characters to ECMA-262 than to Python.
LETTERS = re.compile(r"\\[sSdDwWbB]")


def _patterns(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("pattern"), str):
            yield part["pattern"]
        for each in part.values():
            yield from _patterns(each)
    elif isinstance(part, list):
        for each in part:
            yield from _patterns(each)


@cache
def from_code() -> Any:
    place = Path(__file__).parents[2] / "docs" / "from_code.py"
    spec = importlib.util.spec_from_file_location("from_code", place)
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    sys.modules["from_code"] = made
    spec.loader.exec_module(made)
    return made


def texts_of(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@cache
def judged() -> frozenset[str]:
    """Every pattern by which this program judges, as it stands in the code."""
    texts = {text for file in SOURCE.rglob("*.py") for text in texts_of(file)}
    return frozenset(
        {text for text in texts if text.startswith("^") and text.endswith(r"\Z")}
        | {limits.URI, limits.EMAIL}
    )


def types_under(kind: Any) -> Iterator[inspect.StrType]:
    """Every text with a pattern inside a type, by walking what msgspec knows of it."""
    seen: set[int] = set()
    waiting: list[Any] = [kind]
    while waiting:
        part = waiting.pop()
        if isinstance(part, inspect.StrType) and part.pattern:
            yield part
        if isinstance(part, inspect.Type | inspect.Field) and id(part) not in seen:
            seen.add(id(part))
            waiting += [getattr(part, name) for name in part.__struct_fields__]
        elif isinstance(part, tuple | list):
            waiting += part


def test_no_pattern_of_the_api_has_a_class_that_two_languages_read_differently() -> None:
    found = set(_patterns(from_code().openapi()))
    assert len(found) > 40
    assert not {pattern for pattern in found if LETTERS.search(pattern)}, (
        "spell the characters out; what stands twice belongs into core/limits.py"
    )


def test_what_is_published_is_what_is_judged_by() -> None:
    found = set(_patterns(from_code().openapi()))
    assert found <= {limits.published(pattern) for pattern in judged()}


def test_no_pattern_ends_where_python_sees_an_end_before_a_line_feed() -> None:
    wrong = {
        (str(file.relative_to(SOURCE)), text)
        for file in SOURCE.rglob("*.py")
        for text in texts_of(file)
        if len(text) > 2 and text.startswith("^") and text.endswith("$")
    }
    assert not wrong, r"end it in \Z; core.limits.published says it to others"


def test_no_request_takes_a_text_with_a_line_feed_behind_it() -> None:
    """Each text with a pattern in each body that a route reads, by the type that decodes it."""
    app = from_code()._application()
    kinds = {repr(op.body): op.body for op in operations(app.routes) if op.body}
    found = {
        text.pattern
        for kind in kinds.values()
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct)
        for text in types_under(inspect.type_info(kind))
    }
    assert len(found) > 20
    assert found <= judged()


@pytest.mark.parametrize("pattern", sorted(judged()))
@hypothesis.seed(1)
@hypothesis.settings(max_examples=10, database=None)
@hypothesis.given(data=strategies.data())
def test_both_languages_refuse_a_line_feed_at_the_end(
    pattern: str, data: strategies.DataObject
) -> None:
    kind = Annotated[str, msgspec.Meta(pattern=pattern)]
    schema = {"type": "string", "pattern": limits.published(pattern)}
    validator = jsonschema_rs.validator_for(schema)
    fits = data.draw(strategies.from_regex(pattern))
    assert msgspec.convert(fits, kind) == fits
    assert validator.is_valid(fits)
    for behind in ("\n", "\r\n", "\u2028"):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(fits + behind, kind)
        assert not validator.is_valid(fits + behind)
