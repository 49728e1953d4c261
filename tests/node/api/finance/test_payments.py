"""Payment messages, transfers and statements over HTTP."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import pytest
from tests.finance.service.bank_services import UETRS, BankServices

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Refused
from zhidao.core.ids import PartyId
from zhidao.core.money import Currency, Money
from zhidao.core.timescale import NS, Utc
from zhidao.finance.adapters.memory import MemoryWrittenBalances
from zhidao.finance.domain.ledger.ledger import Transfer, TransferFlag, ledger_number
from zhidao.finance.domain.ledger.records import from_transfers, movements_of
from zhidao.finance.domain.naming import AccountCode, account_id, transfer_id
from zhidao.finance.domain.payments.approval import Limits
from zhidao.finance.domain.payments.payment_legs import Leg, leg_name
from zhidao.finance.service.control.approvals import Approvals
from zhidao.finance.service.ledger.account_statements import Statements
from zhidao.finance.service.ledger.balance_history import BalanceHistory
from zhidao.finance.service.payments.bank_transfers import BankTransfers, _named, _named_by
from zhidao.finance.service.payments.deposits import Deposits
from zhidao.finance.service.payments.directory import Directory
from zhidao.finance.service.payments.entry_sources import EntrySources
from zhidao.finance.wire.iso20022.messages import camt053
from zhidao.finance.wire.iso20022.messages.messages import decode
from zhidao.finance.wire.iso20022.syntax.envelope import read_envelope
from zhidao.finance.wire.iso20022.syntax.trees import account, bank
from zhidao.node.api.finance import account_history, payment_orders
from zhidao.node.api.finance.payments import routes


class Bench:
    """The services behind their routes."""

    def __init__(self, services: BankServices, call: Any, approvals: Approvals) -> None:
        self.services = services
        self.approvals = approvals
        self.call = call

    async def send(
        self, bank: str, party: str, data: bytes, *, role: str = "party"
    ) -> httpx.Response:
        headers = {"x-party": party, "x-role": role, "x-person": ""}
        path = f"/v1/finance/banks/{bank}/messages"
        return await self.call._client.request("POST", path, content=data, headers=headers)


def served(services: BankServices, serve: Any, limits: Limits) -> Bench:
    world = services.world
    clock = world.durable.clock
    approvals = Approvals(records=world.records, clock=clock, limits=limits)
    transfers = BankTransfers(
        accounts=world.accounts,
        directory=Directory(world.records, world.accounts),
        ledger=world.ledger,
        approvals=approvals,
    )
    if limits.above_minor:
        services.hold(approvals)
    statements = Statements(world.durable.store, clock)
    sources = EntrySources(services.index, world.durable.archive, world.durable.store)
    balances = BalanceHistory(world.durable.store, MemoryWrittenBalances(), world.durable.clock)
    made = serve(
        routes(world.accounts, services.payments, transfers),
        account_history.routes(world.accounts, statements, sources, balances),
        payment_orders.routes(services.orders),
    )
    return Bench(services, made, approvals)


def limited(services: BankServices, serve: Any, limits: str) -> Bench:
    return served(services, serve, Limits.parse(limits))


@pytest.fixture
async def bench(world: Any, serve: Any) -> Bench:
    return served(await BankServices(world).ready(), serve, Limits({}))


async def test_an_instruction_goes_all_the_way_and_is_answered(bench: Bench) -> None:
    answer = await bench.send("importer-bank", "importer", bench.services.pays(700, 300))
    assert answer.status_code == 201, answer.text
    told = answer.json()
    # What the payee's bank tells the payee is not the payer's to see.
    assert [one["definition"] for one in told] == ["pain.002.001.12", "pain.002.001.12"]
    last = decode(read_envelope(told[-1]["xml"].encode()))
    assert (last.status, last.original) == ("ACSC", "M-1")
    assert await bench.services.balance("exporter") == 1_000
    again = await bench.send("importer-bank", "importer", bench.services.pays(700, 300))
    assert again.json()[0] == told[0]
    assert await bench.services.balance("exporter") == 1_000


@pytest.mark.parametrize("role", ["auditor", "admin", "operator"])
async def test_who_does_not_act_for_a_party_moves_none_of_its_money(
    bench: Bench, role: str
) -> None:
    data = bench.services.pays(700, 300)
    before = await bench.services.balance("importer")
    refused = await bench.send("importer-bank", "importer", data, role=role)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden"), refused.text
    # A bank's message to a bank is its word too.
    [_, onward] = await bench.services.take("importer-bank", "importer", data)
    written = len(bench.services.world.durable.journal.written)
    refused = await bench.send("exporter-bank", "importer-bank", onward.data, role=role)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden"), refused.text
    assert len(bench.services.world.durable.journal.written) == written
    assert await bench.services.balance("exporter") == 0
    assert before == await bench.services.balance("importer") + 1_000  # by the party's own, above


@pytest.mark.parametrize(
    "data", [b"", b"<a/>", b"\xff\xfe<", b'<!DOCTYPE a [<!ENTITY b "c">]><a/>', b"{}"]
)
async def test_nonsense_is_answered_by_a_message(bench: Bench, data: bytes) -> None:
    answer = await bench.send("importer-bank", "importer", data)
    assert answer.status_code == 201
    [told] = answer.json()
    report = decode(read_envelope(told["xml"].encode()))
    assert (report.status, report.reason) == ("RJCT", "FF01")


async def test_a_message_for_no_bank_or_in_anothers_name_is_a_problem(bench: Bench) -> None:
    data = bench.services.pays(700)
    assert (await bench.send("nobody", "importer", data)).status_code == 422
    [_, onward] = await bench.services.take("importer-bank", "importer", data)
    refused = await bench.send("exporter-bank", "exporter", onward.data)
    assert (refused.status_code, refused.json()["code"]) == (403, "wrong_sender")


async def test_recalls_and_returns_over_http(bench: Bench) -> None:
    await bench.send("importer-bank", "importer", bench.services.pays(700, 300))
    asked = await bench.call("POST", "/recalls", {"uetrs": [UETRS[0]], "reason": "DUPL"})
    assert asked.status_code == 201, asked.text
    [recall] = asked.json()
    sent = await bench.send("exporter-bank", "importer-bank", recall["xml"].encode())
    assert decode(read_envelope(sent.json()[0]["xml"].encode())).outcome == "PDCR"
    path = f"/recalls/importer-bank/{recall['message']}/answer"
    answer = await bench.call("POST", path, {"agreed": [UETRS[0]]}, party="exporter-bank")
    kinds = [one["definition"][:8] for one in answer.json()]
    assert kinds == ["camt.029", "pacs.004"]
    back = {"uetrs": [UETRS[1]], "reason": "AC04"}
    assert (await bench.call("POST", "/returns", back, party="exporter-bank")).status_code == 201
    assert await bench.services.balance("exporter") == 0
    assert (await bench.call("POST", "/returns", back, party="exporter")).status_code == 403
    bad = {"uetrs": ["x"], "reason": "AC04"}
    assert (await bench.call("POST", "/returns", bad)).status_code == 400


async def test_a_bank_moves_money_between_its_own_accounts_only(bench: Bench) -> None:
    services = bench.services
    books = bench.services.world.accounts
    importer = services.banks["importer-bank"]
    own = await books.technical(importer, AccountCode.CASH, "importer-bank", "CNY")
    held = await books.technical(importer, AccountCode.ESCROW, "D-9", "CNY")

    def transfer(number: int, **more: Any) -> dict[str, Any]:
        return {
            "transfer": str(UUID(int=number)),
            "debit": str(UUID(services.accounts["importer"])),
            "credit": str(own),
            "amount_minor": 5,
        } | more

    body = {"currency": "CNY", "transfers": [transfer(1), transfer(2, flags=["pending"])]}
    answer = await bench.call("POST", "/transfers", body)
    assert (answer.status_code, answer.json()) == (201, ["created", "created"])
    assert (await bench.call("POST", "/transfers", body)).json() == ["exists", "exists"]
    post = {
        "transfer": str(UUID(int=3)),
        "pending": str(UUID(int=2)),
        "amount_minor": 4,
        "flags": ["post_pending_transfer"],
    }
    body = {"currency": "CNY", "transfers": [post, transfer(4, amount_minor=10**12)]}
    assert (await bench.call("POST", "/transfers", body)).json() == ["created", "exceeds_credits"]
    assert await services.balance("importer") == 10_000_000 - 9
    for credit in (str(UUID(services.accounts["exporter"])), str(held), str(UUID(int=77))):
        body = {"currency": "CNY", "transfers": [transfer(9, credit=credit)]}
        assert (await bench.call("POST", "/transfers", body)).status_code == 404
    body = {"currency": "CNY", "transfers": [transfer(9)]}
    assert (await bench.call("POST", "/transfers", body, party="exporter-bank")).status_code == 404
    assert (await bench.call("POST", "/transfers", body, party="importer")).status_code == 403
    body = {"currency": "CNY", "transfers": [transfer(9, amount_minor=-1)]}
    assert (await bench.call("POST", "/transfers", body)).status_code == 400


async def test_what_the_node_reserved_is_not_for_a_bank_to_resolve_or_to_take(
    bench: Bench,
) -> None:
    services = bench.services
    own = await services.world.accounts.technical(
        services.banks["importer-bank"], AccountCode.CASH, "importer-bank", "CNY"
    )
    payer = UUID(services.accounts["importer"])
    hold = transfer_id("pvp", "hold", "f" * 64, "first")
    ledger = ledger_number(Currency("CNY"))
    reserved = Transfer(hold, payer, own, 7, ledger=ledger, code=5, flags=TransferFlag.PENDING)
    assert (await services.world.ledger.submit("CNY", [reserved]))[0].holds
    void = {"transfer": str(UUID(int=3)), "pending": str(hold), "flags": ["void_pending_transfer"]}
    taken = {
        "transfer": str(transfer_id("escrow", "post", "E-1")),
        "debit": str(payer),
        "credit": str(own),
        "amount_minor": 1,
    }
    # Few are looked at one by one, many in columns.
    others = [taken | {"transfer": str(UUID(int=100 + n))} for n in range(20)]
    for asked in ([void], [taken], [*others, void], [*others, taken]):
        answer = await bench.call("POST", "/transfers", {"currency": "CNY", "transfers": asked})
        assert (answer.status_code, answer.json()["code"]) == (422, "reserved_id")
    assert await services.balance("importer") == 10_000_000 - 7
    leg = UUID(int=int.from_bytes(leg_name("importer-bank", UETRS[0], Leg.RESERVE), "little"))
    with pytest.raises(Refused, match="version 8"):
        _named_by(movements_of(from_transfers([replace(reserved, id=leg)])))
    with pytest.raises(Refused, match="version 8"):
        _named(from_transfers([replace(reserved, id=leg)] * 20))


async def test_records_of_bytes_are_the_same_transfers(bench: Bench) -> None:
    services = bench.services
    own = await services.world.accounts.technical(
        services.banks["importer-bank"], AccountCode.CASH, "importer-bank", "CNY"
    )
    number = ledger_number(Currency("CNY"))
    one = Transfer(UUID(int=21), UUID(services.accounts["importer"]), own, 7, ledger=number, code=4)
    headers = {"x-party": "importer-bank", "x-role": "party", "x-person": ""}
    path = "/v1/finance/transfers/CNY/records"
    client = bench.call._client
    data = from_transfers([one]).tobytes()
    answer = await client.request("POST", path, content=data, headers=headers)
    assert answer.json() == ["created"]
    assert (await client.request("POST", path, content=data, headers=headers)).json() == ["exists"]
    assert (
        await client.request("POST", path, content=data[1:], headers=headers)
    ).status_code == 400


async def test_above_the_limit_one_caller_is_not_enough(world: Any, serve: Any) -> None:
    bench = limited(await BankServices(world).ready(), serve, "CNY 1.00")
    services = bench.services
    assert await told(bench, services.pays(100, 101)) == ["PDNG", "PDNG"]
    # Many small payments of one message are one caller's large one.
    assert await told(bench, services.pays(60, 41, uetr="", message="M-3")) == ["PDNG", "PDNG"]
    # What a bank sends itself is one caller's word, too.
    whole = services.pays(102, uetr=UETRS[7], message="M-2")
    [_, onward] = await services.take("importer-bank", "importer", whole)
    answer = await bench.send("exporter-bank", "importer-bank", onward.data)
    report = decode(read_envelope(answer.json()[0]["xml"].encode()))
    assert [one.status for one in report.statuses] == ["PDNG"]
    assert await services.balance("exporter") == 0
    cash = account_id(
        bank="importer-bank", code=AccountCode.CASH, holder="importer-bank", currency="CNY"
    )
    transfer = {
        "transfer": str(UUID(int=1)),
        "debit": str(UUID(services.accounts["importer"])),
        "credit": str(cash),
        "amount_minor": 101,
    }
    body = {"currency": "CNY", "transfers": [transfer]}
    refused = await bench.call("POST", "/transfers", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "needs_two_persons")
    halves = [{**transfer, "transfer": str(UUID(int=n)), "amount_minor": 51} for n in (1, 2)]
    refused = await bench.call("POST", "/transfers", {"currency": "CNY", "transfers": halves})
    assert (refused.status_code, refused.json()["code"]) == (422, "needs_two_persons")


async def told(bench: Bench, data: bytes) -> list[str]:
    """How the payments of the importer's message stand, as it is answered."""
    answer = await bench.send("importer-bank", "importer", data)
    report = decode(read_envelope(answer.json()[0]["xml"].encode()))
    return [" ".join(filter(None, (one.status, one.reason))) for one in report.statuses]


