"""A presentation as a file that only one bank's node can open."""

from __future__ import annotations

import pytest

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.ids import party_id
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.exchange.domain.peer import Card
from zhidao.exchange.wire.card import sign_card
from zhidao.exchange.wire.sealed_file import SEAL_BYTES_MAX, is_sealed, opened, sealed
from zhidao.exchange.wire.sealing import SealingKey

AT = Utc.parse("2026-09-15T08:00:00Z")
BANK_KEY = SoftwareKey(Algorithm.ED25519, bytes(range(1, 33)))
BANK_SEALING = SealingKey(b"\x07" * 32)
SIGNED = b'{"from": "Suzhou"}'


@pytest.fixture(scope="module", params=[b"", BANK_SEALING.hybrid], ids=["x25519", "hybrid"])
def card(request: pytest.FixtureRequest) -> bytes:
    unsigned = Card(
        node=party_id("bank-node"),
        organisation="Red River Commercial Bank",
        url="https://bank.example",
        key=BANK_KEY.public,
        sealing=BANK_SEALING.public,
        sealing_hybrid=request.param,
        certificate="",
        at=AT,
        signature=b"",
    )
    return sign_card(unsigned, BANK_KEY)


@pytest.mark.parametrize("name", ["b", "b" * 64])
@pytest.mark.parametrize("hybrid", [b"", BANK_SEALING.hybrid], ids=["x25519", "hybrid"])
def test_what_sealing_adds_stays_within_its_bound(name: str, hybrid: bytes) -> None:
    unsigned = Card(
        node=party_id(name),
        organisation="Red River Commercial Bank",
        url="https://bank.example",
        key=BANK_KEY.public,
        sealing=BANK_SEALING.public,
        sealing_hybrid=hybrid,
        certificate="",
        at=AT,
        signature=b"",
    )
    data = sealed(SIGNED, sign_card(unsigned, BANK_KEY))
    assert 0 < len(data) - len(SIGNED) <= SEAL_BYTES_MAX


def test_only_the_banks_node_opens_what_is_sealed_for_it(card):
    data = sealed(SIGNED, card)
    assert b"Suzhou" not in data
    assert opened(data, BANK_SEALING) == SIGNED
    for key in (None, SealingKey(b"\x08" * 32)):
        with pytest.raises(Refused) as refusal:
            opened(data, key)
        assert refusal.value.code == "cannot_open"
    with pytest.raises(MalformedInput):
        opened(data[:35], BANK_SEALING)


def test_what_is_not_sealed_is_given_back():
    assert not is_sealed(SIGNED)
    assert opened(SIGNED, None) == SIGNED
