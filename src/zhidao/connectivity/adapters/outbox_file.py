"""An outbox on disk: what a card has to say, and when it may say it, outlive the program."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from zhidao.connectivity.domain.card_number import is_card
from zhidao.connectivity.domain.erasure import INDEX_MAX
from zhidao.connectivity.domain.message import MESSAGE_BYTES_MAX, Form, Message
from zhidao.connectivity.service.outbox import WAITING_MAX, Outbox, Waiting
from zhidao.core.canonical import decode_json
from zhidao.core.errors import MalformedInput, Refused, Unavailable
from zhidao.core.files.bounded import read_bounded
from zhidao.core.files.output import PRIVATE, write_whole

VERSION: Final = 1
# Every message as long as can be, in hexadecimal, with its particulars.
OUTBOX_BYTES_MAX: Final = WAITING_MAX * (2 * MESSAGE_BYTES_MAX + 256) + 1024


class _Row(msgspec.Struct, forbid_unknown_fields=True):
    form: int
    receiver: str
    body: str
    queued_s: float
    acknowledged: bool
    tries: int
    sent_s: float
    index: int


class _File(msgspec.Struct, forbid_unknown_fields=True):
    v: int
    next_send_s: float
    waiting: list[_Row]


@contextmanager
def held(file: Path) -> Iterator[None]:
    """Keeps other programs from the same outbox. Raises Unavailable where one has it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(file.with_name(f"{file.name}.lock"), os.O_RDWR | os.O_CREAT, PRIVATE)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Unavailable(
                f"another program sends from {file}",
                code="outbox_in_use",
                remedy="wait until it is done, or end it",
            ) from error
        yield
    finally:
        os.close(handle)


def load(file: Path, *, now_s: float) -> tuple[Outbox, float]:
    """Outbox, and the moment (Unix seconds) before which nothing is sent. Absent: empty, 0.

    Raises MalformedInput (`outbox_spoiled`).
    """
    if not file.exists():
        return Outbox(), 0.0
    data = read_bounded(file, bytes_max=OUTBOX_BYTES_MAX)
    try:
        kept = decode_json(data, _File)
        _check(kept)
        return Outbox([_waiting(row, now_s) for row in kept.waiting]), kept.next_send_s
    except (MalformedInput, Refused, ValueError) as error:
        raise MalformedInput(
            f"{file} is no outbox: {error}",
            code="outbox_spoiled",
            remedy="move it away; what it held is not sent",
        ) from error


def save(file: Path, outbox: Outbox, *, next_send_s: float) -> None:
    """Writes it whole or not at all."""
    rows = [_row(each) for each in outbox.waiting]
    document = {"v": VERSION, "next_send_s": next_send_s, "waiting": rows}
    write_whole(file, json.dumps(document).encode(), mode=PRIVATE)


def _row(each: Waiting) -> dict[str, Any]:
    return {
        "form": int(each.message.form),
        "receiver": each.receiver,
        "body": each.message.body.hex(),
        "queued_s": each.queued_s,
        "acknowledged": each.acknowledged,
        "tries": each.tries,
        "sent_s": each.sent_s,
        "index": each.index,
    }


def _check(kept: _File) -> None:
    if kept.v != VERSION:
        raise MalformedInput(f"its version is {kept.v}, not {VERSION}", code="outbox_spoiled")
    if len(kept.waiting) > WAITING_MAX:
        raise MalformedInput(
            f"{len(kept.waiting)} messages wait; at most {WAITING_MAX} can", code="outbox_spoiled"
        )


def _waiting(row: _Row, now_s: float) -> Waiting:
    if row.tries < 0 or not 0 <= row.index <= INDEX_MAX or not is_card(row.receiver):
        raise MalformedInput(
            f"a message to {row.receiver[:12]!r}, tried {row.tries} times", code="outbox_spoiled"
        )
    message = Message(Form(row.form), bytes.fromhex(row.body))
    # A clock that was set back meanwhile holds nothing up.
    sent_s = min(row.sent_s, now_s)
    return Waiting(
        *(message, row.receiver, row.queued_s, row.acknowledged, row.tries, sent_s, row.index)
    )
