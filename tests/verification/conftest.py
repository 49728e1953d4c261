"""One honest road that these tests share; making it takes a moment, checking it another."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest
from tests.verification.corridor_bench import Corridor

from zhidao.trust.domain.proof import Proof
from zhidao.trust.domain.trust_list import TrustList
from zhidao.trust.wire.proof_file.zdproof import decode_proof


@dataclass(frozen=True)
class Honest:
    """The honest road's proof file and the list of its keys."""

    data: bytes
    proof: Proof
    trust: TrustList


@pytest.fixture(scope="session")
def honest() -> Honest:
    corridor = Corridor()
    data = asyncio.run(corridor.proof())
    return Honest(data, decode_proof(data), corridor.trust())
