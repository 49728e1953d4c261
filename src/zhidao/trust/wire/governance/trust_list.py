"""The trust list as a file, `trust.json`: canonical JSON of version 1 or 2, read strictly.

Version 2 bears a quorum policy (C2SP tlog-policy text) beside the keys of version 1.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Final

import msgspec

from zhidao.core.canonical import decode_json, jcs
from zhidao.core.encoding import utf8
from zhidao.core.errors import MalformedInput
from zhidao.core.ids import party_id
from zhidao.core.keys import PublicKey
from zhidao.core.timescale import Utc
from zhidao.core.versions import check_version
from zhidao.trust.domain.trust_list import TrustedNode, TrustedParty, TrustList
from zhidao.trust.wire.log.note import parse_vkey, vkey
from zhidao.trust.wire.log.policy import POLICY_BYTES_MAX, encode_policy, parse_policy

TRUST_FORMAT: Final = "zhidao.trust"
TRUST_BYTES_MAX: Final = 8 * 1024 * 1024
NAME_CHARACTERS_MAX: Final = 200
_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_CHARACTERS_MAX)]
_Keys = Annotated[list[str], msgspec.Meta(min_length=1, max_length=64)]


class _Node(msgspec.Struct, forbid_unknown_fields=True):
    party: str
    log: str
    keys: _Keys


class _Party(msgspec.Struct, forbid_unknown_fields=True):
    party: str
    name: _Text
    role: Annotated[str, msgspec.Meta(max_length=64)]
    keys: _Keys


class _Version(msgspec.Struct):
    v: int | msgspec.UnsetType = msgspec.UNSET


class _File(msgspec.Struct, forbid_unknown_fields=True):
    v: int
    format: str
    name: _Text
    created: str
    nodes: Annotated[list[_Node], msgspec.Meta(min_length=1, max_length=10_000)]
    parties: Annotated[list[_Party], msgspec.Meta(max_length=100_000)]


class _File2(_File, forbid_unknown_fields=True, kw_only=True):
    policy: Annotated[str, msgspec.Meta(min_length=1, max_length=POLICY_BYTES_MAX)]


def encode_trust_list(trust: TrustList) -> bytes:
    """The list's bytes."""
    plain: dict[str, Any] = {
        "v": 1,
        "format": TRUST_FORMAT,
        "name": trust.name,
        "created": str(trust.created),
        "nodes": [
            {"party": node.party, "log": vkey(node.log), "keys": _multikeys(node.keys)}
            for node in trust.nodes
        ],
        "parties": [
            {
                "party": party.party,
                "name": party.name,
                "role": party.role,
                "keys": _multikeys(party.keys),
            }
            for party in trust.parties
        ],
    }
    if trust.policy is not None:
        plain |= {"v": 2, "policy": encode_policy(trust.policy).decode()}
    return jcs(plain)


def decode_trust_list(data: bytes) -> TrustList:
    """Reads the file. Raises MalformedInput for any bytes but the one form of a list."""
    if len(data) > TRUST_BYTES_MAX:
        raise MalformedInput(f"a trust list of {len(data)} bytes; at most {TRUST_BYTES_MAX}")
    try:
        version = decode_json(data, _Version).v
        check_version(version, form="a trust list", known=(1, 2), where="v")
        file = decode_json(data, _File2 if version == 2 else _File)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedInput(f"not a trust list: {error}") from error
    if file.v not in (1, 2) or file.format != TRUST_FORMAT:
        raise MalformedInput(f"not a trust list of version 1 or 2: {file.format[:32]!r} {file.v}")
    trust = TrustList(
        file.name,
        Utc.parse(file.created),
        tuple(
            TrustedNode(party_id(node.party), parse_vkey(node.log), _keys(node.keys))
            for node in file.nodes
        ),
        tuple(
            TrustedParty(party_id(party.party), party.name, party.role, _keys(party.keys))
            for party in file.parties
        ),
        parse_policy(utf8(file.policy)) if isinstance(file, _File2) else None,
    )
    check_form(data, encode_trust_list(trust), what="the trust list")
    return trust


def check_form(data: bytes, canonical: bytes, *, what: str) -> None:
    """Raises MalformedInput, with what to do, for bytes that are not a list's one form.

    The one comparison refuses blanks, duplicate keys, other orders and other spellings at once.
    """
    if data == canonical:
        return
    if data.strip() == canonical:
        raise MalformedInput(
            f"{what} is followed or preceded by blanks, such as a newline at its end",
            remedy='remove them (printf %s "$(cat LIST)" > NEW), or take it as it was written',
        )
    raise MalformedInput(
        f"{what} is not in its canonical form",
        remedy="take the file as it was written: editors and formatters change its bytes",
    )


def trust_list_fingerprint(data: bytes) -> str:
    """First 16 bytes of SHA-256 over the file, in groups of four hex digits."""
    digest = hashlib.sha256(data).hexdigest()[:32]
    return "-".join(digest[at : at + 4] for at in range(0, 32, 4))


def _multikeys(keys: tuple[PublicKey, ...]) -> list[str]:
    return [key.multikey for key in keys]


def _keys(texts: list[str]) -> tuple[PublicKey, ...]:
    if len(set(texts)) != len(texts):
        raise MalformedInput("a key stands twice under one name of the trust list")
    return tuple(PublicKey.from_multikey(text) for text in texts)
