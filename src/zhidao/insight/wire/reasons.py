"""Codes by which something was refused, in words of both languages."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Final

# Kind of refusal: the table of its codes; every other kind takes those of reasons.
_TABLES: Final = {"papers": "rule", "document": "document"}


@cache
def reasons() -> dict[str, dict[str, tuple[str, str]]]:
    """Table, then code: (English, Chinese)."""
    read = tomllib.loads(files("zhidao.insight.wire").joinpath("reasons.toml").read_text("utf-8"))
    return {
        table: {code: (english, chinese) for code, (english, chinese) in words.items()}
        for table, words in read.items()
    }


def in_words(kind: str, code: str, language: int) -> str:
    """What a code of a kind of refusal says; empty for one that only its room knows."""
    words = reasons()[_TABLES.get(kind, "reason")].get(code)
    return words[language] if words else ""
