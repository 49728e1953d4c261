"""Random lives of titles, for tests that hold one reading of the contracts against another."""

from __future__ import annotations

import random
from typing import Any

from zhidao.trust.domain.evm import ZERO_ADDRESS
from zhidao.trust.wire.evm import abi
from zhidao.trust.wire.evm.keccak import keccak256
from zhidao.trust.wire.evm.title_contract import mint_call


def random_life(seed: int, accounts: list, registry: Any) -> list[tuple[Any, Any, bytes]]:
    """Random steps of lives of a few titles: who signs, which contract, what call."""
    chance = random.Random(seed)
    titles = [keccak256(f"{seed}/{n}".encode()) for n in range(3)]
    steps: list[tuple[Any, Any, bytes]] = []
    for _ in range(25):
        title = chance.choice(titles)
        signer, other = chance.choice(accounts), chance.choice(accounts)
        escrow, token_id = registry.escrow(title), int.from_bytes(title, "big")
        remark = chance.randbytes(chance.choice([0, 5, 120, 121]) if chance.random() < 0.3 else 0)
        zero = chance.random() < 0.05
        target = ZERO_ADDRESS if zero else other.address
        options = [
            (registry.token, mint_call(title, other.address)),
            (registry.token, abi.encode_call("restore(uint256,bytes)", (token_id, remark))),
            (registry.token, abi.encode_call("burn(uint256,bytes)", (token_id, remark))),
            *((escrow, abi.encode_call(f"{name}(address,bytes)", (target, remark))) for name in
              ("transferHolder", "transferBeneficiary", "nominate")),
            (escrow, abi.encode_call("transferOwners(address,address,bytes)",
                                     (target, other.address, remark))),
            *((escrow, abi.encode_call(f"{name}(bytes)", (remark,))) for name in
              ("rejectTransferHolder", "rejectTransferBeneficiary", "rejectTransferOwners",
               "returnToIssuer")),
        ]  # fmt: skip
        weights = [4 if n == 0 else 1 for n in range(len(options))]
        steps.append((signer, *chance.choices(options, weights)[0]))
    return steps
