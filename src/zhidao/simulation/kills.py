"""Kills programs of running nodes while a consignment travels, and judges what is left.

From one seed: which victim dies after which step of the road, and how long after it. The road's
parties know nothing of it; they repeat what was not answered. Afterwards the records of both nodes
must be those of a voyage on which nothing happened.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from zhidao.core.ambient import SeededRandomness
from zhidao.core.errors import Unavailable
from zhidao.core.events import FactT
from zhidao.finance.events import Decided, Settled
from zhidao.simulation import participants
from zhidao.simulation.adapters.node_record import NodeRecord, read_record
from zhidao.simulation.demonstration import Demonstration
from zhidao.simulation.entrance import AUDITOR, TOKENS
from zhidao.simulation.node_process import NodeProcess
from zhidao.simulation.scenario import Scenario
from zhidao.simulation.sides import EXPORTER_SIDE, IMPORTER_SIDE, Sides
from zhidao.simulation.step_report import Outcome
from zhidao.trust.events import TitleMoved

# `bus-folder`: the bus dies and its folder is gone; `machine`: every program of a side at once.
VICTIMS: Final = (
    *("importer-node", "exporter-node", "importer-database", "exporter-database"),
    *("importer-bus", "exporter-bus", "importer-bus-folder", "exporter-bus-folder"),
    *("importer-machine", "exporter-machine"),
)
PACE_S: Final = 0.02
_STEPS: Final = 9
# The first step reads a machine for seconds; the others follow each other quickly.
_AFTER_START_S: Final = 3.0
_AFTER_STEP_S: Final = 0.6
_SOON_S: Final = 0.01
_QUIET_S: Final = 0.3
_QUIET_TRIES: Final = 60
_CUSTOMER: Final = 100  # The ledger's code of customers' accounts.
_COMMANDS: Final = {"database": "postgres", "bus": "nats-server", "bus-folder": "nats-server"}
# What a voyage leaves at the importer's side, however often it was interrupted.
FACTS: Final[Mapping[str, int]] = {
    "connectivity.CardRegistered.v1": 1,
    "connectivity.NetworkChecked.v1": 1,
    "connectivity.ShortMessageReceived.v1": 3,
    "devices.EnrolmentChanged.v1": 2,
    "devices.SealChecked.v1": 1,
    "devices.Sealed.v1": 1,
    "devices.TerminalRegistered.v2": 1,
    "devices.WindowReceived.v1": 1,
    "finance.AccountOpened.v1": 6,
    "finance.BankAdmitted.v1": 2,
    "finance.ConditionMet.v1": 4,
    "finance.CreditLineSet.v1": 1,
    "finance.DealOpened.v1": 1,
    "finance.Decided.v1": 1,
    "finance.MoneyReserved.v1": 1,
    "finance.Settled.v2": 1,
    "finance.TitleReserved.v1": 1,
    "finance.TransfersPosted.v1": 3,
    "industry.LotFinished.v1": 1,
    "industry.OrderOpened.v1": 1,
    "positioning.ArrivalExpected.v1": 1,
    "positioning.ArrivalProven.v2": 1,
    "positioning.NavigationAdded.v1": 1,
    "positioning.TerminalWatched.v1": 1,
    "trade.ConsignmentEntered.v2": 1,
    "trade.CustomsReleased.v1": 1,
    "trade.Delivered.v1": 1,
    "trade.DocumentAdded.v1": 5,
    "trade.PapersChecked.v1": 1,
    "trust.AccountNamed.v1": 4,
    "trust.ChainTransaction.v1": 6,
    "trust.CredentialIssued.v1": 2,
    "trust.CustodyOpened.v1": 1,
    "trust.TitleRegistered.v2": 1,
    "trust.TitleTagOpened.v1": 1,
    "trust.TitleAsked.v1": 1,
    "trust.TitleMoved.v1": 3,
}
# And at the exporter's side: its own, and what it may see of the other's.
EXPORTER_FACTS: Final[Mapping[str, int]] = {
    "connectivity.NetworkChecked.v1": 1,
    "devices.SealChecked.v1": 1,
    "devices.Sealed.v1": 1,
    "devices.TerminalRegistered.v2": 1,
    "finance.ConditionMet.v1": 4,
    "finance.DealOpened.v1": 1,
    "finance.Decided.v1": 1,
    "finance.MoneyReserved.v1": 1,
    "finance.Settled.v2": 1,
    "finance.TitleReserved.v1": 1,
    "industry.LotFinished.v1": 1,
    "industry.OrderOpened.v1": 1,
    "positioning.ArrivalExpected.v1": 1,
    "positioning.ArrivalProven.v2": 1,
    "trade.ConsignmentEntered.v2": 1,
    "trade.CustomsReleased.v1": 1,
    "trade.Delivered.v1": 1,
    "trade.DocumentAdded.v1": 5,
    "trade.PapersChecked.v1": 1,
    "trust.CredentialIssued.v1": 2,
    "trust.CustodyOpened.v1": 1,
    "trust.StatusAssigned.v1": 2,
    "trust.TitleAsked.v1": 1,
    "trust.TitleMoved.v1": 3,
}
# Batches of positions are sealed every few seconds, who reads is noted each hour, and facts cross
# in as many documents as it takes: a longer voyage has more of them.
_ANY_NUMBER: Final = frozenset(
    (
        *("devices.PositionsRecorded.v1", "node.DataRead.v1", "node.RecordRead.v1"),
        # Each start of a node, and each sign-in after one, is an act of its own.
        "node.Administered.v1",
        # Asked again by a node that died before it wrote down what the network said.
        "connectivity.SimAsked.v1",
    )
)
_CROSSING: Final = "exchange."
# (debit code, credit code, minor units, kind): funds come in; they are reserved together with what
# the one bank will owe the other; and both are posted as the money is paid across.
_TRANSFERS: Final = Counter(
    (
        (200, 100, participants.FUNDS_MINOR, 0),
        (100, 300, participants.AMOUNT_MINOR, 2),
        (100, 300, participants.AMOUNT_MINOR, 4),
        (300, 400, participants.AMOUNT_MINOR, 0),
        (410, 100, participants.AMOUNT_MINOR, 2),
        (410, 100, participants.AMOUNT_MINOR, 4),
    )
)
_TITLE_WAY: Final = ("exporter", IMPORTER_SIDE, "importer")
_TITLE_BACK: Final = ("exporter", IMPORTER_SIDE, "exporter")


@dataclass(frozen=True, slots=True)
class Kill:
    """What died: its process ids, after which step, and seconds after the road began."""

    victim: str
    pids: tuple[int, ...]
    step: int
    at_s: float


@dataclass(slots=True)
class Voyage:
    """One interrupted run of the road. `seconds`: the road alone, with all restarts.

    `fail`: the refusal that it shows (`spoof`, ...), empty if it shall end paid.
    """

    seed: int
    victim: str
    outcome: Outcome
    fail: str = ""
    kills: list[Kill] = field(default_factory=list)
    starts: int = 1
    seconds: float = 0.0


class Killer:
    """Waits for the steps that the seed chose and then kills, some time later."""

    def __init__(self, sides: Sides, *, victim: str, seed: int, kills: int) -> None:
        side, _, what = victim.partition("-")
        self._node = sides.exporter if side == "exporter" else sides.importer
        self._bus_folder = self._node.data / "node" / "nats" / "jetstream"
        self._what = what
        self._victim = victim
        self._chance = random.Random(f"{seed} {victim}")  # noqa: S311 (repeats, is no secret)
        self._plan = sorted(self._chance.sample(range(_STEPS), kills))
        self._started_s = time.monotonic()
        self._step = 0
        self.kills: list[Kill] = []

    def reached(self, step: int, _: str) -> None:
        """Hears how far the road is."""
        self._step = max(self._step, step)

    async def run(self) -> None:
        """Kills as planned, until cancelled or done."""
        for step in self._plan:
            while self._step < step:  # noqa: ASYNC110 (the road tells by a call from outside)
                await asyncio.sleep(_SOON_S)
            longest_s = _AFTER_STEP_S if step else _AFTER_START_S
            await asyncio.sleep(self._chance.uniform(0.0, longest_s))
            pids = await self._find()
            gone = self._take_bus_folder() if self._what == "bus-folder" else None
            for pid in pids:
                _kill(pid)
            if gone:
                shutil.rmtree(gone, ignore_errors=True)
            at_s = time.monotonic() - self._started_s
            self.kills.append(Kill(self._victim, pids, self._step, round(at_s, 2)))

    def _take_bus_folder(self) -> Path | None:
        """Moves the bus's folder away at once: bit by bit, the next bus would begin in it."""
        gone = self._node.data / "bus-folder-gone"
        try:
            self._bus_folder.rename(gone)
        except FileNotFoundError:
            return None  # A bus that has not written yet.
        return gone

    async def _find(self) -> tuple[int, ...]:
        """The processes to kill; waits while the victim is away already."""
        # The database dies in two ways: its first process alone, or all of them at once.
        whole = self._what == "database" and self._chance.random() < 0.5
        while True:
            pid = self._node.pid
            if pid and self._what == "node":
                return (pid,)
            if pid and self._what == "machine":
                return (pid, *_descendants(pid))
            found = _children(pid, _COMMANDS.get(self._what, "")) if pid else []
            if found:
                below = _descendants(found[0]) if whole else []
                return (found[0], *below)
            await asyncio.sleep(_SOON_S)


