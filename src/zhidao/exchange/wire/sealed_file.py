"""A presentation sealed as a file: one line of header, and what only one node can open.

The header names the form and the node; the rest is sealed for that node (HPKE, RFC 9180) as every
envelope is, with the header bound to it.
"""

from __future__ import annotations

from typing import Final

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.versions import check_tag
from zhidao.exchange.domain.peer import Card
from zhidao.exchange.wire.card import decode_card
from zhidao.exchange.wire.sealing import SealingKey, is_hybrid, seal

# Version 1 is sealed to an X25519 key, version 2 to a hybrid one.
_SEALED: Final = b"zhidao.sealed-presentation.v1 "
_SEALED_HYBRID: Final = b"zhidao.sealed-presentation.v2 "
SEAL_BYTES_MAX: Final = 2048


def sealed(presentation: bytes, card: bytes) -> bytes:
    """The file that only the node of a card can open. Raises Refused for a card nobody signed."""
    recipient: Card = decode_card(card)
    tag = _SEALED_HYBRID if is_hybrid(recipient.seals) else _SEALED
    header = tag + recipient.node.encode() + b"\n"
    return header + seal(presentation, recipient.seals, info=header)


def is_sealed(data: bytes) -> bool:
    """Whether a file is a sealed presentation."""
    return data.startswith((_SEALED, _SEALED_HYBRID))


def opened(data: bytes, key: SealingKey | None) -> bytes:
    """The signed file inside a sealed one; a file that is not sealed is given back.

    Raises Refused where it is sealed to another node, or no key is there.
    """
    if not is_sealed(data):
        begun = data[: len(_SEALED) + 9].decode("latin-1")
        tags = ("zhidao.sealed-presentation.v1", "zhidao.sealed-presentation.v2")
        check_tag(begun, tags, form="a sealed presentation", where="byte 0")
        return data
    header, newline, rest = data.partition(b"\n")
    if not newline:
        raise MalformedInput("the sealed presentation is cut off")
    if key is None:
        raise Refused(
            "the presentation is sealed",
            code="cannot_open",
            remedy="open it with the key of the node: --data FOLDER",
        )
    return key.open(rest, info=header + newline, hybrid=data.startswith(_SEALED_HYBRID))
