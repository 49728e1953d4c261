"""A transport that sends an answer's head together with what follows it.

uvicorn writes the head of an answer and its body one after the other, and each write is a call of
the system and a packet. Of a small answer that is half of all that the network costs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Final

HELD_BYTES_MAX: Final = 4096


class OneWrite:
    """Holds one small piece until the next piece or the next turn of the loop, whichever is first.

    All else is the transport's own. At most `HELD_BYTES_MAX` bytes are held, so that the
    transport's own limits still slow a sender down.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held = b""

    def write(self, data: bytes) -> None:
        """Sends the bytes, at the latest in the next turn."""
        held, self._held = self._held, b""
        if held:
            self._transport.write(held + data)
        elif len(data) <= HELD_BYTES_MAX:
            self._held = data
            self._loop.call_soon(self._flush)
        else:
            self._transport.write(data)

    def writelines(self, pieces: Iterable[bytes]) -> None:
        """Sends all pieces, behind what is held."""
        self._flush()
        self._transport.writelines(pieces)

    def write_eof(self) -> None:
        """Says that nothing follows."""
        self._flush()
        self._transport.write_eof()

    def abort(self) -> None:
        """Closes the connection at once; what is held is lost, as all that is not sent yet."""
        self._held = b""
        self._transport.abort()

    def close(self) -> None:
        """Closes the connection once all that was written is out."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._held:
            held, self._held = self._held, b""
            self._transport.write(held)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
