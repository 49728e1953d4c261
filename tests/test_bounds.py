"""Every bound on what comes in is tried at the bound and one past it, or stands in a list.

A bound is a constant whose name holds MAX. `CASES` tries most of those of readers (the tables of
`tests/bounds`, one or two for each group of rooms, among them); a test that tries one elsewhere
says so with `@pytest.mark.bound("module.NAME")`. `bounds_exempt.toml` names those that are no
limits of input, each group with its reason. There is no list of bounds that nobody tries. A test
that computes `NAME_MAX + 1` counts as trying it.
"""

from __future__ import annotations

import ast
import gzip
import re
import tomllib
from importlib import import_module
from pathlib import Path
from uuid import UUID

import pytest
from tests.bounds import (
    cli,
    finance_services,
    goods,
    goods_services,
    ground,
    ground_services,
    node_services,
    signals,
    signals_services,
    trust_services,
)
from tests.bounds import finance as finance_room
from tests.bounds import node as node_room
from tests.bounds import trust as trust_room
from tests.bounds.case import Case, names, refusal, shape, spaces

from zhidao.connectivity.wire import compact, rdss
from zhidao.core.canonical import check_depth, parse_strict
from zhidao.core.encoding import parse_base58btc
from zhidao.core.events import SignedEvent
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.money import Currency, Money
from zhidao.core.timescale import Utc
from zhidao.devices.wire.jt808.frame import Deframer, Edition
from zhidao.devices.wire.jt808.messages import Transparent
from zhidao.devices.wire.jt808.packets import frames_of
from zhidao.devices.wire.jt808.position import decode_batch
from zhidao.exchange.wire import bundle, card, envelope, receipt, subscription, withdrawal
from zhidao.exchange.wire.peer_link import decode_link
from zhidao.finance.domain.deals import condition
from zhidao.finance.wire import calendars, credit, ledger_proof, obligations, pvp, replay
from zhidao.finance.wire.iso20022 import profiles
from zhidao.finance.wire.iso20022.messages import pacs008
from zhidao.finance.wire.mt import blocks
from zhidao.positioning.wire import geojson
from zhidao.positioning.wire.position_evidence import PositionEvidence
from zhidao.positioning.wire.precise import antex, b2b_log, sp3
from zhidao.positioning.wire.receivers.ntrip import AnswerReader
from zhidao.positioning.wire.rinex import concatenation, navigation_counts
from zhidao.positioning.wire.rtcm import frame as rtcm_frame
from zhidao.rules import parse_xml
from zhidao.trade.wire import journey_plan, presentation_file, tracking
from zhidao.trust.domain.note import NoteKey
from zhidao.trust.wire.credentials import jwk, sd_jwt, status_list
from zhidao.trust.wire.evm import rlp, title_guard, transaction
from zhidao.trust.wire.governance import governance, trust_list
from zhidao.trust.wire.identifiers import did_document, did_webvh
from zhidao.trust.wire.linked_data import cbor, json_pointer
from zhidao.trust.wire.log import (
    add_checkpoint,
    fraud,
    mirror,
    mirror_list,
    note,
    policy,
    tlog_proof,
)
from zhidao.trust.wire.proof_file import packed_proof, zdproof

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "zhidao"
KEY = SoftwareKey(Algorithm.ED25519, b"\x05" * 32).public
NOW = Utc.parse("2026-01-01T00:00:00Z")
OBLIGATIONS = b"debtor,creditor,amount,currency\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: gnss/data\r\n\r\n"
WEBVH = "did:webvh:" + "Qm" + "a" * 44 + ":a.example"
WORD = {"kind": "word", "by": "a", "word": "ok"}


def nested(depth: int) -> object:
    found: object = WORD
    for _ in range(depth - 1):
        found = {"kind": "all", "of": [found]}
    return found


def guard(count: int) -> object:
    guardians = tuple(title_guard.Address(bytes([n + 1]) * 20) for n in range(count))
    return title_guard.GuardTerms(title_guard.Address(b"\xff" * 20), guardians, 1, 86_400)


def upload(hashes: int) -> object:
    data = mirror.encode_upload(
        mirror.Upload("l.example", 0, 1, b""),
        [mirror.Package((0, 1), (b"x",), (bytes(32),) * hashes)],
    )
    return list(mirror.decode_upload(data)[1])


