from __future__ import annotations

import coincurve
import pytest

from zhidao.core.errors import Refused, Unavailable
from zhidao.core.ids import PartyId
from zhidao.core.journal import FixedKeyRing
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.trust.adapters.chain.chain_accounts import KeptAccounts
from zhidao.trust.wire.evm.keccak import address_of

PARTY = PartyId("exporter")
KEY = SoftwareKey(Algorithm.SECP256K1, b"k" * 32)
RING = FixedKeyRing({PARTY: KEY, PartyId("old"): SoftwareKey(Algorithm.ED25519, b"k" * 32)})


def test_a_party_s_account_is_that_of_its_key():
    assert KeptAccounts(RING, b"s" * 32).of_party(PARTY).address == address_of(KEY.public)


def test_each_deal_and_title_has_an_account_of_its_own_that_is_found_again():
    accounts = KeptAccounts(RING, b"s" * 32)
    pairs = [("d", "t"), ("d", "t2"), ("d2", "t"), ("dt", ""), ("", "dt")]
    found = [accounts.custody(deal=deal, title=title).address for deal, title in pairs]
    found.append(accounts.registrar().address)
    assert len(set(found)) == len(found)
    again = KeptAccounts(RING, b"s" * 32).custody(deal="d", title="t").address
    assert again == found[0]
    assert KeptAccounts(RING, b"S" * 32).custody(deal="d", title="t").address != found[0]


def test_signing_repeats_exactly_and_is_recovered():
    account = KeptAccounts(RING, b"s" * 32).custody(deal="d", title="t")
    signature = account.sign_digest(b"d" * 32)
    assert signature == account.sign_digest(b"d" * 32)
    assert coincurve.PublicKey.from_signature_and_message(signature, b"d" * 32, hasher=None)


def test_without_a_chain_key_there_is_no_account():
    accounts = KeptAccounts(RING, b"s" * 32)
    for party in ("stranger", "old"):
        with pytest.raises(Unavailable):
            accounts.of_party(PartyId(party))
    with pytest.raises(Refused):
        KeptAccounts(RING, b"short")
