"""The check of a proof file in the browser: it never says more than `zhidao verify` does."""

from __future__ import annotations

import asyncio
import gzip
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from tests.trust.domain.test_proof import QUORUM
from tests.verification.corridor_bench import NODE, Corridor
from tests.verification.omissions import without_events

from zhidao.finance.events import Settled
from zhidao.trust.adapters.chain.py_evm import PyEvmEngine
from zhidao.trust.domain.trust_list import TrustList
from zhidao.trust.events import KeyRevoked
from zhidao.trust.wire.governance.trust_list import decode_trust_list, encode_trust_list
from zhidao.trust.wire.proof_file.zdproof import decode_proof, encode_proof
from zhidao.verification.verdict import verify

ROOT = Path(__file__).resolve().parents[2]
POLYGON = ROOT / "tests" / "golden" / "road-polygon-v1.trust.json"
ESBUILD = ROOT / "web" / "node_modules" / ".bin" / "esbuild"
JS = shutil.which("node")
pytestmark = pytest.mark.skipif(
    JS is None or not ESBUILD.exists(), reason="the pages are not built here"
)
_PROGRAM = """
import { readFileSync } from "node:fs";
import { checkFile, readTrust } from %s;
const [proof, list] = process.argv.slice(1).map((name) => new Uint8Array(readFileSync(name)));
const found = await checkFile(proof, readTrust(list));
console.log(JSON.stringify([found.outcome, Object.fromEntries(found.steps.map((s) => [s.key, s.outcome]))]));
"""


class Revoked(Corridor):
    """A road on which the carrier's key was taken back before anything was said."""

    def _produce(self) -> None:
        fact = KeyRevoked(
            party="carrier",
            key=self.keys["carrier"].public.multikey,
            since="2020-01-01T00:00:00Z",
            reason="stolen",
        )
        self.say(NODE, "keys/carrier", fact)
        super()._produce()


def seen(folder: Path, data: bytes, trust: TrustList) -> tuple[str, dict[str, str]]:
    proof, listed, program = folder / "p.zdproof", folder / "t.json", folder / "file.mjs"
    proof.write_bytes(data)
    listed.write_bytes(encode_trust_list(trust))
    source = str(ROOT / "web" / "src" / "verify" / "file.ts")
    subprocess.run(
        [str(ESBUILD), source, "--bundle", "--format=esm", f"--outfile={program}"],
        check=True,
        capture_output=True,
        timeout=60,
    )
    assert JS is not None
    told = subprocess.run(
        [JS, "--input-type=module", "-e", _PROGRAM % json.dumps(program.as_uri()), proof, listed],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    outcome, steps = json.loads(told.stdout)
    return outcome, steps


@pytest.mark.slow
def test_a_browser_leaves_witnesses_and_turned_keys_to_the_command(tmp_path: Path) -> None:
    honest, revoked = Corridor(), Revoked()
    data = asyncio.run(honest.proof())
    assert seen(tmp_path, data, honest.trust())[0] == "holds"
    asking = replace(honest.trust(), policy=QUORUM)
    assert verify(decode_proof(data), [asking], evm=PyEvmEngine).reason == "quorum_not_met"
    outcome, steps = seen(tmp_path, data, asking)
    assert (outcome, steps["head"]) == ("unchecked", "unchecked")
    data = asyncio.run(revoked.proof())
    assert verify(decode_proof(data), [revoked.trust()], evm=PyEvmEngine).reason == "revoked_key"
    outcome, steps = seen(tmp_path, data, revoked.trust())
    assert (outcome, steps["speakers"]) == ("unchecked", "unchecked")
    # A party's key records nothing, though the list knows it.
    data, trust = asyncio.run(Corridor().proof()), Corridor().trust()
    node = replace(trust.nodes[0], party="somebody")
    parties = [*trust.parties, replace(trust.parties[0], party=NODE, keys=trust.nodes[0].keys)]
    wrong = replace(trust, nodes=(node,), parties=tuple(sorted(parties, key=lambda p: p.party)))
    assert verify(decode_proof(data), [wrong], evm=PyEvmEngine).verdict != "holds"
    assert seen(tmp_path, data, wrong)[1]["speakers"] == "unchecked"


@pytest.mark.slow
def test_a_sound_proof_of_a_log_that_no_list_knows_is_untrusted_and_not_refused(
    tmp_path: Path,
) -> None:
    data, stranger = asyncio.run(Corridor().proof()), decode_trust_list(POLYGON.read_bytes())
    assert verify(decode_proof(data), [stranger], evm=PyEvmEngine).verdict == "untrusted_root"
    outcome, steps = seen(tmp_path, data, stranger)
    assert (outcome, steps["head"]) == ("untrusted", "untrusted")
    # What is wrong in it is not hidden by that.
    moved = json.loads(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)
    moved["events"][3]["index"] += 1
    spoiled = json.dumps(moved, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    outcome, steps = seen(tmp_path, spoiled.encode(), stranger)
    assert (outcome, steps["places"]) == ("fails", "fails")


@pytest.mark.slow
def test_a_browser_names_what_was_promised_and_is_not_there(tmp_path: Path) -> None:
    road = Corridor()
    proof = decode_proof(asyncio.run(road.proof()))
    assert seen(tmp_path, encode_proof(proof), road.trust())[1]["promise"] == "holds"
    cut = without_events(proof, lambda event: event.type == Settled.TYPE)
    assert verify(cut, [road.trust()], evm=PyEvmEngine).missing == ("payment",)
    outcome, steps = seen(tmp_path, encode_proof(cut), road.trust())
    assert (outcome, steps["promise"]) == ("unchecked", "unchecked")
