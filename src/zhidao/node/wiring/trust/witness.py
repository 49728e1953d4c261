"""Builds the witness, the mirrors and the watch from the policies in the data folder."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from zhidao.core.errors import MalformedInput, ZhidaoError
from zhidao.core.keys import Algorithm
from zhidao.node.adapters.keys.files import KeyFiles
from zhidao.node.api.trust.witness import Parts, routes
from zhidao.node.operations.alarms import Alarms
from zhidao.node.runtime.runtime_context import Room, RuntimeContext
from zhidao.node.wiring.trust.log import TrustLogServices
from zhidao.trust.adapters.http_network import HttpNetwork
from zhidao.trust.adapters.log.cosigned_notes import PostgresCosignedNotes
from zhidao.trust.adapters.log.fraud_files import FileFraudBook
from zhidao.trust.adapters.log.mirror_positions import PostgresMirrorPositions
from zhidao.trust.adapters.log.postgres import PostgresLogStore
from zhidao.trust.adapters.witness.file import FileWitnessStore
from zhidao.trust.adapters.witness.postgres import PostgresWitnessStore
from zhidao.trust.domain.fraud import FraudProof
from zhidao.trust.domain.log_key import log_origin
from zhidao.trust.domain.mirroring import MirrorTarget
from zhidao.trust.domain.note import Cosigner
from zhidao.trust.domain.policy import Policy
from zhidao.trust.service.log.entries import Entries
from zhidao.trust.service.witness.checkpoint_witness import Witness
from zhidao.trust.service.witness.cosigning import Feeder
from zhidao.trust.service.witness.head_offering import HeadOffering
from zhidao.trust.service.witness.mirror import Mirrors, MirrorSigner
from zhidao.trust.service.witness.mirror_adding import MirrorAdding
from zhidao.trust.service.witness.mirror_pushing import MirrorPush, MirrorPushing
from zhidao.trust.service.witness.peers import Peers
from zhidao.trust.service.witness.state import PairedWitnessStore
from zhidao.trust.service.witness.watch import Watch, Watcher
from zhidao.trust.wire.log.mirror_list import (
    MIRROR_LIST_BYTES_MAX,
    mirror_targets,
    parse_mirror_list,
)
from zhidao.trust.wire.log.policy import POLICY_BYTES_MAX, parse_policy

POLICIES: Final = "policies"
SUFFIX: Final = ".policy"
MIRRORS_SUFFIX: Final = ".mirrors"
FEED_EVERY_S: Final = 0.5
_KEY: Final = "witness"
_MIRROR_KEY: Final = "mirror"
_ALGORITHMS: Final = (Algorithm.ED25519, Algorithm.ML_DSA_44)
_LOG: Final = logging.getLogger("zhidao.witness")
_Parsed = TypeVar("_Parsed")


@dataclass(frozen=True, slots=True)
class WitnessServices:
    """What the witness side offers, and the policies of the corridors by name."""

    witness: Witness
    feeder: Feeder
    watch: Watch
    notes: PostgresCosignedNotes
    policies: dict[str, Policy]
    room: Room


def witness_name(context: RuntimeContext) -> str:
    """The witness's name: beside that of the node's first log, so that both say which node it is.

    It stays when the operator declares a new log key: others have it in their policies.
    """
    origin = log_origin(context.node, context.node_key.public)
    return origin.replace("zhidao-log/", "zhidao-witness/", 1)


async def build(
    context: RuntimeContext, keys: KeyFiles, log: TrustLogServices, alarms: Alarms
) -> WitnessServices:
    """Reads the policies and lists of mirrors, and starts from what was cosigned before.

    Raises MalformedInput with the file's name if one cannot be read.
    """
    policies = read_policies(context.data / POLICIES)
    targets = read_mirrors(context.data / POLICIES)
    fresh = keys.get(_KEY, Algorithm.ED25519) is None
    name = witness_name(context)
    cosigners = [Cosigner(name, keys.make(_KEY, algorithm)) for algorithm in _ALGORITHMS]
    peers = Peers(_of_others(policies, log.origin), own_url=_own_url(policies, cosigners))
    network = HttpNetwork(_certificates(context.data / POLICIES / "peers.pem"))
    witness = Witness(
        cosigners=cosigners,
        logs=peers.log_keys,
        store=PairedWitnessStore(
            PostgresWitnessStore(context.database),
            FileWitnessStore(context.data / "log" / "witnessed"),
        ),
        clock=context.clock,
    )
    await witness.start(keys_are_new=fresh)
    mirror_name = name.replace("zhidao-witness/", "zhidao-mirror/", 1)
    mirrors = Mirrors(
        peers=peers,
        network=network,
        open_store=lambda origin: PostgresLogStore(context.database, origin),
        # Its word is another than the witness's: that all entries are kept here.
        signer=MirrorSigner(
            tuple(Cosigner(mirror_name, keys.make(_MIRROR_KEY, a)) for a in _ALGORITHMS),
            context.clock,
        ),
    )
    await mirrors.start()
    frauds = FileFraudBook(context.data / "fraud")
    watch = Watch(
        Watcher(witness, peers, mirrors, network, frauds, context.clock, cosigners[0]), _tell
    )
    await watch.start()
    notes = PostgresCosignedNotes(context.database, log.origin)
    fed = {name: policy for name, policy in policies.items() if policy.log_keys(log.origin)}
    log.proofs.witnessed_by(notes, fed)
    feeder = Feeder(reader=log.reader, policies=fed, network=network, kept=notes)
    entries = Entries(log.log, PostgresLogStore(context.database, log.origin))
    parts = Parts(
        witness=witness,
        mirrors=mirrors,
        adding=MirrorAdding(mirrors, witness.held),
        watch=watch,
        feeder=feeder,
        frauds=frauds,
        entries=entries,
        pushing=_pushing(context, log, network, targets, alarms),
        judges=context.judges,
        quota=context.quota,
    )

    async def feed() -> None:
        while True:
            try:
                await feeder.step()
            except ZhidaoError as error:
                _LOG.warning("the witnesses were not asked: %s", error)
            await asyncio.sleep(FEED_EVERY_S)

    return WitnessServices(
        witness=witness,
        feeder=feeder,
        watch=watch,
        notes=notes,
        policies=policies,
        room=Room(
            name="trust",
            routers=(routes(parts),),
            background=(
                *(witness.run, watch.run, entries.run),
                *([feed] if fed else []),
                *([parts.pushing.run] if targets else []),
            ),
        ),
    )


def read_policies(folder: Path) -> dict[str, Policy]:
    """The policies of a folder, one file a corridor: `<corridor>.policy`."""
    return _read(folder, SUFFIX, POLICY_BYTES_MAX, parse_policy)


def read_mirrors(folder: Path) -> tuple[MirrorTarget, ...]:
    """The mirrors that this log is brought to, one file a corridor: `<corridor>.mirrors`."""
    lists = _read(folder, MIRRORS_SUFFIX, MIRROR_LIST_BYTES_MAX, parse_mirror_list)
    return mirror_targets(lists)


def _read(
    folder: Path, suffix: str, bytes_max: int, parse: Callable[[bytes], _Parsed]
) -> dict[str, _Parsed]:
    found = {}
    for file in sorted(folder.glob(f"*{suffix}")):
        if file.stat().st_size > bytes_max:
            raise MalformedInput(f"more than {bytes_max} bytes", where=str(file))
        try:
            found[file.stem] = parse(file.read_bytes())
        except MalformedInput as error:
            where = f"{file}, {error.where}" if error.where else str(file)
            raise MalformedInput(str(error.args[0]), code=error.code, where=where) from error
    return found


def _pushing(
    context: RuntimeContext,
    log: TrustLogServices,
    network: HttpNetwork,
    targets: Sequence[MirrorTarget],
    alarms: Alarms,
) -> MirrorPushing:
    offering = HeadOffering(log.reader, network)
    positions = PostgresMirrorPositions(context.database, log.origin)

    def sound(target: MirrorTarget, problem: str) -> None:
        alarms.sound(
            _alarm(target),
            f"the mirror at {target.url} does not have all of this log: {problem}",
            "ask its operator; it is tried again by itself",
            args={"mirror": target.url},
        )

    return MirrorPushing(
        [
            MirrorPush(
                target,
                origin=log.origin,
                reader=log.reader,
                network=network,
                offering=offering,
                positions=positions,
            )
            for target in targets
        ],
        randomness=context.randomness,
        sound=sound,
        clear=lambda target: alarms.clear(_alarm(target)),
    )


def _alarm(target: MirrorTarget) -> str:
    return f"mirror_behind:{target.url}"


def _of_others(policies: dict[str, Policy], own: str) -> dict[str, Policy]:
    """The policies without this node's own log, which it does not witness itself."""
    return {
        name: Policy(
            tuple(log for log in policy.logs if log.key.name != own),
            policy.witnesses,
            policy.groups,
            policy.quorum,
        )
        for name, policy in policies.items()
    }


def _own_url(policies: dict[str, Policy], cosigners: list[Cosigner]) -> str:
    keys = {cosigner.note_key for cosigner in cosigners}
    urls = [w.url for policy in policies.values() for w in policy.witnesses if w.key in keys]
    return next((url for url in urls if url), "")


def _certificates(file: Path) -> ssl.SSLContext | None:
    """What peers with certificates of their own are trusted by; None if there is no such file."""
    return ssl.create_default_context(cafile=str(file)) if file.exists() else None


def _tell(sentence: str, proof: FraudProof) -> None:
    _LOG.error("%s", sentence, extra={"code": f"fraud_{proof.kind}"})
