"""The compiled LogAnchor contract, where the build step for external chains has made it."""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import Final

import msgspec

from zhidao.core.encoding import parse_hex
from zhidao.core.errors import MalformedInput, Unavailable

_FILE: Final = "log_anchor.json"


class _Artefact(msgspec.Struct):
    source_sha256: str
    fork: str
    bytecode: str


def load_anchor_code() -> bytes:
    """The creation code, made from the very source beside this package.

    Raises Unavailable (`no_anchor_contract`) if it was not compiled or from another source.
    """
    room = resources.files("zhidao.trust")
    source = (room / "contracts" / "LogAnchor.vy").read_bytes()
    try:
        data = (room / "artefacts" / _FILE).read_bytes()
        artefact = msgspec.json.decode(data, type=_Artefact)
    except FileNotFoundError as error:
        raise _absent("was not compiled") from error
    except msgspec.DecodeError as error:
        raise MalformedInput(f"{_FILE}: {error}") from error
    if artefact.source_sha256 != hashlib.sha256(source).hexdigest():
        raise _absent("was compiled from another source")
    return parse_hex(artefact.bytecode)


def _absent(why: str) -> Unavailable:
    return Unavailable(
        f"the LogAnchor contract {why}",
        code="no_anchor_contract",
        remedy="run build_steps/anchor_artefact.py with requirements/contracts.txt installed",
    )
