"""An answer's head and body leave in one piece, and nothing stays behind."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from zhidao.node.http.one_write import HELD_BYTES_MAX, OneWrite


class Wire:
    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.closed_after = -1

    def write(self, data: bytes) -> None:
        self.sent.append(data)

    def writelines(self, pieces: Iterable[bytes]) -> None:
        self.sent += pieces

    def abort(self) -> None:
        self.close()

    def close(self) -> None:
        self.closed_after = len(self.sent)

    def is_closing(self) -> bool:
        return self.closed_after >= 0


def wired() -> tuple[Wire, Any]:
    wire = Wire()
    return wire, OneWrite(wire, asyncio.get_running_loop())  # type: ignore[arg-type]


async def test_a_head_leaves_with_its_body() -> None:
    wire, one = wired()
    one.write(b"head ")
    one.write(b"body")
    assert wire.sent == [b"head body"]
    await asyncio.sleep(0)
    assert wire.sent == [b"head body"]


async def test_a_head_whose_body_takes_its_time_leaves_in_the_next_turn() -> None:
    wire, one = wired()
    one.write(b"head ")
    assert wire.sent == []
    await asyncio.sleep(0)
    assert wire.sent == [b"head "]
    one.write(b"body")
    await asyncio.sleep(0)
    assert wire.sent == [b"head ", b"body"]


async def test_much_is_held_by_the_transport_only() -> None:
    wire, one = wired()
    one.write(bytes(HELD_BYTES_MAX + 1))
    assert len(wire.sent) == 1


async def test_closing_sends_what_is_held_first() -> None:
    wire, one = wired()
    one.write(b"last")
    one.close()
    assert (wire.sent, wire.closed_after, one.is_closing()) == ([b"last"], 1, True)


async def test_pieces_keep_behind_what_is_held_and_an_abort_drops_it() -> None:
    wire, one = wired()
    one.write(b"head ")
    one.writelines([b"a", b"b"])
    assert wire.sent == [b"head ", b"a", b"b"]
    one.write(b"more")
    one.abort()
    await asyncio.sleep(0)
    assert (wire.sent, wire.closed_after) == ([b"head ", b"a", b"b"], 3)
