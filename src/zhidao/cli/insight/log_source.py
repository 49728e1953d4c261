"""Where a command of insight takes a log from: a node's data folder, or proof files."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from zhidao.cli.console.node_options import add_settings, config_of
from zhidao.cli.console.outputs import take
from zhidao.core.errors import MalformedInput, Refused

if TYPE_CHECKING:
    from zhidao.insight.service.ports import LogSource

PROOF_BYTES_MAX: Final = 64 * 1024 * 1024
T = TypeVar("T")


def add_source(parser: argparse.ArgumentParser) -> None:
    """Adds --config, --data, --json, --proof and --trust."""
    add_settings(parser)
    parser.add_argument(
        "--proof", type=Path, nargs="+", metavar="FILE", help="proof files instead of a node"
    )
    parser.add_argument("--trust", type=Path, help="trust list that the proof files must hold by")


def of_log(options: argparse.Namespace, use: Callable[[LogSource], Awaitable[T]]) -> T:
    """What is made of the log of the options. Raises MalformedInput where there is none."""
    return _of_proofs(options, use) if options.proof else _of_node(options, use)


def _of_proofs(options: argparse.Namespace, use: Callable[[LogSource], Awaitable[T]]) -> T:
    import asyncio

    from zhidao.node.library import log_of_proofs

    files = [take(file, bytes_max=PROOF_BYTES_MAX) for file in options.proof]
    trust = take(options.trust, bytes_max=PROOF_BYTES_MAX) if options.trust else None

    async def made() -> T:
        return await use(log_of_proofs(files, trust))

    return asyncio.run(made())


def _of_node(options: argparse.Namespace, use: Callable[[LogSource], Awaitable[T]]) -> T:
    import asyncio

    from zhidao.node.library import log_of_database
    from zhidao.node.operations.database_access import database_of

    config = config_of(options)

    async def made(url: str) -> T:
        async with log_of_database(url, config.data) as log:
            return await use(log)

    try:
        with database_of(config) as url:
            return asyncio.run(made(url))
    except Refused as refusal:
        if refusal.code != "no_node":
            raise
        # A folder that is no node's is no data to tell of: bad input, as a file that is none.
        raise MalformedInput(
            str(refusal.args[0]), code=refusal.code, remedy=refusal.remedy
        ) from refusal
