"""What wiring hands to every room, and what every room hands back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path

from litestar import Router

from zhidao.bus.port import Bus
from zhidao.core.ambient import Clock, Randomness
from zhidao.core.archive import Archive
from zhidao.core.events import SignedEvent
from zhidao.core.ids import IdSource, PartyId
from zhidao.core.journal import KeyRing, Scribe
from zhidao.core.judging import Judges
from zhidao.core.keys import PublicKey, Signer
from zhidao.core.quota import LeafQuota
from zhidao.node.identity.own_keys import KeySource
from zhidao.node.runtime.wakeup import Wakeup
from zhidao.store.database import Database


@dataclass(frozen=True, slots=True)
class RuntimeContext:
    """What every room runs on: database, bus, keys, clock, ready for use.

    `scenario_clock` is what deadlines between parties go by: the wall clock, or scenario time in
    a demonstration. `workers` runs CPU-heavy functions in spawned processes, `judges` what reads
    documents of others, within limits. `quota`: leaves that a party may write. `wake_relay` tells
    the relay that an outbox row was written. `own_keys`: where the node's own keys are, if not in
    its files; `recording_keys`: all with which it recorded, the present one last;
    `revoked_keys`: those of them that were taken back. `signer`: the present recording key;
    `meeting_key`: the one with which peers are met. `logged` wakes who waits for events to come
    under a signed tree head.
    """

    database: Database
    bus: Bus
    archive: Archive
    scribe: Scribe
    node: PartyId
    node_key: Signer
    ring: KeyRing
    chain_ring: KeyRing
    clock: Clock
    scenario_clock: Clock
    ids: IdSource
    randomness: Randomness
    workers: Executor
    judges: Judges
    quota: LeafQuota
    data: Path
    wake_relay: Callable[[], None]
    demo: bool
    own_keys: KeySource | None = None
    recording_keys: tuple[PublicKey, ...] = ()
    revoked_keys: tuple[PublicKey, ...] = ()
    present_key: Signer | None = None
    oldest_key: Signer | None = None
    logged: Wakeup = field(default_factory=Wakeup)

    @property
    def signer(self) -> Signer:
        """The key in force, which signs what the node says."""
        return self.present_key or self.node_key

    @property
    def meeting_key(self) -> Signer:
        """The oldest key that was not taken back, for peers that do not know the present one."""
        return self.oldest_key or self.node_key


@dataclass(frozen=True, slots=True)
class Consumer:
    """A durable reader of events from the bus; the handler must be idempotent by its inbox.

    It hears of what this node recorded. What another recorded and this one adopted was acted upon
    there already, so only who merely shows facts asks for it (`adopted`).
    """

    name: str
    types: tuple[str, ...]
    handle: Callable[[SignedEvent], Awaitable[None]]
    adopted: bool = False


@dataclass(frozen=True, slots=True)
class Room:
    """What a room adds to the node. Background functions run until cancelled."""

    name: str
    routers: Sequence[Router] = ()
    consumers: Sequence[Consumer] = ()
    background: Sequence[Callable[[], Awaitable[None]]] = field(default=())
