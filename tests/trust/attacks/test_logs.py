"""Attacks on notes, logs, witnesses, proofs and titles: each meets exactly its reason.

`CASES` are the traps of signed notes, hashes, quorums, transactions and files; with the tables of
`test_credentials` they are what `conformance/trust/trust_attacks.py` counts.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.trust.service.titles.test_replayed_history import (
    BUYER,
    CARRIER,
    REGISTRY,
    SELLER,
    TITLE,
    history,
    signed,
)

from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.errors import ZhidaoError
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.trust.domain.chain_rules import Admission
from zhidao.trust.domain.evm import Address
from zhidao.trust.domain.merkle import (
    EMPTY_ROOT,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from zhidao.trust.domain.note import Checkpoint, Cosigner, Note, NoteKey, NoteSignature, sign_note
from zhidao.trust.domain.policy import Policy, PolicyGroup, PolicyWitness
from zhidao.trust.service.titles.light_history import followed_transactions
from zhidao.trust.wire.evm.title_contract import (
    MINTER_ROLE,
    RESTORE,
    act_call,
    grant_call,
    mint_call,
    transfer_call,
)
from zhidao.trust.wire.evm.transaction import Draft, decode, sign
from zhidao.trust.wire.evm.transaction import decode as decode_transaction
from zhidao.trust.wire.log.fraud import decode_fraud
from zhidao.trust.wire.log.note import checkpoint_text, decode_note, encode_note, parse_checkpoint
from zhidao.trust.wire.log.policy import parse_policy
from zhidao.trust.wire.log.tlog_proof import decode_tlog_proof
from zhidao.trust.wire.proof_file.zdproof import decode_proof


def _followed(raws):
    return followed_transactions([decode_transaction(raw) for raw in raws])


ORIGIN = "zhidao-log/test"
KEY = SoftwareKey(Algorithm.ED25519, b"l" * 32)
LOG = NoteKey(ORIGIN, KEY.public)
W = [Cosigner(f"w{n}.example", SoftwareKey(Algorithm.ED25519, bytes([n]) * 32)) for n in (1, 2, 3)]
PQ = Cosigner("pq.example", SoftwareKey(Algorithm.ML_DSA_44, b"p" * 32))
ROOT = bytes(range(32))
TEXT = checkpoint_text(Checkpoint(ORIGIN, 5, ROOT))
NOTE = encode_note(sign_note(TEXT, [(ORIGIN, KEY)]))
POLICY = Policy(
    (),
    tuple(PolicyWitness(w.name, w.note_key) for w in (*W, PQ)),
    (PolicyGroup("two", 2, tuple(w.name for w in (*W, PQ))),),
    "two",
)
AT_S = 1_800_000_000
LEAVES = [leaf_hash(b"%d" % n) for n in range(5)]


def note(text: str, *lines: str) -> bytes:
    return (text + "\n" + "".join(f"{line}\n" for line in lines)).encode()


def line(name: str = ORIGIN, data: bytes = b"x" * 68) -> str:
    return f"\u2014 {name} {base64.b64encode(data).decode()}"


def head(body: str) -> Checkpoint:
    return parse_checkpoint(body)


def judged(*lines: NoteSignature, text: str = TEXT) -> object:
    return POLICY.judge(Note(text, lines))


def forged(of: Cosigner, **fields: Any) -> NoteSignature:
    good = of.cosign(TEXT, AT_S)
    values = {"name": good.name, "key_id": good.key_id, "signature": good.signature} | fields
    return NoteSignature(**values)


def included(**fields: Any) -> None:
    good: dict[str, Any] = {
        "leaf": LEAVES[4], "index": 4, "size": 5, "proof": (root_of(LEAVES[:4]),),
        "root": root_of(LEAVES),
    }  # fmt: skip
    verify_inclusion(**(good | fields))


def consistent(**fields: Any) -> None:
    good: dict[str, Any] = {
        "first": 4, "second": 5, "first_root": root_of(LEAVES[:4]), "second_root": root_of(LEAVES),
        "proof": (LEAVES[4],),
    }  # fmt: skip
    verify_consistency(**(good | fields))


def raw(**fields: Any) -> bytes:
    values: dict[str, Any] = {
        "chain_id": 99, "nonce": 0, "to": Address(b"t" * 20), "data": b"", "gas": 60_000,
    }  # fmt: skip
    return sign(Draft(**(values | fields)), SELLER.sign_digest)


def admitted(transaction: bytes, counts: int = 0) -> None:
    decoded = decode(transaction)
    Admission(99, {decoded.sender: counts}).check(decoded)


def twin() -> bytes:
    """The same transaction with the other s: valid for every library, refused by EIP-2."""
    from zhidao.trust.wire.evm import rlp

    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    fields = rlp.decode(raw()[1:])
    assert isinstance(fields, list)
    parity, s = fields[9], int.from_bytes(fields[11], "big")  # type: ignore[arg-type]
    fields[9], fields[11] = (b"" if parity else b"\x01"), rlp.encode_integer(order - s)
    return b"\x02" + rlp.encode(fields)


def moved(*more: bytes) -> object:
    """The story of a title as it was, with more transactions behind it."""
    return _followed([*history()[2:], *more])


def escrow() -> Address:
    return REGISTRY.escrow(TITLE)


GOOD = "ok"
CASES: list[tuple[str, Callable[[], object], str]] = [
    # Signed notes and checkpoints.
    ("a good note", lambda: decode_note(NOTE), GOOD),
    ("a note without a signature", lambda: decode_note(TEXT.encode() + b"\n"), "malformed_input"),
    ("more signatures than are read", lambda: decode_note(note(TEXT, *[line()] * 65)),
     "malformed_input"),
    ("bytes behind the last line", lambda: decode_note(NOTE + b"x"), "malformed_input"),
    ("a control character", lambda: decode_note(NOTE.replace(b"test", b"te\x00t")),
     "malformed_input"),
    ("bytes that are no UTF-8", lambda: decode_note(b"\xff" + NOTE), "malformed_input"),
    ("base64 in another spelling", lambda: decode_note(note(TEXT, f"\u2014 {ORIGIN} eHh4eHi=")),
     "malformed_input"),
    ("a hyphen for the dash", lambda: decode_note(NOTE.replace("\u2014".encode(), b"-")),
     "malformed_input"),
    ("a key id without a signature", lambda: decode_note(note(TEXT, line(data=b"1234"))),
     "malformed_input"),
    ("a size with a leading zero", lambda: head(TEXT.replace("\n5\n", "\n05\n")),
     "malformed_input"),
    ("a negative size", lambda: head(TEXT.replace("\n5\n", "\n-5\n")), "malformed_input"),
    ("a size beyond all trees", lambda: head(TEXT.replace("\n5\n", "\n9999999999999999999\n")),
     "malformed_input"),
    ("a root of 31 bytes", lambda: head(f"{ORIGIN}\n5\n{base64.b64encode(ROOT[:31]).decode()}\n"),
     "malformed_input"),
    ("an empty extension line", lambda: head(TEXT + "\n"), "malformed_input"),
    ("a log without a name", lambda: head(TEXT.removeprefix(ORIGIN)), "malformed_input"),
    ("a changed head under a true signature", lambda: Note(
        TEXT.replace("\n5\n", "\n6\n"), decode_note(NOTE).signatures).signed_by([LOG]),
     "bad_signature"),
    ("a true key id with another signature", lambda: Note(
        TEXT, (NoteSignature(ORIGIN, LOG.id, b"\1" * 64),)).signed_by([LOG]), "bad_signature"),
    ("a cosignature where the log's own belongs", lambda: Note(
        TEXT, (NoteSignature(ORIGIN, LOG.id, W[0].cosign(TEXT, AT_S).signature),)
    ).signed_by([LOG]), "bad_signature"),
    # Witnesses and quorums.
    ("two of three witnesses", lambda: judged(W[0].cosign(TEXT, AT_S), W[1].cosign(TEXT, AT_S)),
     GOOD),
    ("one witness where two are asked", lambda: judged(W[0].cosign(TEXT, AT_S)), "quorum_not_met"),
    ("one witness twice", lambda: judged(W[0].cosign(TEXT, AT_S), W[0].cosign(TEXT, AT_S + 1)),
     "quorum_not_met"),
    ("a witness under another's name", lambda: judged(
        W[0].cosign(TEXT, AT_S), forged(W[1], name=W[2].name)), "quorum_not_met"),
    ("a cosignature with another time", lambda: judged(W[0].cosign(TEXT, AT_S), forged(
        W[1], signature=(AT_S + 1).to_bytes(8, "big") + W[1].cosign(TEXT, AT_S).signature[8:])),
     "bad_signature"),
    ("a cosignature without a time", lambda: judged(W[0].cosign(TEXT, AT_S), forged(
        PQ, signature=bytes(8) + PQ.cosign(TEXT, AT_S).signature[8:])), "bad_signature"),
    ("a cosignature over another head", lambda: judged(W[0].cosign(TEXT, AT_S), W[1].cosign(
        TEXT.replace("\n5\n", "\n6\n"), AT_S)), "bad_signature"),
    ("a cosignature cut short", lambda: judged(W[0].cosign(TEXT, AT_S), forged(
        W[1], signature=W[1].cosign(TEXT, AT_S).signature[:-1])), "bad_signature"),
    ("a policy with a quorum of nobody", lambda: parse_policy(b"quorum nobody\n"),
     "malformed_input"),
    ("a policy that asks for more than it has", lambda: PolicyGroup("g", 3, ("a", "b")) and Policy(
        (), (), (PolicyGroup("g", 3, ("a", "b")),), "g"), "malformed_input"),
    # Trees.
    ("a leaf in its tree", included, GOOD),
    ("an empty leaf and an empty root", lambda: included(leaf=b"", root=b"", size=1, index=0,
     proof=()), "bad_inclusion"),
    ("a leaf at another place", lambda: included(index=3), "bad_inclusion"),
    ("an index beyond the tree", lambda: included(index=5), "bad_inclusion"),
    ("a node for a leaf", lambda: included(leaf=node_hash(LEAVES[0], LEAVES[1]), index=0, size=2,
     proof=()), "bad_inclusion"),
    ("a path too long", lambda: included(proof=(root_of(LEAVES[:4]), bytes(32))),
     "bad_inclusion"),
    ("a path of short hashes", lambda: included(proof=(b"\0" * 31,)), "bad_inclusion"),
    ("a tree that grew", consistent, GOOD),
    ("a tree that shrank", lambda: consistent(first=5, second=4), "bad_consistency"),
    ("a tree with a changed beginning", lambda: consistent(first_root=bytes(32)),
     "bad_consistency"),
    ("an empty tree with a proof", lambda: consistent(first=0, first_root=EMPTY_ROOT),
     "bad_consistency"),
    ("one size, two roots", lambda: consistent(first=5, first_root=bytes(32), proof=()),
     "bad_consistency"),
    # Transactions and titles.
    ("a transaction as it should be", lambda: admitted(raw()), GOOD),
    ("a transaction sent twice", lambda: admitted(raw(), 1), "replayed_nonce"),
    ("a transaction ahead of its turn", lambda: admitted(raw(nonce=3)), "nonce_gap"),
    ("a transaction of another chain", lambda: admitted(raw(chain_id=1)), "wrong_chain"),
    ("a twin by the other s", lambda: admitted(twin()), "malleated_signature"),
    ("a fee on a chain without coin", lambda: admitted(raw(fee_max_wei=1, tip_max_wei=1)),
     "fee_not_zero"),
    ("a value on a chain without coin", lambda: admitted(raw(value_wei=1)), "value_not_zero"),
    ("a block's gas for one", lambda: admitted(raw(gas=31_000_000)), "gas_too_high"),
    ("bytes behind a transaction", lambda: admitted(raw() + b"\0"), "malformed_input"),
    ("an old kind of transaction", lambda: admitted(b"\xf8" + raw()), "malformed_input"),
    ("a title's story", moved, GOOD),
    ("a title minted twice", lambda: moved(signed(
        CARRIER, 42, REGISTRY.token, mint_call(TITLE, SELLER.address))), "title_exists"),
    ("a title minted by a stranger", lambda: moved(signed(
        SELLER, 6, REGISTRY.token, mint_call(b"n" * 32, SELLER.address))), "not_allowed"),
    ("a title moved by who gave it away", lambda: moved(signed(
        SELLER, 6, escrow(), transfer_call(SELLER.address))), "not_holder"),
    ("a title moved to nobody", lambda: moved(signed(
        BUYER, 0, escrow(), transfer_call(Address(bytes(20))))), "no_receiver"),
    ("a title restored that nobody returned", lambda: moved(signed(
        CARRIER, 42, REGISTRY.token, act_call(RESTORE, TITLE, BUYER.address, b""))),
     "not_allowed"),
    ("leave to mint given by who has none", lambda: moved(signed(
        SELLER, 6, REGISTRY.token, grant_call(MINTER_ROLE, SELLER.address))), "not_allowed"),
    ("a move in another registry", lambda: moved(signed(
        BUYER, 0, Address(b"r" * 20), transfer_call(SELLER.address))), "no_effect"),
    ("a transfer in another order", lambda: _followed(
        [*history()[2:4], history()[5], history()[4]]), "not_holder"),
    # Files.
    ("a proof that is none", lambda: decode_proof(b"{}"), "malformed_input"),
    ("a fraud proof that is none", lambda: decode_fraud(b"{}"), "malformed_input"),
    ("a tlog-proof that is none", lambda: decode_tlog_proof(b"c2sp.org/tlog-proof@v1\nx"),
     "malformed_input"),
    ("a key twice", lambda: parse_strict(b'{"a":1,"a":2}'), "duplicate_key"),
    ("NaN", lambda: parse_strict(b"[NaN]"), "non_finite"),
    ("a number beyond 2^53", lambda: parse_strict(b"[9007199254740993]"), "unsafe_integer"),
    ("a number beyond 2^53, written", lambda: jcs({"n": 2**53 + 1}), "malformed_input"),
    ("a lone surrogate", lambda: parse_strict(b'["\\ud800"]'), "lone_surrogate"),
]  # fmt: skip


def outcome(act: Callable[[], object]) -> str:
    """`ok`, or the code of the refusal."""
    try:
        act()
    except ZhidaoError as error:
        return error.code
    return GOOD


@pytest.mark.parametrize(("what", "act", "reason"), CASES, ids=[case[0] for case in CASES])
def test_each_attack_meets_its_reason(what: str, act: Callable[[], object], reason: str) -> None:
    del what
    assert outcome(act) == reason


def test_the_table_is_as_long_as_promised_and_can_fail() -> None:
    attacks = [case for case in CASES if case[2] != GOOD]
    assert len(attacks) >= 60
    assert len({case[0] for case in CASES}) == len(CASES)
    assert sum(case[2] == GOOD for case in CASES) >= 6
    assert json.dumps([case[2] for case in CASES])
