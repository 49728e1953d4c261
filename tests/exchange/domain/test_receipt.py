"""A receipt says how far a document came, and a refusal says why, in one bounded line."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from zhidao.core.errors import MalformedInput
from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.exchange.domain.limits import REASON_CHARACTERS_MAX
from zhidao.exchange.domain.receipt import Outcome, Receipt, Stage

REFUSAL = Receipt(
    stage=Stage.DECIDED,
    sender=PartyId("exporter"),
    recipient=PartyId("importer"),
    document=UUID(int=7),
    digest="0f" * 32,
    outcome=Outcome.REFUSED,
    code="amount_differs",
    reason="数额不符",
    at=Utc.parse("2026-05-04T08:00:00Z"),
    key=SoftwareKey(Algorithm.ED25519, b"\x07" * 32).public,
)


def test_stages_come_in_the_order_of_the_documents_way() -> None:
    assert [stage.rank for stage in (Stage.RECEIVED, Stage.ACCEPTED, Stage.DECIDED)] == [0, 1, 2]


def test_before_it_is_signed_it_bears_no_signature() -> None:
    assert REFUSAL.signature == b""


@pytest.mark.parametrize("digest", ["", "0f" * 31, "0F" * 32])
def test_it_names_a_document_by_a_sha_256_only(digest: str) -> None:
    with pytest.raises(MalformedInput, match="SHA-256"):
        replace(REFUSAL, digest=digest)


def test_a_reason_and_a_code_fill_their_room_and_no_more() -> None:
    replace(REFUSAL, reason="r" * REASON_CHARACTERS_MAX, code="c" * 64)
    with pytest.raises(MalformedInput, match="at most"):
        replace(REFUSAL, reason="r" * (REASON_CHARACTERS_MAX + 1))
    with pytest.raises(MalformedInput, match="at most"):
        replace(REFUSAL, code="c" * 65)


@pytest.mark.parametrize("told", [{"reason": "one\ntwo"}, {"code": "amount\x1b[31m"}])
def test_neither_can_write_a_second_line_or_steer_a_terminal(told: dict[str, str]) -> None:
    with pytest.raises(MalformedInput, match="control characters"):
        replace(REFUSAL, **told)


def test_a_refusal_bears_a_code_and_a_consent_needs_none() -> None:
    with pytest.raises(MalformedInput, match="by a code"):
        replace(REFUSAL, code="")
    replace(REFUSAL, outcome=Outcome.ACCEPTED, code="", reason="")
    replace(REFUSAL, outcome=Outcome.ACCEPTED, code="late", reason="")
