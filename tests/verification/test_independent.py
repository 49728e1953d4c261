"""The verifier of docs/checks, in JavaScript, beside ours: the same verdict on every proof.

Every proof that these tests know goes through both: the honest roads, every golden, each lie of
`test_lies` and each change of form, full and compact. Where node is not installed, nothing is said.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.trust.domain.test_proof import QUORUM
from tests.trust.proof_bench import ProofBench
from tests.trust.service.titles.test_replayed_history import (
    CUSTODY,
    REGISTRY,
    SELLER,
    TITLE,
    history,
    signed,
)
from tests.verification.conftest import Honest
from tests.verification.corridor_bench import Corridor
from tests.verification.test_lies import (
    test_a_fact_is_said_by_the_one_whose_word_it_is as _speakers,
)
from tests.verification.test_lies import (
    test_a_fact_that_the_proof_contradicts_is_refused as _facts,
)
from tests.verification.test_lies import (
    test_a_file_that_says_otherwise_is_refused as _files,
)
from tests.verification.test_media import GOOD, LIES, Media
from tests.verification.test_registrations import LIES as REGISTRATIONS
from tests.verification.test_registrations import OWN_KEYS

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, PublicKey, SoftwareKey
from zhidao.finance.events import ConditionMet, DealOpened, Decided, Settled
from zhidao.node.adapters.ambient import SystemClock
from zhidao.trust.adapters.chain.py_evm import PyEvmEngine
from zhidao.trust.domain.trust_list import TrustList
from zhidao.trust.events import ChainTransaction, TitleMoved, TitleRegistered, TitleTagOpened
from zhidao.trust.service.titles.light_history import followed_transactions
from zhidao.trust.wire.evm.title_contract import TRANSFER_HOLDER, act_call, transfer_call
from zhidao.trust.wire.evm.transaction import decode as decode_transaction
from zhidao.trust.wire.governance.trust_list import decode_trust_list, encode_trust_list
from zhidao.trust.wire.proof_file.zdproof import decode_proof, encode_proof
from zhidao.verification.compact import compacted
from zhidao.verification.verdict import verify


def _followed(raws):
    return followed_transactions([decode_transaction(raw) for raw in raws])


ROOT = Path(__file__).resolve().parents[2]
CHECKS = ROOT / "docs" / "checks"
GOLDEN = ROOT / "tests" / "golden"
NODE = shutil.which("node")
LINES_MAX, COLUMNS_MAX = 300, 110
# What ours computes again and the other says that it leaves to others.
NOT_CHECKED = {
    "epcis_mismatch": "epcis_hashes",
    "papers_not_reproduced": "papers_compared",
    "not_reproduced": "fix",
}
_PROGRAM = """
import { readFileSync } from "node:fs";
import { %s as verdict } from %s;
const told = [];
for (const [proof, ...lists] of JSON.parse(readFileSync(0, "utf8"))) {
  try { told.push(verdict(readFileSync(proof), lists.map((l) => readFileSync(l)))); }
  catch (error) { told.push({ verdict: "malformed", reason: "malformed", sentence: error.message }); }
}
console.log(JSON.stringify(told));
"""
LISTS = ("promised", "shown", "missing")
_ENTRIES = {"proof_check.mjs": "verdict", "proof_log.mjs": "judged"}
# What a check of the log alone can find; all else it leaves to the check of the facts.
LOG_REASONS = {
    *("wrong_origin", "untrusted_root", "bad_signature", "unknown_signature", "quorum_not_met"),
    *("wrong_salt", "not_in_log", "unknown_speaker", "revoked_key", "retired_key", "early_key"),
    *("wrong_order", "wrong_consignment", "wrong_digest", "leftover", "bad_key_event"),
}
needs_node = pytest.mark.skipif(NODE is None, reason="no node is installed; the verifier needs one")
Bundle = tuple[str, bytes, TrustList]


def parameters(test: Any) -> list[tuple[Any, ...]]:
    return [tuple(each) for each in test.pytestmark[0].args[1]]


def of_corridor(name: str, corridor: Corridor, **more: Any) -> Iterator[Bundle]:
    data, trust = asyncio.run(corridor.proof(**more)), corridor.trust()
    yield name, data, trust
    yield f"{name}, compact", encode_proof(compacted(decode_proof(data))), trust


def lies() -> Iterator[Bundle]:
    for fact, fields, reason in parameters(_facts):
        yield from of_corridor(
            f"{fact.__name__} {fields} {reason}", Corridor(changes={fact: fields})
        )
    for fact, liar in parameters(_speakers):
        yield from of_corridor(f"{fact.__name__} by {liar}", Corridor(said_by={fact: liar}))
    for name, change, reason in parameters(_files):
        yield from of_corridor(f"{name} {reason}", Corridor(files={name: change}))
    yield from of_corridor("another chain", Corridor(chain_id=7))
    yield from of_corridor("sent elsewhere", Corridor(receiver="carrier"))
    yield from of_corridor("unpaid", Corridor(paid=False))
    yield from of_corridor("tight", Corridor(tight=True))
    for liar, reason in (*REGISTRATIONS, *OWN_KEYS):
        yield from of_corridor(f"{liar.__name__} {reason}", liar())
    for change in (GOOD, *(change for change, _ in LIES)):
        yield from of_corridor(f"{change}", Media(change))


def openings() -> Iterator[Bundle]:
    rooms = ("finance.", "positioning.", "industry.", "connectivity.")
    corridor = Corridor()
    yield from of_corridor("rooms left out", corridor, leave_out=lambda e: e.type.startswith(rooms))
    for facts in (
        (TitleTagOpened,),
        (TitleRegistered,),
        (ConditionMet,),
        (ChainTransaction, TitleMoved, Decided, Settled),
        (TitleMoved,),
    ):
        types = {fact.TYPE for fact in facts}
        yield from of_corridor(
            f"without {types}", corridor, leave_out=lambda e, t=types: e.type in t
        )
    yield from of_corridor(
        "no contracts", corridor, leave_out=lambda e: e.payload.get("purpose") == "deploy registry"
    )


def forms(honest: Honest) -> Iterator[Bundle]:
    """The honest proof with each field changed, and some of its bytes."""
    small = encode_proof(compacted(honest.proof))
    for data in (honest.data, small):
        for number, at in enumerate(range(0, len(data), len(data) // 40)):
            changed = bytearray(data)
            changed[at] ^= 1 << number % 8
            yield f"byte {at} of {len(data)}", bytes(changed), honest.trust
    for change in (
        lambda p: p.update(v=2),
        lambda p: p.update(consignment="zd-2026-0002"),
        lambda p: p.update(origin=p["origin"][:-1]),
        lambda p: p["events"].pop(),
        lambda p: p["events"].pop(3),
        lambda p: p["events"].reverse(),
        lambda p: p["events"].append(p["events"][0]),
        lambda p: p["events"][0].update(index=1),
        lambda p: p["events"][0].update(salt=p["events"][2]["salt"]),
        lambda p: p["events"][0]["inclusion"].pop(),
        lambda p: p["blobs"].append({"data": "AA", "digest": "f" * 64}),
        lambda p: p["blobs"][0].update(data=p["blobs"][1]["data"]),
        lambda p: p["blobs"][0].update(digest=p["blobs"][1]["digest"]),
    ):
        plain = json.loads(honest.data)
        change(plain)
        text = json.dumps(plain, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
        yield "a changed field", text.encode(), honest.trust
    without = tuple(p for p in honest.trust.parties if p.party != "customs")
    yield "a party is unknown", honest.data, replace(honest.trust, parties=without)
    yield "another list", honest.data, Corridor("stranger").trust()


def goldens() -> Iterator[Bundle]:
    for name in ("road-circle-v1", "road-polygon-v1"):
        trust = decode_trust_list((GOLDEN / f"{name}.trust.json").read_bytes())
        data = (GOLDEN / f"{name}.zdproof").read_bytes()
        yield name, data, trust
        yield f"{name}, compact", encode_proof(compacted(decode_proof(data))), trust
    trust = decode_trust_list((GOLDEN / "road-circle-v1.trust.json").read_bytes())
    for name in ("road-circle-v3", "road-circle-compact-v3"):
        yield name, (GOLDEN / f"{name}.zdproof").read_bytes(), trust
    trust = decode_trust_list((GOLDEN / "road-promised.trust.json").read_bytes())
    yield "promised", (GOLDEN / "road-promised-compact-v3.zdproof").read_bytes(), trust
    trust = decode_trust_list((GOLDEN / "trust-v1.json").read_bytes())
    yield "the form only", (GOLDEN / "consignment-v1.zdproof").read_bytes(), trust
    cosigned = (GOLDEN / "cosigned-v2.zdproof").read_bytes()
    trust = ProofBench().trust()
    yield "cosigned, nobody asked", cosigned, trust
    yield "cosigned", cosigned, replace(trust, policy=QUORUM)
    text = (GOLDEN / "consignment-v1.zdproof").read_bytes()
    yield "not cosigned, but asked", text, replace(trust, policy=QUORUM)


def theirs(
    bundles: list[Bundle], folder: Path, program: str = "proof_check.mjs"
) -> list[dict[str, Any]]:
    """What the verifier in JavaScript says, one process for all of them."""
    lines = []
    for number, (_, data, trust) in enumerate(bundles):
        proof, listed = folder / f"{number}.zdproof", folder / f"{number}.json"
        proof.write_bytes(data)
        listed.write_bytes(encode_trust_list(trust))
        lines.append([str(proof), str(listed)])
    text = _PROGRAM % (_ENTRIES[program], json.dumps((CHECKS / program).as_uri()))
    assert NODE is not None
    told = subprocess.run(
        [NODE, "--input-type=module", "-e", text],
        input=json.dumps(lines),
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    answers: list[dict[str, Any]] = json.loads(told.stdout)
    return answers


def ours(data: bytes, trust: TrustList) -> tuple[str, str]:
    verdict, reason, _ = judged(data, trust)
    return verdict, reason


def judged(data: bytes, trust: TrustList) -> tuple[str, str, tuple[Any, ...]]:
    """Our verdict, its reason, and what was promised, is shown and is missing."""
    try:
        verdict = verify(decode_proof(data), [trust], evm=PyEvmEngine, now=SystemClock().now())
    except MalformedInput:
        return "malformed", "malformed", ()
    promised = "not stated" if verdict.promised is None else list(verdict.promised)
    lists = (promised, list(verdict.shown), list(verdict.missing)) if verdict.stands else ()
    return verdict.verdict, verdict.reason, lists


def check_agreement(bundles: list[Bundle], folder: Path) -> int:
    """Raises AssertionError with every bundle on which the two do not agree."""
    differ = [name for name, same in agreements(bundles, folder) if not same]
    assert not differ, "\n".join(differ)
    check_log_alone(bundles, folder)
    return len(bundles)


def agreements(bundles: list[Bundle], folder: Path) -> Iterator[tuple[str, bool]]:
    """Each bundle, with what the two say of it where they differ, and whether they agree."""
    yield from compared(bundles, theirs(bundles, folder))


def compared(bundles: list[Bundle], answers: list[dict[str, Any]]) -> Iterator[tuple[str, bool]]:
    """The same, with what the other has said."""
    for (name, data, trust), told in zip(bundles, answers, strict=True):
        verdict, reason, lists = judged(data, trust)
        same = (told["verdict"], told["reason"]) == (verdict, reason)
        same = same and lists == tuple(told[n] for n in LISTS if lists)
        # What one cannot read, the other may read and refuse; neither lets it pass.
        if verdict == "malformed":
            same = told["verdict"] not in ("holds", "holds_in_part")
        same = same or reason in NOT_CHECKED
        yield (name if same else f"{name}: {(verdict, reason, lists)}, {told}"), same


def check_log_alone(bundles: list[Bundle], folder: Path) -> None:
    """The first file by itself refuses what the log refutes, and of the rest says what it left."""
    differ = []
    for (name, data, trust), told in zip(
        bundles, theirs(bundles, folder, "proof_log.mjs"), strict=True
    ):
        verdict, reason = ours(data, trust)
        if verdict == "malformed":
            same = told["verdict"] != "log_holds"
        elif reason in LOG_REASONS and told["reason"]:
            same = told["reason"] == reason
        else:
            # The consignment's own first event is a fact: who entered it under which name.
            same = told["verdict"] == "log_holds" and reason not in (
                LOG_REASONS - {"wrong_consignment"}
            )
        if not same:
            differ.append((name, (verdict, reason), told))
    assert not differ, "\n".join(map(str, differ))


def test_no_file_of_it_is_long_and_none_imports_more_than_node() -> None:
    files = sorted(CHECKS.glob("proof_*.mjs"))
    assert len(files) == 4
    for file in files:
        text = file.read_text()
        assert len(text.splitlines()) <= LINES_MAX, file
        assert max(map(len, text.splitlines())) <= COLUMNS_MAX, file
        for source in re.findall(r'^(?:import|export)[^;]*? from "([^"]+)"', text, re.MULTILINE):
            assert source.startswith(("node:", "./proof_")), source
            assert file.name != "proof_log.mjs" or source.startswith("node:"), "it runs by itself"


@needs_node
@pytest.mark.every_days(2)
@pytest.mark.slow
def test_both_verifiers_agree_on_every_lie(tmp_path: Path) -> None:
    assert check_agreement([*lies(), *openings()], tmp_path) > 120


@needs_node
@pytest.mark.slow
def test_both_verifiers_agree_on_every_form_and_golden(honest: Honest, tmp_path: Path) -> None:
    assert check_agreement([*forms(honest), *goldens()], tmp_path) > 90


@needs_node
@pytest.mark.slow
def test_it_runs_as_a_program_and_says_what_it_leaves_to_others(
    honest: Honest, tmp_path: Path
) -> None:
    proof, trust = tmp_path / "p.zdproof", tmp_path / "t.json"
    proof.write_bytes(encode_proof(compacted(honest.proof)))
    trust.write_bytes(encode_trust_list(honest.trust))
    assert NODE is not None
    words = [NODE, str(CHECKS / "proof_check.mjs"), str(proof)]
    told = subprocess.run(
        [*words, "--trust", str(trust)], capture_output=True, text=True, check=False, timeout=60
    )
    answer = json.loads(told.stdout)
    assert (told.returncode, answer["verdict"]) == (0, "holds"), answer
    assert {"fix", "contracts", "papers_compared"} <= set(answer["not_checked"])
    alone = subprocess.run(
        [NODE, str(CHECKS / "proof_log.mjs"), str(proof), "--trust", str(trust)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    answer = json.loads(alone.stdout)
    assert (alone.returncode, answer["verdict"]) == (0, "log_holds"), answer
    assert {"facts", "fix"} <= set(answer["not_checked"])
    untrusted = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert untrusted.returncode == 1
    assert json.loads(untrusted.stdout)["reason"] == "untrusted_root"
    proof.write_bytes(b"{}")
    assert subprocess.run(words, capture_output=True, check=False, timeout=60).returncode == 2


class _Forger:
    """A signer that names a key and does not have it."""

    def __init__(self, public: PublicKey) -> None:
        self.public = public

    def sign(self, message: bytes) -> bytes:
        return bytes(self.public.algorithm.signature_bytes) if message else b""


def _of_customs(signer: Any, public: PublicKey) -> Bundle:
    corridor = Corridor()
    corridor.keys[PartyId("customs")] = _Forger(public)
    corridor.scribe._ring._keys[PartyId("customs")] = signer
    data = asyncio.run(corridor.proof())
    return "customs signs with ML-DSA-44", data, corridor.trust()


def _of_third_contract() -> Bundle:
    corridor = Corridor()
    asyncio.run(corridor._walk())
    registrar = corridor.accounts.registrar()
    corridor._transact("corridor", registrar, 3, None, b"\x00", "deploy guard")
    return "a third contract", asyncio.run(corridor.proof()), corridor.trust()


@needs_node
@pytest.mark.slow
def test_what_the_other_verifier_cannot_check_is_no_yes(tmp_path: Path) -> None:
    key = SoftwareKey(Algorithm.ML_DSA_44, bytes(range(32)))
    bundles = [
        _of_customs(key, key.public),
        _of_customs(_Forger(key.public), key.public),
        _of_third_contract(),
    ]
    assert ours(*bundles[0][1:])[0] == "holds"
    assert ours(*bundles[1][1:]) == ("refused", "bad_signature")
    told = [(t["verdict"], t["reason"]) for t in theirs(bundles, tmp_path)]
    signatures = ("not_verified", "ml_dsa_44_signatures")
    assert told == [signatures, signatures, ("not_verified", "guarded_titles")]
    assert NODE is not None
    words = [NODE, str(CHECKS / "proof_check.mjs"), str(tmp_path / "1.zdproof"), "--trust"]
    ended = subprocess.run(
        [*words, str(tmp_path / "1.json")], capture_output=True, check=False, timeout=60
    )
    assert ended.returncode == 1


class _Unknown(Corridor):
    """A deal on conditions that no node opens one on."""

    def __init__(self, conditions: dict[str, list[str]]) -> None:
        super().__init__()
        self.conditions = conditions

    def say(self, by: str, aggregate: str, fact: Any, **more: Any) -> Any:
        if isinstance(fact, DealOpened):
            changed = msgspec.structs.replace(fact.conditions, **self.conditions)
            fact = msgspec.structs.replace(fact, conditions=changed)
        return super().say(by, aggregate, fact, **more)


@needs_node
@pytest.mark.slow
def test_conditions_that_nobody_knows_are_never_met(tmp_path: Path) -> None:
    # In the language of the other verifier every object has a `constructor`.
    bundles = []
    for kind, words in (
        ("marks", ("constructor", "papers_agree")),
        ("needs", ("toString", "inside")),
    ):
        for word in words:
            bundles += of_corridor(f"{kind}: {word}", _Unknown({kind: [word]}))
    for _, data, trust in bundles:
        assert ours(data, trust) == ("refused", "decision_not_reproduced")
    assert check_agreement(bundles, tmp_path) == 8


@needs_node
def test_the_other_verifier_follows_no_call_that_a_contract_would_stop_at() -> None:
    escrow = REGISTRY.escrow(TITLE)
    good = transfer_call(CUSTODY.address)
    dirty = good[:15] + b"\1" + good[16:]
    calls = {
        "good": good,
        "dirty address": dirty,
        "bytes after the end": good + bytes(32),
        "no remark": good[:-64],
        "long remark": act_call(TRANSFER_HOLDER, b"", CUSTODY.address, bytes(121)),
    }
    told = {}
    for name, data in calls.items():
        raws = [*history()[2:4], signed(SELLER, 5, escrow, data)]
        try:
            _followed(raws)
            ours_said = ""
        except Refused as error:
            ours_said = error.code
        told[name] = (ours_said, [raw.hex() for raw in raws])
    program = f"""
import {{ readFileSync }} from "node:fs";
import {{ Registry, transaction }} from {json.dumps((CHECKS / "proof_titles.mjs").as_uri())};
import {{ bin }} from {json.dumps((CHECKS / "proof_log.mjs").as_uri())};
const said = [];
for (const raws of JSON.parse(readFileSync(0, "utf8"))) {{
  const all = raws.map((raw) => transaction(bin(raw))), registry = new Registry(all[0].from);
  try {{ all.forEach((t) => registry.follow(t)); said.push(""); }} catch (error) {{ said.push(error.code); }}
}}
console.log(JSON.stringify(said));
"""
    assert NODE is not None
    answer = subprocess.run(
        [NODE, "--input-type=module", "-e", program],
        input=json.dumps([raws for _, raws in told.values()]),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    said = dict(zip(told, json.loads(answer.stdout), strict=True))
    assert said == {name: ours_said for name, (ours_said, _) in told.items()}
    assert said["good"] == ""
    assert all(code for name, code in said.items() if name != "good")
