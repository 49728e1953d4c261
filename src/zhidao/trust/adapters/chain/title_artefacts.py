"""The compiled title contracts that the build put beside this package."""

from __future__ import annotations

import hashlib
from importlib import resources

import msgspec

from zhidao.core.encoding import parse_hex
from zhidao.core.errors import MalformedInput, Unavailable
from zhidao.core.programs.extras import REINSTALL
from zhidao.trust.service.chain.ports import TitleContracts
from zhidao.trust.wire.evm.title_contract import FACTORY_SHA256, TOKEN_SHA256

_FOLDER = "artefacts"
_FILE = "token_registry.json"


class _Contract(msgspec.Struct):
    sha256: str = ""
    bytecode: str = ""


class _Release(msgspec.Struct):
    contracts: dict[str, _Contract]


def load_title_contracts() -> TitleContracts:
    """Reads the contracts and checks them against the published digests.

    Raises Unavailable (`no_title_contracts`) if the build did not fetch them or fetched others.
    """
    place = resources.files("zhidao.trust") / _FOLDER / _FILE
    try:
        release = msgspec.json.decode(place.read_bytes(), type=_Release)
    except FileNotFoundError as error:
        raise Unavailable(
            "the title contracts are not installed",
            code="no_title_contracts",
            where=f"trust/{_FOLDER}/{_FILE}",
            remedy=REINSTALL,
        ) from error
    except msgspec.DecodeError as error:
        raise MalformedInput(f"{_FILE}: {error}", remedy=REINSTALL) from error
    return TitleContracts(
        factory_code=_code(release, "TitleEscrowFactory", FACTORY_SHA256),
        token_code=_code(release, "TradeTrustToken", TOKEN_SHA256),
    )


def _code(release: _Release, name: str, sha256: str) -> bytes:
    contract = release.contracts.get(name, _Contract())
    code = parse_hex(contract.bytecode)
    if hashlib.sha256(code).hexdigest() != sha256:
        raise Unavailable(
            f"{_FILE}: {name} is not the published contract",
            code="no_title_contracts",
            remedy=REINSTALL,
        )
    return code
