"""A heading names one document between two nodes, in bounded words, or it is none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from zhidao.core.errors import MalformedInput
from zhidao.core.ids import PartyId
from zhidao.core.timescale import Utc
from zhidao.exchange.domain.envelope import SALT_BYTES, SEQUENCE_MAX, Heading
from zhidao.exchange.domain.limits import CONTENT_BYTES_MAX

HEADING = Heading(
    document=UUID(int=7),
    sender=PartyId("exporter"),
    recipient=PartyId("importer"),
    from_party=PartyId("maker"),
    to_party=PartyId("buyer"),
    consignment="C-1",
    sequence=1,
    kind="trade.packing-list",
    media_type="application/json",
    sent_at=Utc.parse("2026-05-04T08:00:00Z"),
    digest="0f" * 32,
    size=12,
)


@pytest.mark.parametrize("field", ["consignment", "kind"])
def test_names_begin_with_a_letter_or_digit_and_have_64_at_most(field: str) -> None:
    for good in ("a", "9", "A.b_c-9", "x" * 64):
        changes: dict[str, Any] = {field: good}
        assert replace(HEADING, **changes)
    for bad in ("", ".a", "-a", "a b", "a/b", "é", "x" * 65, "a\n"):
        changes = {field: bad}
        with pytest.raises(MalformedInput, match=field):
            replace(HEADING, **changes)


def test_a_media_type_has_two_names_of_64_at_most_and_no_parameters() -> None:
    for good in ("a/b", "application/vnd.x+json", f"{'a' * 64}/{'b' * 64}"):
        assert replace(HEADING, media_type=good)
    for bad in ("a", "a/", "/b", "A/b", "a/b;q=1", f"{'a' * 65}/b", f"a/{'b' * 65}", "a/b\n"):
        with pytest.raises(MalformedInput, match="media type"):
            replace(HEADING, media_type=bad)


def test_a_sequence_counts_from_1_to_what_every_reader_of_json_can_count() -> None:
    assert SEQUENCE_MAX == 9_007_199_254_740_991
    for good in (1, SEQUENCE_MAX):
        assert replace(HEADING, sequence=good)
    for bad in (0, -1, SEQUENCE_MAX + 1):
        with pytest.raises(MalformedInput, match="counts from 1"):
            replace(HEADING, sequence=bad)


def test_a_document_may_be_empty_and_as_large_as_said() -> None:
    for good in (0, CONTENT_BYTES_MAX):
        assert replace(HEADING, size=good)
    for bad in (-1, CONTENT_BYTES_MAX + 1):
        with pytest.raises(MalformedInput) as refusal:
            replace(HEADING, size=bad)
        assert refusal.value.code == "content_too_large"


def test_a_digest_is_a_sha_256_over_a_salt_of_its_size_and_the_content() -> None:
    assert SALT_BYTES == 32
    with pytest.raises(MalformedInput, match="SHA-256"):
        replace(HEADING, digest="0F" * 32)
