"""Our own compiled contracts, where the build step has made them."""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import Final

import msgspec

from zhidao.core.encoding import parse_hex
from zhidao.core.errors import MalformedInput, Unavailable

_ANCHOR: Final = ("LogAnchor", "log_anchor.json", "no_anchor_contract")
_GUARD: Final = ("TitleGuard", "title_guard.json", "no_guard_contract")


class _Artefact(msgspec.Struct):
    source_sha256: str
    fork: str
    bytecode: str


def load_anchor_code() -> bytes:
    """The creation code of LogAnchor, made from the very source beside this package.

    Raises Unavailable (`no_anchor_contract`) if it was not compiled or from another source.
    """
    return _load(*_ANCHOR)


def load_guard_code() -> bytes:
    """The creation code of TitleGuard, without its constructor's arguments.

    Raises Unavailable (`no_guard_contract`) if it was not compiled or from another source.
    """
    return _load(*_GUARD)


def _load(contract: str, file: str, code: str) -> bytes:
    room = resources.files("zhidao.trust")
    source = (room / "contracts" / f"{contract}.vy").read_bytes()
    try:
        data = (room / "artefacts" / file).read_bytes()
        artefact = msgspec.json.decode(data, type=_Artefact)
    except FileNotFoundError as error:
        raise _absent(contract, "was not compiled", code) from error
    except msgspec.DecodeError as error:
        raise MalformedInput(f"{file}: {error}") from error
    if artefact.source_sha256 != hashlib.sha256(source).hexdigest():
        raise _absent(contract, "was compiled from another source", code)
    return parse_hex(artefact.bytecode)


def _absent(contract: str, why: str, code: str) -> Unavailable:
    return Unavailable(
        f"the {contract} contract {why}",
        code=code,
        remedy="run build_steps/own_contracts.py with requirements/contracts.txt installed",
    )
