"""A subscription as a document: what a node wants to hear of, as JSON of version 1."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.errors import MalformedInput
from zhidao.core.versions import check_version_in
from zhidao.exchange.domain.peer import Wanted

SUBSCRIPTION_KIND: Final = "zhidao.subscription"
SUBSCRIPTION_TYPE: Final = "application/json"
# Subscriptions are ordered among themselves under this name.
SUBSCRIPTION_CONSIGNMENT: Final = "subscriptions"
_BYTES_MAX: Final = 64 * 1024
_Beginnings = Annotated[
    list[Annotated[str, msgspec.Meta(min_length=1, max_length=64)]], msgspec.Meta(max_length=200)
]


class _Subscription(msgspec.Struct, forbid_unknown_fields=True):
    v: int
    kinds: _Beginnings
    consignments: _Beginnings


def encode_subscription(wanted: Wanted) -> bytes:
    """The content of a subscription document."""
    return jcs({"v": 1, "kinds": list(wanted.kinds), "consignments": list(wanted.consignments)})


def decode_subscription(data: bytes) -> Wanted:
    """Reads one. Raises MalformedInput."""
    try:
        plain = parse_strict(data, bytes_max=_BYTES_MAX)
        check_version_in(plain, form="a subscription", known=(1,))
        read = msgspec.convert(plain, _Subscription, strict=True)
    except msgspec.ValidationError as error:
        raise MalformedInput(f"subscription: {error}") from error
    return Wanted(tuple(read.kinds), tuple(read.consignments))
