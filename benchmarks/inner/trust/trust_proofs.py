"""Proof files: how large and how quickly checked, compact and full, here and by the other verifier.

The road is the one of the tests with a longer title: eleven title events, more than twenty others,
spread over a log of 100,000 leaves, and cosignatures of three of five witnesses. Its signals are
simulated.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from benchmarks.measuring import claim
from zhidao.trust.domain.proof import reachable

OTHER_LEAVES: Final = 100_000
_CHECK: Final = Path(__file__).resolve().parents[3] / "docs" / "checks" / "proof_check.mjs"


def run(runs: int = 5) -> Iterator[dict[str, Any]]:
    """The claims of `./run bench trust` about proofs."""
    from zhidao.trust.library import local_evm
    from zhidao.trust.wire.governance.trust_list import encode_trust_list
    from zhidao.trust.wire.proof_file.zdproof import decode_proof, encode_proof
    from zhidao.verification.compact import compacted
    from zhidao.verification.verdict import verify

    full, trust = asyncio.run(_witnessed_road())
    compact = encode_proof(compacted(decode_proof(full)))

    def check(data: bytes) -> float:
        # One thread computing: the processor's time, whatever else the machine runs.
        started_s = time.process_time()
        verdict = verify(decode_proof(data), [trust], evm=local_evm())
        took_ms = (time.process_time() - started_s) * 1000
        if not verdict.holds:
            raise SystemExit(f"the proof does not hold: {verdict.sentence}")
        return took_ms

    partial = compacted(_without_the_deal(decode_proof(full)))
    small = encode_proof(partial)
    titles = [o for o in partial.events if o.event.type == "trust.TitleMoved.v1"]
    moves = [o for o in partial.events if o.event.type == "trust.ChainTransaction.v1"]
    if len(titles) != 11 or len(partial.events) - len(titles) - len(moves) < 20:
        raise SystemExit(f"{len(titles)} title events of {len(partial.events)}")
    yield claim("trust_compact_proof_bytes", [len(small)], "B", target=40_000, at_most=True)
    yield claim("trust_compact_proof_with_deal_bytes", [len(compact)], "B")
    for data in (small, full):
        check(data)
    yield claim(
        "trust_compact_proof_verify_ms",
        [check(small) for _ in range(4 * runs)],
        "ms",
        target=20,
        at_most=True,
    )
    yield claim("trust_full_proof_bytes", [len(full)], "B", target=300_000, at_most=True)
    yield claim(
        "trust_full_proof_verify_ms",
        [check(full) for _ in range(runs)],
        "ms",
        target=2_000,
        at_most=True,
    )
    node = shutil.which("node")
    if node is not None:
        took = [_independent_ms(node, small, encode_trust_list(trust)) for _ in range(runs)]
        yield claim("trust_compact_proof_independent_ms", took, "ms")


def _without_the_deal(proof: Any) -> Any:
    """What carrier and customs may have: deal, arrival and the deal's banks are not theirs."""
    others = ("deal/", "arrival/", "bank/")
    kept = tuple(o for o in proof.events if not o.event.aggregate.startswith(others))
    bare = replace(proof, events=kept)
    named = reachable(bare)
    return replace(bare, blobs={d: data for d, data in proof.blobs.items() if d in named})


def _independent_ms(node: str, proof: bytes, trust: bytes) -> float:
    """The whole process of the verifier in JavaScript, start of node included."""
    with tempfile.TemporaryDirectory(prefix="zt-") as place:
        file, listed = Path(place) / "p.zdproof", Path(place) / "trust.json"
        file.write_bytes(proof)
        listed.write_bytes(trust)
        started_s = time.perf_counter()
        told = subprocess.run(
            [node, str(_CHECK), str(file), "--trust", str(listed)],
            capture_output=True,
            check=True,
        )
        took_ms = (time.perf_counter() - started_s) * 1000
    if json.loads(told.stdout)["verdict"] != "holds":
        raise SystemExit(told.stdout.decode())
    return took_ms


