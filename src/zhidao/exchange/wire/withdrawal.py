"""A withdrawal as a document: which document its sender takes back, and why; JSON of version 1."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

import msgspec

from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.errors import MalformedInput
from zhidao.core.ids import parse_id
from zhidao.core.versions import check_version_in
from zhidao.exchange.domain.limits import REASON_CHARACTERS_MAX

WITHDRAWAL_KIND: Final = "zhidao.withdrawal"
WITHDRAWAL_TYPE: Final = "application/json"
# The code with which a withdrawn document is decided.
WITHDRAWN: Final = "withdrawn"
_BYTES_MAX: Final = 16 * 1024


class _Withdrawal(msgspec.Struct, forbid_unknown_fields=True):
    v: int
    document: Annotated[str, msgspec.Meta(max_length=36)]
    reason: Annotated[str, msgspec.Meta(max_length=REASON_CHARACTERS_MAX)]


def encode_withdrawal(document: UUID, reason: str) -> bytes:
    """The content of a withdrawal document. Raises MalformedInput for a reason that is no line."""
    if len(reason) > REASON_CHARACTERS_MAX or not reason.isprintable():
        raise MalformedInput(
            f"a reason is one line of at most {REASON_CHARACTERS_MAX} characters", where="reason"
        )
    return jcs({"v": 1, "document": str(document), "reason": reason})


def decode_withdrawal(data: bytes) -> tuple[UUID, str]:
    """The document and the reason. Raises MalformedInput."""
    try:
        plain = parse_strict(data, bytes_max=_BYTES_MAX)
        check_version_in(plain, form="a withdrawal", known=(1,))
        read = msgspec.convert(plain, _Withdrawal, strict=True)
    except msgspec.ValidationError as error:
        raise MalformedInput(f"withdrawal: {error}") from error
    if not read.reason.isprintable():
        raise MalformedInput("a reason is one line of text without control characters")
    return parse_id(read.document), read.reason
