from __future__ import annotations

import coincurve
import pytest
from eth.vm.forks.shanghai.transactions import ShanghaiTransactionBuilder
from eth_keys import keys
from hypothesis import given, settings
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.trust.domain.evm import Address
from zhidao.trust.wire.evm import rlp
from zhidao.trust.wire.evm.keccak import address_of, created_address, keccak256
from zhidao.trust.wire.evm.transaction import Draft, decode, sign

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
SECRETS = st.binary(min_size=32, max_size=32).filter(lambda s: 0 < int.from_bytes(s, "big") < ORDER)
U64 = st.integers(min_value=0, max_value=2**64 - 1)
DRAFTS = st.builds(
    Draft,
    chain_id=st.integers(min_value=1, max_value=2**53),
    nonce=U64,
    to=st.none() | st.binary(min_size=20, max_size=20).map(Address),
    data=st.binary(max_size=200),
    gas=U64,
    value_wei=st.integers(min_value=0, max_value=2**256 - 1),
    fee_max_wei=st.integers(min_value=0, max_value=2**256 - 1),
    tip_max_wei=st.integers(min_value=0, max_value=2**256 - 1),
)


def signer(secret: bytes):
    key = coincurve.PrivateKey(secret)
    return lambda digest: key.sign_recoverable(digest, hasher=None)


@settings(max_examples=60)
@given(DRAFTS, SECRETS)
def test_a_signed_transaction_is_read_back_with_its_signer(draft: Draft, secret: bytes):
    raw = sign(draft, signer(secret))
    read = decode(raw)
    key = SoftwareKey(Algorithm.SECP256K1, secret)
    assert read.sender == address_of(key.public)
    assert read.raw == raw
    assert read.hash == keccak256(raw)
    fields = ("chain_id", "nonce", "to", "data", "gas", "value_wei", "fee_max_wei", "tip_max_wei")
    assert [getattr(read, f) for f in fields] == [getattr(draft, f) for f in fields]


@settings(max_examples=25)
@given(DRAFTS, SECRETS)
def test_another_implementation_reads_the_same_and_recovers_the_same_signer(draft, secret):
    raw = sign(draft, signer(secret))
    theirs = ShanghaiTransactionBuilder.decode(raw)
    ours = decode(raw)
    assert theirs.sender == ours.sender == keys.PrivateKey(secret).public_key.to_canonical_address()
    assert theirs.hash == ours.hash
    assert theirs.intrinsic_gas > 0
    assert (theirs.chain_id, theirs.nonce, theirs.gas) == (ours.chain_id, ours.nonce, ours.gas)
    assert (theirs.to or None, theirs.data) == (ours.to, ours.data)


def test_signing_twice_gives_the_same_bytes():
    draft = Draft(chain_id=1, nonce=0, to=None, data=b"x", gas=100_000)
    assert sign(draft, signer(b"k" * 32)) == sign(draft, signer(b"k" * 32))


@given(st.binary(max_size=200).map(lambda b: b"\x02" + b) | st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes):
    with pytest.raises(MalformedInput):
        decode(raw)


@given(st.integers(min_value=0, max_value=2000), st.integers(min_value=1, max_value=255))
def test_a_changed_byte_is_refused_or_names_another_signer(place: int, change: int):
    draft = Draft(chain_id=7, nonce=3, to=Address(bytes(20)), data=b"call" * 8, gas=60_000)
    raw = bytearray(sign(draft, signer(b"k" * 32)))
    before = decode(bytes(raw))
    raw[place % len(raw)] ^= change
    try:
        after = decode(bytes(raw))
    except (MalformedInput, Refused):
        return
    assert after.hash != before.hash
    assert after.sender != before.sender


def test_the_twin_of_a_signature_is_refused():
    raw = sign(Draft(chain_id=1, nonce=0, to=None, data=b"", gas=60_000), signer(b"k" * 32))
    fields = rlp.decode(raw[1:])
    fields[9] = rlp.encode_integer(1 - int.from_bytes(fields[9], "big"))
    fields[11] = rlp.encode_integer(ORDER - int.from_bytes(fields[11], "big"))
    with pytest.raises(Refused) as caught:
        decode(b"\x02" + rlp.encode(fields))
    assert caught.value.code == "malleated_signature"


@pytest.mark.parametrize(
    ("field", "value"),
    [(8, [[bytes(20), []]]), (5, bytes(19)), (7, []), (9, b"\x02"), (10, b""), (11, b"")],
)
def test_access_lists_and_fields_out_of_range_are_refused(field: int, value):
    raw = sign(Draft(chain_id=1, nonce=0, to=None, data=b"", gas=60_000), signer(b"k" * 32))
    fields = rlp.decode(raw[1:])
    fields[field] = value
    with pytest.raises(MalformedInput):
        decode(b"\x02" + rlp.encode(fields))


def test_a_huge_transaction_is_refused_before_it_is_parsed():
    with pytest.raises(MalformedInput, match="at most"):
        decode(b"\x02" + bytes(200_000))


def test_a_created_contract_has_the_address_that_is_published_for_it():
    # The example of the Ethereum stack exchange answer that every library cites; checked with
    # py-evm's generate_contract_address.
    from eth._utils.address import generate_contract_address

    sender = Address(bytes.fromhex("6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0"))
    assert created_address(sender, 0).hex() == "cd234a471b72ba2f1ccf0a70fcaba648a5eecd8d"
    for nonce in (1, 127, 128, 2**32):
        assert created_address(sender, nonce) == generate_contract_address(sender, nonce)


def test_a_key_of_another_curve_is_no_account():
    with pytest.raises(MalformedInput):
        address_of(SoftwareKey(Algorithm.ED25519, b"k" * 32).public)
