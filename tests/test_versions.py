"""Every form that says its version is asked for it first, at each known version and around them.

A *version check* of the source is a call of `core.versions`, or a comparison (or `startswith`) with
a field `v` or with a constant whose name tells of a version, a format, a magic number or a tag.
Each module that has one has a form in `FORMS`, or stands in `ELSEWHERE` with the reason why not.
Of a form, the known versions are read; the one past them and the one before are refused by their
number, with what is understood and what to do, whatever fields they may have besides.
"""

from __future__ import annotations

import ast
import binascii
import io
import json
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from tests.devices.wire.test_chunk import _chunks
from tests.exchange.wire.test_sealed_file import AT, BANK_KEY, BANK_SEALING
from tests.finance.domain.ledger.test_snapshot import filled
from tests.finance.domain.pvp.test_fx import QUOTE
from tests.finance.wire.test_any_input import BUNDLE, rewritten
from tests.insight.domain.corridor.test_published import CORRIDOR
from tests.insight.wire.test_assessment_formats import WHOLE
from tests.trade.wire.test_any_input import BILL, PLAN, QUESTION, SIGNER, manifest
from tests.trust.domain.test_policy import NOTE
from tests.trust.wire.test_any_input import HEAD

from zhidao.cli.console import profiles
from zhidao.connectivity.domain.notice import Kind, Notice
from zhidao.connectivity.domain.observation import Point
from zhidao.connectivity.wire import compact, notices
from zhidao.core import keyfile
from zhidao.core.ambient import SeededRandomness
from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.errors import MalformedInput, ZhidaoError
from zhidao.core.events import SignedEvent
from zhidao.core.ids import party_id
from zhidao.core.versions import check_tag, check_type, check_version
from zhidao.devices.wire.chunk import decode_chunk
from zhidao.exchange.domain.peer import Card, Wanted
from zhidao.exchange.wire import bundle as exchange_bundle
from zhidao.exchange.wire import card, envelope, receipt, sealed_file, subscription, withdrawal
from zhidao.finance.domain.ledger import snapshot
from zhidao.finance.domain.ledger.proof import LedgerProof
from zhidao.finance.wire import ledger_bundle, ledger_proof, pvp
from zhidao.insight.wire import assessment, corridor_document, corridor_published
from zhidao.insight.wire.publication import corridor_result, document
from zhidao.node.adapters.keys import export as key_export
from zhidao.node.federation import kinds
from zhidao.positioning.domain import solver_settings
from zhidao.positioning.wire.fixed import Lines
from zhidao.positioning.wire.position_evidence import PositionEvidence
from zhidao.positioning.wire.rinex.header import version_and_type
from zhidao.store import age
from zhidao.trade.wire import journey_plan, origin_file, presentation_file
from zhidao.trust.wire.evm import chain_snapshot
from zhidao.trust.wire.governance import governance, trust_list
from zhidao.trust.wire.log import fraud, tlog_proof
from zhidao.trust.wire.proof_file import packed_proof, zdproof

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "zhidao"
GOLDEN = ROOT / "tests" / "golden"
UNKNOWN_VERSION = "unknown_version"


@dataclass(frozen=True)
class Form:
    """A form of a module: its known versions, how one of a version is made, and its reader."""

    module: str
    known: tuple[int, ...]
    made: Callable[[int], bytes]
    read: Callable[[bytes], object]


def golden(name: str) -> bytes:
    return (GOLDEN / name).read_bytes()


def of_json(
    module: str, known: tuple[int, ...], whole: Iterable[bytes], read: Callable[[bytes], object]
) -> Form:
    """A form of JSON with its version in `v`; `whole`: one of each known version, or of some."""
    told = {int(parse_strict(data)["v"]): data for data in whole}  # type: ignore[call-overload, index]
    newest = parse_strict(told[max(told)])

    def made(version: int) -> bytes:
        # A later form has more than this program knows, and perhaps not all that it asks for.
        return told.get(version) or jcs({"v": version, "later": 1} | _beside(newest))

    return Form(module, known, made, read)


def _beside(plain: object) -> dict[str, object]:
    assert isinstance(plain, dict)
    return {name: plain[name] for name in plain if name != "v"}


