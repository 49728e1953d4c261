"""Bounds of trust."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

from tests.bounds.case import Case
from tests.trust.domain.test_policy import COSIGNERS
from tests.trust.service.chain.test_external_view import transaction

from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.trust.adapters.chain import json_rpc
from zhidao.trust.domain import (
    chain_rules,
    cosignature,
    credential,
    merkle,
    paid_rules,
    policy,
    title_tag,
    untp,
)
from zhidao.trust.domain.evm import Address, Transaction
from zhidao.trust.domain.note import NoteKey
from zhidao.trust.service.log import entries, key_register
from zhidao.trust.service.titles import change_of_medium, replayed_history
from zhidao.trust.wire.credentials import (
    open_attestation,
    sd_jwt,
    selective_disclosure,
    status_list,
)
from zhidao.trust.wire.identifiers import did_webvh
from zhidao.trust.wire.linked_data import json_pointer, rdf_canonical
from zhidao.trust.wire.log import add_checkpoint, tiles, tlog_proof
from zhidao.trust.wire.proof_file import remark

NOW = Utc.parse("2026-01-01T00:00:00Z")
WEBVH = "did:webvh:" + "Qm" + "a" * 44 + ":a.example"
CHAIN = chain_rules.Admission
CRED = "trust.wire.credentials"


def sent(**given: Any) -> Transaction:
    """A transaction that was signed, and whose parts are then others."""
    return replace(transaction(), **{"gas": 300_000, "fee_max_wei": 0, "tip_max_wei": 0} | given)


def extra(size: int) -> bytes:
    told = base64.b64encode(b"x" * size).decode()
    return f"{tlog_proof.HEADER}\nextra {told}\nno index\n\n".encode()


def fields(count: int) -> object:
    return open_attestation._digest(iter(f"{n:064x}" for n in range(count)), {}, "obfuscated")


def deep(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = [value]
    return sd_jwt._filled(value, {}, set(), 0)


def of_policy(logs: int = 0, groups: int = 0) -> object:
    """So many logs, each with a key of its own name; so many groups of one witness."""
    keys = [SoftwareKey(Algorithm.ED25519, n.to_bytes(32)).public for n in range(1, logs + 1)]
    witnesses = tuple(
        policy.PolicyWitness(f"w{at}", each.note_key) for at, each in enumerate(COSIGNERS[:1])
    )
    return policy.Policy(
        tuple(policy.PolicyLog(NoteKey(f"l{n}.example", key)) for n, key in enumerate(keys)),
        witnesses if groups else (),
        tuple(policy.PolicyGroup(f"g{n}", 1, ("w0",)) for n in range(groups - 1)),
        policy.NO_QUORUM,
    )


CASES = (
    Case(
        "trust.domain.chain_rules.INITCODE_BYTES_MAX",
        lambda n: CHAIN(99).check_size(sent(to=None, data=bytes(n))),
    ),
    Case("trust.domain.evm.BLOCK_GAS_MAX", lambda n: CHAIN(99).check_size(sent(gas=n))),
    Case(
        "trust.domain.paid_rules.FEE_MAX_WEI",
        lambda n: paid_rules.PaidAdmission(99, {}).check_price(sent(fee_max_wei=n)),
    ),
    Case("trust.domain.cosignature._NAME_BYTES_MAX", lambda n: cosignature._prefixed("a" * n)),
    Case("trust.domain.credential._KIND_CHARACTERS_MAX", lambda n: credential.type_of("a" * n)),
    Case(
        "trust.domain.credential.CONTEXTS_MAX",
        lambda n: credential.check_extent({"@context": ["a"] * n}),
    ),
    Case(
        "trust.domain.credential.TYPES_MAX",
        lambda n: credential.check_extent({"type": [str(k) for k in range(n)]}),
    ),
    Case(
        "trust.domain.credential.NODES_MAX",
        lambda n: credential.check_extent({"a": [{}] * (n - 1)}),
    ),
    Case("trust.domain.policy.LOGS_MAX", lambda n: of_policy(logs=n)),
    Case("trust.domain.policy.NAMES_MAX", lambda n: of_policy(groups=n)),
    Case(
        "trust.domain.title_tag._CHARACTERS_MAX",
        lambda n: title_tag.Bill("A" * n, "1"),
    ),
    Case("trust.domain.untp._MEMBERS_MAX", lambda n: untp._list([1] * n, "a")),
    Case(
        "trust.domain.merkle.SIZE_MAX",
        lambda n: merkle.inclusion_ranges(0, n),
    ),
    Case(
        "trust.service.log.entries.COMMITMENTS_MAX",
        lambda n: entries.commitment_leaves(bytes(32 * n)),
    ),
    Case(
        "trust.service.log.key_register.REASON_CHARACTERS_MAX",
        lambda n: key_register._check_reason("a" * n),
    ),
    Case(
        "trust.service.titles.change_of_medium.STATEMENT_CHARACTERS_MAX",
        lambda n: change_of_medium.Paper("0" * 64, "a" * n).check(),
    ),
    Case(
        "trust.service.titles.replayed_history.TRANSACTIONS_MAX",
        lambda n: replayed_history.title_history([b"a"] * n, make_engine=None),
    ),
    Case(
        "trust.adapters.chain.json_rpc._ENDPOINTS_MAX",
        lambda n: json_rpc.JsonRpc(["https://a.example"] * n),
    ),
    Case(f"{CRED}.open_attestation._LEAVES_MAX", fields),
    Case(
        f"{CRED}.open_attestation._PROOFS_MAX",
        lambda n: open_attestation._check_tree(
            {"targetHash": "0" * 64, "merkleRoot": "", "proof": [1] * n}, "0" * 64, "proof"
        ),
    ),
    Case(f"{CRED}.sd_jwt._DEPTH_MAX", deep),
    Case(
        f"{CRED}.selective_disclosure._VALUE_CHARACTERS_MAX",
        lambda n: selective_disclosure._payload("x" * n),
    ),
    Case(
        f"{CRED}.status_list._INDEX_DIGITS_MAX",
        lambda n: status_list._entry(
            {
                "type": status_list.ENTRY,
                "statusPurpose": "revocation",
                "statusListIndex": "1" * n,
                "statusListCredential": "https://a.example",
            }
        ),
    ),
    Case(
        "trust.wire.identifiers.did_webvh._ENTRIES_MAX",
        lambda n: did_webvh.resolve(WEBVH, b"{}\n" * n, b"", now=NOW),
    ),
    Case(
        "trust.wire.identifiers.did_webvh._WITNESSES_MAX",
        lambda n: did_webvh._check_signed({}, [1] * n, [], NOW),
    ),
    Case(
        "trust.wire.linked_data.json_pointer._POINTERS_MAX",
        lambda n: json_pointer.Selection({"a": 1}, ["/a"] * n),
    ),
    Case(
        "trust.wire.linked_data.rdf_canonical._QUADS_MAX",
        lambda n: rdf_canonical.canonical_labels([("a", "b", "c", "")] * n),
    ),
    Case(
        "trust.wire.log.add_checkpoint.PROOF_LINES_MAX",
        lambda n: add_checkpoint.decode_add_checkpoint(
            b"old 1\n" + b"\n".join([b"x"] * n) + b"\n\n"
        ),
    ),
    Case("trust.wire.log.tiles.LEVEL_MAX", lambda n: tiles.TileName(n, 0)),
    Case(
        "trust.wire.log.tlog_proof._EXTRA_MAX", lambda n: tlog_proof.decode_tlog_proof(extra(n)), 60
    ),
    Case(
        "trust.wire.log.tlog_proof._PATH_MAX",
        lambda n: tlog_proof.decode_tlog_proof(
            f"{tlog_proof.HEADER}\nindex 1\n".encode() + b"\n".join([b"x"] * n) + b"\n\n"
        ),
    ),
    Case(
        "trust.wire.proof_file.remark.TEXT_BYTES_MAX",
        lambda n: remark.seal_remark(
            bytes(64), "a" * n, title=bytes(32), place=0, signer=Address(bytes(20))
        ),
    ),
)