LINE = "mirror {} https://m{}.example\n"
LOG, FINANCE, CREDENTIALS = "trust.wire.log", "finance.wire", "trust.wire.credentials"
CASES = (
    # core
    Case("core.limits.JSON_BYTES_MAX", lambda n: parse_strict(b" " * n)),
    Case("core.limits.JSON_DEPTH_MAX", lambda n: check_depth(b"[" * n + b"]" * n)),
    Case("core.limits.JSON_INTEGER_MAX", lambda n: parse_strict(str(n).encode())),
    Case("core.limits.AMOUNT_MINOR_MAX", lambda n: Money(n, Currency("CNY"))),
    Case(
        "core.encoding._BASE58_CHARACTERS_MAX", lambda n: parse_base58btc("z" + "1" * (n - 1)), 60
    ),
    spaces("core.events.EVENT_BYTES_MAX", SignedEvent.decode),
    # connectivity, devices
    Case("connectivity.wire.compact._BYTES_MAX", lambda n: compact.unpack(b"\xff" * n), 60),
    Case("connectivity.wire.rdss.frame.SENTENCE_CHARACTERS_MAX", lambda n: rdss.parse("x" * n), 60),
    Case(
        "devices.wire.jt808.packets.PACKETS_MAX",
        lambda n: frames_of(
            Transparent(0xF1, b"x" * (1_023 * n - 1)),
            phone="0" * 20,
            edition=Edition.E2019,
            serial=0,
        ),
    ),
    Case("devices.wire.jt808.position._BATCH_MAX", lambda n: decode_batch(n.to_bytes(2) + b"\0")),
    Case(
        "devices.wire.jt808.frame.ESCAPED_BYTES_MAX",
        lambda n: Deframer().feed(b"\x7e" + b"x" * n),
        60,
    ),
    # exchange
    Case("exchange.wire.peer_link.LINK_CHARACTERS_MAX", lambda n: decode_link(" " * n)),
    spaces("exchange.wire.card.CARD_BYTES_MAX", card.decode_card),
    spaces("exchange.wire.receipt.RECEIPT_BYTES_MAX", receipt.decode_receipt),
    spaces("exchange.wire.subscription._BYTES_MAX", subscription.decode_subscription),
    spaces("exchange.wire.withdrawal._BYTES_MAX", withdrawal.decode_withdrawal),
    spaces("exchange.wire.envelope.ENVELOPE_BYTES_MAX", envelope.decode_envelope),
    Case("exchange.domain.limits.BUNDLE_BYTES_MAX", lambda n: bundle.decode_bundle(b" " * n)),
    Case(
        "exchange.domain.limits.REASON_CHARACTERS_MAX",
        lambda n: withdrawal.encode_withdrawal(UUID(int=1), "x" * n),
        60,
        "exchange.wire.withdrawal",
    ),
    # finance
    spaces(f"{FINANCE}.calendars.FILE_BYTES_MAX", calendars.read_rules),
    spaces(f"{FINANCE}.credit.BYTES_MAX", credit.read_credit),
    spaces(f"{FINANCE}.ledger_proof.BYTES_MAX", ledger_proof.decode),
    spaces(f"{FINANCE}.iso20022.profiles.PROFILE_BYTES_MAX", profiles.read_profile),
    spaces(f"{FINANCE}.iso20022.syntax.grammar.MESSAGE_BYTES_MAX", pacs008.decode),
    spaces(f"{FINANCE}.mt.blocks.MESSAGE_BYTES_MAX", blocks.read),
    spaces(f"{FINANCE}.obligations.BYTES_MAX", obligations.read_obligations),
    spaces(f"{FINANCE}.pvp.MESSAGE_BYTES_MAX", pvp.read_quoted),
    Case(f"{FINANCE}.replay.LINE_BYTES_MAX", lambda n: replay.decode_line(b" " * n, 1), 60),
    Case(
        f"{FINANCE}.obligations._NAME_MAX",
        lambda n: obligations.read_obligations(OBLIGATIONS + b"A" * n + b",B,1.00,CNY\n"),
    ),
    Case(
        "finance.domain.receivables.netting.OBLIGATIONS_MAX",
        lambda n: obligations.read_obligations(OBLIGATIONS + b"A,B,1.00,CNY\n" * n),
        6,
        f"{FINANCE}.obligations",
    ),
    Case("finance.domain.deals.condition.DEPTH_MAX", lambda n: condition.read(nested(n))),
    Case(
        "finance.domain.deals.condition.LEAVES_MAX",
        lambda n: condition.read({"kind": "all", "of": [WORD] * n}),
    ),
    # positioning
    spaces(
        "positioning.wire.geojson.GEOJSON_BYTES_MAX",
        lambda data: geojson.read_site(data, name="x"),
    ),
    spaces("positioning.wire.position_evidence.EVIDENCE_BYTES_MAX", PositionEvidence.decode),
    spaces("positioning.wire.precise.sp3.BYTES_MAX", sp3.read_sp3),
    spaces("positioning.wire.precise.b2b_log.BYTES_MAX", b2b_log.read_b2b_log),
    spaces(
        "positioning.wire.precise.antex.BYTES_MAX",
        lambda data: antex.read_antennas(data, gpst_ns=0),
    ),
    spaces(
        "positioning.wire.rinex.navigation.NAVIGATION_BYTES_MAX",
        navigation_counts.message_counts,
        "positioning.wire.rinex.navigation_counts",
    ),
    Case(
        "positioning.wire.rinex.concatenation.PARTS_MAX",
        lambda n: concatenation.concatenated([b"x"] * n, bytes_max=1_000),
    ),
    Case(
        "positioning.wire.receivers.ntrip.HEAD_BYTES_MAX",
        lambda n: list(AnswerReader().feed(b"x" * n)),
        60,
    ),
    Case(
        "positioning.wire.receivers.ntrip.CHUNK_BYTES_MAX",
        lambda n: list(AnswerReader().feed(CHUNKED + f"{n:x}\r\n".encode())),
    ),
    Case(
        "positioning.wire.rtcm.frame.PAYLOAD_BYTES_MAX",
        lambda n: rtcm_frame.frame(b"x" * n),
    ),
    # rules, trade
    Case("rules.safe_xml.XML_BYTES_MAX", lambda n: parse_xml(b" " * n)),
    Case("rules.safe_xml.XML_DEPTH_MAX", lambda n: parse_xml(b"<a>" * n + b"</a>" * n)),
    spaces("trade.wire.fields.PAPER_BYTES_MAX", journey_plan.read),
    spaces("trade.wire.presentation_file.BYTES_MAX", presentation_file.decode),
    spaces("trade.wire.tracking.TRACKING_BYTES_MAX", tracking.read_dcsa),
    # trust
    spaces(f"{LOG}.fraud.FRAUD_BYTES_MAX", fraud.decode_fraud),
    spaces(f"{LOG}.note.NOTE_BYTES_MAX", note.decode_note),
    spaces(f"{LOG}.policy.POLICY_BYTES_MAX", policy.parse_policy),
    spaces(f"{LOG}.tlog_proof.PROOF_BYTES_MAX", tlog_proof.decode_tlog_proof),
    spaces(f"{LOG}.add_checkpoint.BODY_BYTES_MAX", add_checkpoint.decode_add_checkpoint),
    spaces(f"{LOG}.mirror_list.MIRROR_LIST_BYTES_MAX", mirror_list.parse_mirror_list),
    Case(f"{LOG}.mirror.PROOF_HASHES_MAX", upload),
    Case(
        f"{LOG}.note.SIGNATURES_MAX",
        lambda n: note.decode_note(b"text\n\n" + "— a AAAAAAA=\n".encode() * n),
    ),
    Case("trust.domain.note.NAME_CHARACTERS_MAX", lambda n: NoteKey("a" * n, KEY)),
    spaces("trust.wire.governance.trust_list.TRUST_BYTES_MAX", trust_list.decode_trust_list),
    spaces("trust.wire.governance.governance.GOVERNED_BYTES_MAX", governance.decode_governed),
    spaces("trust.wire.evm.transaction.TRANSACTION_BYTES_MAX", transaction.decode),
    Case("trust.wire.evm.title_guard.GUARDIANS_MAX", guard),
    spaces("trust.wire.proof_file.zdproof.PROOF_BYTES_MAX", zdproof.decode_proof),
    Case(
        "trust.wire.proof_file.packed_proof.PLAIN_BYTES_MAX",
        lambda n: packed_proof.decode_packed(
            packed_proof.GZIP_HEADER + gzip.compress(b" " * n, mtime=0)[10:]
        ),
        60,
    ),
    Case(f"{CREDENTIALS}.sd_jwt._TOKEN_CHARACTERS_MAX", lambda n: sd_jwt.parse("x" * n), 60),
    Case(
        f"{CREDENTIALS}.sd_jwt._DISCLOSURES_MAX", lambda n: sd_jwt.parse("x" + "~x" * n + "~"), 60
    ),
    Case(
        f"{CREDENTIALS}.jwk._CHARACTERS_MAX",
        lambda n: jwk.key_of_did_jwk("did:jwk:".ljust(n, "x")),
        60,
    ),
    Case(f"{CREDENTIALS}.status_list._TEXT_MAX", lambda n: status_list.decode_list("u" * n), 60),
    Case(
        "trust.wire.identifiers.did_document._METHODS_MAX",
        lambda n: did_document.asserting_key(
            {"id": "did:a:b", "assertionMethod": ["x"] * n}, "did:a:b", "#k"
        ),
    ),
    Case(
        "trust.wire.identifiers.did_webvh._LOG_BYTES_MAX",
        lambda n: did_webvh.resolve(WEBVH, b" " * n, b"", now=NOW),
        60,
    ),
    Case(
        "trust.wire.linked_data.json_pointer._STEPS_MAX",
        lambda n: json_pointer.parse_pointer("/a" * n),
    ),
    Case("trust.wire.linked_data.cbor._DEPTH_MAX", lambda n: cbor.decode(b"\x81" * n + b"\x01")),
    Case("trust.wire.evm.rlp.DEPTH_MAX", lambda n: rlp.decode(lists(n))),
    *cli.CASES,
    *ground.CASES,
    *ground_services.CASES,
    *finance_room.CASES,
    *finance_services.CASES,
    *goods.CASES,
    *goods_services.CASES,
    *node_room.CASES,
    *node_services.CASES,
    *signals.CASES,
    *signals_services.CASES,
    *trust_room.CASES,
    *trust_services.CASES,
)


