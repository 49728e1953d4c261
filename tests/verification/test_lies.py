"""What a node with honest keys may not tell: each lie is in its log, signed, and still refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.verification.corridor_bench import Corridor, signals

from zhidao.connectivity.events import NetworkChecked
from zhidao.core.canonical import jcs
from zhidao.core.events import Fact, SignedEvent
from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.devices.events import SealChecked, Sealed, WindowReceived
from zhidao.finance.events import BankAdmitted, ConditionMet, Decided, Settled
from zhidao.industry.events import LotFinished
from zhidao.positioning.domain.solver_settings import Settings
from zhidao.positioning.events import ArrivalExpected, ArrivalProven, Marks
from zhidao.positioning.service.evaluation import evaluate
from zhidao.positioning.wire.position_evidence import PositionEvidence
from zhidao.trade.events import ConsignmentEntered, CustomsReleased, DocumentAdded, PapersChecked
from zhidao.trust.adapters.chain.py_evm import PyEvmEngine
from zhidao.trust.events import (
    AccountNamed,
    ChainTransaction,
    TitleAsked,
    TitleMoved,
    TitleRegistered,
    TitleTagOpened,
)
from zhidao.trust.wire.evm.title_contract import MINTER_ROLE, grant_call
from zhidao.trust.wire.proof_file.zdproof import decode_proof
from zhidao.verification.verdict import Verdict, verify

ALL_MARKS = Marks(
    signed_by_terminal=True,
    bound_to_goods=True,
    recomputed=True,
    corroborated_by=["a network"],
    disagreed_by=[],
    inside_risk_ppb=100_000,
)


async def judged(corridor: Corridor, **more: Any) -> Verdict:
    return verify(decode_proof(await corridor.proof(**more)), [corridor.trust()], evm=PyEvmEngine)


def of_type(*facts: type[Fact]) -> Any:
    types = {fact.TYPE for fact in facts}
    return lambda event: event.type in types


def marks(**changes: Any) -> dict[str, Any]:
    plain = {name: getattr(ALL_MARKS, name) for name in ALL_MARKS.__struct_fields__}
    return {"marks": Marks(**(plain | changes))}


@pytest.mark.parametrize(
    ("fact", "fields", "reason"),
    [
        (ArrivalProven, {"latitude_ndeg": 44_200_100_000}, "not_reproduced"),
        (ArrivalProven, {"protection_mm": 5_000}, "not_reproduced"),
        (ArrivalProven, {"observed_at": "2026-11-21T06:02:00Z"}, "not_reproduced"),
        (ArrivalProven, {"satellites": 20}, "not_reproduced"),
        (ArrivalProven, {"terminal": "T-2"}, "not_reproduced"),
        (ArrivalProven, marks(inside_risk_ppb=1), "not_reproduced"),
        (ArrivalExpected, {"risk_ppb": 99_999}, "not_reproduced"),
        (ArrivalExpected, {"not_after": "2026-11-22T06:00:00Z"}, "not_reproduced"),
        (SealChecked, {"intact": False}, "false_mark"),
        (SealChecked, {"container": "CSQU3054384"}, "false_mark"),
        (WindowReceived, {"nonce": "00" * 16}, "false_mark"),
        (WindowReceived, {"simulated": False}, "false_mark"),
        (NetworkChecked, {"verdict": "mismatch"}, "false_mark"),
        (NetworkChecked, {"verdict": "unknown"}, "false_mark"),
        (NetworkChecked, {"network_latitude_ndeg": 45_000_000_000}, "false_mark"),
        (LotFinished, {"within_limits": False}, "quality_mismatch"),
        (LotFinished, {"samples": 4}, "quality_mismatch"),
        (LotFinished, {"not_shown": ["Flow"]}, "quality_mismatch"),
        (LotFinished, {"epcis_hashes": []}, "epcis_mismatch"),
        (ConsignmentEntered, {"amount_minor": 1}, "invoice_mismatch"),
        (PapersChecked, {"agree": False}, "papers_not_reproduced"),
        (TitleMoved, {"holder_party": "carrier"}, "title_mismatch"),
        (TitleMoved, {"registry": "0x" + "00" * 20}, "title_mismatch"),
        (TitleMoved, {"holder": "0x" + "00" * 20}, "title_mismatch"),
        (TitleMoved, {"action": "surrender"}, "title_mismatch"),
        (TitleAsked, {"consignment": "zd-2026-0002"}, "title_mismatch"),
        (ChainTransaction, {"hash": "0x" + "00" * 32}, "wrong_chain"),
        (TitleTagOpened, {"number": "SMLSHA0418"}, "bad_title_tag"),
        (TitleTagOpened, {"carrier_code": "smlm"}, "bad_title_tag"),
        (TitleTagOpened, {"opening": "AA"}, "bad_title_tag"),
        (TitleTagOpened, {"opening": "not base64"}, "bad_title_tag"),
        (TitleTagOpened, {"issuer": "z6Mk"}, "bad_title_tag"),
        (TitleTagOpened, {"tag": "00" * 32}, "bad_title_tag"),
        (TitleRegistered, {"tag": "00" * 32}, "unregistered_title"),
        (TitleRegistered, {"title": "00" * 32}, "unregistered_title"),
        (TitleRegistered, {"registry": "0x" + "00" * 20}, "unregistered_title"),
        (TitleRegistered, {"chain_id": 7}, "unregistered_title"),
        (CustomsReleased, {"decision": "held"}, "decision_not_reproduced"),
        (ArrivalProven, marks(corroborated_by=[]), "decision_not_reproduced"),
        (ConditionMet, {"name": "arrival"}, "decision_not_reproduced"),
        (Decided, {"transfer": "x"}, "decision_not_reproduced"),
        (Decided, {"outcome": "perhaps"}, "decision_not_reproduced"),
        (Decided, {"title_transaction": ""}, "decision_not_reproduced"),
        (Settled, {"paid": False}, "payment_mismatch"),
        (Settled, {"reason": "too_late"}, "payment_mismatch"),
        (BankAdmitted, {"bic": "OTHRDK22"}, "payment_mismatch"),
    ],
)
async def test_a_fact_that_the_proof_contradicts_is_refused(
    fact: type[Fact], fields: dict[str, Any], reason: str
) -> None:
    verdict = await judged(Corridor(changes={fact: fields}))
    assert (verdict.verdict, verdict.reason) == ("refused", reason), verdict.sentence
    assert not verdict.proven
    assert not verdict.not_proven


@pytest.mark.parametrize(
    ("fact", "liar"),
    [
        (ArrivalProven, "importer"),
        (WindowReceived, "carrier"),
        (Decided, "exporter"),
        (TitleMoved, "exporter"),
        (Sealed, "exporter"),
        (CustomsReleased, "carrier"),
        (ConsignmentEntered, "importer"),
        (DocumentAdded, "importer"),
        (TitleAsked, "exporter"),
        (TitleRegistered, "exporter"),
        (TitleTagOpened, "importer"),
        (AccountNamed, "carrier"),
    ],
)
async def test_a_fact_is_said_by_the_one_whose_word_it_is(fact: type[Fact], liar: str) -> None:
    verdict = await judged(Corridor(said_by={fact: liar}))
    assert (verdict.verdict, verdict.reason) == ("refused", "wrong_speaker")
    assert liar in verdict.sentence


def _other_window(data: bytes) -> bytes:
    told = PositionEvidence.decode(data)
    other = signals(12)
    return evaluate(told.question, other.window, other.navigation, Settings.of_arrivals())


def _generous(data: bytes) -> bytes:
    told = json.loads(data)
    told["result"]["protection_mm"] //= 2
    return jcs(told)


def _outside(data: bytes) -> bytes:
    told = json.loads(data)
    told["result"]["decision"] = "outside"
    return jcs(told)


_PAYABLE = b'<cbc:PayableAmount currencyID="EUR">47400.00</cbc:PayableAmount>'
_LESS = _PAYABLE.replace(b"47400.00", b"4740.000")  # The same digits, and a tenth.


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("evidence", _other_window, "not_reproduced"),
        ("evidence", _generous, "not_reproduced"),
        ("evidence", _outside, "not_reproduced"),
        ("evidence", lambda data: data + b" ", "not_reproduced"),
        ("window", lambda _: signals(12).window, "not_reproduced"),
        ("navigation", lambda data: data + b"\n", "not_reproduced"),
        ("chunk", lambda data: data[:200] + b"?" + data[201:], "false_mark"),
        ("quality", lambda data: data.replace(b'"46.5"', b'"99.5"'), "quality_mismatch"),
        ("quality", lambda _: b'{"v":1}', "quality_mismatch"),
        ("quality", lambda d: d.replace(b'"Good"', b'"BadSensorFailure"', 1), "quality_mismatch"),
        ("epcis", lambda data: data.replace(b"L-0417", b"L-0418"), "epcis_mismatch"),
        ("epcis", lambda _: b"[]", "epcis_mismatch"),
        ("invoice", lambda data: data.replace(b"44400.00", b"44401.00"), "invoice_mismatch"),
        ("invoice", lambda _: b"<Invoice/>", "invoice_mismatch"),
        (
            "invoice",
            lambda data: data.replace(_PAYABLE, b"<!--" + _PAYABLE + b"-->" + _LESS),
            "invoice_mismatch",
        ),
        ("invoice", lambda data: data.replace(_PAYABLE, _LESS), "invoice_mismatch"),
        (
            "invoice_credential",
            lambda data: data.replace(b"INV-2026", b"INV-2027"),
            "bad_credential",
        ),
        ("origin_statement_credential", lambda _: b"[]", "bad_credential"),
        ("bill_of_lading", lambda d: d.replace(b"1291.2", b"1191.2"), "papers_not_reproduced"),
        ("pacs008", lambda data: data.replace(b"47400.00", b"57400.00"), "payment_mismatch"),
        ("camt054", lambda data: data.replace(b"47400.00", b"57400.00"), "payment_mismatch"),
        ("pacs008", lambda data: data.replace(b"47400.00", b"4740.000"), "payment_mismatch"),
    ],
)
async def test_a_file_that_says_otherwise_is_refused(name: str, change: Any, reason: str) -> None:
    verdict = await judged(Corridor(files={name: change}))
    assert (verdict.verdict, verdict.reason) == ("refused", reason), verdict.sentence


async def test_a_credential_over_another_document_is_refused() -> None:
    honest = Corridor()
    await honest.proof()
    statement = next(d for d in honest.files.values() if b"OriginStatementCredential" in d)
    verdict = await judged(Corridor(files={"invoice_credential": lambda _: statement}))
    assert verdict.reason == "bad_credential"


async def test_a_window_that_another_key_signed_is_refused() -> None:
    corridor = Corridor()
    other = SoftwareKey(Algorithm.ED25519, b"o" * 32).public.multikey
    corridor.changes = {Sealed: {"terminal_key": other}}
    assert (await judged(corridor)).reason == "false_mark"


class _Ending:
    """Leaves out the last events of some kinds."""

    def __init__(self, *facts: type[Fact]) -> None:
        self.types = {fact.TYPE for fact in facts}
        self.last: dict[str, SignedEvent] = {}

    def of(self, corridor: Corridor) -> Any:
        for entry in corridor.entries:
            if entry.event.type in self.types:
                self.last[entry.event.type] = entry.event
        return lambda event: event in self.last.values()


@pytest.mark.parametrize("facts", [(ChainTransaction,), (ChainTransaction, TitleMoved)])
async def test_a_title_history_that_is_cut_is_refused(facts: tuple[type[Fact], ...]) -> None:
    corridor = Corridor()
    await corridor.proof()
    verdict = await judged(corridor, leave_out=_Ending(*facts).of(corridor))
    assert (verdict.verdict, verdict.reason) == ("refused", "title_mismatch")


async def test_a_title_history_without_its_contracts_is_refused() -> None:
    def deploys(event: SignedEvent) -> bool:
        return event.payload.get("purpose") == "deploy registry"

    assert (await judged(Corridor(), leave_out=deploys)).reason == "foreign_contracts"


async def test_a_chain_opened_in_part_leaves_other_moves_possible() -> None:
    def further(verdict: Verdict) -> str:
        return next(s.text for s in verdict.not_proven if s.code == "title_further")

    class Busy(Corridor):
        """Another account is let mint before the title moves on."""

        def _promise(self) -> None:
            registrar = self.accounts.registrar()
            grant = grant_call(MINTER_ROLE, self.accounts.of_party(PartyId("customs")).address)
            self._transact("corridor", registrar, 3, self.registry.token, grant, "let mint more")
            super()._promise()

    def extra(event: SignedEvent) -> bool:
        return event.payload.get("purpose") == "let mint more"

    assert "last of its transactions" in further(await judged(Busy()))
    assert "not opened" in further(await judged(Busy(), leave_out=extra))


async def test_a_title_on_another_nodes_chain_is_refused() -> None:
    assert (await judged(Corridor(chain_id=7))).reason == "wrong_chain"


async def test_a_title_that_is_sent_to_another_party_is_refused() -> None:
    verdict = await judged(Corridor(receiver="carrier"))
    assert (verdict.reason, "carrier" in verdict.sentence) == ("title_mismatch", True)


async def test_settings_that_bound_too_tightly_are_named_and_their_bound_is_not_proven() -> None:
    verdict = await judged(Corridor(tight=True))
    assert verdict.holds, verdict.sentence
    assert "inside" not in {s.code for s in verdict.proven}
    assert "usual" in next(s.text for s in verdict.not_proven if s.code == "inside")


async def test_a_deal_that_ended_unpaid_is_told_with_its_ground_and_the_titles_way_back() -> None:
    corridor = Corridor(paid=False)
    verdict = await judged(corridor)
    assert (verdict.verdict, verdict.missing) == ("holds_in_part", ("payment",))
    told = {s.code: s.text for s in verdict.proven}
    assert "not to pay" in told["decision"]
    assert "time was over" in told["decision_ground"]
    assert "went back" in told["title_passed"]
    assert told["title_holder"] == "The title ends with exporter, its holder and beneficiary."
    assert "funds_released" in {s.code for s in verdict.not_proven}


async def test_what_a_party_may_not_see_is_not_proven_and_nothing_breaks() -> None:
    corridor = Corridor()
    rooms = ("finance.", "positioning.", "industry.", "connectivity.")
    verdict = await judged(corridor, leave_out=lambda event: event.type.startswith(rooms))
    assert (verdict.verdict, verdict.missing) == ("holds_in_part", ("arrival", "papers", "payment"))
    open_questions = {s.code for s in verdict.not_proven}
    assert {"arrival", "deal", "lot", "papers"} <= open_questions
    assert "title_holder" in {s.code for s in verdict.proven}
    verdict = await judged(
        corridor, leave_out=of_type(ChainTransaction, TitleMoved, Decided, Settled)
    )
    assert (verdict.verdict, verdict.missing) == ("holds_in_part", ("payment", "title"))
    assert {"title", "decision", "payment"} <= {s.code for s in verdict.not_proven}


async def test_a_deal_opened_with_a_gap_claims_nothing() -> None:
    verdict = await judged(Corridor(), leave_out=of_type(ConditionMet))
    assert (verdict.verdict, verdict.missing) == ("holds_in_part", ("payment",))
    assert not {"deal", "decision", "payment"} & {s.code for s in verdict.proven}


async def test_marks_without_their_files_or_events_are_not_proven() -> None:
    corridor = Corridor()
    await corridor.proof()
    chunk = next(d for d, data in corridor.files.items() if data[1:17] == b"w" * 16)
    del corridor.files[chunk]
    verdict = await judged(corridor, leave_out=of_type(Sealed, NetworkChecked))
    assert (verdict.verdict, verdict.missing) == ("holds_in_part", ("arrival",))
    open_questions = {s.code: s.text for s in verdict.not_proven}
    assert {"signed_by_terminal", "bound_to_goods", "corroborated"} <= set(open_questions)
    assert "not opened" in open_questions["corroborated"]
