from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest
from tests.trust.watch_bench import NOW, LyingLog, fork_of

from zhidao.cli.main import main
from zhidao.core.ambient import HandClock
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.trust.domain.fraud import (
    FraudKind,
    FraudProof,
    Observation,
    SignedHead,
    needed_nodes,
    observed_message,
    with_tiles,
    without_tiles,
)
from zhidao.trust.domain.note import Cosigner, NoteKey
from zhidao.trust.wire.log.fraud import decode_fraud, encode_fraud, signed_head
from zhidao.trust.wire.log.note import encode_note, vkey
from zhidao.trust.wire.log.tlog_proof import TlogProof, decode_tlog_proof, encode_tlog_proof

SCRIPT = Path(__file__).resolve().parents[3] / "docs" / "checks" / "fraud_check.py"
OBSERVER = Cosigner("w.example", SoftwareKey(Algorithm.ED25519, b"w" * 32))


async def proofs() -> list[FraudProof]:
    clock = HandClock(NOW)
    log = LyingLog(clock)
    honest = signed_head(await log.grow(b"a", b"b", b"c", b"d", b"e"))
    at_s = NOW.unix_ns // 10**9
    cosigned = SignedHead(
        honest.note.with_lines([OBSERVER.cosign(honest.note.text, at_s)]), honest.checkpoint
    )
    clock.advance(60)
    same = await fork_of(log, shared=4)
    split = signed_head(await same.grow(b"x"))
    longer = await fork_of(log, shared=2)
    grown = signed_head(await longer.grow(b"x", b"y", b"z", b"p", b"q"))
    turned = await fork_of(log, shared=2)
    back = signed_head(await turned.grow(b"c"))
    keys = log.log.keys
    nodes = await longer.log.reader.nodes(needed_nodes(5, 7))
    rewritten = with_tiles(honest, grown, nodes, keys)
    assert rewritten
    seen = Observation(
        OBSERVER.note_key,
        at_s + 9,
        OBSERVER.signer.sign(observed_message(at_s + 9, back.note.text)),
    )
    return [
        *without_tiles(honest, split, keys),
        *rewritten,
        *without_tiles(honest, back, keys),
        FraudProof(FraudKind.STALE, keys[0], cosigned, back, (), seen),
    ]


def checked_alone(path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    script = runpy.run_path(str(SCRIPT))
    status = script["main"](str(path))
    return status, capsys.readouterr().out


async def test_every_kind_is_proven_by_the_command_and_by_the_script_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = await proofs()
    assert [proof.kind.value for proof in found] == [
        *("split_view", "split_view", "rewritten", "rewritten", "turned_back", "stale")
    ]
    for number, proof in enumerate(found):
        data = encode_fraud(proof)
        assert decode_fraud(data) == proof
        file = tmp_path / f"{number}.zdfraud"
        file.write_bytes(data)
        assert main(["fraud", "verify", str(file), "--json"]) == 0
        answer = json.loads(capsys.readouterr().out)
        assert answer["convicts"] is (proof.kind is not FraudKind.STALE)
        status, told = checked_alone(file, capsys)
        assert (status, proof.kind.value in told) == (0, True)


async def test_what_is_no_fraud_is_told_so_by_both(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = LyingLog(HandClock(NOW))
    first = signed_head(await log.grow(b"a", b"b", b"c"))
    second = signed_head(await log.grow(b"d", b"e"))
    key = log.log.note_key
    nodes = await log.log.reader.nodes(needed_nodes(3, 5))
    assert with_tiles(first, second, nodes, [key]) == ()
    stranger = NoteKey("other.example", SoftwareKey(Algorithm.ED25519, b"o" * 32).public)
    for number, proof in enumerate(
        (
            FraudProof(FraudKind.REWRITTEN, key, first, second, nodes),
            FraudProof(FraudKind.REWRITTEN, key, first, second, nodes[:-1]),
            FraudProof(FraudKind.SPLIT_VIEW, key, first, second),
            FraudProof(FraudKind.TURNED_BACK, key, second, first),
            FraudProof(FraudKind.SPLIT_VIEW, stranger, first, second),
        )
    ):
        file = tmp_path / f"{number}.zdfraud"
        file.write_bytes(encode_fraud(proof))
        assert main(["fraud", "verify", str(file), "--json"]) == 1
        assert json.loads(capsys.readouterr().out)["reason"] == "not_proven"
        assert checked_alone(file, capsys)[0] == 1
    garbage = tmp_path / "garbage"
    garbage.write_text("{}")
    assert main(["fraud", "verify", str(garbage)]) == 2
    assert checked_alone(garbage, capsys)[0] == 2


async def test_a_head_and_an_entry_are_judged_by_a_policy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = LyingLog(HandClock(NOW))
    note = signed_head(await log.grow(b"a", b"b", b"c")).note
    policy = tmp_path / "corridor.policy"
    policy.write_text(
        f"log {vkey(log.log.note_key)}\nwitness w {vkey(OBSERVER.note_key)}\nquorum w\n"
    )
    cosigned = note.with_lines([OBSERVER.cosign(note.text, 1_700_000_000)])
    (tmp_path / "alone").write_bytes(encode_note(note))
    (tmp_path / "cosigned").write_bytes(encode_note(cosigned))
    proof = TlogProof(1, await log.log.reader.inclusion(1, 3), cosigned, b"extra")
    assert decode_tlog_proof(encode_tlog_proof(proof)) == proof
    (tmp_path / "b.tlog-proof").write_bytes(encode_tlog_proof(proof))
    (tmp_path / "b").write_bytes(b"b")

    def judged(*words: str) -> dict[str, object]:
        main(["witness", "verify", *words, "--policy", str(policy), "--json"])
        answer: dict[str, object] = json.loads(capsys.readouterr().out)
        return answer

    assert judged(str(tmp_path / "alone"))["reason"] == "quorum_not_met"
    held = judged(str(tmp_path / "cosigned"))
    assert (held["holds"], held["witnesses"], held["witnessed_at"]) == (
        *(True, ["w"], "2023-11-14T22:13:20Z"),
    )
    entry = judged(str(tmp_path / "b.tlog-proof"), "--entry", str(tmp_path / "b"))
    assert entry["holds"]
    other = judged(str(tmp_path / "b.tlog-proof"), "--entry", str(policy))
    assert other["reason"] == "bad_inclusion"


def test_version_1_of_a_fraud_proof_stays_readable(capsys: pytest.CaptureFixture[str]) -> None:
    golden = SCRIPT.parents[2] / "tests" / "golden" / "rewritten-v1.zdfraud"
    assert "begin otherwise" in decode_fraud(golden.read_bytes()).check()
    assert checked_alone(golden, capsys)[0] == 0
