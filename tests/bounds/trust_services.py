"""Bounds of trust's services and adapters, and of the files that they share with others."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from tests.bounds.case import Case, answering, begun
from tests.trust.domain.test_policy import COSIGNERS, NOTE, POLICY, TEXT
from tests.trust.proof_bench import ProofBench
from tests.trust.service.credentials.test_credentials import Bench as Credentials
from tests.trust.service.titles.test_replayed_history import (
    CARRIER,
    REGISTRY,
    SELLER,
    history,
    signed,
)
from tests.trust.service.witness.test_checkpoint_witness import COSIGNERS as WITNESSES
from tests.trust.service.witness.test_checkpoint_witness import Log
from tests.trust.service.witness.test_mirror_pushing import Bench as Pushing

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.errors import MalformedInput
from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.trust.adapters.chain import json_rpc
from zhidao.trust.adapters.evidence import bundled_contexts, folder, http_evidence
from zhidao.trust.adapters.http_network import HttpNetwork
from zhidao.trust.adapters.witness.memory import MemoryWitnessStore
from zhidao.trust.service.credentials import external_evidence, status_lists, verification
from zhidao.trust.service.log import entries
from zhidao.trust.service.titles.light_history import followed_transactions
from zhidao.trust.service.witness import checkpoint_witness, head_offering
from zhidao.trust.service.witness.ports import Answer
from zhidao.trust.wire.credentials import status_list
from zhidao.trust.wire.evm import title_contract
from zhidao.trust.wire.evm.transaction import decode as decode_transaction
from zhidao.trust.wire.governance import governance, trust_list
from zhidao.trust.wire.linked_data import jsonld_context, rdf_canonical
from zhidao.trust.wire.log import policy as policy_file
from zhidao.trust.wire.proof_file import zdproof
from zhidao.verification import documents

NOW = Utc.parse("2026-01-01T00:00:00Z")
LATER = Utc.parse("2026-07-01T00:00:00Z")
V2 = "https://www.w3.org/ns/credentials/v2"
ISSUED: dict[str, Any] = {
    "@context": [V2],
    "type": ["VerifiableCredential"],
    "issuer": "did:web:a.example",
    "credentialSubject": {"id": "did:web:b.example"},
}
STATUS = {
    "type": status_list.ENTRY,
    "statusPurpose": "revocation",
    "statusListIndex": "1",
    "statusListCredential": "https://a.example/list",
}


async def asked_chain(size: int) -> None:
    rpc = json_rpc.JsonRpc(["https://a.example"])
    rpc._client = answering(
        lambda request: (
            json.dumps({"id": json.loads(request.content)["id"], "result": 1}).ljust(size).encode()
        )
    )
    await rpc.call("eth_chainId")


async def asked_evidence(size: int) -> None:
    fetcher = http_evidence.HttpEvidence(allow_private=True)
    fetcher._client = answering(lambda _: bytes(size))
    await fetcher.read("https://127.0.0.1/did.json")


async def asked_network(size: int) -> None:
    network = HttpNetwork()
    network._client = answering(lambda _: bytes(size))
    await network.get("https://a.example/checkpoint")


def contexts(count: int) -> object:
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        (place / "a.json").write_text('{"@context": {}}')
        index = {f"https://a.example/{k}": "a.json" for k in range(count)}
        (place / "contexts.json").write_text(json.dumps(index))
        return bundled_contexts.read_context_folder(place)


def evidence(count: int) -> object:
    with tempfile.TemporaryDirectory() as name:
        index = {"texts": {f"{k}.example": [] for k in range(count)}}
        (Path(name) / "evidence.json").write_text(json.dumps(index))
        return folder.read_evidence_folder(Path(name), NOW)


def dated(ahead_s: int) -> object:
    lines = [each.cosign(TEXT, 1_000 + ahead_s) for each in (COSIGNERS[0], COSIGNERS[2])]
    lines += [each.cosign(TEXT, 1_000) for each in (COSIGNERS[3], COSIGNERS[4])]
    return policy_file.parse_policy(POLICY).judge(NOTE.with_lines(lines), now_s=1_000)


async def explained(size: int) -> None:
    code, sentence = await Credentials().service.explain(b" " * size)
    if code:
        raise MalformedInput(sentence, code=code)


def judged(data: bytes) -> object:
    verdict = verification.CredentialVerifier().verify(data, NOW)
    if not verdict.holds:
        raise MalformedInput(verdict.sentence, code=verdict.code)
    return verdict


def statuses(count: int) -> None:
    nothing = external_evidence.Gathered()
    judge = verification._Judgement(None, {}, NOW, nothing, verification.Expectation())
    judge._statuses(ISSUED | {"credentialStatus": [STATUS] * count})


async def numbered(count: int) -> object:
    """A bit for the first credential of the list after so many less one, all of them full."""
    bench = Credentials()
    lists = status_lists.StatusLists(
        bench.service._records, bench.clock, SeededRandomness(2), base="https://a.example"
    )
    lists._newest[PartyId("exporter")] = count
    return await lists.entry(Actor(PartyId("exporter"), Role.PARTY), "c")


async def waiting_entries(count: int) -> None:
    log = Log()
    await begun(entries.Entries(log.log, log.store).add((b"a",) * count))


async def waiting_heads(count: int) -> None:
    """So many requests at a witness whose writer has not had a turn yet."""
    log = Log()
    witness = checkpoint_witness.Witness(
        cosigners=WITNESSES,
        logs=lambda: {log.log.origin: log.log.keys},
        store=MemoryWitnessStore(),
        clock=HandClock(Utc.parse("2026-11-24T10:00:00Z")),
    )
    await witness.start(keys_are_new=True)
    request = await log.request(0, await log.grow(b"a"))
    for _ in range(count):
        await begun(witness.add_checkpoint(request))


def governed(count: int) -> object:
    keys = [SoftwareKey(Algorithm.ED25519, bytes([n + 1]) * 32).public for n in range(count)]
    trust = trust_list.encode_trust_list(ProofBench().trust())
    made = trust_list.decode_trust_list(trust).created
    expires = made.plus_ns(100 * 86_400 * 10**9)
    return governance.propose(trust, governors=keys, threshold=2, expires=expires)


def governed_file(**given: object) -> object:
    plain: dict[str, object] = {"v": 1, "format": governance.GOVERNED_FORMAT, "roots": ["a"]}
    told = plain | {"targets": "a", "trust": "a", "seen": ""} | given
    return governance.decode_governed(json.dumps(told).encode())


def trust_of(name: str) -> object:
    plain = {"v": 1, "format": trust_list.TRUST_FORMAT, "name": name, "created": "a"}
    nodes = [{"party": "a", "log": "a", "keys": ["a"]}]
    return trust_list.decode_trust_list(
        json.dumps(plain | {"nodes": nodes, "parties": []}).encode()
    )


def chained(depth: int) -> object:
    """Contexts that name one another, so many in a row."""
    urls = [f"https://a.example/{k}" for k in range(depth)]
    pairs = zip(urls, [*urls[1:], {}], strict=True)
    reader = jsonld_context.ContextReader(dict(pairs))
    return reader.applied(reader.initial(), urls[0])


def terms(count: int) -> object:
    reader = jsonld_context.ContextReader({})
    local = {f"t{k}": f"https://a.example/{k}" for k in range(count)}
    return reader.applied(reader.initial(), local)


def proof_of(**given: object) -> object:
    event = {"event": "", "salt": "", "index": 0, "inclusion": []}
    plain: dict[str, object] = {"v": 1, "format": zdproof.PROOF_FORMAT, "consignment": "a"}
    plain |= {"origin": "a", "checkpoint": "a", "events": [event], "blobs": []}
    if "events" in given:
        given["events"] = [event] * int(str(given["events"]))
    return zdproof.decode_proof(json.dumps(plain | given).encode())


def remarked(size: int) -> object:
    call = title_contract.act_call(title_contract.BURN, b"t" * 32, SELLER.address, bytes(size))
    long = signed(CARRIER, 0, REGISTRY.token, call)
    return followed_transactions([decode_transaction(raw) for raw in (history()[2], long)])


async def mirrored(size: int) -> None:
    await Pushing().push._keep_cosigned(0, b"x" * size)


S, CREDENTIALS = "trust.service", "trust.service.credentials"
CASES = (
    Case("trust.adapters.chain.json_rpc._BYTES_MAX", asked_chain, 200),
    Case("trust.adapters.evidence.bundled_contexts._FILES_MAX", contexts),
    Case("trust.adapters.evidence.folder._ENTRIES_MAX", evidence),
    Case("trust.adapters.evidence.http_evidence._BYTES_MAX", asked_evidence, 200),
    Case("trust.adapters.http_network._BYTES_MAX", asked_network, 200),
    Case("trust.domain.policy.AHEAD_S_MAX", dated),
    Case(f"{CREDENTIALS}.credentials.CREDENTIAL_BYTES_MAX", explained, 60),
    Case(f"{CREDENTIALS}.status_lists.LISTS_MAX", numbered),
    Case(f"{CREDENTIALS}.verification.CREDENTIAL_BYTES_MAX", lambda n: judged(b" " * n), 60),
    Case(
        f"{CREDENTIALS}.verification._PROOFS_MAX",
        lambda n: judged(json.dumps(ISSUED | {"proof": [{"type": "a"}] * n}).encode()),
    ),
    Case(f"{CREDENTIALS}.verification._STATUSES_MAX", statuses),
    Case(f"{S}.log.entries._WAITING_LEAVES_MAX", waiting_entries),
    Case(f"{S}.witness.checkpoint_witness._WAITING_MAX", waiting_heads, 6),
    Case(
        f"{S}.witness.head_offering._SIZE_DIGITS_MAX",
        lambda n: head_offering._size_of(Answer(409, b"1" * n)),
    ),
    Case(f"{S}.witness.mirror_pushing._LINES_BYTES_MAX", mirrored),
    Case(
        "trust.wire.credentials.status_list._BITS_MAX",
        lambda n: status_list.decode_list(status_list.encode_list([n - 8], bits=(n + 7) // 8 * 8)),
    ),
    Case("trust.wire.evm.title_contract.REMARK_BYTES_MAX", remarked),
    Case("trust.wire.governance.governance.GOVERNORS_MAX", governed),
    Case("trust.wire.governance.governance.ROOTS_MAX", lambda n: governed_file(roots=["a"] * n)),
    Case(
        "trust.wire.governance.governance._METADATA_BYTES_MAX",
        lambda n: governed_file(targets="a" * n),
    ),
    Case("trust.wire.governance.trust_list.NAME_CHARACTERS_MAX", lambda n: trust_of("a" * n)),
    Case("trust.wire.linked_data.jsonld_context._DEPTH_MAX", chained),
    Case("trust.wire.linked_data.jsonld_context._TERMS_MAX", terms),
    Case(
        "trust.wire.linked_data.rdf_canonical._CALLS_MAX",
        # As many nodes that nothing tells apart: each is looked at once more.
        lambda n: rdf_canonical.canonical_labels([(f"_:{k}", "<p>", '"o"', "") for k in range(n)]),
    ),
    Case("trust.wire.log.tiles.ENTRY_BYTES_MAX", lambda n: Log().grow(bytes(n))),
    Case(
        "trust.wire.proof_file.zdproof.BLOBS_MAX",
        lambda n: proof_of(blobs=[{"digest": "", "data": ""}] * n),
    ),
    Case("trust.wire.proof_file.zdproof.EVENTS_MAX", lambda n: proof_of(events=n)),
    Case(
        "verification.documents.CREDENTIAL_BYTES_MAX",
        lambda n: documents._holds(None, None, b" " * n),  # type: ignore[arg-type]
        60,
    ),
)
