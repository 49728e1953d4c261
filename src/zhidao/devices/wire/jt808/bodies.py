"""All 71 messages of JT/T 808: a body read into named values, and written from them.

`messages` has the few that a session acts upon as types of their own; here every message is values
by name, which is what explains a frame to a person, and what an order to a terminal is made from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from zhidao.core.errors import MalformedInput
from zhidao.devices.wire.frame_view import Explained
from zhidao.devices.wire.jt808.cursor import Cursor
from zhidao.devices.wire.jt808.downlinks import DOWNLINKS
from zhidao.devices.wire.jt808.forms import Form, Kind
from zhidao.devices.wire.jt808.frame import Edition
from zhidao.devices.wire.jt808.layout import (
    Reading,
    Values,
    read_group,
    write_group,
)
from zhidao.devices.wire.jt808.uplinks import UPLINKS

KINDS: Final[Mapping[int, Kind]] = UPLINKS | DOWNLINKS


@dataclass(frozen=True, slots=True)
class Body:
    """A body as it was read. `form`: which of the message's forms; `rest`: bytes behind its end."""

    message_id: int
    edition: Edition
    form: int
    values: Values
    rest: bytes = b""
    explained: tuple[Explained, ...] = ()

    @property
    def form_name(self) -> str:
        """What tells the form from the standard's; empty for that."""
        return KINDS[self.message_id].forms[self.form].name

    def encode(self) -> bytes:
        """The bytes that it was read from."""
        return write_body(self.message_id, self.values, self.edition, form=self.form) + self.rest


def read_body(message_id: int, body: bytes, edition: Edition) -> Body:
    """A body of a message. Raises MalformedInput: `unknown_message`, or what does not fit.

    The first form that takes it whole is its form, else the first that takes its beginning.
    """
    kind = _kind(message_id)
    partly: Body | None = None
    failed: MalformedInput | None = None
    for number, form in kind.of(edition):
        try:
            found = _read(message_id, body, edition, number, form)
        except MalformedInput as error:
            failed = failed or error
            continue
        if not found.rest:
            return found
        partly = partly or found
    if partly is not None:
        return partly
    raise failed or MalformedInput(f"0x{message_id:04X} has no form of {edition.value}")


def write_body(
    message_id: int, values: Mapping[str, Any], edition: Edition, *, form: int = -1
) -> bytes:
    """The body of a message; of the standard's form unless one is named.

    Raises MalformedInput for values that lack, that no field has, or that do not fit.
    """
    forms = dict(_kind(message_id).of(edition))
    chosen = forms.get(form if form >= 0 else min(forms, default=-1))
    if chosen is None:
        raise MalformedInput(f"0x{message_id:04X} has no form {form} of {edition.value}")
    try:
        return write_group(chosen.layout, dict(values), edition)
    except MalformedInput as error:
        raise MalformedInput(f"JT/T 808 0x{message_id:04X}: {error}") from error


def _read(message_id: int, body: bytes, edition: Edition, number: int, form: Form) -> Body:
    what = f"JT/T 808 0x{message_id:04X}"
    if len(body) < form.least:
        raise MalformedInput(f"{what}: {len(body)} bytes are too few", code="truncated")
    at = Reading(Cursor(body, what), edition)
    values = read_group(form.layout, at)
    rest = at.cursor.rest()
    if rest:
        at.explained.append(
            Explained(len(body) - len(rest), len(body), "rest", rest, "behind the end")
        )
    return Body(message_id, edition, number, values, rest, tuple(at.explained))


def _kind(message_id: int) -> Kind:
    kind = KINDS.get(message_id)
    if kind is None:
        raise MalformedInput(
            f"0x{message_id:04X} is none of the {len(KINDS)} messages of JT/T 808",
            code="unknown_message",
            remedy="a maker's own message: ask the maker what it holds",
        )
    return kind