def lists(depth: int) -> bytes:
    item: rlp.Item = ()
    for _ in range(depth):
        item = (item,)
    return rlp.encode(item)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.bound)
def test_a_bound_holds_at_itself_and_one_past_it_is_refused_with_the_limit(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, _, name = case.bound.rpartition(".")
    where = import_module(f"zhidao.{case.where or module}")
    if case.low:
        monkeypatch.setattr(where, name, case.low)
    limit = (
        getattr(where, name)
        if hasattr(where, name)
        else getattr(import_module(f"zhidao.{module}"), name)
    )
    at, past = refusal(case.tried, limit), refusal(case.tried, limit + 1)
    assert past, "one past the bound is taken"
    assert names(past, limit, case.told), f"it does not tell the limit: {past}"
    assert shape(at) != shape(past), f"the bound itself is refused for its size: {at}"


# --- the lists ----------------------------------------------------------------------------------


def bounds() -> set[str]:
    """Every constant of the source whose name holds MAX."""
    found = set()
    for path in SOURCE.rglob("*.py"):
        module = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
        for node in ast.parse(path.read_text()).body:
            targets = (
                [node.target]
                if isinstance(node, ast.AnnAssign)
                else node.targets
                if isinstance(node, ast.Assign)
                else []
            )
            found |= {
                f"{module.removesuffix('.__init__')}.{target.id}"
                for target in targets
                if isinstance(target, ast.Name) and "MAX" in target.id.split("_")
            }
    return found


def tried_elsewhere() -> set[str]:
    """Bounds that a test elsewhere tries: it is marked so, or computes one past the bound."""
    found: set[str] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        text = path.read_text()
        if "mark.bound(" in text:
            found |= set(re.findall(r'@pytest\.mark\.bound\(\s*"([a-z0-9_.A-Z]+)"', text))
        if "MAX + 1" in text:
            found |= _one_past(ast.parse(text))
    return found


def _one_past(tree: ast.Module) -> set[str]:
    """What a test file adds one to, by the names that it was imported under."""
    known = {
        alias.asname or alias.name: f"{node.module.removeprefix('zhidao.')}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("zhidao.")
        for alias in node.names
    }
    found = set()
    for node in ast.walk(tree):
        if not (
            isinstance(node, ast.BinOp)
            and isinstance(node.op, ast.Add)
            and isinstance(node.right, ast.Constant)
            and node.right.value == 1
        ):
            continue
        left = node.left
        if isinstance(left, ast.Name) and left.id in known:
            found.add(known[left.id])
        elif isinstance(left, ast.Attribute) and isinstance(left.value, ast.Name):
            found.add(f"{known.get(left.value.id, '')}.{left.attr}")
    return {name for name in found if "MAX" in name.rpartition(".")[2].split("_")}


def exempt() -> dict[str, str]:
    """Bounds that are no limits of input, with the reason of their group."""
    groups = tomllib.loads((ROOT / "tests" / "bounds_exempt.toml").read_text())["group"]
    return {name: group["reason"] for group in groups for name in group["bounds"]}


def test_every_bound_is_tried_or_stands_aside_with_its_reason() -> None:
    known, aside = bounds(), exempt()
    # A name that a room passes on under another module is tried where it is defined.
    tried = {case.bound for case in CASES} | (tried_elsewhere() & known)
    assert sorted(tried & aside.keys()) == [], "tried: it stands aside no more"
    assert sorted(known - tried - aside.keys()) == [], "try it: add a Case"
    assert sorted((tried | aside.keys()) - known) == [], "gone: take it out"
    assert all(len(reason) > 20 for reason in aside.values())
