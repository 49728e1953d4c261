"""A devices room in memory, and a terminal for it."""

from __future__ import annotations

from dataclasses import dataclass

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.ids import IdSource, PartyId, party_id
from zhidao.core.journal import FixedKeyRing, Records, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import NS, Utc
from zhidao.devices.adapters.memory import MemoryVault
from zhidao.devices.adapters.memory_commands import MemoryCommands
from zhidao.devices.service.custody import KeptData
from zhidao.devices.service.enrolments import Enrolments
from zhidao.devices.service.lines import Lines
from zhidao.devices.service.ports import Vault
from zhidao.devices.service.seals import Seals
from zhidao.devices.service.session_services import SessionServices
from zhidao.devices.service.terminal_commands import TerminalCommands
from zhidao.devices.service.terminal_journal import TerminalJournal
from zhidao.devices.service.terminals import Terminals
from zhidao.devices.service.tracks import NoSink, Tracks
from zhidao.devices.service.windows import Windows
from zhidao.devices.service.writer import FrameWriter
from zhidao.store.memory import MemoryArchive, MemoryJournal

NODE, OPERATOR, CARRIER = party_id("node"), party_id("operator"), party_id("carrier")
IMPORTER, STRANGER = party_id("importer"), party_id("stranger")
PARTIES = {
    p: SoftwareKey(Algorithm.ED25519, bytes([i]) * 32)
    for i, p in enumerate((OPERATOR, CARRIER, IMPORTER, STRANGER), 1)
}
TERMINAL_KEY = SoftwareKey(Algorithm.ED25519, bytes([9]) * 32)
PHONE, NUMBER, TERMINAL = "+8613800138000", "8613800138000", "truck-7"


def actor(party: str, role: Role = Role.PARTY) -> Actor:
    return Actor(party_id(party), role)


OPERATING = actor("operator", Role.OPERATOR)


@dataclass
class DeviceRoom:
    clock: HandClock
    journal: MemoryJournal
    vault: Vault
    terminals: Terminals
    enrolments: Enrolments
    lines: Lines
    commands: TerminalCommands
    windows: Windows
    tracks: Tracks
    seals: Seals
    custody: KeptData
    services: SessionServices

    async def register(self, *more: PartyId) -> None:
        await self.terminals.register(
            OPERATING,
            terminal=TERMINAL,
            phone=PHONE,
            key=TERMINAL_KEY.public.multikey,
            owner=CARRIER,
            readers=[IMPORTER, *more],
        )

    @property
    def events(self):
        return [entry.event for entry in self.journal.written]


def device_room(vault: Vault | None = None, journal: MemoryJournal | None = None) -> DeviceRoom:
    clock = HandClock(Utc.parse("2026-11-24T08:00:00Z"))
    randomness = SeededRandomness(1)
    ids = IdSource(clock, randomness)
    scribe = Scribe(
        node=NODE,
        key=SoftwareKey(Algorithm.ED25519, bytes(32)),
        ring=FixedKeyRing(PARTIES),
        clock=clock,
        ids=ids,
        randomness=randomness,
    )
    journal = journal or MemoryJournal()
    vault = vault or MemoryVault(journal)
    archive = MemoryArchive()
    terminal_journal = TerminalJournal(journal, vault, scribe, clock)
    records = Records(journal, scribe)
    terminals = Terminals(vault, scribe, clock)
    lines = Lines(monotonic_s=lambda: clock.now().tai_ns / NS)
    book = MemoryCommands()
    enrolments = Enrolments(vault, terminal_journal, clock, randomness, bytes(32), lines, book)
    commands = TerminalCommands(book, vault, lines, clock, ids)
    windows = Windows(vault, archive, terminal_journal, clock, randomness)
    seals = Seals(vault, records, scribe)
    return DeviceRoom(
        clock=clock,
        journal=journal,
        vault=vault,
        terminals=terminals,
        enrolments=enrolments,
        lines=lines,
        commands=commands,
        windows=windows,
        tracks=Tracks(vault, terminals, terminal_journal, ids, NoSink()),
        seals=seals,
        custody=KeptData(vault, archive, seals),
        services=SessionServices(
            vault=vault,
            enrolments=enrolments,
            lines=lines,
            windows=windows,
            writer=FrameWriter(vault),
            terminal_journal=terminal_journal,
            clock=clock,
            ids=ids,
            commands=commands,
        ),
    )
