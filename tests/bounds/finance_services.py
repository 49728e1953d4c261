"""Bounds of finance's services and adapters: folders of files, batches, cycles, days, messages."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from importlib.resources import files
from pathlib import Path
from uuid import UUID

import msgspec
from tests.bounds.case import Case
from tests.finance.conftest import Durable, World
from tests.finance.pvp_simulator import World as PvpWorld
from tests.finance.service.control.test_screening import screening_of
from tests.finance.service.receivables import test_registry as registry
from tests.finance.service.receivables.test_registry import (
    BUYER,
    HOME,
    NODES,
    OWED,
    SECRETS,
    SELLER,
)
from tests.finance.wire.iso20022.messages.test_messages import EXAMPLE
from tests.finance.wire.test_any_input import rewritten
from tests.node.api.finance.test_netting import _nettings

from zhidao.cli.finance import statement_sheet
from zhidao.core.actor import Actor, Role
from zhidao.core.ids import PartyId
from zhidao.core.journal import FixedKeyRing, Records
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.money import Currency, Money
from zhidao.finance.adapters.calendar_folder import FolderCalendars
from zhidao.finance.adapters.schema_pack import _recognised, add_pack
from zhidao.finance.adapters.screening_folder import FolderLists
from zhidao.finance.domain.ledger.ledger import Transfer
from zhidao.finance.domain.payments.approval import Demand, Limits
from zhidao.finance.domain.payments.statement import AccountStatement, StatementEntry
from zhidao.finance.events import AccountOpened
from zhidao.finance.events.banks import NettingOpened, Obligation, ObligationsAdded
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.receivables.netting import Cycle
from zhidao.finance.service.receivables.passports import Passports
from zhidao.finance.service.receivables.registry import Receivables
from zhidao.finance.wire.iso20022.syntax import parsing, trees
from zhidao.finance.wire.ledger_bundle import check_bundle
from zhidao.finance.wire.screening_lists import read_list
from zhidao.node.api.finance import credit as credit_api
from zhidao.node.api.finance import pvp as pvp_api
from zhidao.trust.service.credentials.selective import SelectiveCredentialService

CNY = Currency("CNY")
CALENDAR = files("zhidao.finance.wire.calendars") / "cn.json"
ID = str(UUID(int=7 << 76 | 2 << 62 | 1))
DAY = date(2026, 5, 1)


def in_folder(work: Callable[[Path], object]) -> object:
    with tempfile.TemporaryDirectory() as name:
        return work(Path(name))


def calendars(count: int) -> object:
    """So many calendars added, one after the other, each of a year of its own."""
    rules = json.loads(CALENDAR.read_bytes())

    def add(folder: Path) -> None:
        kept = FolderCalendars(folder)
        for number in range(count):
            kept.add(json.dumps(rules | {"calendar": f"XX{chr(65 + number)}"}).encode())

    return in_folder(add)


def schemas(count: int) -> object:
    def add(folder: Path) -> object:
        source = folder / "source"
        source.mkdir()
        for number in range(count):
            (source / f"{number}.json").write_text("{}")
        return add_pack(source, folder / "pack")

    return in_folder(add)


def schema_file(size: int) -> object:
    def read(folder: Path) -> object:
        (folder / "a.json").write_bytes(b" " * size)
        return _recognised(folder / "a.json")

    return in_folder(read)


async def name_lists(count: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        for number in range(count):
            Path(name, f"csv@2026-05-01.{number}").write_text(f"id,name\n{number},Jane Doe\n")
        await FolderLists(Path(name)).lists()


async def booked(count: int) -> None:
    transfers = [
        Transfer(UUID(int=n + 1), UUID(int=1), UUID(int=2), 1, ledger=156, code=1)
        for n in range(count)
    ]
    await World(Durable()).ledger.submit("CNY", transfers)


def statement(count: int) -> object:
    entry = StatementEntry(UUID(int=1), 1, DAY)
    told = AccountStatement(
        "M-1", "a1", CNY, datetime(2026, 5, 2, tzinfo=UTC), DAY, DAY, 0, count, (entry,) * count
    )
    opened = AccountOpened(
        account=ID,
        bank="bank",
        holder="exporter",
        purpose="customer",
        currency="CNY",
        name="Exporter",
        town="Xi'an",
        country="CN",
    )
    return statement_sheet.printed(told, opened)


async def taken(count: int) -> None:
    """So many deals at one side, none of them decided."""
    world = PvpWorld(1)
    for party in world.parties.values():
        await world._start(party)
        await world._fund(party)
    participant = world.parties["first"].participant
    assert participant is not None
    await participant.take([world._deal(number) for number in range(count)])


async def voted(count: int) -> None:
    """So many deals on which the decider heard one side."""
    world = PvpWorld(1)
    for party in world.parties.values():
        await world._start(party)
        await world._fund(party)
    participant, decider = world.parties["first"].participant, world.parties["decider"].decider
    assert participant is not None
    assert decider is not None
    for number in range(count):
        for votes in await participant.take([world._deal(number)]):
            await decider.hear(votes)


async def said(size: int) -> None:
    world = World(Durable())
    approvals = Approvals(
        records=world.records, clock=world.durable.clock, limits=Limits.parse("CNY 1.00")
    )
    bank = Actor(PartyId("exporter-bank"), Role.PARTY)
    told = {"a": "x" * (size - len('{"a":""}'))}
    await approvals.demand(
        bank, Demand("open a deal", "D-1", Money(1_000, CNY), told, [("importer", 1_000)])
    )


async def aged(days: int) -> None:
    durable = Durable()
    dated = date.fromordinal(durable.clock.now().to_datetime().date().toordinal() - days)
    await screening_of(durable, dated).screen(
        Actor(PartyId("node"), Role.PARTY), screening=ID, name="Wang Wei"
    )


def netted(count: int) -> None:
    """The last obligation of so many."""
    owed = Obligation(creditor="exporter", amount_minor="1", reference="r")
    parties = ["exporter", "importer"]
    opened = NettingOpened(cycle="c", bank="exporter-bank", currency="CNY", participants=parties)

    def batch(size: int) -> ObligationsAdded:
        return ObligationsAdded(cycle="c", batch="b", debtor="importer", obligations=[owed] * size)

    cycle = Cycle(opened, 1, "exporter-bank/c", (batch(count - 1),))
    _nettings(World(Durable()))._check(cycle, batch(1))


async def receivables(count: int) -> None:
    """A passport over so many receivables."""
    durable = Durable()
    book = Receivables(
        node=HOME,
        nodes=NODES,
        secret=SECRETS[HOME],
        records=Records(durable.journal, durable.scribe),
        clock=durable.clock,
        shipped=registry._shipped,
        paid=registry._paid,
        randomness=durable.randomness,
        approvals=Approvals(
            records=Records(durable.journal, durable.scribe),
            clock=durable.clock,
            limits=Limits.parse(""),
        ),
        holds=None,
    )
    for number in range(count):
        owed = dataclasses.replace(OWED, invoice=f"INV-{number}", shipment=f"MEDUSH{number:04}")
        await book.register(SELLER, owed, obligor_party=BUYER.party)
    key = SoftwareKey(Algorithm.ED25519, b"n" * 32)
    passports = Passports(
        node=HOME,
        records=Records(durable.journal, durable.scribe),
        receivables=book,
        credentials=SelectiveCredentialService(
            ring=FixedKeyRing({SELLER.party: key}),
            node_key=key,
            own=lambda asked: asked == key.public,
            clock=durable.clock,
            randomness=durable.randomness,
        ),
        archive=durable.archive,
        clock=durable.clock,
    )
    await passports._standings(SELLER)


def bundle(size: int) -> object:
    def check(folder: Path) -> object:
        (folder / "one.zip").write_bytes(rewritten("batches.jsonl", b" " * (size - 1) + b"\n"))
        return check_bundle(folder / "one.zip")

    return in_folder(check)


def listed(nodes: int) -> object:
    """A list of the United Nations with so many tags: nine are needed, the rest is said nothing in."""
    name = b"<INDIVIDUAL><DATAID>1</DATAID><FIRST_NAME>Jane</FIRST_NAME></INDIVIDUAL>"
    told = b'<CONSOLIDATED_LIST dateGenerated="2026-05-01">' + name
    own = told.count(b"<") + told.count(b'="') + 1
    return read_list("un", told + b"<b/>   " * (nodes - own) + b"</CONSOLIDATED_LIST>")


SYNTAX = "finance.wire.iso20022.syntax"
CASES: Sequence[Case] = (
    Case("cli.finance.statement_sheet.ENTRIES_MAX", statement, 6),
    Case("finance.adapters.calendar_folder.FILES_MAX", calendars, 6),
    Case("finance.adapters.schema_pack._FILES_MAX", schemas, 6),
    Case("finance.adapters.schema_pack._FILE_BYTES_MAX", schema_file, 60),
    Case("finance.adapters.screening_folder.FILES_MAX", name_lists),
    Case(
        "finance.domain.credit.credit_terms.DOCUMENTS_MAX",
        lambda n: msgspec.convert({"records": [0] * n}, credit_api.RecordsAsked),
    ),
    Case(
        "finance.domain.ledger.ledger.TRANSFERS_MAX",
        booked,
        6,
        "finance.service.ledger.ledger",
    ),
    Case(
        "finance.domain.payments.payment.MESSAGE_AMOUNT_MAX",
        lambda n: dataclasses.replace(EXAMPLE, amount=Money(n, CNY)),
    ),
    Case(
        "finance.domain.payments.payment.MESSAGE_AMOUNT_MAX",
        lambda n: trees.minor_of(f"{n // 100}.{n % 100:02}", "CNY"),
        told="18 digits",
    ),
    Case(
        "finance.domain.payments.payment._ACCOUNT_CHARACTERS_MAX",
        lambda n: dataclasses.replace(EXAMPLE, payer_account="A" * n),
    ),
    Case("finance.domain.pvp.pvp.OPEN_MAX", taken, 3, "finance.service.pvp.participant"),
    Case("finance.domain.pvp.pvp.OPEN_MAX", voted, 3, "finance.service.pvp.decider"),
    Case("finance.service.control.approvals.SAID_BYTES_MAX", said),
    Case("finance.service.control.screening.LIST_AGE_DAYS_MAX", aged),
    Case(
        "finance.service.pvp.pvp_terms.DEADLINE_S_MAX",
        lambda n: msgspec.convert(
            {
                "reference": "a",
                "quote": "q",
                "sold_minor": 1,
                "pays_from": ID,
                "receives_at": ID,
                "deadline_s": n,
            },
            pvp_api.NewPvp,
        ),
    ),
    Case("finance.service.receivables.netting.OBLIGATIONS_MAX", netted, 6),
    Case("finance.service.receivables.passports.RECEIVABLES_MAX", receivables, 3),
    Case(f"{SYNTAX}.parsing.FILE_BYTES_MAX", lambda n: parsing.parse_message(b" " * n)),
    Case(
        f"{SYNTAX}.parsing.FILE_NODES_MAX",
        lambda n: parsing.parse_message(b"<a>" + b"<b/>   " * (n - 2) + b"</a>"),
        60_000,
    ),
    Case("finance.wire.ledger_bundle._LINE_BYTES_MAX", bundle, 10_000),
    Case("finance.wire.screening_lists.NODES_MAX", listed, 60_000),
)