def of_type(module: str, whole: bytes, read: Callable[[bytes], object], field: str) -> Form:
    """A form of JSON with its version at the end of a name."""
    plain = parse_strict(whole)
    assert isinstance(plain, dict)
    stem = str(plain[field]).rstrip("1")

    def made(version: int) -> bytes:
        if version == 1:
            return whole
        return json.dumps(plain | {field: f"{stem}{version}", "later": 1}).encode()

    return Form(module, (1,), made, read)


def of_tag(
    module: str, known: tuple[int, ...], whole: Iterable[bytes], read: Callable[[bytes], object]
) -> Form:
    """A form of bytes that begins with a name and its version."""
    told = dict(zip(known, whole, strict=False))
    line = told[known[0]].partition(b"\n")[0].partition(b" zh")[0]

    def made(version: int) -> bytes:
        number = b"%d" % version
        return told.get(version) or told[known[0]].replace(b"%d" % known[0], number, 1)

    assert line
    return Form(module, known, made, read)


def compact_of(version: int) -> bytes:
    body = bytearray(
        compact.pack(compact.Track((Point(60, 1, 1), Point(120, 2, 2)), simulated=True))[:-2]
    )
    body[0] = body[0] & 0x1F | version << 5
    return bytes(body) + binascii.crc_hqx(bytes(body), 0).to_bytes(2, "big")


def notices_of(version: int) -> bytes:
    notice = Notice(Kind.SEAL_CUT, Point(60, 1, 1))
    body = bytearray(notices.pack_notices([notice], simulated=True))
    body[0] = body[0] & 0x1F | version << 5
    return bytes(body)


def chunk_of(version: int) -> bytes:
    return bytes([version]) + _chunks(bytes(75))[0].encode()[1:]


def head_of(version: int) -> bytes:
    return chain_snapshot.encode_head(msgspec.structs.replace(HEAD, version=version))


def quote_of(version: int) -> bytes:
    body = parse_strict(pvp.encode_quote(QUOTE, SIGNER))["body"]  # type: ignore[call-overload, index]
    more = {} if version == 1 else {"type": f"finance.fx-quote.v{version}", "later": 1}
    return pvp._sign(dict(body) | more, SIGNER)


def read_in_file(read: Callable[[Path], object]) -> Callable[[bytes], object]:
    def reading(data: bytes) -> object:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "a.zip"
            file.write_bytes(data)
            return read(file)

    return reading


def audit_bundle(version: int) -> bytes:
    with zipfile.ZipFile(io.BytesIO(BUNDLE)) as archive:
        summary = archive.read("ledger.json")
    return rewritten("ledger.json", summary.replace(b"bundle 1", b"bundle %d" % version))


def sealed_of(version: int) -> bytes:
    unsigned = Card(
        node=party_id("bank-node"),
        organisation="Bank",
        url="https://bank.example",
        key=BANK_KEY.public,
        sealing=BANK_SEALING.public,
        sealing_hybrid=BANK_SEALING.hybrid if version == 2 else b"",
        certificate="",
        at=AT,
        signature=b"",
    )
    made = sealed_file.sealed(b"{}", card.sign_card(unsigned, BANK_KEY))
    return made if version in (1, 2) else made.replace(b".v1 ", b".v%d " % version)


def packed(version: int) -> bytes:
    known = golden("road-circle-compact-v3.zdproof")
    if version == packed_proof.PACKED_VERSION:
        return known
    plain = parse_strict(packed_proof._inflated(known), bytes_max=1 << 26)
    told = jcs({"later": 1} | _beside(plain) | {"v": version})
    deflate = zlib.compressobj(9, zlib.DEFLATED, packed_proof._RAW_DEFLATE)
    body = deflate.compress(told) + deflate.flush()
    return packed_proof.GZIP_HEADER + body + packed_proof._trailer(told)


