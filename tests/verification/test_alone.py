"""A proof file is read and judged where no database, bus or web package can be imported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
# None in `sys.modules` is how Python itself marks a module that cannot be imported.
JUDGE = """
import json, sys
for name in json.loads(sys.argv[1]):
    sys.modules[name] = None
from pathlib import Path
from zhidao.trust.wire.governance.trust_list import decode_trust_list
from zhidao.trust.wire.proof_file.zdproof import decode_proof
from zhidao.verification.verdict import verify
evm = None
if sys.argv[2] == "evm":
    from zhidao.trust.adapters.chain.py_evm import PyEvmEngine as evm
proof, trust = (Path(name).read_bytes() for name in sys.argv[3:])
verdict = verify(decode_proof(proof), [decode_trust_list(trust)], evm=evm)
print(json.dumps({
    "verdict": verdict.verdict,
    "sentence": verdict.sentence,
    "whole": verdict.whole,
    "proven": [each.code for each in verdict.proven],
    "not_proven": {each.code: each.text for each in verdict.not_proven},
}))
"""
PACKAGES = [
    *("psycopg", "psycopg_pool", "psycopg_binary", "nats", "litestar", "uvicorn", "httpx"),
    *("httpcore", "anyio", "h11", "httptools", "websockets", "saxonche", "typst"),
    *("asyncua", "ortools"),
]
EVM = ["eth", "eth_utils", "eth_typing", "eth_keys", "rlp"]
ROOMS = ["zhidao.store", "zhidao.bus", "zhidao.node", "zhidao.cli", "zhidao.simulation"]
ADAPTERS = [
    f"zhidao.{room}.adapters"
    for room in ("finance", "trade", "exchange", "positioning", "industry", "devices")
]
TITLES = {"title_registry", "title_history", "title_holder", "title_passed"}


def _judged(proof: str, trust: str, *, evm: bool) -> dict:
    absent = [*PACKAGES, *ROOMS, *ADAPTERS]
    if not evm:
        absent += [*EVM, "zhidao.trust.adapters"]
    done = subprocess.run(
        [
            *(sys.executable, "-c", JUDGE, json.dumps(absent), "evm" if evm else "none"),
            *(GOLDEN / f"{proof}.zdproof", GOLDEN / f"{trust}.trust.json"),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def test_a_compact_proof_needs_neither_packages_nor_an_evm():
    verdict = _judged("road-circle-compact-v3", "road-circle-v1", evm=False)
    assert (verdict["verdict"], verdict["whole"]) == ("holds", True), verdict["sentence"]
    assert set(verdict["proven"]) >= TITLES | {"decision", "payment"}


@pytest.mark.parametrize("name", ["road-circle-v1", "road-polygon-v1"])
def test_with_an_evm_handed_in_the_titles_are_executed_again(name):
    verdict = _judged(name, name, evm=True)
    assert (verdict["verdict"], verdict["whole"]) == ("holds", True), verdict["sentence"]
    assert set(verdict["proven"]) >= TITLES | {"position", "decision", "payment"}


@pytest.mark.parametrize("name", ["road-circle-v1", "road-polygon-v1"])
def test_without_an_evm_the_titles_are_said_to_be_unchecked_and_the_rest_is_judged(name):
    verdict = _judged(name, name, evm=False)
    assert (verdict["verdict"], verdict["whole"]) == ("holds", False), verdict["sentence"]
    assert not TITLES & set(verdict["proven"])
    assert set(verdict["proven"]) >= {"position", "inside", "decision", "payment"}
    assert "not checked here" in verdict["not_proven"]["title_not_executed"]
    assert "not checked here" in verdict["not_proven"]["title_passed"]
