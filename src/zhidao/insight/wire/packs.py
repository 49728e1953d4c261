"""Packs of standards: TOML to questions, every key known and every kind of evidence too."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from datetime import date
from importlib.resources import files
from typing import Any, Final

from zhidao.core.errors import MalformedInput
from zhidao.insight.domain.evidence_kinds import is_kind
from zhidao.insight.domain.standards import NOT_AT_HAND, Answerer, Pack, Question, TextRead

FORMAT: Final = "zhidao.standard-pack.v1"
QUESTIONS_MAX: Final = 500
_SCOPES: Final = frozenset(("code", "data", "content", "model"))
_PACK_KEYS: Final = frozenset(
    (
        *("format", "id", "name", "version", "source", "licence", "looked_at", "applies_to"),
        *("note", "texts", "item"),
    )
)
_ITEM_KEYS: Final = frozenset(
    (
        *("id", "en", "zh", "applies_to", "answered_by", "settled_by", "supported_by", "levels"),
        "setting",
    )
)


def installed_packs() -> tuple[Pack, ...]:
    """The packs that come with this version, in the order of their ids."""
    folder = files("zhidao.insight").joinpath("packs")
    read = [
        decode_pack(file.read_bytes(), where=file.name)
        for file in folder.iterdir()
        if file.name.endswith(".toml")
    ]
    return tuple(sorted(read, key=lambda pack: pack.id))


def decode_pack(data: bytes, *, where: str) -> Pack:
    """Reads a pack. Raises MalformedInput that names the item and key at fault."""
    try:
        table = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedInput(f"not TOML: {error}", where=where) from error
    _known(table, _PACK_KEYS, where)
    if table.get("format") != FORMAT:
        raise MalformedInput(f"no pack of a standard: format is not {FORMAT}", where=where)
    items = table.get("item")
    if not isinstance(items, list) or not 1 <= len(items) <= QUESTIONS_MAX:
        raise MalformedInput(f"a pack has 1 to {QUESTIONS_MAX} items", where=where)
    scopes = _words(table, "applies_to", where)
    questions = tuple(_question(item, scopes, where) for item in items)
    if len({question.id for question in questions}) < len(questions):
        raise MalformedInput("two items of one id", where=where)
    return Pack(
        id=_text(table, "id", where),
        name=_text(table, "name", where),
        version=_text(table, "version", where),
        source=_text(table, "source", where),
        licence=_text(table, "licence", where),
        looked_at=_day(table, where),
        note=str(table.get("note", "")),
        texts=_texts(table.get("texts"), where),
        questions=questions,
        digest="sha256:" + hashlib.sha256(data).hexdigest(),
    )


def _question(item: Any, scopes: tuple[str, ...], where: str) -> Question:
    if not isinstance(item, dict):
        raise MalformedInput("an item is a table", where=where)
    where = f"{where} item {item.get('id')}"
    _known(item, _ITEM_KEYS, where)
    applies_to = _words(item, "applies_to", where) or scopes
    if not applies_to or not _SCOPES.issuperset(applies_to):
        raise MalformedInput("an item says to what it applies_to", where=where)
    return Question(
        id=_text(item, "id", where),
        en=_text(item, "en", where),
        zh=_text(item, "zh", where),
        applies_to=applies_to,
        answered_by=_answerers(item, where),
        settled_by=_kinds(item, "settled_by", where),
        supported_by=_kinds(item, "supported_by", where),
        levels=_levels(item, where),
        setting=_setting(item, where),
    )


def _answerers(item: Mapping[str, Any], where: str) -> tuple[Answerer, ...]:
    try:
        found = tuple(Answerer(word) for word in _words(item, "answered_by", where))
    except ValueError as error:
        raise MalformedInput(f"nobody answers as that: {error}", where=where) from error
    if not found:
        raise MalformedInput("an item says who it is answered_by", where=where)
    return found


def _kinds(item: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    kinds = _words(item, key, where)
    for kind in kinds:
        if not is_kind(kind):
            raise MalformedInput(f"no kind of evidence {kind}", where=where)
    return kinds


def _levels(item: Mapping[str, Any], where: str) -> tuple[int, ...]:
    levels = item.get("levels", [])
    if not isinstance(levels, list) or not all(type(level) is int for level in levels):
        raise MalformedInput("levels are whole numbers", where=where)
    return tuple(levels)


def _setting(item: Mapping[str, Any], where: str) -> tuple[str, ...]:
    words = _words(item, "setting", where)
    if len(words) not in (0, 2) or not all(words):
        raise MalformedInput("setting is a text in English and one in Chinese", where=where)
    return words


def _texts(read: Any, where: str) -> tuple[TextRead, ...]:
    if read == NOT_AT_HAND:
        return ()
    if not isinstance(read, list) or not read:
        raise MalformedInput(f'texts lists files and digests, or is "{NOT_AT_HAND}"', where=where)
    found = []
    for text in read:
        if not isinstance(text, dict):
            raise MalformedInput("a text has a file and its sha256", where=where)
        digest = _text(text, "sha256", where)
        if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
            raise MalformedInput("sha256 is 64 hexadecimal digits", where=where)
        found.append(TextRead(_text(text, "file", where), digest))
    return tuple(found)


def _day(table: Mapping[str, Any], where: str) -> date:
    day = table.get("looked_at")
    if type(day) is not date:
        raise MalformedInput("looked_at is a date such as 2026-11-30", where=where)
    return day


def _known(table: Mapping[str, Any], keys: frozenset[str], where: str) -> None:
    if more := sorted(table.keys() - keys):
        raise MalformedInput(f"no key {more[0]} in a pack", where=where)


def _text(table: Mapping[str, Any], key: str, where: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value:
        raise MalformedInput(f"{key} is a text", where=where)
    return value


def _words(table: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise MalformedInput(f"{key} is a list of words", where=where)
    return tuple(value)