EXCHANGED = {
    item.kind: item.data for item in exchange_bundle.decode_bundle(golden("exchange-v1.zdbundle"))
}
PROOF = LedgerProof("transfer", "CNY", 1, 0, 1, bytes(128), (), bytes(32))
KEYS = {"v": 1, "format": key_export.FORMAT, "kdf": "scrypt", "n": key_export._SCRYPT_N}
KEYS |= dict.fromkeys(("salt", "nonce", "sealed"), "")
ASKED = kinds.AccountAsked(holder="a", currency="CNY", name="a", town="a", country="CN")
STATED = kinds.encode_form(ASKED)
FORMS = (
    Form("connectivity.wire.compact", (1,), compact_of, compact.unpack),
    Form("connectivity.wire.notices", (1,), notices_of, notices.unpack_notices),
    of_json(
        "cli.console.profiles",
        (1,),
        [jcs({"v": 1, **asdict(profiles.Profile("here", "https://localhost:8443"))})],
        read_in_file(profiles.parsed),
    ),
    of_json("core.events", (1,), [golden("event-v1.json")], SignedEvent.decode),
    of_json(
        "core.keyfile",
        (1,),
        [keyfile.create_vault(b"correct horse", SeededRandomness(1))[0]],
        keyfile.check_vault,
    ),
    Form("devices.wire.chunk", (1,), chunk_of, decode_chunk),
    of_tag(
        "exchange.wire.bundle",
        (1, 2),
        [golden("exchange-v1.zdbundle")],
        exchange_bundle.decode_bundle,
    ),
    of_tag("exchange.wire.envelope", (1, 2), [EXCHANGED["E"]], envelope.decode_envelope),
    of_json("exchange.wire.card", (1, 2, 3), [golden("exporter-v1.zdcard")], card.decode_card),
    of_json("exchange.wire.receipt", (1,), [EXCHANGED["R"]], receipt.decode_receipt),
    Form(
        "exchange.wire.sealed_file",
        (1, 2),
        sealed_of,
        lambda data: sealed_file.opened(data, BANK_SEALING),
    ),
    of_json(
        "insight.wire.corridor_published",
        (1,),
        [CORRIDOR],
        corridor_published.decode_published,
    ),
    of_json("insight.wire.assessment", (1,), [WHOLE], assessment.decode_assessment),
    of_json(
        "insight.wire.publication.document",
        (1,),
        [document.encode_publication({"order": {}})],
        document.decode_publication,
    ),
    of_json(
        "insight.wire.publication.corridor_result",
        (1,),
        [jcs({"v": 1, "format": corridor_document.FORMAT, "seed": "", "basis": {}, "totals": []})],
        corridor_result.decode_corridor_result,
    ),
    of_json(
        "exchange.wire.subscription",
        (1,),
        [subscription.encode_subscription(Wanted())],
        subscription.decode_subscription,
    ),
    of_json(
        "exchange.wire.withdrawal",
        (1,),
        [withdrawal.encode_withdrawal(UUID(int=1), "x")],
        withdrawal.decode_withdrawal,
    ),
    of_tag("finance.domain.ledger.snapshot", (1,), [snapshot.encode(filled())], snapshot.decode),
    Form(
        "finance.wire.ledger_bundle", (1,), audit_bundle, read_in_file(ledger_bundle.check_bundle)
    ),
    of_type("finance.wire.ledger_proof", ledger_proof.encode(PROOF), ledger_proof.decode, "format"),
    Form(
        "finance.wire.pvp",
        (1,),
        quote_of,
        lambda data: pvp.decode_quote(data, dealer_key=SIGNER.public),
    ),
    of_json(
        "node.adapters.keys.export",
        (1,),
        [json.dumps(KEYS).encode()],
        read_in_file(key_export._read),
    ),
    of_json(
        "node.federation.kinds",
        (1,),
        [STATED],
        lambda data: kinds.decode_form(data, kinds.AccountAsked),
    ),
    Form(
        "positioning.domain.solver_settings",
        tuple(range(1, solver_settings.VERSION + 1)),
        lambda version: b"%d" % version,
        lambda data: solver_settings.Settings(version=int(data)),
    ),
    Form(
        "positioning.wire.position_evidence",
        (1, 2),
        lambda version: jcs({"type": f"positioning.PositionEvidence.v{version}"}),
        PositionEvidence.decode,
    ),
    of_type("trade.wire.fields", json.dumps(PLAN).encode(), journey_plan.read, "type"),
    of_type("trade.wire.fields", BILL, origin_file.read_bill, "type"),
    of_type("trade.wire.fields", QUESTION, origin_file.read_question, "type"),
    of_type(
        "trade.wire.presentation_file",
        presentation_file.encode(presentation_file.sign(manifest(), {}, SIGNER)),
        presentation_file.decode,
        "format",
    ),
    Form(
        "trust.wire.evm.chain_snapshot",
        (chain_snapshot.VERSION,),
        head_of,
        chain_snapshot.decode_head,
    ),
    of_json(
        "trust.wire.governance.governance",
        (1,),
        [golden("governed-v1.zdtrust")],
        governance.decode_governed,
    ),
    of_json(
        "trust.wire.governance.trust_list",
        (1, 2),
        [golden("trust-v1.json"), golden("trust-v2.json")],
        trust_list.decode_trust_list,
    ),
    of_json("trust.wire.log.fraud", (1,), [golden("rewritten-v1.zdfraud")], fraud.decode_fraud),
    of_json(
        "trust.wire.proof_file.zdproof",
        (1, 2),
        [golden("consignment-v1.zdproof"), golden("cosigned-v2.zdproof")],
        zdproof.decode_proof,
    ),
    of_tag(
        "store.age",
        (1,),
        [age.MAGIC + b"-> X25519 a\nYQ\n--- " + b"A" * 43 + b"\n"],
        lambda data: age._header_lines(io.BytesIO(data)),
    ),
    of_tag(
        "trust.wire.log.tlog_proof",
        (1,),
        [tlog_proof.encode_tlog_proof(tlog_proof.TlogProof(0, (), NOTE))],
        tlog_proof.decode_tlog_proof,
    ),
    Form(
        "trust.wire.proof_file.packed_proof",
        (packed_proof.PACKED_VERSION,),
        packed,
        packed_proof.decode_packed,
    ),
)
# Newest forms that no file stands for here: a golden one of an earlier version does.
WITHOUT_A_FILE = {
    "exchange.wire.bundle": {2},
    "exchange.wire.envelope": {2},
    "exchange.wire.card": {2, 3},
    "positioning.domain.solver_settings": {1, 2, 3},
    "positioning.wire.position_evidence": {1, 2},
}