async def waiting(bench: Bench, party: str) -> str:
    listed = await bench.approvals.approvals(Actor(PartyId(party), Role.PARTY), limit=10)
    [one] = [each for each in listed if each.state == "waits"]
    return one.asked.approval


async def say(bench: Bench, party: str, approval: str, person: str, *, approve: bool) -> None:
    by = Actor(PartyId(party), Role.PARTY, person)
    await bench.approvals.decide(by, approval, approve=approve)


async def test_two_persons_bring_a_payment_above_the_limit_to_its_payee(
    world: Any, serve: Any
) -> None:
    bench = limited(await BankServices(world).ready(), serve, "CNY 1.00")
    services = bench.services
    data = services.pays(101)
    assert await told(bench, data) == ["PDNG"]
    approval = await waiting(bench, "importer")
    await say(bench, "importer", approval, "aigerim", approve=True)
    assert await services.balance("exporter") == 0
    await say(bench, "importer", approval, "bolat", approve=True)
    assert await services.balance("exporter") == 101
    # The message again, even when the words are old: it stands, and moves nothing.
    world.durable.clock.set(world.durable.clock.now().plus_ns(5 * 86_400 * NS))
    assert await told(bench, data) == ["ACSP"]
    assert await services.balance("exporter") == 101


async def test_a_payment_that_a_person_refuses_is_refused(world: Any, serve: Any) -> None:
    bench = limited(await BankServices(world).ready(), serve, "CNY 1.00")
    data = bench.services.pays(101)
    assert await told(bench, data) == ["PDNG"]
    await say(bench, "importer", await waiting(bench, "importer"), "aigerim", approve=False)
    assert await told(bench, data) == ["RJCT DS02"]
    assert await bench.services.balance("importer") == 10_000_000


