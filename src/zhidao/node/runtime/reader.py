"""What a process without leases answers by itself: reads for which the database alone is enough."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

from zhidao.core.errors import Unavailable

AGAIN_S: Final = 1.0
_READING_METHODS: Final = frozenset(("GET", "HEAD"))
# Said as it is: whoever asked too often here has no second share at the holder.
_TOO_MANY: Final = 429
_ERROR: Final = 400
# How a route's path is written, and what stands for it in an address.
_FORMS: Final = {"str": "[^/]+", "int": "[0-9]+", "path": ".+"}
_NAMED: Final = re.compile(r"\{[a-z_]+:(str|int|path)\}")


class Reader:
    """An application over the database that can only read, tried before a request is passed on.

    What it refuses it has not decided: the holder is asked then, and its answer counts.
    """

    def __init__(self, app: Any, paths: Iterable[str]) -> None:
        """`paths`: those it answers, as routes write them."""
        self._app = app
        self._paths = re.compile("|".join(map(_pattern, paths)))

    def answers(self, scope: Any) -> bool:
        """Whether it may be asked: a read without a body, at one of its addresses."""
        return (
            scope["method"] in _READING_METHODS
            and self._paths.fullmatch(scope["path"]) is not None
            and not any(name in _BODIED for name, _ in scope["headers"])
        )

    async def __call__(
        self, scope: Any, receive: Any, send: Any, otherwise: Callable[[], Awaitable[None]]
    ) -> None:
        """Answers one request, or lets it be passed on."""
        refused = False

        async def kept(message: Any) -> None:
            nonlocal refused
            if message["type"] == "http.response.start":
                refused = message["status"] >= _ERROR and message["status"] != _TOO_MANY
            if not refused:
                await send(message)

        # A copy: what the application notes in it is not what the holder is told.
        await self._app(dict(scope), receive, kept)
        if refused:
            await otherwise()


class Reading:
    """The reader of a process, once the database answers."""

    def __init__(
        self, opened: Callable[[], Awaitable[tuple[Reader, Callable[[], Awaitable[None]]]]]
    ) -> None:
        """`opened`: gives a reader, and what closes it."""
        self._opened = opened
        self._reader: Reader | None = None
        self._closed: Callable[[], Awaitable[None]] | None = None

    def reader(self) -> Reader | None:
        """What reads; None while it is not built, and all is passed on."""
        return self._reader

    async def run(self) -> None:
        """Builds it if it is not; what goes wrong is tried again."""
        while self._reader is None:
            await asyncio.sleep(AGAIN_S)
            await self.open()
        await asyncio.Event().wait()

    async def open(self) -> None:
        """Builds it, if the database answers."""
        if self._reader is not None:
            return
        try:
            self._reader, self._closed = await self._opened()
        except Unavailable as error:
            _LOG.warning("nothing is read here: %s", error, extra={"code": error.code})

    async def close(self) -> None:
        """Lets go of its connections."""
        self._reader, closed, self._closed = None, self._closed, None
        if closed is not None:
            await closed()


_LOG: Final = logging.getLogger("zhidao.leases")
_BODIED: Final = (b"content-length", b"transfer-encoding")


def _pattern(path: str) -> str:
    parts = _NAMED.split(path)
    # Every second part is the form of a name.
    return "".join(
        _FORMS[part] if index % 2 else re.escape(part) for index, part in enumerate(parts)
    )
