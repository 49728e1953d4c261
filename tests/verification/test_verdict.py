from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.verification.conftest import Honest
from tests.verification.corridor_bench import CONSIGNMENT, Corridor

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.events import SignedEvent
from zhidao.trust.adapters.chain.py_evm import PyEvmEngine
from zhidao.trust.domain.proof import verify_log_part
from zhidao.trust.wire.proof_file.zdproof import decode_proof
from zhidao.verification.verdict import verify


def test_an_honest_proof_holds_and_says_what_was_simulated_proven_and_not(honest: Honest) -> None:
    verdict = verify(honest.proof, [honest.trust], evm=PyEvmEngine)
    assert (verdict.verdict, verdict.reason, verdict.sentence) == ("holds", "", "")
    assert [s.code for s in verdict.simulated] == [
        *("simulated_parties", "simulated_machine", "simulated_observations"),
        *("simulated_trajectory", "simulated_network", "scenario_time"),
    ]
    assert all("SIMULATED" in s.text or "SCENARIO" in s.text for s in verdict.simulated)
    assert {s.code for s in verdict.proven} == {
        *("log", "events", "speakers", "files", "quality", "epcis", "document"),
        *("invoice_amount", "credential", "papers", "position", "inside", "marks"),
        *("signed_by_terminal", "bound_to_goods", "title_registry", "title_history"),
        *("title_holder", "title_registration", "deal", "decision", "title_passed", "payment"),
    }
    assert {s.code for s in verdict.not_proven} == {
        *("time", "one_history", "unopened", "custody", "machine_truth", "rules", "fresh"),
        "revocation",
        *("terminal_key", "physically_bound", "corroborated", "genuine_signals", "navigation"),
        *(
            "coherent_simulator",
            "slow_drag_off",
            "no_window_before",
            "title_further",
            "title_elsewhere",
            "title_law",
            "schema",
            "money_moved",
            "later",
        ),
    }
    [key] = verdict.fingerprints
    assert key.fingerprint == honest.trust.nodes[0].log.key.fingerprint


def test_without_a_list_the_root_is_untrusted_and_its_key_is_named(honest: Honest) -> None:
    verdict = verify(honest.proof, [], evm=PyEvmEngine)
    assert (verdict.verdict, verdict.proven) == ("untrusted_root", ())
    assert honest.trust.nodes[0].log.key.fingerprint in verdict.sentence


async def test_a_whole_proof_forged_with_fresh_keys_has_an_untrusted_root(honest: Honest) -> None:
    forger = Corridor("forger")
    proof = decode_proof(await forger.proof())
    assert verify(proof, [forger.trust()], evm=PyEvmEngine).holds
    verdict = verify(proof, [honest.trust], evm=PyEvmEngine)
    assert (verdict.verdict, verdict.reason) == ("untrusted_root", "untrusted_root")
    assert [key.fingerprint for key in verdict.fingerprints] == [forger.node_key.public.fingerprint]
    # Among several lists the one that knows the log decides.
    both = verify(proof, [honest.trust, forger.trust()], evm=PyEvmEngine)
    assert (both.verdict, both.trust) == ("holds", "Corridor test")


async def test_a_list_that_knows_the_log_but_not_a_party_refuses(honest: Honest) -> None:
    trust = replace(
        honest.trust, parties=tuple(p for p in honest.trust.parties if p.party != "customs")
    )
    stranger = Corridor("stranger").trust()
    verdict = verify(honest.proof, [stranger, trust], evm=PyEvmEngine)
    assert (verdict.verdict, verdict.reason) == ("refused", "unknown_speaker")


def test_any_changed_byte_is_refused(honest: Honest) -> None:
    data = honest.data
    step = len(data) // 90
    for number, at in enumerate(range(0, len(data), step)):
        changed = bytearray(data)
        changed[at] ^= 1 << number % 8
        try:
            # What the log part refuses never comes to the replays, which take longer.
            holds = verify_log_part(decode_proof(bytes(changed)), honest.trust).holds
        except MalformedInput:
            holds = False
        assert not holds, f"byte {at}"