def named(form: Form) -> str:
    return form.module


def refused(form: Form, version: int) -> ZhidaoError | None:
    try:
        form.read(form.made(version))
    except ZhidaoError as error:
        return error
    return None


@pytest.mark.parametrize("form", FORMS, ids=named)
def test_known_versions_are_read(form: Form) -> None:
    for version in form.known:
        error = refused(form, version)
        if version in WITHOUT_A_FILE.get(form.module, ()):
            assert error is None or error.code != UNKNOWN_VERSION, version
        else:
            assert error is None, f"version {version}: {error}"


@pytest.mark.parametrize("form", FORMS, ids=named)
def test_a_version_past_those_known_or_before_them_is_told_by_its_number(form: Form) -> None:
    for version in (form.known[0] - 1, form.known[-1] + 1):
        error = refused(form, version)
        assert isinstance(error, MalformedInput), version
        assert error.code == UNKNOWN_VERSION, f"{version}: {error}"
        understood = ", ".join(map(str, form.known))
        assert f"version {version}; this program understands {understood}" in str(error)
        assert ("newer release" in error.remedy) == (version > form.known[-1])
        assert f"version {form.known[-1]}" in error.remedy


def test_what_tells_no_version_is_left_to_its_reader() -> None:
    class Named(msgspec.Struct):
        type: str = ""

    for told in (None, "2", 2.0, True, [2]):
        check_version(told, form="a form", known=(1,))
    for text in (
        "",
        "zhidao.form.v",
        "zhidao.form.vx",
        "other.form.v2",
        "zhidao.form.v" + "9" * 10,
    ):
        check_tag(text, ("zhidao.form.v1",), form="a form")
    check_type({"type": "zhidao.form.v2"}, Named, form="a form")
    check_tag("zhidao.form.v1 and more", ("zhidao.form.v1",), form="a form")
    with pytest.raises(MalformedInput, match="version 12; this program understands 1, 2"):
        check_tag("zhidao.form.v12", ("zhidao.form.v2", "zhidao.form.v1"), form="a form")


