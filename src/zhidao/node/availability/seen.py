"""What three machines answered, part by part; of a part that did not answer: why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Etcd:
    """One member. `leader`: the member that it takes for one, empty for none."""

    leader: str = ""


@dataclass(frozen=True, slots=True)
class Patroni:
    """One Patroni. `dcs_away_s`: for how long it has not reached etcd.

    `may_lead`: it is noted in etcd as having every write, so it takes over if the leader is lost.
    """

    role: str = ""
    state: str = ""
    paused: bool = False
    dcs_away_s: float = 0.0
    may_lead: bool = False


@dataclass(frozen=True, slots=True)
class Standby:
    """A copy as its primary sees it. `sync`: async, sync, quorum or potential."""

    name: str
    state: str
    sync: str
    lag_bytes: int


@dataclass(frozen=True, slots=True)
class Postgres:
    """One PostgreSQL. `names`: synchronous_standby_names of one that writes."""

    writes: bool
    names: str = ""
    standbys: tuple[Standby, ...] = ()


@dataclass(frozen=True, slots=True)
class Stream:
    """The node's stream as one server tells of it. `current`: copies that are, its leader's too."""

    replicas: int
    leader: str
    current: int


@dataclass(frozen=True, slots=True)
class Bus:
    """One NATS server. `stream`: None if there is none, or if JetStream gave no answer (`why`)."""

    stream: Stream | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """One process of the node, by its /readyz."""

    ready: bool
    down: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MachineSeen:
    """One machine. A part is a text where it did not answer: the reason.

    clock_away_s: its clock less that of who asked, None if nothing told.
    """

    name: str
    etcd: Etcd | str
    patroni: Patroni | str
    database: Postgres | str
    bus: Bus | str
    node: Node | str
    clock_away_s: float | None = None

    @property
    def parts(self) -> dict[str, Any]:
        """Each part by the name that people know it by."""
        return {
            "etcd": self.etcd,
            "Patroni": self.patroni,
            "PostgreSQL": self.database,
            "NATS": self.bus,
            "node": self.node,
        }

    @property
    def is_lost(self) -> bool:
        """Whether nothing of it answers."""
        return all(isinstance(each, str) for each in self.parts.values())


@dataclass(frozen=True, slots=True)
class Seen:
    """All machines, asked at once."""

    machines: tuple[MachineSeen, ...] = field(default=())

    def document(self) -> list[dict[str, Any]]:
        """For programs."""
        return [asdict(each) for each in self.machines]

    def lines(self) -> Iterator[str]:
        """For people: a line for each machine."""
        for machine in self.machines:
            if machine.is_lost:
                yield f"{machine.name}: nothing answers"
                continue
            told = ", ".join(f"{name} {_state(part)}" for name, part in machine.parts.items())
            yield f"{machine.name}: {told}"


def _state(part: Any) -> str:
    if isinstance(part, str):
        return "away"
    if isinstance(part, Postgres):
        return "writes" if part.writes else "copies"
    if isinstance(part, Node):
        return "ready" if part.ready else "not ready"
    if isinstance(part, Patroni):
        return part.role or part.state
    return "answers"
