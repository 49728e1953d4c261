"""LogAnchor on py-evm: a head is kept, only grows, and is each publisher's own."""

from __future__ import annotations

from dataclasses import replace

import coincurve
import pytest

from zhidao.core.errors import Refused, Unavailable
from zhidao.trust.adapters.chain.own_artefacts import load_anchor_code
from zhidao.trust.adapters.chain.py_evm import PyEvmEngine
from zhidao.trust.domain.evm import Address, Block, Outcome
from zhidao.trust.domain.note import Checkpoint
from zhidao.trust.wire.evm.keccak import address_of_point
from zhidao.trust.wire.evm.log_anchor import (
    AnchoredHead,
    anchor_call,
    check_anchored,
    head_call,
    head_of,
)
from zhidao.trust.wire.evm.transaction import Draft, decode, sign

CHAIN = 5
KEYS = [coincurve.PrivateKey(bytes([n]) * 32) for n in (7, 8)]
OURS, OTHER = (address_of_point(key.public_key.format(compressed=False)) for key in KEYS)
HEAD = Checkpoint("zhidao-log/test", 1000, b"\xaa" * 32)
GAS_OF_A_HEAD_MAX = 60_000


@pytest.fixture(scope="module")
def code() -> bytes:
    try:
        return load_anchor_code()
    except Unavailable as absent:
        pytest.skip(f"{absent}: {absent.remedy}")


class Chain:
    def __init__(self, code: bytes) -> None:
        self.engine = PyEvmEngine(CHAIN)
        self.counts = [0, 0]
        created = self.do(0, None, code).created
        assert created is not None
        self.contract = created

    def do(self, who: int, to: Address | None, data: bytes) -> Outcome:
        key = KEYS[who]
        draft = Draft(chain_id=CHAIN, nonce=self.counts[who], to=to, data=data, gas=2_000_000)
        raw = sign(draft, lambda digest: key.sign_recoverable(digest, hasher=None))
        self.counts[who] += 1
        return self.engine.execute(decode(raw), Block(sum(self.counts), 0))

    def anchor(self, head: Checkpoint, who: int = 0) -> Outcome:
        return self.do(who, self.contract, anchor_call(head))

    def head(self, publisher: Address) -> AnchoredHead:
        return head_of(self.do(1, self.contract, head_call(publisher, HEAD.origin)).output)


def test_a_head_is_anchored_grows_and_never_goes_back(code: bytes):
    chain = Chain(code)
    assert chain.head(OURS) == AnchoredHead(0, bytes(32))
    told = chain.anchor(HEAD)
    assert told.succeeded
    check_anchored(HEAD, told.logs, contract=chain.contract, publisher=OURS)
    for back in (HEAD, replace(HEAD, root=b"\xbb" * 32), replace(HEAD, size=999)):
        assert chain.anchor(back).failure == "revert"
    grown = replace(HEAD, size=1001, root=b"\xcc" * 32)
    later = chain.anchor(grown)
    assert later.succeeded
    assert later.gas_used <= GAS_OF_A_HEAD_MAX
    assert chain.head(OURS) == AnchoredHead(1001, grown.root)


def test_nobody_anchors_in_anothers_name_or_another_head(code: bytes):
    chain = Chain(code)
    forged = chain.anchor(replace(HEAD, size=9_999), who=1)
    assert forged.succeeded
    assert chain.head(OURS) == AnchoredHead(0, bytes(32)), "a stranger stops our log"
    told = chain.anchor(HEAD)
    here = {"contract": chain.contract, "publisher": OURS}
    for head, where in (
        (HEAD, here | {"publisher": OTHER}),
        (HEAD, here | {"contract": OTHER}),
        (replace(HEAD, root=b"\xbb" * 32), here),
        (replace(HEAD, size=1001), here),
        (replace(HEAD, origin="zhidao-log/else"), here),
    ):
        with pytest.raises(Refused) as caught:
            check_anchored(head, told.logs, **where)
        assert caught.value.code == "not_anchored"
    with pytest.raises(Refused):
        check_anchored(HEAD, (), **here)