@pytest.mark.parametrize(
    ("told", "is_read"),
    [
        *(("2", 1), ("2.00", 1), ("3.05", 1), ("4.02", 1)),
        *(("4.03", 0), ("5.00", 0), ("1.99", 0), ("25.00", 0), ("2x", 0), ("", 0)),
    ],
)
def test_rinex_is_read_up_to_its_newest_version(told: str, is_read: int) -> None:
    lines = Lines(f"{told:>9}".ljust(20).encode() + b"O".ljust(40) + b"RINEX VERSION / TYPE\n")
    if is_read:
        assert version_and_type(lines) == (told, "O")
        return
    with pytest.raises(MalformedInput, match=r"2\.00 to 4\.02") as refusal:
        version_and_type(lines)
    assert (refusal.value.code, refusal.value.where) == (UNKNOWN_VERSION, "line 1")
    assert refusal.value.remedy


# --- the list -----------------------------------------------------------------------------------

_WORDS = {"VERSION", "FORMAT", "MAGIC", "TAG", "HEADER"}
# A size of a header is no version, and `_TAG` alone is the length of a cipher's.
_SIZES = {"MAX", "MIN", "BITS", "BYTES"}
_CHECKS = {"check_version", "check_version_in", "check_tag", "check_type"}
# Modules that compare with such a name, and have no form of their own here.
ELSEWHERE = {
    "insight.wire.packs": "comes inside the wheel alone; tests/cli/insight/test_standards.py",
    "node.availability.plan": "tests/node/availability/test_plan.py: 0 and 2 are unknown_version",
    "core.versions": "the checks themselves",
    "node.security.peer_gate": "a tag of a signature, which tells no version",
    "store.backup": "looks whether a file is sealed, of any version; the reader in store.age tells",
    "store.libraries": "an ELF file's magic number, which tells no version",
    "trust.service.witness.policy_check": "tells a proof from a checkpoint; tlog_proof reads either",
    "trade.adapters.code_store": "test_code_store.py: a store of another version is told as such",
    "trade.wire.canonical_entry": "tests/trade/wire/test_consignment_entry.py: version 6 is unknown_version",
    "store.day_files": "tests/store/test_day_files.py: versions 0 and 2 are unknown_version",
    "connectivity.adapters.outbox_file": "tests/connectivity/adapters/test_unit_line.py: outbox_spoiled",
    "devices.wire.egts.transport": "tests/devices/wire/test_egts.py: version 2 is bad_preamble",
    "devices.wire.egts.views": "looks only which protocol a frame may be; transport refuses",
    "industry.wire.quality_record": "tests/industry/wire/test_quality_record.py: versions 0 and 3 are unknown_version",
    "store.backup_contents": "tests/store/test_backup.py: newer ones are backup_newer, of no version damaged",
}


def version_checks() -> dict[str, list[int]]:
    """Modules with a version check, and in which lines."""
    found: dict[str, list[int]] = {}
    for path in SOURCE.rglob("*.py"):
        lines = [node.lineno for node in ast.walk(ast.parse(path.read_text())) if _checks(node)]
        if lines:
            module = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
            found[module.removesuffix(".__init__")] = lines
    return found


def _checks(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        name = node.func.id if isinstance(node.func, ast.Name) else name
        begins = name == "startswith" and any(
            _tells(part) for arg in node.args for part in ast.walk(arg)
        )
        return name in _CHECKS or begins
    if isinstance(node, ast.Compare):
        return any(
            _tells(part) for side in (node.left, *node.comparators) for part in ast.walk(side)
        )
    return False


def _tells(node: ast.AST) -> bool:
    """Whether a name tells of a version, or a field is `v`."""
    if isinstance(node, ast.Attribute) and node.attr == "v":
        return True
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return node.slice.value == "v"
    name = node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")
    words = set(name.split("_"))
    return name.isupper() and bool(_WORDS & words) and not words & _SIZES


def test_each_version_check_of_the_source_has_a_form_here() -> None:
    checks = version_checks()
    tried = {form.module for form in FORMS}
    assert sorted(checks.keys() - tried - ELSEWHERE.keys()) == [], "add a form, or say who tries it"
    assert sorted((tried | ELSEWHERE.keys()) - checks.keys()) == [], "gone: take it out"
    assert not tried & ELSEWHERE.keys()
    assert all(len(reason) > 15 for reason in ELSEWHERE.values())
