"""Idempotency keys: what a caller asks twice under one key is done once, and answered alike.

A key belongs to its caller and stands for one request (the header of
draft-ietf-httpapi-idempotency-key-header). That it is being done is durable before it is begun, and
the answer is durable before it is sent: after a crash nothing is done a second time. Answers are
sealed under a key that is in no database, since some of them give out secrets.

A refusal had no effect and is not kept: the same request is then judged anew.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from zhidao.core.actor import Actor
from zhidao.core.ambient import Clock, Randomness
from zhidao.core.errors import Conflict, Refused
from zhidao.core.keys import Signer
from zhidao.core.timescale import NS

KEPT_HOURS: Final = 24
KEYS_PER_CALLER_MAX: Final = 10_000
ANSWER_BYTES_MAX: Final = 16 * 1024
KEY_CHARACTERS_MAX: Final = 255
_NONCE_BYTES: Final = 12
_CONTEXT: Final = b"zhidao idempotent answers v1\n"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request under a key: three SHA-256, of the caller, of the key and of the request."""

    caller: bytes
    key: bytes
    request: bytes


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """What was answered. `body`: None if it was too large to be kept."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Kept:
    """What stands under a key. `sealed`: the answer, or empty while there is none."""

    request: bytes
    sealed: bytes


class IdempotencyStore(Protocol):
    """Where it is kept what was asked under which key."""

    async def claim(self, asked: Asked, *, hour: int, oldest_hour: int) -> Kept | None:
        """Claims a key durably, None; or what stands under it since `oldest_hour` or later."""
        ...

    async def count(self, caller: bytes, at_most: int) -> int:
        """How many keys stand of a caller, counted up to a number."""
        ...

    async def keep(self, asked: Asked, sealed: bytes) -> None:
        """Keeps the answer of a claimed key durably."""
        ...

    async def drop(self, asked: Asked) -> None:
        """Gives a claimed key free."""
        ...

    async def forget(self, before_hour: int) -> None:
        """Forgets what was claimed before this hour."""
        ...


class TooManyKeys(Refused):
    """A caller that uses more keys than are kept."""

    http_status = 429
    default_code = "too_many_idempotency_keys"


class Idempotency:
    """Lets each request under a key be done once."""

    def __init__(
        self, store: IdempotencyStore, clock: Clock, randomness: Randomness, signer: Signer
    ) -> None:
        self._store = store
        self._clock = clock
        self._randomness = randomness
        self._cipher = ChaCha20Poly1305(_sealing_key(signer))
        self._running: dict[tuple[bytes, bytes], asyncio.Future[None]] = {}
        self._forgotten = 0

    async def begin(self, asked: Asked) -> Answer | None:
        """The first answer; or None, and then the caller does it and says how it ended.

        It ends by `finish`, `give_up` or `leave`. Of two at once the second waits for the first.
        Raises Refused (`idempotency_key_reused`), Conflict, TooManyKeys.
        """
        name = (asked.caller, asked.key)
        while running := self._running.get(name):
            await asyncio.wait([running])
        self._running[name] = asyncio.get_running_loop().create_future()
        try:
            kept = await self._claim(asked)
        except BaseException:
            self.leave(asked)
            raise
        if kept is None:
            return None
        self.leave(asked)
        return self._answer_of(asked, kept)

    async def finish(self, asked: Asked, answer: Answer) -> None:
        """Keeps the answer of what was done; once it returns, it may be sent."""
        if answer.body is not None and len(answer.body) > ANSWER_BYTES_MAX:
            answer = Answer(answer.status, answer.headers, None)
        nonce = self._randomness.token(_NONCE_BYTES)
        plain = msgspec.msgpack.encode(answer)
        try:
            await self._store.keep(asked, nonce + self._cipher.encrypt(nonce, plain, _bound(asked)))
        finally:
            self.leave(asked)

    async def give_up(self, asked: Asked) -> None:
        """Gives the key free: the request was refused and had no effect."""
        try:
            await self._store.drop(asked)
        finally:
            self.leave(asked)

    def leave(self, asked: Asked) -> None:
        """Lets others see what stands under the key: whether it was done nobody here can say."""
        done = self._running.pop((asked.caller, asked.key), None)
        if done and not done.done():
            done.set_result(None)

    async def _claim(self, asked: Asked) -> Kept | None:
        hour = self._clock.now().unix_ns // NS // 3600
        oldest = hour - KEPT_HOURS
        if oldest > self._forgotten:
            await self._store.forget(oldest)
            self._forgotten = oldest
        kept = await self._store.claim(asked, hour=hour, oldest_hour=oldest)
        # Counted afterwards, so that a known key is answered also when the measure is full.
        most = KEYS_PER_CALLER_MAX
        if kept is None and await self._store.count(asked.caller, most + 1) > most:
            await self._store.drop(asked)
            raise TooManyKeys(
                f"more than {most} idempotency keys in {KEPT_HOURS} hours",
                remedy="send what need not be repeated without a key, or wait",
            )
        return kept

    def _answer_of(self, asked: Asked, kept: Kept) -> Answer:
        if kept.request != asked.request:
            raise Refused(
                "this idempotency key stands for another request",
                code="idempotency_key_reused",
                remedy="take a new key for each thing to be done, and repeat only the same bytes",
            )
        if not kept.sealed:
            raise Conflict(
                "what was asked under this idempotency key has no answer yet: it is being done, or"
                " the node stopped while it was",
                code="idempotency_unanswered",
                remedy="ask again in a moment; if it stays so, look whether it was done, and only"
                " if not send it under a new key",
            )
        answer = self._opened(asked, kept.sealed)
        if answer is None or answer.body is None:
            raise Conflict(
                "what was asked under this idempotency key was done; its answer is not kept",
                code="idempotency_answer_gone",
                remedy="read what was made; it is not done a second time",
            )
        return answer

    def _opened(self, asked: Asked, sealed: bytes) -> Answer | None:
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            plain = self._cipher.decrypt(nonce, rest, _bound(asked))
        except InvalidTag:
            # The node has another key since then.
            return None
        return msgspec.msgpack.decode(plain, type=Answer)


def asked_by(actor: Actor, key: str, *request: bytes) -> Asked:
    """What an actor asks under a key; `request`: all that tells it from another."""
    caller = (actor.party, actor.role.value, actor.person, actor.credential)
    return Asked(
        _digest(*(part.encode("utf-8", "surrogatepass") for part in caller)),
        _digest(key.encode()),
        _digest(*request),
    )


def _digest(*parts: bytes) -> bytes:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big"))
        whole.update(part)
    return whole.digest()


def _bound(asked: Asked) -> bytes:
    return asked.caller + asked.key + asked.request


def _sealing_key(signer: Signer) -> bytes:
    """A key that only the holder of the node's key can make.

    Ed25519 signs the same bytes alike each time (RFC 8032 section 5.1.6), and this context the node
    signs for nobody. By another algorithm the key lives as long as the process.
    """
    return hashlib.sha256(_CONTEXT + signer.sign(_CONTEXT)).digest()