@pytest.mark.bound("finance.service.payments.payment_approvals.SHOWN_MAX")
@pytest.mark.parametrize("count", [20, 21])
async def test_persons_are_shown_the_first_payments_and_the_sum_of_all(
    world: Any, serve: Any, count: int
) -> None:
    bench = limited(await BankServices(world).ready(), serve, "CNY 1.00")
    await told(bench, bench.services.pays(*[100] * count))
    name = await waiting(bench, "importer")
    approval = await bench.approvals.approval(Actor(PartyId("importer"), Role.PARTY), name)
    assert len(approval.asked.said["first"]) == 20
    assert (approval.asked.said["payments"], approval.amount.minor) == (count, 100 * count)


async def test_a_sum_cut_into_files_is_the_same_sum(world: Any, serve: Any) -> None:
    bench = limited(await BankServices(world).ready(), serve, "CNY 1.00")
    services = bench.services
    files = [services.pays(99, message=f"M-{n}", uetr=UETRS[n]) for n in range(5)]
    assert [(await told(bench, one))[0] for one in files] == ["ACSP", *["PDNG"] * 4]
    assert await services.balance("exporter") == 99
    # Two days later it is another day's sum.
    world.durable.clock.set(world.durable.clock.now().plus_ns(4 * 86_400 * NS))
    later = services.pays(99, message="M-9", uetr=UETRS[9], day="2026-05-05")
    assert await told(bench, later) == ["ACSP"]


