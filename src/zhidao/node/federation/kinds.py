"""What nodes send each other about a consignment, and the small forms among it."""

from __future__ import annotations

from typing import Annotated, Final, TypeVar

import msgspec

from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.errors import MalformedInput
from zhidao.core.limits import JSON_INTEGER_MAX
from zhidao.core.versions import check_version_in
from zhidao.trust.events import CustodyAsked
from zhidao.trust.wire.evm.transaction import TRANSACTION_BYTES_MAX

SHARED: Final = "zhidao.facts"
ACCOUNT_ASKED: Final = "zhidao.account-asked"
LINE_ASKED: Final = "zhidao.line-asked"
TITLE_ASKED: Final = "zhidao.title-asked"
TITLE_SIGNED: Final = "zhidao.title-signed"
PROOF: Final = "zhidao.proof"
KEYS: Final = "zhidao.keys"
PARTIES: Final = "zhidao.parties"
JSON: Final = "application/json"
XML: Final = "application/xml"
# A proof file is JSON inside gzip.
PACKED: Final = "application/octet-stream"
# Accounts and credit lines belong to no consignment; they are ordered among themselves under this.
ACCOUNTS: Final = "accounts"
_BYTES_MAX: Final = 2 * TRANSACTION_BYTES_MAX + 4096
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=140)]
_FormT = TypeVar("_FormT", bound=msgspec.Struct)


class AccountAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A bank at another node wants an account of its customer on this node's ledger."""

    holder: _Text
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z")]
    name: _Text
    town: _Text
    country: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}\Z")]


class LineAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A bank at another node says how much a bank may owe it on this node's ledger.

    `request`: the asking bank's own name for it, so that the same line can be set once more.
    """

    request: _Text
    peer: _Text
    currency: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z")]
    limit_minor: Annotated[int, msgspec.Meta(ge=0, le=JSON_INTEGER_MAX)]


class TitleSigned(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The holder's transaction (hexadecimal) that brings its title into a deal's custody."""

    deal: _Text
    title: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
    raw: Annotated[str, msgspec.Meta(max_length=2 * TRANSACTION_BYTES_MAX)]


def encode_form(form: AccountAsked | LineAsked | TitleSigned | CustodyAsked) -> bytes:
    """The content of a document with this form."""
    return jcs({"v": 1} | msgspec.to_builtins(form))


def decode_form(data: bytes, kind: type[_FormT]) -> _FormT:
    """Reads one. Raises MalformedInput."""
    plain = parse_strict(data, bytes_max=_BYTES_MAX)
    check_version_in(plain, form=f"a form {kind.__name__}", known=(1,))
    if not isinstance(plain, dict) or plain.pop("v", None) != 1:
        raise MalformedInput(f"not a form of version 1: {kind.__name__}")
    try:
        return msgspec.convert(plain, kind, strict=True)
    except msgspec.ValidationError as error:
        raise MalformedInput(f"{kind.__name__}: {error}") from error
