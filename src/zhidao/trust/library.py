"""What outsiders and the command line use of trust without a node."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zhidao.core.timescale import Utc

if TYPE_CHECKING:
    from zhidao.core.keys import Signer
    from zhidao.trust.service.chain.ports import MakeEngine
    from zhidao.trust.service.credentials.external_evidence import Evidence
    from zhidao.trust.service.credentials.gathering import Fetcher


def local_evm() -> MakeEngine | None:
    """Makes machines that execute titles' transactions; None where py-evm is not installed."""
    from zhidao.trust.adapters.chain.py_evm import PyEvmEngine

    return PyEvmEngine if find_spec("eth") is not None else None


def contexts_with(folder: Path | None) -> Mapping[str, Any]:
    """The JSON-LD contexts that stand here, and those of a folder."""
    from zhidao.trust.adapters.evidence.bundled_contexts import load_contexts, read_context_folder

    own = read_context_folder(folder) if folder else {}
    return {**load_contexts(), **own}


def evidence_in(folder: Path, at: Utc) -> Evidence:
    """What a folder holds of DID documents and status lists, taken as read at this time."""
    from zhidao.trust.adapters.evidence.folder import read_evidence_folder

    return read_evidence_folder(folder, at)


@asynccontextmanager
async def public_evidence() -> AsyncIterator[Fetcher]:
    """Reads DID documents and status lists over https, from public addresses only."""
    from zhidao.trust.adapters.evidence.http_evidence import HttpEvidence

    fetcher = HttpEvidence()
    try:
        yield fetcher
    finally:
        await fetcher.close()


def anchor_code() -> bytes:
    """Creation code of LogAnchor. Raises Unavailable (`no_anchor_contract`) if not compiled."""
    from zhidao.trust.adapters.chain.own_artefacts import load_anchor_code

    return load_anchor_code()


def guard_creation(*, owner: str, guardians: Sequence[str], votes: int, lock_days: int) -> bytes:
    """Creation code of a guard with its terms.

    Raises MalformedInput for what is no address, Refused (`bad_guardians`, `lock_too_short`),
    Unavailable (`no_guard_contract`) if it is not compiled.
    """
    from zhidao.trust.adapters.chain.own_artefacts import load_guard_code
    from zhidao.trust.domain.evm import parse_address
    from zhidao.trust.wire.evm.title_guard import GuardTerms, guard_code

    terms = GuardTerms(
        parse_address(owner.lower()),
        tuple(parse_address(one.lower()) for one in guardians),
        votes,
        lock_days * 86_400,
    )
    return guard_code(load_guard_code(), terms)


def guard_call(act: str, candidate: str = "") -> bytes:
    """Call data for a guard: `support` with its candidate's address, `cancel` or `recover`."""
    from zhidao.trust.domain.evm import parse_address
    from zhidao.trust.wire.evm.title_guard import cancel_call, recover_call, support_call

    if act == "support":
        return support_call(parse_address(candidate.lower()))
    return {"cancel": cancel_call, "recover": recover_call}[act]()


def selective_base_proof(
    document: Mapping[str, Any],
    configuration: Mapping[str, Any],
    *,
    pointers: Sequence[str],
    signer: Signer,
    statement_key: Signer,
    hmac_key: bytes,
    contexts: Mapping[str, Any],
) -> str:
    """The proofValue of a base proof of ecdsa-sd-2023, for issuers whose holders show parts.

    pointers: what every holder must show. signer, statement_key: P-256; the latter is made for
    this one proof and then forgotten. hmac_key: 32 random bytes.
    """
    from zhidao.trust.wire.credentials.selective_disclosure import sign_base
    from zhidao.trust.wire.linked_data.jsonld_context import ContextReader

    return sign_base(
        document,
        configuration,
        pointers=pointers,
        signer=signer,
        statement_key=statement_key,
        hmac_key=hmac_key,
        reader=ContextReader(contexts),
    )
