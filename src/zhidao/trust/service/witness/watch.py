"""Nodes that watch each other's logs: they tell heads, compare them, and prove what cannot be.

A head that contradicts the one held here is turned into a fraud proof with the hashes that the
comparison needs, taken from this node's mirror, the log itself or the others' mirrors; whoever
serves them need not be honest, since they must lead to a signed root. A proof goes to every peer.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final

from zhidao.core.ambient import Clock
from zhidao.core.errors import MalformedInput, Refused, Unavailable, ZhidaoError
from zhidao.core.timescale import NS
from zhidao.trust.domain.fraud import (
    FraudKind,
    FraudProof,
    Observation,
    SignedHead,
    needed_nodes,
    observed_message,
    with_tiles,
    without_tiles,
)
from zhidao.trust.domain.note import Cosigner, NoteKey
from zhidao.trust.domain.witness_rule import HeldHead
from zhidao.trust.service.witness.checkpoint_witness import Witness
from zhidao.trust.service.witness.mirror import Mirrors
from zhidao.trust.service.witness.peers import Peers, RemoteTiles, origin_hash
from zhidao.trust.service.witness.ports import FraudBook, Network
from zhidao.trust.wire.log.add_checkpoint import AddCheckpoint
from zhidao.trust.wire.log.fraud import decode_fraud, encode_fraud, signed_head

NOTE_TYPE: Final = "text/plain"
FRAUD_TYPE: Final = "application/vnd.zhidao.fraud+json"
_LOG: Final = logging.getLogger("zhidao.watch")
_DOUBTS_MAX: Final = 1024
_TRIES_MAX: Final = 8
_FRAUDS_MAX: Final = 1000
# A log that twice in a row shows an older head than the held one is stale, not merely late.
_STALE_POLLS: Final = 2


@dataclass(frozen=True, slots=True)
class _Doubt:
    """Two heads of one log that are not known to be of one history."""

    first: SignedHead
    second: SignedHead
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Watcher:
    """What the watch is made of; `observer` signs what it was shown."""

    witness: Witness
    peers: Peers
    mirrors: Mirrors
    network: Network
    frauds: FraudBook
    clock: Clock
    observer: Cosigner


class Watch:
    """Compares heads and keeps fraud proofs. `alarm` is called with each new one."""

    def __init__(
        self, parts: Watcher, alarm: Callable[[str, FraudProof], None], *, poll_s: float = 5.0
    ) -> None:
        self._parts = parts
        self._alarm = alarm
        self._poll_s = poll_s
        self._doubts: deque[_Doubt] = deque(maxlen=_DOUBTS_MAX)
        self._to_push: set[str] = set()
        self._to_tell: deque[bytes] = deque(maxlen=_DOUBTS_MAX)
        self._lagging: dict[str, int] = {}
        self._woken = asyncio.Event()
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self.convicted: set[str] = set()
        self.unresolved: dict[str, str] = {}
        parts.witness.is_convicted = self.convicted.__contains__
        parts.witness.on_cosigned = self._on_cosigned
        parts.witness.on_contradiction = self._on_contradiction

    def alarm_by(self, alarm: Callable[[str, FraudProof], None]) -> None:
        """From now on this is called with the sentence and the proof of each new fraud."""
        self._alarm = alarm

    async def start(self) -> None:
        """Remembers whom the kept proofs convict."""
        for name in await self._parts.frauds.names():
            data = await self._parts.frauds.read(name)
            proof = decode_fraud(data or b"")
            if self._is_log_key(proof) and proof.convicts:
                self.convicted.add(proof.origin)

    async def hear(self, note: bytes) -> bytes:
        """Takes a head that somebody shows, and answers with the one held here (or nothing).

        Raises MalformedInput, NotFound (unknown log), Forbidden (not signed by it).
        """
        head = signed_head(note)
        self._parts.witness.check_signed(head.note, head.checkpoint.origin)
        held = self._parts.witness.held(head.checkpoint.origin)
        if held is None:
            return b""
        self._compare(head, signed_head(held.note))
        return held.note

    async def accuse(self, data: bytes) -> str:
        """Takes a fraud proof that somebody hands in; returns its name.

        Raises MalformedInput, Refused (`not_proven`, `bad_signature`; `unknown_speaker` if it is
        about no key of the policies).
        """
        proof = decode_fraud(data)
        known = {*self._parts.peers.witness_keys()}
        for keys in self._parts.peers.log_keys().values():
            known.update(keys)
        seen = proof.observation
        if proof.key not in known or (seen and seen.by not in known):
            raise Refused("the accused key stands in no policy here", code="unknown_speaker")
        proof.check()
        await self._keep(proof)
        return _name(proof)

    async def run(self) -> None:
        """Pushes, compares and asks around until cancelled."""
        try:
            # A mistake of ours in either ends both, and the caller starts anew.
            async with asyncio.TaskGroup() as group:
                group.create_task(self._poll_forever())
                group.create_task(self._look_forever())
        finally:
            under_way = list(self._under_way.values())
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _look_forever(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            await self._work()

    async def _work(self) -> None:
        """Comparing comes first; what waits for other nodes goes on beside it."""
        while self._doubts:
            await self._resolve(self._doubts.popleft())
        while self._to_tell:
            data = self._to_tell.popleft()
            self._beside(f"tell {len(self._under_way)} {hash(data)}", self._tell(data))
        for origin in list(self._to_push):
            if self._beside(f"push {origin}", self._push(origin)):
                self._to_push.discard(origin)
        for origin, held in self._parts.witness.heads().items():
            self._beside(f"follow {origin}", self._follow(origin, held))

    def _beside(self, name: str, work: Coroutine[Any, Any, None]) -> bool:
        """Starts a task unless one of that name runs; when it ends, the watch looks again."""
        if name in self._under_way:
            work.close()
            return False

        def ended(_: asyncio.Task[None]) -> None:
            self._under_way.pop(name, None)
            if self._to_push or self._to_tell or self._doubts:
                self._woken.set()

        task = asyncio.create_task(work, name=name)
        self._under_way[name] = task
        task.add_done_callback(ended)
        return True

    async def _tell(self, data: bytes) -> None:
        await self._to_peers("fraud", data, FRAUD_TYPE)

    async def _push(self, origin: str) -> None:
        held = self._parts.witness.held(origin)
        if held is not None:
            for answer in await self._to_peers("gossip", held.note, NOTE_TYPE):
                await self._take_back(answer)

    async def _follow(self, origin: str, held: HeldHead) -> None:
        copy = self._parts.mirrors.of(origin)
        try:
            if copy is not None and await copy.size() < held.size:
                await self._parts.mirrors.follow(origin, held)
        except ZhidaoError as error:
            _LOG.warning("%s is not mirrored now: %s", origin, error)

    async def _poll_forever(self) -> None:
        while True:
            await asyncio.sleep(self._poll_s)
            try:
                await self._poll()
            except ZhidaoError as error:
                _LOG.warning("the watch could not look around: %s", error)

    async def _poll(self) -> None:
        """Asks every log for its head, and what could not be resolved once more."""
        for origin, url in self._parts.peers.log_urls().items():
            try:
                answer = await self._parts.network.get(f"{url}/checkpoint")
                if answer.status == 200:
                    await self._shown(origin, answer.body)
            except (ZhidaoError, ValueError) as error:
                _LOG.info("no head of %s: %s", origin, error)
        self._to_push.update(self._parts.witness.heads())
        self._woken.set()

    async def _shown(self, origin: str, note: bytes) -> None:
        head = signed_head(note)
        if head.checkpoint.origin != origin:
            raise MalformedInput(f"it shows a head of {head.checkpoint.origin[:80]!r}")
        self._parts.witness.check_signed(head.note, origin)
        held = self._parts.witness.held(origin)
        if held is None:
            return
        self._compare(head, signed_head(held.note))
        if head.checkpoint.size >= held.size:
            self._lagging.pop(origin, None)
            return
        self._lagging[origin] = self._lagging.get(origin, 0) + 1
        if self._lagging[origin] == _STALE_POLLS:
            await self._attest_stale(held, head)

    async def _attest_stale(self, held: HeldHead, shown: SignedHead) -> None:
        larger = signed_head(held.note)
        origin = shown.checkpoint.origin
        keys = self._parts.peers.log_keys()[origin]
        now_s = max(self._parts.clock.now().unix_ns // NS, held.at_s)
        observer = self._parts.observer
        signature = observer.signer.sign(observed_message(now_s, shown.note.text))
        for key in larger.note.signed_by(keys):
            if key in shown.note.signed_by([key]):
                seen = Observation(observer.note_key, now_s, signature)
                proof = FraudProof(FraudKind.STALE, key, larger, shown, (), seen)
                proof.check()
                await self._keep(proof)
                return

    async def _take_back(self, note: bytes) -> None:
        try:
            if note:
                await self.hear(note)
        except ZhidaoError as error:
            _LOG.info("a peer's answer is no head: %s", error)

    def _on_cosigned(self, origin: str) -> None:
        self._to_push.add(origin)
        self._woken.set()

    def _on_contradiction(self, request: AddCheckpoint, held: HeldHead) -> None:
        if held.note:
            self._compare(SignedHead(request.note, request.checkpoint), signed_head(held.note))

    def _compare(self, head: SignedHead, held: SignedHead) -> None:
        one, two = head.checkpoint, held.checkpoint
        if (one.size, one.root) == (two.size, two.root) or 0 in (one.size, two.size):
            return
        self._doubts.append(_Doubt(head, held))
        self._woken.set()

    async def _resolve(self, doubt: _Doubt) -> None:
        first, second = doubt.first, doubt.second
        if first.checkpoint.size > second.checkpoint.size:
            first, second = second, first
        keys = self._keys(first.checkpoint.origin)
        found: Sequence[FraudProof] | None = without_tiles(first, second, keys)
        for proof in found or ():
            await self._keep(proof)
        if first.checkpoint.size == second.checkpoint.size:
            return
        found = await self._compared(first, second, keys)
        origin = first.checkpoint.origin
        if found is None:
            self.unresolved[origin] = (
                f"{first.checkpoint.size} and {second.checkpoint.size} leaves: nobody serves what"
                " would show whether they are one history"
            )
            if doubt.tries < _TRIES_MAX:
                await asyncio.sleep(0.05)
                self._doubts.append(_Doubt(first, second, doubt.tries + 1))
            return
        self.unresolved.pop(origin, None)
        for proof in found:
            await self._keep(proof)

    async def _compared(
        self, smaller: SignedHead, larger: SignedHead, keys: tuple[NoteKey, ...]
    ) -> Sequence[FraudProof] | None:
        """Frauds, nothing if both are one history, None if no source has the larger tree."""
        sizes = (smaller.checkpoint.size, larger.checkpoint.size)
        origin = smaller.checkpoint.origin
        for read in self._readings(origin, sizes[1]):
            try:
                hashes = await read(needed_nodes(*sizes))
            except (Refused, MalformedInput, Unavailable, KeyError):
                continue
            found = with_tiles(smaller, larger, hashes, keys)
            if found is not None:
                return found
        return None

    def _readings(
        self, origin: str, size: int
    ) -> Sequence[Callable[[Sequence[tuple[int, int]]], Awaitable[tuple[bytes, ...]]]]:
        remote = [
            RemoteTiles(self._parts.network, prefix, size).hashes.nodes
            for prefix in self._parts.peers.sources(origin)
        ]
        own = self._parts.mirrors.of(origin)
        return [*([own.nodes] if own else []), *remote]

    def _keys(self, origin: str) -> tuple[NoteKey, ...]:
        return (*self._parts.peers.log_keys().get(origin, ()), *self._parts.peers.witness_keys())

    def _is_log_key(self, proof: FraudProof) -> bool:
        return proof.key in self._parts.peers.log_keys().get(proof.origin, ())

    async def _keep(self, proof: FraudProof) -> None:
        """Keeps one proof of a kind against a key over a log; a new one goes to all peers."""
        sentence = proof.check()
        # Its log stands convicted, whether or not the book has room for the proof.
        if proof.convicts and self._is_log_key(proof):
            self.convicted.add(proof.origin)
        names = await self._parts.frauds.names()
        if len(names) >= _FRAUDS_MAX and _name(proof) not in names:
            told = f"{_FRAUDS_MAX} proofs of fraud are kept already, and no more: {sentence}"
            _LOG.error("fraud: %s", told, extra={"code": "frauds_full"})
            return
        data = encode_fraud(proof)
        if not await self._parts.frauds.keep(_name(proof), data):
            return
        _LOG.error("fraud: %s", sentence, extra={"code": f"fraud_{proof.kind}"})
        self._alarm(sentence, proof)
        self._to_tell.append(data)
        self._woken.set()

    async def _to_peers(self, path: str, body: bytes, kind: str) -> list[bytes]:
        async def one(url: str) -> bytes:
            try:
                answer = await self._parts.network.post(f"{url}/{path}", body, kind=kind)
            except (Unavailable, Refused) as error:
                _LOG.info("a peer was not told: %s", error)
                return b""
            return answer.body if answer.status == 200 and path == "gossip" else b""

        return list(await asyncio.gather(*(one(url) for url in self._parts.peers.urls())))


def _name(proof: FraudProof) -> str:
    """One name for one kind of fraud by one key in one log: a second proof adds nothing."""
    key = hashlib.sha256(proof.key.name.encode() + proof.key.id).hexdigest()[:12]
    return f"{proof.kind}-{origin_hash(proof.origin)[:16]}-{key}"
