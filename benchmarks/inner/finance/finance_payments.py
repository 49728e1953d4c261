"""Payment messages: read, held to schema and rules, posted; and a million from first to last.

One bank sends pacs.008 to another; both keep accounts on this node. The rates are of processor
seconds of this process alone (a core's worth of Python; PostgreSQL works beside it), so that other
work on the machine does not count; `…_wall` lines are of the clock on the wall. The rival checks
the same messages' usage rules and nothing else.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from tests.finance.business_header import with_header

from benchmarks.measuring import claim
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock, SeededRandomness
from zhidao.core.ids import IdSource, PartyId
from zhidao.core.journal import FixedKeyRing, Records, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.limits import AMOUNT_MINOR_MAX
from zhidao.core.money import Currency, Money
from zhidao.core.timescale import Utc
from zhidao.finance.adapters.postgres_ledger import PostgresLedgerStore
from zhidao.finance.adapters.postgres_messages import PostgresMessageIndex
from zhidao.finance.adapters.postgres_payment_orders import PostgresPaymentOrderIndex
from zhidao.finance.adapters.schema_pack import NOT_CHECKED, FolderSchemas
from zhidao.finance.domain.payments.message import CreditTransfer, StatusReport, Transfers
from zhidao.finance.events import BankAdmitted
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.ledger.account_statements import Statements
from zhidao.finance.service.ledger.accounts import Accounts
from zhidao.finance.service.ledger.ledger import Ledger
from zhidao.finance.service.payments.booking import Books
from zhidao.finance.service.payments.credit_lines import CreditLines
from zhidao.finance.service.payments.creditor_agent import Crediting
from zhidao.finance.service.payments.directory import Directory
from zhidao.finance.service.payments.payment_orders import PaymentOrders
from zhidao.finance.service.payments.payments import NO_LIMITS, Payments
from zhidao.finance.service.payments.validation import Examined, Rules, examine_many
from zhidao.finance.wire.iso20022.messages import camt053
from zhidao.finance.wire.iso20022.messages.credit_transfers import CUSTOMERS, INITIATION
from zhidao.finance.wire.iso20022.messages.messages import encode
from zhidao.finance.wire.iso20022.profiles import built_in
from zhidao.finance.wire.iso20022.syntax.envelope import Header, read_envelope
from zhidao.finance.wire.iso20022.syntax.trees import account, bank, lines, person
from zhidao.finance.wire.iso20022.usage.usage import violations
from zhidao.store.archive import PostgresArchive
from zhidao.store.database import Database
from zhidao.store.embedded import EmbeddedPostgres
from zhidao.store.journal import PostgresJournal
from zhidao.store.migrate import migrate

SHARED: Final = Path(__file__).resolve().parents[4] / "shared" / "data" / "finance" / "xsd"
BANKS: Final = (("sending", "ALMAKZKA"), ("receiving", "XIANCNBJ"))
PAYEES: Final = 1_000
FILE: Final = 1_000
_RIVAL: Final = "cbpr-usage-rules==0.6.0"


def run(long: bool) -> Iterator[dict[str, Any]]:  # noqa: FBT001 (the contract of all benchmarks)
    """Singles, files of a thousand; the long run carries a million payments to their statements."""
    if not SHARED.is_dir():
        print("finance_payments: no official schemas beside this checkout", file=sys.stderr)
        return
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedPostgres(Path(folder) / "data")
        try:
            yield from asyncio.run(_measure(server.start(), long=long))
        finally:
            server.stop()


class _WallClock(Clock):
    def now(self) -> Utc:
        return Utc.from_unix_ns(time.time_ns())


class Node:
    """Two banks and their customers over one database."""

    def __init__(self, database: Database) -> None:
        clock = _WallClock()
        names = ("node", "operator", "payer", *(name for name, _ in BANKS))
        keys = {
            PartyId(one): SoftwareKey(Algorithm.ED25519, hashlib.sha256(one.encode()).digest())
            for one in names
        }
        scribe = Scribe(
            node=PartyId("node"),
            key=keys[PartyId("node")],
            ring=FixedKeyRing(keys),
            clock=clock,
            ids=IdSource(clock, SeededRandomness(1)),
            randomness=SeededRandomness(2),
        )
        journal = PostgresJournal(database, "finance", lambda: None)
        self.store = PostgresLedgerStore(database, journal)
        self.clock = clock
        self.ledger = Ledger(self.store, scribe=scribe, clock=clock, holder="bench")
        records = Records(journal, scribe)
        self.accounts = Accounts(records, scribe, self.ledger)
        self.directory = Directory(records, self.accounts)
        self.schemas = FolderSchemas(SHARED)
        self.rules = Rules(self.schemas, built_in("cross-border"), 2026)
        approvals = Approvals(records=records, clock=clock, limits=NO_LIMITS)
        self.lines = CreditLines(
            records=records, ledger=self.ledger, accounts=self.accounts, approvals=approvals
        )
        self.crediting = Crediting(Books(self.ledger, self.directory, clock), NO_LIMITS, self.lines)
        orders = PaymentOrders(
            records=records,
            index=PostgresPaymentOrderIndex(database),
            archive=PostgresArchive(database),
        )
        self.payments = Payments(
            ledger=self.ledger,
            directory=self.directory,
            index=PostgresMessageIndex(database),
            archive=PostgresArchive(database),
            rules=self.rules,
            clock=clock,
            lines=self.lines,
            orders=orders,
        )
        self.banks: dict[str, BankAdmitted] = {}
        self.payer = ""
        self.payees: list[str] = []
        # A day on which everything settles.
        self.day = built_in("cross-border").next_day("CNY", datetime.now(UTC).date()).isoformat()

    async def fill(self, funds_minor: int) -> None:
        """Banks, a payer with money, and a thousand payees."""
        for name, bic in BANKS:
            admitted = BankAdmitted(bank=name, name=name, bic=bic, town="Almaty", country="KZ")
            await self.accounts.admit(Actor(PartyId("operator"), Role.OPERATOR), admitted)
            self.banks[name] = admitted
        sending, receiving = (Actor(PartyId(name), Role.PARTY) for name, _ in BANKS)
        await self.lines.set(
            receiving, peer="sending", currency="CNY", limit_minor=AMOUNT_MINOR_MAX
        )
        place = {"currency": "CNY", "name": "Customer", "town": "Almaty", "country": "KZ"}
        opened = await self.accounts.open(sending, holder="payer", **place)
        self.payer = UUID(opened.opened.account).hex
        for start in range(0, PAYEES, 50):
            made = await asyncio.gather(
                *(
                    self.accounts.open(receiving, holder=f"payee-{n}", **place)
                    for n in range(start, start + 50)
                )
            )
            self.payees += [UUID(one.opened.account).hex for one in made]
        # Known from the first message on, as in a node that runs for a while.
        await self.directory.customers("receiving", self.payees)
        await self.accounts.deposit(
            sending, deposit="funds", holder="payer", amount=Money(funds_minor, Currency("CNY"))
        )

    def transfer(self, number: int) -> CreditTransfer:
        """One payment with a UETR of its own."""
        digest = hashlib.sha256(number.to_bytes(8, "big")).hexdigest()
        uetr = f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"
        return CreditTransfer(
            group="",
            instruction=f"I{number}",
            end_to_end=f"E{number}",
            uetr=uetr,
            amount_minor=1 + number % 97,
            currency="CNY",
            day=self.day,
            charges="SHAR",
            payer=person("Payer of the bench", "Almaty", "KZ"),
            payer_account=account(self.payer),
            payer_bank=bank(BANKS[0][1]),
            payee=person("Payee of the bench", "Xi'an", "CN"),
            payee_account=account(self.payees[number % PAYEES]),
            payee_bank=bank(BANKS[1][1]),
            remittance=lines(f"invoice {number}"),
        )

    def file(self, start: int, count: int) -> bytes:
        """A pacs.008 with so many payments."""
        return encode(
            Transfers(
                *(CUSTOMERS, f"M{start}", self.moment(), BANKS[0][1], BANKS[1][1]),
                tuple(self.transfer(n) for n in range(start, start + count)),
            )
        )

    def moment(self) -> str:
        """Now, as messages write it."""
        return datetime.now(UTC).isoformat(timespec="seconds")


async def _measure(url: str, *, long: bool) -> list[dict[str, Any]]:
    # As `zhidao serve` does at its start.
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    database = await Database.open(url)
    try:
        await migrate(database)
        node = Node(database)
        await node.fill(10**12)
        found = await _singles(node)
        found += await _files(node)
        if long:
            found += await _million(node, 1_000_000)
        return found
    finally:
        await database.close()


async def _singles(node: Node) -> list[dict[str, Any]]:
    """Messages of one payment each; booked together as they come in."""
    rounds, count, together = 3, 6_000, 2_000
    ours, walls, received, rules, theirs = [], [], [], [], []
    sender, receiver = node.banks["sending"], node.banks["receiving"]
    sample = [_wrapped(node, 50_000_000 + n) for n in range(300)]
    for turn in range(rounds):
        made = [node.file(1_000_000 * turn + n, 1) for n in range(count)]
        cpu, wall = time.process_time(), time.perf_counter()
        for start in range(0, count, together):
            examined = _good(made[start : start + together], node)
            answers = await node.crediting.receive(receiver, sender, examined)
            assert all(_accepted(answer[0]) for answer in answers)
        ours.append(count / (time.process_time() - cpu))
        walls.append(count / (time.perf_counter() - wall))
        made = [node.file(1_000_000 * turn + 500_000 + n, 1) for n in range(count)]
        wall = time.perf_counter()
        for start in range(0, count, together):
            sent = await asyncio.gather(
                *(
                    node.payments.take(receiver, "sending", data)
                    for data in made[start : start + together]
                )
            )
            assert all(len(one) == 2 for one in sent)
        received.append(count / (time.perf_counter() - wall))
        cpu = time.process_time()
        for data in sample * 5:
            assert not violations(read_envelope(data), year=2025)
        rules.append(5 * len(sample) / (time.process_time() - cpu))
        theirs += _rival(sample)
    return [
        claim("pacs008_parse_xsd_rules_post_per_cpu_s", ours, "1/s", target=8_000),
        claim("pacs008_parse_xsd_rules_post_wall", walls, "1/s"),
        claim("pacs008_whole_desk_wall", received, "1/s"),
        claim(
            "pacs008_usage_rules_per_cpu_s",
            rules,
            "1/s",
            target=10 if theirs else None,
            rival=_RIVAL,
            rival_values=theirs,
        ),
    ]


async def _files(node: Node) -> list[dict[str, Any]]:
    """Files of a thousand payments."""
    rates, walls = [], []
    sender, receiver = node.banks["sending"], node.banks["receiving"]
    for turn in range(5):
        made = [node.file(100_000_000 + 100_000 * turn + FILE * n, FILE) for n in range(8)]
        cpu, wall = time.process_time(), time.perf_counter()
        examined = _good(made, node)
        answers = await node.crediting.receive(receiver, sender, examined)
        assert all(_accepted(answer[0]) for answer in answers)
        rates.append(len(made) * FILE / (time.process_time() - cpu))
        walls.append(len(made) * FILE / (time.perf_counter() - wall))
    return [
        claim("pacs008_files_of_1000_per_cpu_s", rates, "1/s", target=20_000),
        claim("pacs008_files_of_1000_wall", walls, "1/s"),
    ]


async def _million(node: Node, count: int) -> list[dict[str, Any]]:
    """Instruction, transfer, status, advice and statement of so many payments, all by XSD."""
    began = time.perf_counter()
    base, per_file, cpu = 900_000_000, 10_000, time.process_time()
    # Two files are on their way at a time, as two customers' would be.
    turns = [
        await asyncio.gather(
            *(_file_through(node, base + start, per_file) for start in (first, first + per_file))
        )
        for first in range(0, count, 2 * per_file)
    ]
    valid = sum(map(sum, turns))
    moved = time.perf_counter() - began
    day = datetime.now(UTC).date()
    statements = Statements(node.store, node.clock)
    total = sum(1 + (base + n) % 97 for n in range(count))
    seen, entries, closing = 0, 0, 0
    async for page in statements.pages(
        "CNY", UUID(node.payer), message="S", first_day=day, last_day=day, entries_max=20_000
    ):
        envelope = read_envelope(camt053.encode(page))
        assert node.schemas.judge(envelope.definition, envelope.document) != NOT_CHECKED
        again = camt053.read(envelope)
        assert again.opening_minor == closing, "each page begins where the one before ended"
        valid, closing = valid + 1, again.closing_minor
        seen += sum(one.amount_minor for one in again.entries if one.uetr)
        entries += len(again.entries)
    balance = (await node.ledger.account("CNY", UUID(node.payer))).balance
    received = 0
    for payee in node.payees:
        one = await node.ledger.account("CNY", UUID(payee))
        received += one.balance
    total_s, cpu_total_s = time.perf_counter() - began, time.process_time() - cpu
    apart = abs(seen + total) + abs(closing - balance)
    print(
        f"finance_payments: {entries} entries, {valid} messages valid by XSD, payees have"
        f" {received}, moved in {moved:.0f} s",
        file=sys.stderr,
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return [
        claim("payments_1m_apart_minor", [apart], "of 1 M payments", target=0, at_most=True),
        claim("payments_1m_pain001_to_camt053_s", [total_s], "s", target=300, at_most=True),
        claim("payments_1m_cpu_s", [cpu_total_s], "s"),
        claim("payments_1m_peak_memory", [peak // 1024], "MiB"),
    ]


async def _file_through(node: Node, first: int, count: int) -> int:
    """A file's payments from instruction to both banks' word on them; how many messages it took.

    All of them are held to their schemas.
    """
    sending, receiving = node.banks["sending"], node.banks["receiving"]
    transfers = tuple(node.transfer(first + n)._replace(group=f"G{first}") for n in range(count))
    instruction = encode(Transfers(INITIATION, f"P{first}", node.moment(), "", "", transfers))
    told = await node.payments.take(sending, "payer", instruction)
    [onward] = [one for one in told if one.definition == CUSTOMERS]
    answers = await node.payments.take(receiving, "sending", onward.data)
    last = await node.payments.take(sending, "receiving", answers[0].data)
    written = [instruction, *(one.data for one in (*told, *answers, *last))]
    return await asyncio.to_thread(_all_valid, node, written)


def _all_valid(node: Node, many: list[bytes]) -> int:
    for data in many:
        envelope = read_envelope(data)
        verdict = node.schemas.judge(envelope.definition, envelope.document)
        assert verdict != NOT_CHECKED, f"no schema of {envelope.definition}"
    return len(many)


def _good(many: list[bytes], node: Node) -> list[Examined]:
    good = []
    for found in examine_many(many, node.rules, at=datetime.now(UTC)):
        assert isinstance(found, Examined), found
        assert not found.broken, found.broken
        assert found.whole is None, found.whole
        assert found.schema != NOT_CHECKED, "the official schema is at hand"
        good.append(found)
    return good


def _accepted(message: Any) -> bool:
    return isinstance(message, StatusReport) and message.status == "ACSC"


def _wrapped(node: Node, number: int) -> bytes:
    """The message as the rival takes it: in an envelope with its header."""
    header = Header(
        BANKS[0][1], BANKS[1][1], f"M{number}", CUSTOMERS, "swift.cbprplus.02", node.moment()
    )
    return with_header(node.file(number, 1), header)


def _rival(sample: list[bytes]) -> list[float]:
    """Messages a processor second of the rival's, in an environment of its own; none without it."""
    python = _rival_python()
    if python is None:
        return []
    with tempfile.TemporaryDirectory() as folder:
        for number, data in enumerate(sample):
            (Path(folder) / f"{number}.xml").write_bytes(data)
        done = subprocess.run(
            [python, "-c", _RIVAL_SCRIPT, folder],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
    if done.returncode:
        print(f"finance_payments: the rival failed: {done.stderr[-300:]}", file=sys.stderr)
        return []
    return [float(json.loads(done.stdout)["per_cpu_s"])]


@cache
def _rival_python() -> Path | None:
    """The interpreter of a throw-away environment with the rival."""
    folder = Path("/var/tmp/zhidao-rival-payments")
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    done = subprocess.run(
        [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", _RIVAL],
        capture_output=True,
        check=False,
        timeout=300,
    )
    if done.returncode:
        print(f"finance_payments: {_RIVAL} cannot be installed", file=sys.stderr)
        return None
    return python


_RIVAL_SCRIPT: Final = """
import json, pathlib, sys, time
from cbpr_rules import validate_string
texts = [file.read_text() for file in sorted(pathlib.Path(sys.argv[1]).iterdir())]
validate_string(texts[0], year=2025)
began = time.process_time()
for text in texts:
    validate_string(text, year=2025)
print(json.dumps({"per_cpu_s": len(texts) / (time.process_time() - began)}))
"""