async def test_a_closed_day_is_no_way_around_the_limit_inside_one_bank(
    world: Any, serve: Any
) -> None:
    bench = limited(await BankServices(world).ready(), serve, "CNY 1.00")
    world.durable.clock.set(Utc.parse("2026-05-02T08:00:00Z"))
    number = bench.services.accounts["importer"]
    inside = {"payee_account": account(number), "payee_bank": bank("ALMAKZKA")}
    for minor, status in ((101, "PDNG"), (99, "RJCT AC01")):
        data = bench.services.pays(minor, message=f"M-{minor}", day="2026-05-02", **inside)
        assert (await told(bench, data))[0].split()[0] == status.split()[0]


async def test_two_persons_move_money_by_transfers_above_the_limit(world: Any, serve: Any) -> None:
    bench = limited(await BankServices(world).ready(), serve, "CNY 1.00")
    services = bench.services
    cash = account_id(
        bank="importer-bank", code=AccountCode.CASH, holder="importer-bank", currency="CNY"
    )
    one = {"debit": str(UUID(services.accounts["importer"])), "credit": str(cash)}
    before = await services.balance("importer")
    body: dict[str, Any] = {}
    for number, minor, status in ((1, 99, 201), (2, 2, 422)):
        moved = {**one, "transfer": str(UUID(int=number)), "amount_minor": minor}
        body = {"currency": "CNY", "transfers": [moved]}
        assert (await bench.call("POST", "/transfers", body)).status_code == status
    approval = await waiting(bench, "importer-bank")
    for person in ("aigerim", "bolat"):
        await say(bench, "importer-bank", approval, person, approve=True)
    assert await services.balance("importer") == before - 101
    assert (await bench.call("POST", "/transfers", body)).json() == ["exists"]


