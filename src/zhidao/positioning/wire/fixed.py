"""Fixed columns of many lines read at once: the numbers of RINEX without a Python loop."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from zhidao.core.compiling import ready
from zhidao.positioning.domain.observables.observations import Bools, Bytes, Floats, Ints

_BLANK: Final = 32
_MINUS: Final = 45
_ZERO: Final = 48
# From here on the import of numba costs less than it saves.
_LOADING_PAYS_BYTES: Final = 24_000_000


class Lines:
    """The lines of a text as places in its bytes; ends exclude line feed and carriage return.

    `compiled` says whether this text is read by compiled kernels.
    """

    def __init__(self, data: bytes, *, of_bytes: int = 0) -> None:
        """`of_bytes`: how much there is in all, where the text is only a part of it."""
        self.data = data
        self.bytes: Bytes = np.frombuffer(data, np.uint8)
        self.compiled = ready(pays=max(len(data), of_bytes) >= _LOADING_PAYS_BYTES)
        feeds = self._feeds()
        starts = np.concatenate(([0], feeds + 1))
        ends = np.concatenate((feeds, [len(data)]))
        if len(starts) and starts[-1] == len(data):
            starts, ends = starts[:-1], ends[:-1]
        returns = (ends > starts) & (self.bytes[np.maximum(ends - 1, 0)] == 13) if len(data) else []
        self.starts: Ints = starts.astype(np.int64)
        self.ends: Ints = (ends - returns).astype(np.int64) if len(data) else ends.astype(np.int64)
        self._padded: Bytes | None = None

    def __len__(self) -> int:
        return len(self.starts)

    def _feeds(self) -> Ints:
        if self.compiled:
            from zhidao.positioning.domain.kernels.rinex_text import line_feeds

            return line_feeds(self.bytes)
        return np.flatnonzero(self.bytes == 10)

    def text(self, line: int) -> str:
        """One line as text; bytes outside ASCII become replacement characters."""
        return self.data[self.starts[line] : self.ends[line]].decode("ascii", "replace")

    def lead(self, lines: slice) -> Bytes:
        """The first byte of each line, 0 for empty ones."""
        starts, ends = self.starts[lines], self.ends[lines]
        if not len(self.data):
            return np.zeros(0, np.uint8)
        first = self.bytes[np.minimum(starts, len(self.data) - 1)]
        return np.where(ends > starts, first, 0).astype(np.uint8)

    def block(self, lines: Ints, width: int) -> Bytes:
        """Those lines as a matrix of bytes, cut or padded with blanks to `width`."""
        starts = self.starts[lines]
        source = self.bytes
        if len(starts) and int(starts.max()) + width > len(self.data):
            # Only lines near the end need bytes behind the last one.
            if self._padded is None or len(self._padded) < len(self.data) + width:
                self._padded = np.concatenate((self.bytes, np.zeros(width, np.uint8)))
            source = self._padded
        elif width > len(self.data):
            source = np.zeros(width, np.uint8)
        rows = sliding_window_view(source, width)[starts]
        lengths = self.ends[lines] - self.starts[lines]
        rows[np.arange(width) >= lengths[:, None]] = _BLANK
        return rows


def integers(field: Bytes) -> tuple[Ints, Bools, Bools]:
    """Right-justified integers in the last axis: values, which are blank, which are no numbers."""
    digits = field - np.uint8(_ZERO)
    is_digit = digits < 10
    blank = field == _BLANK
    minus = field == _MINUS
    bad = ~(is_digit | blank | minus).all(-1)
    # Blanks come first, then at most one minus, then digits to the end.
    bad |= (blank[..., 1:] & ~blank[..., :-1]).any(-1)
    bad |= (minus[..., 1:] & ~blank[..., :-1]).any(-1)
    empty = blank.all(-1)
    bad |= ~is_digit[..., -1] & ~empty
    weights = 10.0 ** np.arange(field.shape[-1] - 1, -1, -1)
    values = (np.where(is_digit, digits, 0).astype(np.float64) @ weights).astype(np.int64)
    return np.where(minus.any(-1), -values, values), empty, bad


def decimals(field: Bytes, places: int) -> tuple[Floats, Bools, Bools]:
    """Fixed-point numbers (Fortran Fw.d) in the last axis: values, which are blank, which are bad.

    Exact: digits are summed as integers below 2^53 and divided once, as reading the text would.
    """
    width = field.shape[-1]
    point = width - places - 1
    digits = field - np.uint8(_ZERO)
    is_digit = digits < 10
    blank = field == _BLANK
    minus = field == _MINUS
    empty = blank.all(-1)
    whole = (is_digit | blank | minus)[..., :point].all(-1)
    fraction = is_digit[..., point + 1 :].all(-1) & (field[..., point] == 46)
    bad = ~(whole & fraction)
    bad |= (blank[..., 1:point] & ~blank[..., : point - 1]).any(-1)
    bad |= (minus[..., 1:point] & ~blank[..., : point - 1]).any(-1)
    weights = np.zeros(width)
    weights[point + 1 :] = 10.0 ** np.arange(places - 1, -1, -1)
    weights[:point] = 10.0 ** np.arange(width - 2, places - 1, -1)
    values = np.where(is_digit, digits, 0).astype(np.float64) @ weights / 10.0**places
    values = np.where(minus[..., :point].any(-1), -values, values)
    return values, empty, bad & ~empty