async def carry(
    scenario: Scenario, folder: Path, *, seed: int, victim: str, kills: int = 3, fail: str = ""
) -> Voyage:
    """Runs the road on two nodes of its own in `folder` while the victim dies again and again.

    `fail`: the refusal that the scenario was made for. Ends with the nodes stopped.
    Raises Unavailable if the road does not come to an end.
    """
    sides = Sides.in_folder(folder)
    killer = Killer(sides, victim=victim, seed=seed, kills=kills)
    demonstration = Demonstration(
        sides,
        scenario,
        folder=folder,
        output=folder,
        fail=fail,
        randomness=SeededRandomness(os.urandom(16)),
        say=killer.reached,
        pace_s=PACE_S,
    )
    try:
        await sides.start()
        started_s = time.monotonic()
        killing = asyncio.create_task(killer.run())
        try:
            outcome = await demonstration.run()
            seconds = time.monotonic() - started_s
        finally:
            killing.cancel()
            await asyncio.gather(killing, return_exceptions=True)
        for node in sides.every:
            await _quiet(node)
    finally:
        await sides.stop()
    starts = sum(node.starts for node in sides.every)
    return Voyage(seed, victim, outcome, fail, killer.kills, starts, round(seconds, 2))


@dataclass(frozen=True, slots=True)
class BothRecords:
    """What both nodes left."""

    importer: NodeRecord
    exporter: NodeRecord