async def test_what_leaves_a_banks_cash_counts_with_what_left_it_lately(
    world: Any, serve: Any
) -> None:
    bench = served(await BankServices(world).ready(), serve, Limits({"CNY": 100}))
    cash = account_id(
        bank="importer-bank", code=AccountCode.CASH, holder="importer-bank", currency="CNY"
    )
    importer = UUID(bench.services.accounts["importer"])

    async def move(number: int, minor: int, person: str = "", *, back: bool = False) -> Any:
        debit, credit = (importer, cash) if back else (cash, importer)
        one = {
            "transfer": str(UUID(int=number)),
            "debit": str(debit),
            "credit": str(credit),
            "amount_minor": minor,
        }
        body = {"currency": "CNY", "transfers": [one]}
        return await bench.call("POST", "/transfers", body, person=person)

    for _ in range(2):  # the same request again is not another one
        assert (await move(1, 60)).status_code == 201
    # A customer's money that the bank moves is moved by the same word; its way back frees nothing.
    for back in (True, False):
        split = await move(3, 41, back=back)
        assert (split.status_code, split.json()["code"]) == (422, "needs_two_persons")
    assert (await move(4, 40)).status_code == 201
    # Whoever asks: the same account, and a token may be anybody's.
    assert (await move(5, 1, "aigerim")).status_code == 422
    # Deposits make money out of the same word.
    deposits = Deposits(accounts=world.accounts, ledger=world.ledger, approvals=bench.approvals)
    bank = Actor(PartyId("importer-bank"), Role.PARTY)
    with pytest.raises(Refused) as refused:
        await deposits.deposit(
            bank, deposit="d-1", holder="importer", amount=Money(1, Currency("CNY"))
        )
    assert refused.value.code == "needs_two_persons"


async def test_an_amount_of_more_than_64_bits_is_no_way_around_the_limit(
    world: Any, serve: Any
) -> None:
    """A balancing transfer moves what there is, however much more was asked."""
    bench = served(await BankServices(world).ready(), serve, Limits({"CNY": 100}))
    cash = account_id(
        bank="importer-bank", code=AccountCode.CASH, holder="importer-bank", currency="CNY"
    )
    most = Transfer(
        id=UUID(int=1),
        debit_account_id=UUID(bench.services.accounts["importer"]),
        credit_account_id=cash,
        amount=2**64,
        ledger=ledger_number(Currency("CNY")),
        code=1,
        flags=TransferFlag.BALANCING_DEBIT,
    )
    bank = {"x-party": "importer-bank", "x-role": "party", "x-person": ""}
    refused = await bench.call._client.request(
        "POST",
        "/v1/finance/transfers/CNY/records",
        content=from_transfers([most]).tobytes(),
        headers=bank,
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "needs_two_persons")


