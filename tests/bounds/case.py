"""A case of a bound: how an input of a size is made and given to what enforces the bound."""

from __future__ import annotations

import argparse
import asyncio
import inspect
import re
import tempfile
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec

from zhidao.core.errors import ZhidaoError
from zhidao.rules.xpath.values import OutsideSubset

REFUSALS = (ZhidaoError, msgspec.ValidationError, argparse.ArgumentTypeError, OutsideSubset)


@dataclass(frozen=True)
class Case:
    """`tried` makes an input of a size and gives it to the reader.

    `low`: the bound is set so low for the test, so that no test needs much memory; 0: as it is.
    `where`: the module that reads the bound, if it is another than its own.
    `told`: how the refusal names the limit, where it does not give the number itself.
    """

    bound: str
    tried: Callable[[int], object]
    low: int = 0
    where: str = ""
    told: str = ""


def spaces(bound: str, reader: Callable[[bytes], object], where: str = "") -> Case:
    """A reader of bytes with a bound on their number."""
    return Case(bound, lambda size: reader(b" " * size), 60, where)


def file_of_spaces(
    bound: str, reader: Callable[[Path], object], where: str = "", suffix: str = ""
) -> Case:
    """A reader of a file with a bound on its bytes."""

    def tried(size: int) -> object:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / f"a{suffix}"
            file.write_bytes(b" " * size)
            file.chmod(0o600)
            return reader(file)

    return Case(bound, tried, 60, where)


def refusal(tried: Callable[[int], object], size: int) -> str:
    """What the reader says to an input of a size, or `` where it takes it."""
    try:
        asked = tried(size)
        if inspect.iscoroutine(asked):
            asyncio.run(asked)
    except REFUSALS as error:
        return " ".join((str(error), getattr(error, "remedy", "")))
    return ""


async def begun(work: Coroutine[Any, Any, object]) -> None:
    """Raises what the work raises at once; work that waits for somebody else is taken."""
    task = asyncio.ensure_future(work)
    for _ in range(4):
        await asyncio.sleep(0)
    if task.done():
        task.result()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def answering(body: Callable[[httpx.Request], bytes]) -> httpx.AsyncClient:
    """A client to which whoever it asks answers with these bytes."""
    return httpx.AsyncClient(
        transport=httpx.MockTransport(lambda request: httpx.Response(200, content=body(request)))
    )


def shape(text: str) -> str:
    return re.sub(r"[\d,]+", "N", text)


def names(text: str, limit: float, told: str) -> bool:
    """Whether a refusal names the limit, by its number or as the case says."""
    if told:
        return told in text
    whole = int(limit)
    spelled = (str(limit), str(whole), f"{whole:,}", f"2^{(whole + 1).bit_length() - 1}-1")
    return any(re.search(rf"(?<![\d.]){re.escape(each)}(?!\d)", text) for each in spelled)