async def read_both(folder: Path) -> BothRecords:
    """Reads what a voyage left in its folder. Call it from the main thread."""
    return BothRecords(
        await read_record(folder / IMPORTER_SIDE / "node"),
        await read_record(folder / EXPORTER_SIDE / "node"),
    )


def judge(voyage: Voyage, both: BothRecords) -> list[str]:
    """What is wrong, each in a sentence; empty when nothing was lost and nothing done twice."""
    record = both.importer
    end = _of_refusal(voyage.outcome, record) if voyage.fail else _of_payment(both)
    return [
        *_of_outcome(voyage),
        *_of_log(record),
        *(f"exporter's side: {each}" for each in _of_log(both.exporter)),
        *end,
        *_of_money(record),
        *_of_frames(voyage.outcome, record),
        *_of_both(both),
    ]


def _of_both(both: BothRecords) -> Iterator[str]:
    """What stands at both nodes is the same to the byte, and each counts once at the ledger."""
    for name in both.importer.events.keys() & both.exporter.events.keys():
        if both.importer.events[name].digest != both.exporter.events[name].digest:
            yield f"event {name} differs between the nodes"
    if both.exporter.transfers:
        yield f"the exporter's side has a ledger of its own: {both.exporter.transfers}"
    for event in both.exporter.events.values():
        foreign = event.recorded_by.party != EXPORTER_SIDE
        if foreign and str(event.id) not in both.importer.events:
            yield f"the exporter's side adopted {event.type}, which the importer's does not have"


def _of_outcome(voyage: Voyage) -> Iterator[str]:
    outcome = voyage.outcome
    if outcome.paid == bool(voyage.fail):
        end = "paid" if outcome.paid else "unpaid"
        yield f"the road ended {end}: {outcome.reason} {outcome.sentence}"
    if outcome.proof is None or outcome.trust is None:
        yield "the road ended without a proof"


def _of_log(record: NodeRecord) -> Iterator[str]:
    """Every event has one leaf, every leaf one event, and the bus has them all in order."""
    yield from _of_outbox(record)
    yield from _of_leaves(record)
    yield from (f"given up: {letter}" for letter in record.dead_letters)


def _of_outbox(record: NodeRecord) -> Iterator[str]:
    """Every event has one outbox row, and each row went into the log and onto the bus."""
    boxed = sorted(box[0] for box in record.boxes)
    if boxed != sorted(record.events):
        yield f"{len(record.events)} events have {len(boxed)} outbox rows, or other ones"
    waiting = [box[0] for box in record.boxes if box[1] is None]
    if waiting:
        yield f"{len(waiting)} events have no leaf"
    if any(not box[3] for box in record.boxes):
        yield f"{sum(not box[3] for box in record.boxes)} events are not known to be on the bus"


def _of_leaves(record: NodeRecord) -> Iterator[str]:
    """The log has no gap, and each leaf is the commitment of one event."""
    logged = [(box[1], box[2]) for box in record.boxes if box[1] is not None]
    indices = Counter(index for index, _ in logged)
    twice = [index for index, count in indices.items() if count > 1]
    if twice:
        yield f"leaves {twice} belong to two events"
    size = len(record.leaves)
    if set(record.leaves) != set(range(size)) or record.log_size != size:
        yield f"the log has {size} leaves, its head says {record.log_size}, or there are gaps"
    if set(indices) != set(record.leaves):
        yield f"leaves without event, or events without leaf: {set(indices) ^ set(record.leaves)}"
    if any(record.leaves.get(index, leaf) != leaf for index, leaf in logged):
        yield "a leaf is not its event's commitment"
    if set(record.bus) != {f"leaf-{index}" for index in range(size)}:
        yield f"the bus misses leaves, or has strangers: {len(set(record.bus))} of {size}"


