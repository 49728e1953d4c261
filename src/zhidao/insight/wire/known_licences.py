"""The digests by which licence texts are known: made by build_steps/known_licences.py."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from zhidao.core.canonical import parse_strict
from zhidao.core.errors import MalformedInput
from zhidao.insight.domain.licence_comparison import KnownText, KnownTexts


@cache
def known_texts() -> KnownTexts:
    """The texts that come with this version."""
    return decode_known(files(__package__).joinpath("known_licences.json").read_bytes())


def decode_known(data: bytes) -> KnownTexts:
    """Reads the table. Raises MalformedInput if it is no such table."""
    table: Any = parse_strict(data)
    try:
        texts = tuple(
            KnownText(
                str(text["id"]), int(text["words"]), str(text["digest"]), tuple(text["blocks"])
            )
            for text in table["texts"]
        )
        return KnownTexts(texts, frozenset(table["around"]))
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedInput(f"no table of licence texts: {error}") from error
