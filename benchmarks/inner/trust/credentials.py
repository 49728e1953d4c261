"""Credentials a second: from the bytes of a file to the verdict, in one process.

A verification is one thread computing, so its rate is by the processor's time: what one core does,
whatever else the machine runs. Beside the rival both go by the wall clock, in turn.
The rival is TrustVC (@trustvc/w3c-vc) in node on the same files, where node and the package of
`conformance/trustvc` are installed; without them the line stands alone.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.measuring import claim

ROOT = Path(__file__).resolve().parents[3]
RUNS = 5
SECONDS = 0.4


def run(long: bool) -> Iterator[dict[str, Any]]:  # noqa: FBT001 (the common form)
    """The claims."""
    del long
    sys.path.insert(0, str(ROOT))
    from conformance.trust import trustvc
    from tests.trust.attacks.test_credentials import GOOD, NOW, RDF, TOKEN, VERIFIER

    shown = trustvc.shown_with_one_claim()
    for name, data, target in (
        ("verify_eddsa_jcs_per_s", json.dumps(GOOD).encode(), 8_000),
        ("verify_eddsa_rdfc_per_s", json.dumps(RDF).encode(), 1_500),
        ("verify_ecdsa_sd_k1_per_s", json.dumps(shown).encode(), 600),
        ("verify_sd_jwt_per_s", TOKEN.encode(), 3_000),
    ):
        verdict = VERIFIER.verify(data, NOW)
        assert verdict.holds, (name, verdict)
        yield claim(
            name,
            _speeds(lambda data=data: VERIFIER.verify(data, NOW), time.process_time),
            "1/s",
            target=target,
        )
    theirs = trustvc.speeds(shown, runs=RUNS)
    if theirs:
        data = json.dumps(shown).encode()
        ours = _speeds(lambda: VERIFIER.verify(data, NOW))
        yield claim(
            "verify_ecdsa_sd_k1_beside_trustvc", ours, "1/s", target=2,
            rival="@trustvc/w3c-vc 2.0.2", rival_values=theirs,
        )  # fmt: skip
    yield from _open_attestation()


def _open_attestation() -> Iterator[dict[str, Any]]:
    from zhidao.core.canonical import parse_strict
    from zhidao.trust.wire.credentials.open_attestation import check

    file = ROOT.parent / "shared/data/trust/trustvc/SIGNED_WRAPPED_DOCUMENT_DID_V2.json"
    if file.exists():
        data = file.read_bytes()
        speeds = _speeds(lambda: check(parse_strict(data)), time.process_time)
        yield claim("verify_open_attestation_v2_per_s", speeds, "1/s", target=3_000)


def _speeds(
    once: Callable[[], object], clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    return [_speed(once, clock) for _ in range(RUNS)]


def _speed(once: Callable[[], object], clock: Callable[[], float]) -> float:
    count = 0
    started = clock()
    while clock() - started < SECONDS:
        for _ in range(20):
            once()
        count += 20
    return count / (clock() - started)
