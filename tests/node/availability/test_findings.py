"""Each thing that can be wrong with three machines has its own words, and what is well has none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zhidao.node.availability.findings import LAG_BYTES_MAX, findings_of, nobody_answers
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

_AWAY = "Connection refused"
_STREAM = Bus(Stream(replicas=3, leader="a", current=3))
_COPIES = (Standby("b", "streaming", "sync", 0), Standby("c", "streaming", "async", 0))
_FOLLOWS = Patroni("replica", "running", may_lead=True)


def machine(name: str) -> MachineSeen:
    database = Postgres(name == "a", "b", _COPIES) if name == "a" else Postgres(writes=False)
    return MachineSeen(name, Etcd("9"), _FOLLOWS, database, _STREAM, Node(ready=True), 0.2)


WELL = Seen((machine("a"), machine("b"), machine("c")))


def changed(**parts: object) -> Seen:
    """All well but what is said: `a_etcd="..."` is the part `etcd` of machine a; `etcd`: of all."""
    machines = []
    for each in WELL.machines:
        own = {
            name.rpartition("_")[2]: value
            for name, value in parts.items()
            if name[:2] == f"{each.name}_" or "_" not in name
        }
        if "away" in own:
            own = {"clock_away_s": own["away"]}
        machines.append(replace(each, **own))  # type: ignore[arg-type]
    return Seen(tuple(machines))


def lost(name: str, seen: Seen = WELL) -> Seen:
    gone = MachineSeen(name, _AWAY, _AWAY, _AWAY, _AWAY, _AWAY)
    return Seen(tuple(gone if each.name == name else each for each in seen.machines))


def codes(seen: Seen) -> list[str]:
    return [each.code for each in findings_of(seen)]


def test_of_what_is_well_nothing_is_said() -> None:
    assert findings_of(WELL) == []
    assert not nobody_answers(WELL)
    assert [line.partition(":")[0] for line in WELL.lines()] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("seen", "wanted"),
    [
        (changed(b_etcd=_AWAY), ["etcd_away"]),
        (changed(b_etcd=_AWAY, c_etcd=_AWAY), ["etcd_away", "etcd_away", "etcd_no_quorum"]),
        (changed(b_etcd=Etcd(), c_etcd=Etcd()), ["etcd_no_quorum"]),
        (changed(b_etcd=Etcd("8")), ["etcd_divided"]),
        (changed(b_patroni=_AWAY), ["patroni_away"]),
        (changed(patroni=replace(_FOLLOWS, paused=True)), ["patroni_paused"]),
        (changed(patroni=replace(_FOLLOWS, may_lead=False)), ["no_successor"]),
        (changed(a_database=Postgres(writes=False)), ["no_leader"]),
        (changed(c_database=Postgres(writes=True)), ["two_leaders"]),
        (changed(a_database=Postgres(True, "", (_COPIES[1],))),
         ["no_synchronous_standby", "standby_detached"]),
        (changed(a_database=Postgres(True, "b", (replace(_COPIES[0], state="catchup"), _COPIES[1]))),
         ["no_synchronous_standby", "standby_detached"]),
        (changed(a_database=Postgres(
            True, "b", (_COPIES[0], replace(_COPIES[1], lag_bytes=LAG_BYTES_MAX + 1)))),
         ["replication_lag"]),
        (changed(a_database=Postgres(
            True, "b", (_COPIES[0], replace(_COPIES[1], lag_bytes=LAG_BYTES_MAX)))), []),
        (changed(a_database=_AWAY), ["database_away", "no_leader"]),
        (changed(b_bus=_AWAY), ["bus_away"]),
        (changed(bus=Bus()), ["stream_absent"]),
        (changed(bus=Bus(why="timeout")), ["bus_no_quorum"]),
        (changed(bus=Bus(Stream(1, "a", 1))), ["stream_copies"]),
        (changed(bus=Bus(Stream(3, "a", 2))), ["stream_copies"]),
        (changed(node=_AWAY), ["node_away"] * 3 + ["node_vacant"]),
        (changed(b_node=Node(False, ("writes",))), ["node_not_ready"]),
        (changed(b_node=Node(True, (), ("disk_full",))), ["node_alarm:disk_full"]),
        (changed(c_away=2.3), ["clocks_apart"]),
        (changed(c_away=2.1), []),
        (changed(b_away=-3600.0), ["clocks_apart"]),
        (lost("b"), ["machine_lost"]),
        (lost("c"), ["machine_lost"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(seen: Seen, wanted: list[str]) -> None:
    found = findings_of(seen)
    assert [each.code for each in found] == wanted
    assert all(each.sentence and each.remedy for each in found)


def test_who_is_wrong_is_named() -> None:
    [finding] = findings_of(changed(b_away=-3600.0))
    assert finding.machine == "b"
    assert "3600 s" in finding.sentence
    [finding] = findings_of(changed(c_database=Postgres(writes=True)))
    assert "a and c" in finding.sentence


def test_with_two_machines_lost_the_causes_come_first() -> None:
    assert codes(lost("b", lost("a")))[:2] == ["machine_lost", "machine_lost"]
    assert {"etcd_no_quorum", "no_leader"} <= set(codes(lost("b", lost("a"))))


def test_nobody_who_answers_is_told_apart() -> None:
    assert nobody_answers(lost("c", lost("b", lost("a"))))
    assert not nobody_answers(lost("b", lost("a")))
