"""What the published schema of an entry refuses the reader refuses, and golden entries fit it."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from zhidao.core.errors import MalformedInput
from zhidao.trade.domain.model.catalogue import FIELDS
from zhidao.trade.wire import consignment_entry, entry
from zhidao.trade.wire.entry_schema import entry_schema

DATA = Path(__file__).parents[1] / "data"
SPOILED = (
    *("", " ", "x", "0", "-1", "1e3", "1.1234567", "2026-02-30", "true", "CN", "cn", "CNSHA"),
    *("CSQU3054383", "a b", "\u202e", "z" * 301, 7, None, [], {}, ["x"], {"id": "1"}),
)


@pytest.fixture(scope="module")
def fits() -> Any:
    return jsonschema_rs.Draft202012Validator(entry_schema(), validate_formats=True).is_valid


def golden() -> dict[str, Any]:
    first = entry.read_first((DATA / "entry.json").read_bytes())
    plain: dict[str, Any] = json.loads(consignment_entry.migrated(first))
    return plain


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every holder in an entry with a key of it."""
    found: list[tuple[Any, Any]] = []
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            found += [(value, key), *places(value[key])]
    return found


def is_read(plain: Any) -> bool:
    try:
        entry.read(json.dumps(plain).encode())
    except MalformedInput:
        return False
    return True


def test_a_golden_entry_fits_and_opens_a_road(fits: Any) -> None:
    assert fits(golden())
    assert is_read(golden())


def test_every_field_of_the_catalogue_stands_in_the_schema() -> None:
    def paths(schema: dict[str, Any], at: str) -> list[str]:
        if "items" in schema:
            return paths(schema["items"], f"{at}[]")
        if schema.get("type") != "object":
            return [at]
        return [p for name, s in schema["properties"].items() for p in paths(s, f"{at}.{name}")]

    found = {path.removeprefix(".") for path in paths(entry_schema(), "") if path != ".type"}
    assert found == set(FIELDS)


@pytest.mark.slow
def test_what_the_schema_refuses_the_reader_refuses(fits: Any) -> None:
    choose = random.Random(11)
    refused = accepted = 0
    for _ in range(3000):
        plain = copy.deepcopy(golden())
        holder, key = choose.choice(places(plain))
        what = choose.randrange(4)
        if what == 0 and isinstance(holder, dict):
            del holder[key]
        elif what == 1 and isinstance(holder, dict):
            holder[f"{key}x"] = holder[key]
        elif what == 2 and isinstance(holder, list):
            holder.append(holder[0])
        else:
            holder[key] = choose.choice(SPOILED)
        if not fits(plain):
            refused += 1
            assert not is_read(plain), plain
        else:
            accepted += is_read(plain)
    assert refused > 1000
    assert accepted > 50