async def test_movements_are_for_the_bank_and_the_holder_as_they_happen(bench: Bench) -> None:
    services = bench.services
    path = f"/accounts/{UUID(services.accounts['exporter'])}/movements"
    empty = (await bench.call("GET", path, party="exporter")).json()
    assert (empty["movements"], empty["complete"]) == ([], True)
    await bench.send("importer-bank", "importer", services.pays(700))
    for party, others in (("exporter", {""}), ("exporter-bank", {"importer-bank"})):
        told = (await bench.call("GET", path, party=party)).json()
        assert [(m["amount_minor"], m["state"], m["uetr"]) for m in told["movements"]] == [
            (700, "booked", UETRS[0])
        ]
        assert {m["other"] for m in told["movements"]} == others
        assert (told["currency"], told["exponent"], told["complete"]) == ("CNY", 2, True)
        told_by = told["movements"][0]
        assert (told_by["counterparty"], told_by["end_to_end"]) == ("Importer", "E-0")
        assert told_by["remittance"] == "invoice 7"
    assert (await bench.call("GET", path, party="importer")).status_code == 404
    assert (await bench.call("GET", path + "?limit=0", party="exporter")).status_code == 400


async def test_a_movement_names_the_reservation_that_it_books_or_frees(bench: Bench) -> None:
    services = bench.services
    own = await services.world.accounts.technical(
        services.banks["importer-bank"], AccountCode.CASH, "importer-bank", "CNY"
    )
    payer = UUID(services.accounts["importer"])
    number = ledger_number(Currency("CNY"))
    post, void = "post_pending_transfer", "void_pending_transfer"
    for first, flag, amount, state in (
        (31, post, 7, "booked"),
        (41, void, 7, "freed"),
        (51, post, 0, "freed"),
    ):
        held, ends = UUID(int=first), UUID(int=first + 1)
        hold = Transfer(held, payer, own, 7, ledger=number, code=4, flags=TransferFlag.PENDING)
        assert (await services.world.ledger.submit("CNY", [hold]))[0].holds
        end = {"transfer": str(ends), "pending": str(held), "flags": [flag]}
        body = {"currency": "CNY", "transfers": [end | {"amount_minor": amount}]}
        assert (await bench.call("POST", "/transfers", body)).json() == ["created"]
        path = f"/accounts/{payer}/movements?limit=2"
        told = (await bench.call("GET", path, party="importer-bank")).json()["movements"]
        assert [(each["state"], each["resolves"]) for each in told] == [
            (state, str(held)),
            ("reserved", ""),
        ]


async def test_all_movements_are_reached_page_by_page_and_a_moment_has_its_balance(
    bench: Bench,
) -> None:
    services, clock = bench.services, bench.services.world.durable.clock
    for number in range(5):
        data = services.pays(100 + number, message=f"M-{number}", uetr=UETRS[number])
        await bench.send("importer-bank", "importer", data)
        clock.advance(60)
    account = UUID(services.accounts["exporter"])
    found, after = [], ""
    while not found or after:
        page = (
            await bench.call(
                "GET", f"/movements?account={account}&limit=2&after={after}", party="exporter"
            )
        ).json()
        found += [one["amount_minor"] for one in page["movements"]]
        after = page["after"]
    assert found == [104, 103, 102, 101, 100]
    for minutes, balance in ((-1, 0), (0, 100), (1, 201), (4, 510), (5, 510)):
        at = str(Utc.from_unix_ns(clock.now().unix_ns + (minutes * 60 - 290) * NS))
        path = f"/accounts/{account}/balance?at={at}"
        told = (await bench.call("GET", path, party="exporter-bank")).json()
        assert (told["balance_minor"], told["currency"]) == (balance, "CNY")
    path = f"/accounts/{account}/balance?at="
    ahead = str(Utc.from_unix_ns(clock.now().unix_ns + 61 * NS))
    refused = await bench.call("GET", path + ahead, party="exporter")
    assert (refused.status_code, refused.json()["code"]) == (422, "not_yet")
    assert (await bench.call("GET", path + str(clock.now()), party="importer")).status_code == 404
    assert (await bench.call("GET", path + "x" * 25, party="exporter")).status_code == 400
    assert (await bench.call("GET", "/movements", party="exporter")).json()["movements"] == []
    path = f"/movements?account={account}"
    assert (await bench.call("GET", path, party="importer")).status_code == 404


