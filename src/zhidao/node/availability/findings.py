"""What is wrong with three machines, judged from their answers, each with what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from zhidao.node.availability.machines import MACHINES
from zhidao.node.availability.seen import (
    Bus,
    Etcd,
    MachineSeen,
    Node,
    Patroni,
    Postgres,
    Seen,
    Standby,
    Stream,
)

QUORUM: Final = MACHINES // 2 + 1
# A WAL segment: who is further behind has more to fetch than is on its way.
LAG_BYTES_MAX: Final = 16 * 1024 * 1024
# Answers tell whole seconds, and took a while.
CLOCKS_APART_S: Final = 2.0
_UNITS: Final = {
    "etcd": "zhidao-ha-etcd",
    "Patroni": "zhidao-ha-patroni",
    "PostgreSQL": "zhidao-ha-patroni",
    "NATS": "zhidao-ha-bus",
    "node": "zhidao-ha-node",
}
_CODES: Final = {
    "etcd": "etcd_away",
    "Patroni": "patroni_away",
    "PostgreSQL": "database_away",
    "NATS": "bus_away",
    "node": "node_away",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `code` is stable; `machine` is empty for the cluster as a whole."""

    code: str
    sentence: str
    remedy: str
    machine: str = ""

    def document(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self)


def findings_of(seen: Seen) -> list[Finding]:
    """All that is wrong, what others follow from first; empty if nothing is."""
    return [
        *_lost(seen),
        *_etcd(seen),
        *_patroni(seen),
        *_database(seen),
        *_bus(seen),
        *_nodes(seen),
        *_clocks(seen),
    ]


def nobody_answers(seen: Seen) -> bool:
    """Whether the machines told nothing at all: then what is wrong may be with who asks."""
    return all(each.is_lost for each in seen.machines)


def _lost(seen: Seen) -> Iterator[Finding]:
    for machine in seen.machines:
        if machine.is_lost:
            yield Finding(
                "machine_lost",
                f"{machine.name}: nothing of it answers",
                "look at its power and network; whatever runs there comes back by itself",
                machine.name,
            )
            continue
        for name, part in machine.parts.items():
            if isinstance(part, str):
                yield Finding(
                    _CODES[name],
                    f"{machine.name}: {name} does not answer: {part}",
                    f"on {machine.name}: systemctl status {_UNITS[name]}; "
                    f"journalctl -u {_UNITS[name]}",
                    machine.name,
                )


def _etcd(seen: Seen) -> Iterator[Finding]:
    members = [each.etcd for each in seen.machines if isinstance(each.etcd, Etcd)]
    following = [each.leader for each in members if each.leader]
    if len(following) < QUORUM:
        yield Finding(
            "etcd_no_quorum",
            f"etcd has no quorum: {len(following)} of {MACHINES} members follow a leader; "
            "PostgreSQL changes its leader no more",
            "bring back one more machine's etcd: systemctl start zhidao-ha-etcd",
        )
    elif len(set(following)) > 1:
        yield Finding(
            "etcd_divided",
            "members of etcd follow different leaders",
            "ask again in a few seconds; if it stays, look at the network between the machines",
        )


def _patroni(seen: Seen) -> Iterator[Finding]:
    for machine in seen.machines:
        part = machine.patroni
        if isinstance(part, Patroni) and part.paused:
            yield Finding(
                "patroni_paused",
                "Patroni is paused: nobody takes over if the leader is lost",
                "patronictl -c …/patroni.yaml resume",
            )
            return


def _database(seen: Seen) -> Iterator[Finding]:
    writing = [
        (machine, machine.database)
        for machine in seen.machines
        if isinstance(machine.database, Postgres) and machine.database.writes
    ]
    if not writing:
        yield Finding(
            "no_leader",
            "no PostgreSQL writes: there is no leader",
            "wait 30 s; then see whether etcd has a quorum. If the leader was lost before a "
            "standby had everything, Patroni waits for it: bring it back, or give up its last "
            "writes by patronictl failover",
        )
    if len(writing) > 1:
        names = " and ".join(machine.name for machine, _ in writing)
        yield Finding(
            "two_leaders",
            f"two leaders: the PostgreSQL of {names} both write",
            "stop the one that patronictl list does not call leader: systemctl stop "
            "zhidao-ha-patroni, and end its PostgreSQL; then let Patroni make it a copy again",
        )
    if len(writing) == 1:
        yield from _copies(seen, *writing[0])


def _copies(seen: Seen, leader: MachineSeen, database: Postgres) -> Iterator[Finding]:
    streaming = {each.name: each for each in database.standbys if each.state == "streaming"}
    yield from _synchronous(seen, leader.name, database, streaming)
    for machine in seen.machines:
        part = machine.database
        if machine is not leader and isinstance(part, Postgres) and not part.writes:
            yield from _copy(machine.name, leader.name, streaming.get(machine.name))


