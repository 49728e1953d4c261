"""Several RINEX files as one: one after the other, each with its own header.

The navigation data of a window across midnight stand in two files. Evidence names one digest, so
both are kept as one text: `concatenated` makes it, `parts_of` takes it apart again.
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.positioning.wire.compression import unpacked

PARTS_MAX: Final = 8
_LABEL: Final = b"RINEX VERSION / TYPE"
_LABEL_COLUMN: Final = 60


def concatenated(files: Sequence[bytes], *, bytes_max: int) -> bytes:
    """The files as one, gzipped: the same files give the same bytes on one machine.

    Raises MalformedInput beyond PARTS_MAX files or `bytes_max` bytes of text.
    """
    if not 0 < len(files) <= PARTS_MAX:
        raise MalformedInput(f"{len(files)} files; up to {PARTS_MAX} are put together")
    texts = [unpacked(file, bytes_max=bytes_max).rstrip() + b"\n" for file in files]
    if sum(map(len, texts)) > bytes_max:
        raise MalformedInput(f"the files have more than {bytes_max} bytes together")
    return gzip.compress(b"".join(texts), mtime=0)


def parts_of(data: bytes, *, bytes_max: int) -> list[bytes]:
    """Each file of the text, plain or gzipped; a single file is given back as it is.

    Raises MalformedInput for damaged gzip, or for more than PARTS_MAX files.
    """
    text = unpacked(data, bytes_max=bytes_max)
    starts = _starts(text)
    if len(starts) <= 1:
        return [data]
    if len(starts) > PARTS_MAX:
        raise MalformedInput(f"{len(starts)} files in one; up to {PARTS_MAX} are read")
    ends = [*starts[1:], len(text)]
    return [text[start:end] for start, end in zip(starts, ends, strict=True)]


def _starts(text: bytes) -> list[int]:
    """Where the first line of each file begins."""
    found = []
    at = text.find(_LABEL)
    while at >= 0:
        start = text.rfind(b"\n", 0, at) + 1
        if at - start == _LABEL_COLUMN:
            found.append(start)
        if len(found) > PARTS_MAX:
            break
        at = text.find(_LABEL, at + 1)
    return found