async def _witnessed_road() -> tuple[bytes, Any]:
    """The proof file and the trust list that asks for three of five witnesses."""
    from tests.verification.corridor_bench import Corridor, _named

    from zhidao.core.events import leaf_bytes
    from zhidao.core.ids import PartyId
    from zhidao.core.keys import Algorithm, SoftwareKey
    from zhidao.trust.adapters.log.cosigned_notes import MemoryCosignedNotes
    from zhidao.trust.adapters.log.memory import MemoryHeadCopy, MemoryLogStore
    from zhidao.trust.domain.note import Cosigner
    from zhidao.trust.domain.policy import Policy, PolicyGroup, PolicyWitness
    from zhidao.trust.service.log.sequencer import Sequencer
    from zhidao.trust.service.witness.proving import ProofWriter
    from zhidao.trust.wire.evm.title_contract import transfer_call
    from zhidao.trust.wire.log.note import decode_note, encode_note
    from zhidao.trust.wire.proof_file.zdproof import decode_proof

    class Longer(Corridor):
        """A title that goes through eight more hands before it comes to custody."""

        def _into_custody(self) -> None:
            names = ["exporter", "carrier", "importer", "importer-bank", "exporter-bank"]
            way = [*names, *names[1:4], "exporter"]
            nonces = {"carrier": 1}
            escrow = self.registry.escrow(bytes.fromhex(self.title))
            for giver, taker in pairwise(way):
                account = self.accounts.of_party(PartyId(giver))
                receiver = self.accounts.of_party(PartyId(taker))
                call, nonce = transfer_call(receiver.address), nonces.get(giver, 0)
                nonces[giver] = nonce + 1
                name = self._transact(giver, account, nonce, escrow, call, "custody")
                self._moved("transfer", name, receiver.address, taker)
            self.exporter_nonce = nonces["exporter"]
            super()._into_custody()

        def _transact(self, by: str, account: Any, nonce: int, to: Any, *rest: Any) -> str:
            # The road of the tests begins to count the exporter's transactions at 0.
            own = getattr(self, "exporter_nonce", None)
            if own is not None and by == "exporter":
                nonce = own
            return super()._transact(by, account, nonce, to, *rest)

    corridor = Longer()
    await corridor.proof()
    store = MemoryLogStore()
    log = Sequencer(
        origin=corridor.origin, key=corridor.node_key, store=store, copy=MemoryHeadCopy()
    )
    await log.start()
    # Other consignments' leaves stand between those of this one.
    own = [leaf_bytes(e.event, e.salt) for e in corridor.entries]
    gap = OTHER_LEAVES // len(own)
    leaves: list[bytes] = []
    places: list[int] = []
    for leaf in own:
        leaves += [os.urandom(64) for _ in range(gap)]
        places.append(len(leaves))
        leaves.append(leaf)
    async with store.transaction() as transaction:
        await log.append(transaction, leaves)
    await log.sign_checkpoint()
    witnesses = [
        Cosigner(f"w{n}.example", SoftwareKey(Algorithm.ED25519, bytes([n]) * 32))
        for n in range(1, 6)
    ]
    policy = Policy(
        (),
        tuple(PolicyWitness(w.name, w.note_key) for w in witnesses),
        (PolicyGroup("quorum", 3, tuple(w.name for w in witnesses)),),
        "quorum",
    )
    note = decode_note(await log.reader.checkpoint())
    lines = [w.cosign(note.text, 1_800_000_000 + n) for n, w in enumerate(witnesses[:3])]
    notes = MemoryCosignedNotes()
    await notes.keep(len(leaves), encode_note(note.with_lines(lines)))
    writer = ProofWriter(log.reader)
    writer.witnessed_by(notes, {"corridor": policy})
    logged: Sequence[Any] = list(zip(places, corridor.entries, strict=True))
    bare = decode_proof(await writer.write("zd-2026-0001", logged, []))
    data = await writer.write("zd-2026-0001", logged, _named(bare, corridor.files), packed=True)
    titles = [o for o in bare.events if o.event.type == "trust.TitleMoved.v1"]
    if len(titles) != 11 or len(bare.events) < 31:
        raise SystemExit(f"{len(titles)} title events of {len(bare.events)}")
    return data, replace(corridor.trust(), policy=policy)