def test_any_changed_field_of_any_event_is_refused(honest: Honest) -> None:
    for at, opened in enumerate(honest.proof.events):
        fields = json.loads(opened.event.encode())
        for name in fields:
            changed = fields | {name: _other(fields[name])}
            try:
                event = SignedEvent.from_plain(changed)
            except (MalformedInput, Refused):
                continue
            # Alone in the proof, so that it is the first thing that is looked at.
            lie = replace(opened, event=event)
            findings = verify_log_part(replace(honest.proof, events=(lie,)), honest.trust)
            assert findings.reason in {"not_in_log", "wrong_salt"}, f"{name} of event {at}"


def _other(value: Any) -> Any:
    if isinstance(value, dict):
        name = min(value)
        return value | {name: _other(value[name])}
    if isinstance(value, list):
        return [*value, "stranger"]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    return ("B" if value[:1] == "A" else "A") + value[1:]


def test_any_changed_field_of_the_file_is_refused(honest: Honest) -> None:
    whole = json.loads(honest.data)
    changes: list[Callable[[dict[str, Any]], Any]] = [
        lambda p: p.update(v=2),
        lambda p: p.update(format="zhidao.trust"),
        lambda p: p.update(consignment="zd-2026-0002"),
        lambda p: p.update(origin=p["origin"][:-1]),
        lambda p: p.update(checkpoint=p["checkpoint"].replace("\n43\n", "\n44\n")),
        lambda p: p["events"].pop(),
        lambda p: p["events"].pop(3),
        lambda p: p["events"].reverse(),
        lambda p: p["events"].append(p["events"][0]),
        lambda p: p["events"][0].update(index=1),
        lambda p: p["events"][0].update(salt=p["events"][2]["salt"]),
        lambda p: p["events"][0]["inclusion"].pop(),
        lambda p: p["events"][0]["inclusion"].reverse(),
        lambda p: p["blobs"].append({"digest": "0" * 64, "data": "AA"}),
        lambda p: p["blobs"][0].update(data=p["blobs"][1]["data"]),
        lambda p: p["blobs"][0].update(digest=p["blobs"][1]["digest"]),
    ]
    for number, change in enumerate(changes):
        plain = json.loads(honest.data)
        change(plain)
        assert plain != whole, f"change {number} changes nothing"
        assert not _holds(plain, honest), f"change {number}"


def _holds(plain: dict[str, Any], honest: Honest) -> bool:
    text = json.dumps(plain, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    try:
        return verify(decode_proof(text.encode()), [honest.trust], evm=PyEvmEngine).holds
    except MalformedInput:
        return False


def test_other_spellings_of_the_same_file_are_bad_input(honest: Honest) -> None:
    text = honest.data.decode()
    name = f'"consignment":"{CONSIGNMENT}"'
    salt = next(e["salt"] for e in json.loads(text)["events"] if e["salt"])
    # 32 bytes leave two spare bits in 43 letters: this letter differs in one of them only.
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spare = salt[:-1] + letters[letters.index(salt[-1]) | 1]
    assert spare != salt
    for spelling in (
        text + "\n",
        text + "{}",
        " " + text,
        text.replace(name, f"{name},{name}", 1),
        text.replace(name, f'{name},"note":1', 1),
        text.replace('{"data":', '{"comment":"","data":', 1),
        text.replace(salt, spare, 1),
        text.replace(salt, f"{salt}=", 1),
        text.replace('"index":0', '"index":0.0', 1),
        text.replace(name, f'"consignment":"\\u007a{CONSIGNMENT[1:]}"', 1),
        "\ufeff" + text,
        text[:-1],
        "",
    ):
        assert spelling != text
        with pytest.raises(MalformedInput):
            decode_proof(spelling.encode())
