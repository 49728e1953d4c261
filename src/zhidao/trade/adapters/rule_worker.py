"""Keeps one judging process while there is work, and lets it go when there is none."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

import msgspec

from zhidao.core.errors import MalformedInput, Unavailable
from zhidao.core.programs.fork_server import start_program
from zhidao.trade.adapters.packs import SETUP_REMEDY, pack_folders
from zhidao.trade.adapters.rule_frames import DOCUMENT_LIMIT_S, FRAME_LENGTH_BYTES, Answer
from zhidao.trade.domain.verdict import Verdict, not_checked

IDLE_S: Final = 120.0
_PROCESS: Final = "zhidao.trade.adapters.rule_process"
# Nothing of the node's environment is this process's business. A tree is some thousand small
# pieces of memory that come and go with each document: glibc keeps them at hand instead of joining
# and cutting them again, which halves the time of parsing; and it asks for large pages, which saves
# three or four per cent. Other libraries pass over the words.
PROCESS_ENVIRONMENT: Final = {
    "PATH": os.defpath,
    "LANG": "C.UTF-8",
    "GLIBC_TUNABLES": "glibc.malloc.tcache_count=60000:glibc.malloc.hugetlb=1",
}
# The answer's limit is above the process's own, which ends it first.
_ANSWER_LIMIT_S: Final = DOCUMENT_LIMIT_S + 15
_ANSWER_BYTES_MAX: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Judging:
    """The process and the line to it."""

    process: BaseProcess
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class RuleWorker:
    """Judges invoices in a process of its own: started at the first document, ended when idle."""

    def __init__(self, packs: Path, *, idle_s: float = IDLE_S) -> None:
        self._packs = packs
        self._idle_s = idle_s
        self._one = asyncio.Lock()
        self._judging: _Judging | None = None
        self._retire: asyncio.TimerHandle | None = None

    async def judge(self, document: bytes) -> Verdict:
        """The verdict of schema and rules; `not checked` where no pack is installed.

        Raises MalformedInput if the bytes are no XML that we read, Unavailable if the process
        ended without an answer or lacks what a rule needs.
        """
        async with self._one:
            self._cancel_retirement()
            try:
                judging = await self._running()
            except (Unavailable, MalformedInput) as error:
                return not_checked(str(error.args[0]), error.remedy or SETUP_REMEDY)
            try:
                async with asyncio.timeout(_ANSWER_LIMIT_S):
                    answer = await _ask(judging, document)
            except (OSError, EOFError, TimeoutError) as error:
                await self._end()
                raise Unavailable(
                    "the process that runs the invoice rules ended without an answer",
                    code="rules_ended",
                    remedy=f"try again; a document may take {DOCUMENT_LIMIT_S} s",
                ) from error
            except asyncio.CancelledError:
                # Its answer would be taken for the next document's.
                await self._end()
                raise
            finally:
                self._retire_later()
        if answer.unavailable:
            raise Unavailable(
                answer.unavailable, code=answer.code, where=answer.where, remedy=answer.remedy
            )
        if answer.verdict is None:
            raise MalformedInput(
                answer.malformed, code=answer.code, where=answer.where, remedy=answer.remedy
            )
        return answer.verdict

    async def close(self) -> None:
        """Ends the process."""
        async with self._one:
            self._cancel_retirement()
            await self._end()

    async def _running(self) -> _Judging:
        if self._judging is not None and self._judging.process.is_alive():
            return self._judging
        await self._end()
        # The process reads them, and leaves out one that is broken. It runs in the root folder.
        folders = await asyncio.to_thread(pack_folders, self._packs.absolute())
        words = (sys.executable, "-m", _PROCESS, *map(str, folders))
        process, link = await asyncio.to_thread(start_program, words, PROCESS_ENVIRONMENT)
        link.setblocking(False)
        self._judging = _Judging(process, *await asyncio.open_connection(sock=link))
        return self._judging

    def _cancel_retirement(self) -> None:
        if self._retire is not None:
            self._retire.cancel()
            self._retire = None

    def _retire_later(self) -> None:
        loop = asyncio.get_running_loop()
        self._retire = loop.call_later(self._idle_s, self._let_go)

    def _let_go(self) -> None:
        # Closing its input ends the process; the next document starts another.
        judging, self._judging = self._judging, None
        if judging is not None:
            judging.writer.close()

    async def _end(self) -> None:
        judging, self._judging = self._judging, None
        if judging is not None:
            judging.process.kill()
            judging.writer.close()
            await asyncio.to_thread(judging.process.join)


async def _ask(judging: _Judging, document: bytes) -> Answer:
    judging.writer.write(len(document).to_bytes(FRAME_LENGTH_BYTES, "big") + document)
    await judging.writer.drain()
    size = int.from_bytes(await judging.reader.readexactly(FRAME_LENGTH_BYTES), "big")
    if size > _ANSWER_BYTES_MAX:
        raise EOFError(f"an answer of more than {_ANSWER_BYTES_MAX} bytes")
    return msgspec.json.decode(await judging.reader.readexactly(size), type=Answer)
