"""Reads fields of fixed size from a body and refuses to read past its end."""

from __future__ import annotations

from zhidao.core.errors import MalformedInput


class Cursor:
    """A position in a body; every read is checked."""

    def __init__(self, body: bytes, what: str, *, base: int = 0) -> None:
        """`base`: where in something larger the body begins."""
        self._body = body
        self._at = 0
        self._what = what
        self._base = base

    def take(self, size: int) -> bytes:
        """The next `size` bytes. Raises MalformedInput if fewer remain."""
        if size > self.left:
            raise MalformedInput(
                f"{self._what}: {size} bytes are missing their last {size - self.left}",
                code="truncated",
                where=f"byte {self._at} of {len(self._body)}",
            )
        self._at += size
        return self._body[self._at - size : self._at]

    def number(self, size: int) -> int:
        """The next big-endian unsigned integer of `size` bytes."""
        return int.from_bytes(self.take(size), "big")

    def text(self, size: int) -> str:
        """A GBK string of `size` bytes without the NULs and blanks that fill it on either side."""
        raw = self.take(size).strip(b"\0 ")
        try:
            return raw.decode("gbk")
        except UnicodeDecodeError as error:
            raise MalformedInput(f"{self._what}: {raw[:24].hex()} is not GBK text") from error

    def peek(self, ahead: int) -> int:
        """The byte so far behind the next one. Raises MalformedInput if there is none."""
        if ahead >= self.left:
            raise MalformedInput(f"{self._what}: it ends early", code="truncated")
        return self._body[self._at + ahead]

    def within(self, size: int) -> Cursor:
        """A cursor over the next `size` bytes; this one goes on behind them."""
        base = self.at
        return Cursor(self.take(size), self._what, base=base)

    @property
    def at(self) -> int:
        """Which byte is next."""
        return self._base + self._at

    def rest(self) -> bytes:
        """All that remains."""
        return self.take(self.left)

    @property
    def left(self) -> int:
        """How many bytes remain."""
        return len(self._body) - self._at

    def end(self) -> None:
        """Raises MalformedInput if bytes remain."""
        if self.left:
            raise MalformedInput(f"{self._what}: {self.left} bytes too many", code="trailing")


def padded(text: str, size: int, what: str) -> bytes:
    """GBK bytes of the text, NUL padded to `size`. Raises MalformedInput if it does not fit."""
    try:
        raw = text.encode("gbk")
    except UnicodeEncodeError as error:
        raise MalformedInput(f"{what} has a character outside GBK: {text[:24]!r}") from error
    if len(raw) > size:
        raise MalformedInput(f"{what} takes {len(raw)} bytes; the field holds {size}")
    return raw.ljust(size, b"\0")