def _synchronous(
    seen: Seen, leader: str, database: Postgres, streaming: Mapping[str, Standby]
) -> Iterator[Finding]:
    if not any(each.sync in ("sync", "quorum") for each in streaming.values()):
        goes = "commits wait" if database.names else "writes are acknowledged all the same"
        yield Finding(
            "no_synchronous_standby",
            f"no synchronous standby: what {leader} writes is on no second machine; {goes}",
            "bring a standby back: systemctl start zhidao-ha-patroni; after a lost disk: "
            "patronictl reinit",
        )
    elif not any(_may_lead(each) for each in seen.machines):
        yield Finding(
            "no_successor",
            f"nobody takes over if {leader} is lost now: no standby is noted as synchronous",
            "ask again in 15 s; if it stays, journalctl -u zhidao-ha-patroni on the leader",
        )


def _copy(name: str, leader: str, copy: Standby | None) -> Iterator[Finding]:
    if copy is None:
        yield Finding(
            "standby_detached",
            f"{name}: its PostgreSQL runs, and does not copy from {leader}",
            f"patronictl -c …/patroni.yaml list; then patronictl reinit zhidao {name}",
            name,
        )
    elif copy.lag_bytes > LAG_BYTES_MAX:
        yield Finding(
            "replication_lag",
            f"{name}: {copy.lag_bytes // 2**20} MiB behind {leader}",
            "look at its disk and at the network between the two; it catches up by itself",
            name,
        )


def _may_lead(machine: MachineSeen) -> bool:
    return isinstance(machine.patroni, Patroni) and machine.patroni.may_lead


def _bus(seen: Seen) -> Iterator[Finding]:
    servers = [each.bus for each in seen.machines if isinstance(each.bus, Bus)]
    streams = [each.stream for each in servers if each.stream]
    if not servers:
        return
    if not streams:
        yield _no_stream(servers)
        return
    best = max(streams, key=lambda each: (each.current, each.replicas))
    if best.replicas < MACHINES:
        yield Finding(
            "stream_copies",
            f"the node's stream has {best.replicas} of {MACHINES} replicas",
            "set bus.replicas = 3 at the node, and start it again",
        )
    elif best.current < MACHINES:
        yield _behind(best)


def _no_stream(servers: list[Bus]) -> Finding:
    if all(each.why for each in servers):
        return Finding(
            "bus_no_quorum",
            f"JetStream gives no answer ({servers[0].why}): {len(servers)} of {MACHINES} "
            "servers of NATS run",
            "bring back one more: systemctl start zhidao-ha-bus; the node writes on, and fills "
            "the stream afterwards",
        )
    return Finding(
        "stream_absent",
        "NATS has no stream of the node yet",
        "start the node: it makes its stream",
    )


def _behind(stream: Stream) -> Finding:
    return Finding(
        "stream_copies",
        f"{stream.current} of {MACHINES} replicas of the node's stream are current",
        "start the missing server of NATS: systemctl start zhidao-ha-bus; it catches up by itself",
    )


def _nodes(seen: Seen) -> Iterator[Finding]:
    told = {each.name: each.node for each in seen.machines if isinstance(each.node, Node)}
    if not any(each.ready for each in told.values()):
        yield Finding(
            "node_vacant",
            "no process of the node is ready: nobody can write",
            "see what is wrong above; then journalctl -u zhidao-ha-node",
        )
    for name, node in told.items():
        if not node.ready:
            yield Finding(
                "node_not_ready",
                f"{name}: the node is not ready: {', '.join(node.down) or 'nobody knows why'}",
                f"on {name}: journalctl -u zhidao-ha-node; zhidao doctor",
                name,
            )
        for code in node.alarms:
            yield Finding(
                f"node_alarm:{code}",
                f"{name}: the node raises the alarm {code}",
                "its page Node, or docs/how-to/monitor, says what to do",
                name,
            )


def _clocks(seen: Seen) -> Iterator[Finding]:
    known = [each for each in seen.machines if each.clock_away_s is not None]
    if len(known) < QUORUM:
        return
    away = sorted(each.clock_away_s or 0.0 for each in known)
    if away[-1] - away[0] <= CLOCKS_APART_S:
        return
    middle = away[len(away) // 2]
    worst = max(known, key=lambda each: abs((each.clock_away_s or 0.0) - middle))
    yield Finding(
        "clocks_apart",
        f"clocks are {away[-1] - away[0]:.0f} s apart; {worst.name} is furthest from the others",
        f"on {worst.name}: timedatectl set-ntp true, then timedatectl timesync-status",
        worst.name,
    )