async def test_a_payment_that_waits_is_seen_and_taken_back_over_http(bench: Bench) -> None:
    services = bench.services
    answer = await bench.send("importer-bank", "importer", services.pays(700, 30, day="2026-05-04"))
    assert [one["definition"] for one in answer.json()] == ["pain.002.001.12"]
    [order] = (await bench.call("GET", "/payment-orders", party="importer")).json()
    assert (order["state"], order["waiting"], order["payments"]) == ("waits", 2, 2)
    assert order["sums"] == [{"currency": "CNY", "exponent": 2, "amount_minor": 730}]
    assert [one["state"] for one in order["first"]] == ["waits", "waits"]
    path = f"/payment-orders/{order['payment_order']}"
    assert (await bench.call("GET", path, party="importer-bank")).json() == order
    assert (await bench.call("GET", "/payment-orders", party="exporter")).json() == []
    cancel = path + "/cancellation"
    for party, status in (("exporter", 404), ("importer-bank", 403)):
        assert (await bench.call("POST", cancel, {}, party=party)).status_code == status
    body = {"uetrs": [UETRS[0]]}
    told = (await bench.call("POST", cancel, body, party="importer")).json()
    assert [one["state"] for one in told["first"]] == ["cancelled", "waits"]
    services.world.durable.clock.set(Utc.parse("2026-05-04T01:00:00Z"))
    await services.days.tick()
    late = await bench.call("POST", cancel, {"uetrs": [UETRS[1]]}, party="importer")
    assert (late.status_code, late.json()["code"]) == (409, "payment_left")
    assert await services.balance("exporter") == 30


async def test_a_statement_is_for_the_bank_and_the_holder(bench: Bench) -> None:
    services = bench.services
    await bench.send("importer-bank", "importer", services.pays(700))
    path = f"/accounts/{UUID(services.accounts['exporter'])}/statement?first=2026-05-01&last=2026-05-01"
    for party in ("exporter", "exporter-bank"):
        answer = await bench.call("GET", path, party=party)
        assert answer.status_code == 200, answer.text
        told = camt053.decode(answer.content)
        assert [(one.amount_minor, one.uetr) for one in told.entries] == [(700, UETRS[0])]
    csv = await bench.call("GET", path + "&form=csv", party="exporter")
    assert csv.headers["content-type"].startswith("text/csv")
    assert ",7.00,7.00,CNY" in csv.text
    # What a program matches invoices by, and each side sees its own.
    assert ",2026-05-01,E-0,Importer," in csv.text
    assert csv.text.splitlines()[2].endswith(",invoice 7,")
    details = camt053.decode((await bench.call("GET", path, party="exporter")).content).entries[0]
    assert details.details is not None
    assert (details.details.end_to_end, details.valued.isoformat()) == ("E-0", "2026-05-01")
    notice = await bench.call("GET", path + "&form=camt054", party="exporter")
    [entry] = decode(read_envelope(notice.content)).entries
    assert (entry.end_to_end, entry.uetr, entry.amount_minor) == ("E-0", UETRS[0], 700)
    own = f"/accounts/{UUID(services.accounts['importer'])}/statement?first=2026-05-01&last=2026-05-01"
    mine = camt053.decode((await bench.call("GET", own, party="importer")).content)
    assert [one.details.end_to_end for one in mine.entries if one.details] == ["", "E-0"][-1:]
    assert (await bench.call("GET", path, party="importer")).status_code == 404
    assert (await bench.call("GET", path + "&page=2", party="exporter")).status_code == 400
    wrong = path.replace("2026-05-01&", "2026-02-30&")
    assert (await bench.call("GET", wrong, party="exporter")).status_code == 400