def _of_payment(both: BothRecords) -> Iterator[str]:
    """Each fact of an undisturbed voyage, no other, and both sides passed once."""
    record = both.importer
    yield from _of_facts(record, FACTS)
    yield from (f"exporter's side: {s}" for s in _of_facts(both.exporter, EXPORTER_FACTS))
    if _title_course(record) != _TITLE_WAY:
        yield f"the title went {_title_course(record)}"
    if Counter(record.transfers) != _TRANSFERS:
        yield f"the ledger holds other transfers: {record.transfers}"
    if not all(event.paid for event in _facts(record, Settled)):
        yield "the deal was settled unpaid"
    yield from _of_balances(
        record, participants.FUNDS_MINOR - participants.AMOUNT_MINOR, participants.AMOUNT_MINOR
    )


def _of_facts(record: NodeRecord, wanted: Mapping[str, int]) -> Iterator[str]:
    found = record.facts
    for kind in sorted(found.keys() | wanted.keys()):
        counted = kind not in _ANY_NUMBER and not kind.startswith(_CROSSING)
        if counted and found[kind] != wanted.get(kind, 0):
            yield f"{kind} was recorded {found[kind]} times, not {wanted.get(kind, 0)}"


def _of_refusal(outcome: Outcome, record: NodeRecord) -> Iterator[str]:
    """One decision not to pay, applied once: title and money are back with their owners."""
    decided = [(fact.outcome, fact.reason) for fact in _facts(record, Decided)]
    if decided != [("abort", outcome.reason)]:
        yield f"the decisions are {decided}"
    if [fact.paid for fact in _facts(record, Settled)] != [False]:
        yield "the refusal was not settled once"
    if _title_course(record) != _TITLE_BACK:
        yield f"the title went {_title_course(record)}"
    yield from _of_balances(record, 0, participants.FUNDS_MINOR)


def _of_balances(record: NodeRecord, *wanted: int) -> Iterator[str]:
    customers = sorted(minor for (code, _), minor in record.balances.items() if code == _CUSTOMER)
    if customers != sorted(wanted):
        yield f"the customers' balances are {customers}"


def _of_money(record: NodeRecord) -> Iterator[str]:
    if sum(record.balances.values()) != 0:
        yield f"the ledger's sum is {sum(record.balances.values())}"
    if record.pending:
        yield f"{record.pending} minor units are still reserved"


def _title_course(record: NodeRecord) -> tuple[str, ...]:
    """The parties to whom the title went, in order."""
    return tuple(moved.holder_party for moved in _facts(record, TitleMoved))


def _facts(record: NodeRecord, kind: type[FactT]) -> list[FactT]:
    """All facts of a kind in the order of their versions."""
    found = [event for event in record.events.values() if event.type == kind.TYPE]
    return [kind.of(event) for event in sorted(found, key=lambda event: event.version)]


def _of_frames(outcome: Outcome, record: NodeRecord) -> Iterator[str]:
    lost = outcome.acknowledged - record.frames
    if lost:
        yield f"{len(lost)} frames were acknowledged and are not stored"
    # The terminal went on until each frame was acknowledged, so there can be no other.
    if record.frames - outcome.acknowledged:
        strangers = len(record.frames - outcome.acknowledged)
        yield f"{strangers} frames are stored and were never acknowledged"


async def _quiet(node: NodeProcess) -> None:
    """Waits until every event is in the log and on the bus, as the node's health says."""
    token = str(json.loads((node.data / TOKENS).read_text())[AUDITOR])
    async with httpx.AsyncClient(base_url=node.url, timeout=5.0) as http:
        for _ in range(_QUIET_TRIES):
            try:
                answer = await http.get(
                    "/v1/node/health", headers={"Authorization": f"Bearer {token}"}
                )
                if answer.status_code == httpx.codes.OK and answer.json()["log"]["waiting"] == 0:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(_QUIET_S)
    raise Unavailable("the node still has events that are not in the log")


def _children(parent: int, command: str) -> list[int]:
    """Child processes of a process whose command is this one (any if empty)."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            name, _, rest = (entry / "stat").read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue  # Ended meanwhile.
        state, above = rest.split()[:2]
        if int(above) == parent and state != "Z" and command in ("", name):
            found.append(int(entry.name))
    return sorted(found)


def _descendants(parent: int) -> list[int]:
    """Children, their children, and so on."""
    children = _children(parent, "")
    return children + [below for child in children for below in _descendants(child)]


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
