"""What somebody declares of a repository, as TOML: claims of a name and a day, unsigned."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from zhidao.core.errors import MalformedInput
from zhidao.insight.domain.assessment import QUOTATION_LETTERS, Claim, Pointer
from zhidao.insight.domain.standards import Answerer, Pack

DECLARATION_BYTES_MAX: Final = 1024 * 1024
ANSWER_LETTERS_MAX: Final = 4000
POINTERS_MAX: Final = 10
NAME_LETTERS: Final = 200
_KEYS: Final = frozenset(("standard", "item", "text"))
_MORE: Final = frozenset(("met", "see"))
_POINTER: Final = frozenset(("path", "says"))


def decode_declarations(
    data: bytes, packs: Sequence[Pack]
) -> dict[tuple[str, str], tuple[Claim, ...]]:
    """Claims by standard and item. Raises MalformedInput for what no question asks."""
    try:
        table = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise MalformedInput(f"not TOML: {error}") from error
    by, on = _signatory(table)
    listed = table.get("answer")
    if not isinstance(listed, list) or not listed:
        raise MalformedInput("a declaration has at least one [[answer]]")
    asked = _asked(packs)
    found: dict[tuple[str, str], tuple[Claim, ...]] = {}
    for number, answer in enumerate(listed, start=1):
        where = f"answer {number}"
        name, claim = _answer(answer, by, on, where)
        if name not in asked:
            raise MalformedInput(
                f"{name[0]} {name[1]} is no question that a declaration answers",
                where=where,
            )
        found[name] = (*found.get(name, ()), claim)
    return found


def _signatory(table: Mapping[str, Any]) -> tuple[str, date]:
    by, on = table.get("by"), table.get("on")
    if not isinstance(by, str) or not 1 <= len(by) <= NAME_LETTERS or type(on) is not date:
        raise MalformedInput("a declaration says by whom and when: by = ..., on = 2026-11-30")
    return by, on


def _asked(packs: Sequence[Pack]) -> set[tuple[str, str]]:
    return {
        (pack.id, question.id)
        for pack in packs
        for question in pack.questions
        if Answerer.DECLARATION in question.answered_by
    }


def _answer(answer: Any, by: str, on: date, where: str) -> tuple[tuple[str, str], Claim]:
    values: Mapping[str, Any] = answer if isinstance(answer, dict) else {}
    texts = [values.get(key) for key in sorted(_KEYS)]
    if values.keys() - _MORE != _KEYS or not all(isinstance(each, str) for each in texts):
        raise MalformedInput("an answer has the texts standard, item and text", where=where)
    if not 1 <= len(values["text"]) <= ANSWER_LETTERS_MAX:
        raise MalformedInput(f"text has 1 to {ANSWER_LETTERS_MAX} letters", where=where)
    is_met = values.get("met", True)
    if not isinstance(is_met, bool):
        raise MalformedInput("met is true or false", where=where)
    claim = Claim(values["text"], by, on, is_met, _pointers(values.get("see", []), where))
    return (values["standard"], values["item"]), claim


def _pointers(listed: Any, where: str) -> tuple[Pointer, ...]:
    if not isinstance(listed, list) or len(listed) > POINTERS_MAX:
        raise MalformedInput(f"see has at most {POINTERS_MAX} places", where=where)
    return tuple(_pointer(each, where) for each in listed)


def _pointer(plain: Any, where: str) -> Pointer:
    values: Mapping[str, Any] = plain if isinstance(plain, dict) else {}
    if values.keys() != _POINTER or not all(isinstance(each, str) for each in values.values()):
        raise MalformedInput("a place of see has the texts path and says", where=where)
    says = " ".join(values["says"].split())
    if not 1 <= len(says) <= QUOTATION_LETTERS:
        raise MalformedInput(f"says has 1 to {QUOTATION_LETTERS} letters of one line", where=where)
    return Pointer(values["path"], says)
