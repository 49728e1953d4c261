"""A payment's life by messages: instructed, passed on, answered, advised, asked back, given back."""

from __future__ import annotations

import asyncio
from datetime import date
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.finance.service.bank_services import UETRS, BankServices, read

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Conflict, Forbidden, NotFound, Refused
from zhidao.core.ids import PartyId
from zhidao.core.timescale import NS, Utc
from zhidao.finance.adapters.schema_pack import FolderSchemas
from zhidao.finance.domain.payments.message import (
    Answers,
    Notice,
    Recalls,
    Returns,
    StatusReport,
    Transfers,
)
from zhidao.finance.events import BankAdmitted
from zhidao.finance.service.ledger.account_statements import Statements
from zhidao.finance.service.payments import payments
from zhidao.finance.service.payments.directory import Directory
from zhidao.finance.wire.iso20022.messages import camt053
from zhidao.finance.wire.iso20022.messages.credit_transfers import BANKS
from zhidao.finance.wire.iso20022.messages.messages import encode
from zhidao.finance.wire.iso20022.syntax.trees import account, bank

START = 10_000_000


@pytest.fixture
async def services(world) -> BankServices:
    return await BankServices(world).ready()


@pytest.fixture
async def checked(world, shared) -> BankServices:
    return await BankServices(world, FolderSchemas(shared / "finance" / "xsd")).ready()


async def paid(services: BankServices, *amounts: int) -> list:
    """The whole way of some payments; the messages after the instruction."""
    report, onward = await services.take("importer-bank", "importer", services.pays(*amounts))
    answer, *notices = await services.take("exporter-bank", "importer-bank", onward.data)
    told = await services.take("importer-bank", "exporter-bank", answer.data)
    return [report, onward, answer, *notices, *told]


async def test_a_payment_goes_from_instruction_to_statement(checked: BankServices) -> None:
    services = checked
    first, onward = await services.take("importer-bank", "importer", services.pays(700, 300))
    report, file = read(first), read(onward)
    assert isinstance(report, StatusReport)
    assert [one.status for one in report.statuses] == ["ACSP", "ACSP"]
    assert isinstance(file, Transfers)
    assert (file.sender, onward.receiver) == ("ALMAKZKA", "XIANCNBJ")
    assert await services.balance("importer") == START - 1_000
    assert await services.balance("exporter") == 0

    answer, advice = await services.take("exporter-bank", "importer-bank", onward.data)
    status, notice = read(answer), read(advice)
    assert isinstance(status, StatusReport)
    assert (status.status, status.original) == ("ACSC", file.message)
    assert isinstance(notice, Notice)
    assert [(one.amount_minor, one.uetr) for one in notice.entries] == [
        (700, UETRS[0]),
        (300, UETRS[1]),
    ]
    assert await services.balance("exporter") == 1_000

    [last] = await services.take("importer-bank", "exporter-bank", answer.data)
    final = read(last)
    assert isinstance(final, StatusReport)
    assert (final.original, final.status) == ("M-1", "ACSC")
    statement = await Statements(
        services.world.durable.store, services.world.durable.clock
    ).statement(
        "CNY",
        UUID(services.accounts["exporter"]),
        message="S-1",
        first_day=date(2026, 5, 1),
        last_day=date(2026, 5, 1),
    )
    assert [one.amount_minor for one in statement.entries] == [700, 300]
    assert statement.closing_minor == await services.balance("exporter")
    assert camt053.decode(camt053.encode(statement)) == statement


async def test_a_message_that_comes_again_moves_nothing_more_and_is_answered_alike(
    services: BankServices,
) -> None:
    report, onward = await services.take("importer-bank", "importer", services.pays(700))
    again = await services.take("importer-bank", "importer", services.pays(700))
    assert [one.data for one in again] == [report.data, onward.data]
    answers = [await services.take("exporter-bank", "importer-bank", onward.data) for _ in range(2)]
    assert answers[0] == answers[1]
    for _ in range(2):
        await services.take("importer-bank", "exporter-bank", answers[0][0].data)
    assert (await services.balance("importer"), await services.balance("exporter")) == (
        START - 700,
        700,
    )


async def test_messages_that_come_together_are_answered_one_by_one(services: BankServices) -> None:
    files = []
    for number, amount in enumerate((700, 300, 5)):
        changes = {"uetr": UETRS[number]}
        if amount == 5:
            changes["payee_account"] = account("00" * 16)
        instruction = services.pays(amount, message=f"M-{number}", **changes)
        _, onward = await services.take("importer-bank", "importer", instruction)
        files.append(onward.data)
    bank_there = services.banks["exporter-bank"]
    # The first comes twice, and a message in another's name among them harms nobody else.
    many = [files[0], b"<nonsense/>", files[1], files[2], files[0]]
    others = services.pays(1, message="M-9", uetr=UETRS[9])
    _, elsewhere = await services.take("importer-bank", "importer", others)
    forged = elsewhere.data.replace(b"ALMAKZKA", b"XIANCNBJ")
    *together, refused, twin = await asyncio.gather(
        *(
            services.payments.take(bank_there, "importer-bank", data)
            for data in [*many[:4], forged, many[4]]
        ),
        return_exceptions=True,
    )
    assert isinstance(refused, Forbidden)
    assert twin == together[0]
    many = many[:4]
    statuses = [read(answer[0]) for answer in together]
    assert [(one.status, one.reason) for one in statuses] == [
        *(("ACSC", ""), ("RJCT", "FF01"), ("ACSC", ""), ("RJCT", "")),
    ]
    assert [len(answer) for answer in together] == [2, 1, 2, 1]
    assert statuses[3].statuses[0].reason == "AC01"
    assert await services.balance("exporter") == 1_000
    one_by_one = [await services.take("exporter-bank", "importer-bank", data) for data in many]
    assert one_by_one == together


async def test_another_message_under_a_used_id_or_uetr_is_a_duplicate(
    services: BankServices,
) -> None:
    await services.take("importer-bank", "importer", services.pays(700))
    [told] = await services.take("importer-bank", "importer", services.pays(701))
    report = read(told)
    assert isinstance(report, StatusReport)
    assert (report.status, report.reason) == ("RJCT", "DUPL")
    [told] = await services.take("importer-bank", "importer", services.pays(700, message="M-2"))
    report = read(told)
    assert isinstance(report, StatusReport)
    assert [(one.status, one.reason) for one in report.statuses] == [("RJCT", "DUPL")]
    assert await services.balance("importer") == START - 700


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"payee_account": account("00" * 16)}, "AC01"),
        ({"payee_account": account("kein-konto")}, "AC01"),
        ({"currency": "EUR"}, "AM03"),
    ],
)
async def test_a_refused_payment_goes_back_to_the_payer(
    services: BankServices, changes: dict, code: str
) -> None:
    if "currency" in changes:
        # The payer's bank refuses that itself.
        [told] = await services.take("importer-bank", "importer", services.pays(700, **changes))
    else:
        _, onward = await services.take("importer-bank", "importer", services.pays(700, **changes))
        assert await services.balance("importer") == START - 700
        [answer] = await services.take("exporter-bank", "importer-bank", onward.data)
        [told] = await services.take("importer-bank", "exporter-bank", answer.data)
        refused = read(answer)
        assert isinstance(refused, StatusReport)
        assert [one.reason for one in refused.statuses] == [code]
    report = read(told)
    assert isinstance(report, StatusReport)
    assert [(one.status, one.reason) for one in report.statuses] == [("RJCT", code)]
    assert await services.balance("importer") == START


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount_minor": START + 1}, "AM04"),
        ({"amount_minor": 0}, "AM01"),
        ({"payer_account": account("00" * 16)}, "AC01"),
        ({"payee_bank": bank("NOSUCHXX")}, "RC01"),
        ({"day": "2026-04-01"}, "DT01"),
        ({"end_to_end": "/slash"}, "FF01"),
    ],
)
async def test_what_a_customer_cannot_do_has_its_external_code(
    services: BankServices, changes: dict, code: str
) -> None:
    [told] = await services.take("importer-bank", "importer", services.pays(700, **changes))
    report = read(told)
    assert isinstance(report, StatusReport)
    reasons = {one.reason for one in report.statuses} | {report.reason}
    assert code in reasons
    assert await services.balance("importer") == START


async def test_only_the_holder_pays_and_only_a_bank_speaks_for_itself(
    services: BankServices,
) -> None:
    [told] = await services.take("importer-bank", "exporter", services.pays(700))
    report = read(told)
    assert isinstance(report, StatusReport)
    assert report.statuses[0].reason == "AG01"
    _, onward = await services.take("importer-bank", "importer", services.pays(700, message="M-2"))
    with pytest.raises(Forbidden):
        await services.take("exporter-bank", "exporter", onward.data)
    with pytest.raises(Refused, match="is for"):
        await services.take("importer-bank", "importer-bank", onward.data)


async def test_inside_one_bank_money_moves_at_once(services: BankServices) -> None:
    changes = {
        "payee_account": account(services.accounts["importer"]),
        "payer_account": account(services.accounts["importer"]),
        "payee_bank": bank("ALMAKZKAXXX"),
    }
    [told] = await services.take("importer-bank", "importer", services.pays(5, **changes))
    report = read(told)
    assert isinstance(report, StatusReport)
    # The same account on both sides is the one thing that the ledger refuses here.
    assert report.statuses[0].note == "accounts must be different"


async def test_inside_one_bank_no_day_is_closed_and_between_banks_one_waits(
    services: BankServices,
) -> None:
    importer_bank = services.banks["importer-bank"]
    opened = await services.world.accounts.open(
        Actor(PartyId("importer-bank"), Role.PARTY),
        holder="carrier",
        currency="CNY",
        name="Carrier",
        town="Almaty",
        country="KZ",
    )
    number = UUID(opened.opened.account).hex
    services.world.durable.clock.set(Utc.parse("2026-05-02T08:00:00Z"))
    saturday = {"day": "2026-05-02"}
    inside = services.pays(
        70, message="M-5", payee_account=account(number), payee_bank=bank("ALMAKZKA"), **saturday
    )
    report, *_ = await services.payments.take(importer_bank, "importer", inside)
    assert read(report).status == "ACSC"
    [waits] = await services.take(
        "importer-bank", "importer", services.pays(70, message="M-6", uetr=UETRS[3], **saturday)
    )
    assert read(waits).status == "ACWC"
    assert read(waits).statuses[0].note == "waits until 2026-05-04T00:00:00+00:00"
    # Another fault of the same payment is one, whatever the day.
    wrong = services.pays(
        *(70,),
        message="M-7",
        uetr=UETRS[4],
        charges="XXXX",
        payee_account=account(number),
        payee_bank=bank("ALMAKZKA"),
        **saturday,
    )
    [refused] = await services.take("importer-bank", "importer", wrong)
    assert read(refused).status == "RJCT"


async def test_a_strangers_answer_posts_nothing(services: BankServices) -> None:
    _, onward = await services.take("importer-bank", "importer", services.pays(700))
    [answer, _] = await services.take("exporter-bank", "importer-bank", onward.data)
    forged = answer.data.replace(b"XIANCNBJ", b"ALMAKZKA")
    assert await services.take("importer-bank", "importer-bank", forged) == []
    history = await services.world.ledger.find("CNY", [])
    assert not history.fates


async def test_a_refused_file_gives_every_reservation_back(services: BankServices) -> None:
    _, onward = await services.take("importer-bank", "importer", services.pays(700, 300))
    broken = onward.data.replace(b"<NbOfTxs>2<", b"<NbOfTxs>3<")
    [answer] = await services.take("exporter-bank", "importer-bank", broken)
    report = read(answer)
    assert isinstance(report, StatusReport)
    assert (report.status, report.reason) == ("RJCT", "AM18")
    await services.take("importer-bank", "exporter-bank", answer.data)
    assert await services.balance("importer") == START
    unreadable = onward.data.replace(b"<SttlmMtd>INGA<", b"<SttlmMtd>XXXX<")
    [answer] = await services.take("exporter-bank", "importer-bank", unreadable)
    report = read(answer)
    assert isinstance(report, StatusReport)
    assert (report.status, report.reason) == ("RJCT", "FF01")
    assert "SttlmMtd, line" in report.note


async def test_an_agreed_recall_brings_the_money_back(checked: BankServices) -> None:
    services = checked
    await paid(services, 700, 300)
    importer, exporter = services.banks["importer-bank"], services.banks["exporter-bank"]
    [asked] = await services.payments.back.recall(
        importer, UETRS[:2], reason="DUPL", note="sent twice"
    )
    assert isinstance(read(asked), Recalls)
    [pending] = await services.take("exporter-bank", "importer-bank", asked.data)
    waiting = read(pending)
    assert isinstance(waiting, Answers)
    assert waiting.outcome == "PDCR"
    answer, returned = await services.payments.back.answer_recall(
        exporter, "importer-bank", asked.message, agreed=[UETRS[0]]
    )
    answers, back = read(answer), read(returned)
    assert isinstance(answers, Answers)
    assert [(one.status, one.reason) for one in answers.answers] == [("ACCR", ""), ("RJCR", "CUST")]
    assert isinstance(back, Returns)
    assert [(one.uetr, one.reason) for one in back.returns] == [(UETRS[0], "FOCR")]
    assert await services.balance("exporter") == 300
    assert await services.take("importer-bank", "exporter-bank", answer.data) == []
    status, notice = await services.take("importer-bank", "exporter-bank", returned.data)
    assert isinstance(read(notice), Notice)
    report = read(status)
    assert isinstance(report, StatusReport)
    assert report.status == "ACSC"
    assert await services.balance("importer") == START - 300
    # A second recall of what is back, and one of what never came.
    for uetr, code in ((UETRS[0], "ARDT"), (UETRS[9], "NOOR")):
        again = Recalls(*read(asked)[:5], (read(asked).recalls[0]._replace(uetr=uetr),))
        again = again._replace(message=f"Q-{code}")
        [told] = await services.take("exporter-bank", "importer-bank", encode(again))
        refused = read(told)
        assert isinstance(refused, Answers)
        assert [(one.status, one.reason) for one in refused.answers] == [("RJCR", code)]


async def test_a_payee_who_spent_the_money_cannot_give_it_back(services: BankServices) -> None:
    await paid(services, 700)
    exporter = services.banks["exporter-bank"]
    spent = services.pays(
        600,
        message="M-9",
        uetr=UETRS[50],
        payer_account=account(services.accounts["exporter"]),
        payer_bank=bank("XIANCNBJ"),
        payee_account=account(services.accounts["importer"]),
        payee_bank=bank("ALMAKZKA"),
    )
    await services.take("exporter-bank", "exporter", spent)
    with pytest.raises(Refused) as refused:
        await services.payments.back.give_back(exporter, [UETRS[0]], reason="AC04")
    assert refused.value.code == "AM04"


async def test_a_recall_is_answered_once_and_other_words_are_refused(
    services: BankServices,
) -> None:
    await paid(services, 700, 300)
    exporter, importer = services.banks["exporter-bank"], services.banks["importer-bank"]
    [asked] = await services.payments.back.recall(
        importer, UETRS[:2], reason="DUPL", note="sent twice"
    )
    await services.take("exporter-bank", "importer-bank", asked.data)

    async def answer(*agreed: str) -> list[bytes]:
        told = await services.payments.back.answer_recall(
            exporter, "importer-bank", asked.message, agreed=agreed
        )
        return [one.data for one in told]

    first = await answer(UETRS[0])
    clock = services.world.durable.clock
    clock.set(clock.now().plus_ns(5 * NS))
    assert await answer(UETRS[0]) == first
    for other in ((), UETRS[:2]):
        with pytest.raises(Conflict):
            await answer(*other)
    assert await services.balance("exporter") == 300


async def test_a_payee_who_had_no_money_gives_it_back_once_it_has_some(
    services: BankServices,
) -> None:
    await paid(services, 700)
    exporter, importer = services.banks["exporter-bank"], services.banks["importer-bank"]
    spent = services.pays(
        600,
        message="M-9",
        uetr=UETRS[50],
        payer_account=account(services.accounts["exporter"]),
        payer_bank=bank("XIANCNBJ"),
        payee_account=account(services.accounts["importer"]),
        payee_bank=bank("ALMAKZKA"),
    )
    await services.take("exporter-bank", "exporter", spent)
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            await services.payments.back.give_back(exporter, [UETRS[0]], reason="AC04")
        assert refused.value.code == "AM04"
    more = services.pays(1_000, message="M-10", uetr=UETRS[51])
    _, onward = await services.take("importer-bank", "importer", more)
    await services.take("exporter-bank", "importer-bank", onward.data)
    for _ in range(2):
        await services.payments.back.give_back(exporter, [UETRS[0]], reason="AC04")
        assert await services.balance("exporter") == 400
    [asked] = await services.payments.back.recall(importer, UETRS[:1], reason="DUPL")
    [told] = await services.take("exporter-bank", "importer-bank", asked.data)
    answers = read(told)
    assert isinstance(answers, Answers)
    assert [(one.status, one.reason) for one in answers.answers] == [("RJCR", "ARDT")]


async def test_an_instruction_that_comes_again_later_does_not_undo_the_payment(
    services: BankServices,
) -> None:
    _, onward = await services.take("importer-bank", "importer", services.pays(700))
    answer, _ = await services.take("exporter-bank", "importer-bank", onward.data)
    clock = services.world.durable.clock
    clock.set(clock.now().plus_ns(5 * NS))
    _, again = await services.take("importer-bank", "importer", services.pays(700))
    assert again.data == onward.data
    # Even a bank that calls the second copy a duplicate has not said that it refused the first.
    other = onward.data.replace(b"invoice 7", b"invoice 8")
    [twice] = await services.take("exporter-bank", "importer-bank", other)
    assert await services.take("importer-bank", "exporter-bank", twice.data) == []
    assert (await services.balance("importer"), await services.balance("exporter")) == (
        START - 700,
        700,
    )
    [told] = await services.take("importer-bank", "exporter-bank", answer.data)
    final = read(told)
    assert isinstance(final, StatusReport)
    assert final.status == "ACSC"


async def test_a_bank_recalls_no_payment_of_another_bank(services: BankServices) -> None:
    await paid(services, 700)
    [asked] = await services.payments.back.recall(
        services.banks["importer-bank"], UETRS[:1], reason="DUPL"
    )
    third = BankAdmitted(
        bank="third-bank", name="Third", bic="THRDKZKA", town="Almaty", country="KZ"
    )
    await services.world.accounts.admit(Actor(PartyId("operator"), Role.OPERATOR), third)
    stolen = asked.data.replace(b"ALMAKZKA", b"THRDKZKA")
    [told] = await services.take("exporter-bank", "third-bank", stolen)
    answers = read(told)
    assert isinstance(answers, Answers)
    assert [(one.status, one.reason) for one in answers.answers] == [("RJCR", "NOOR")]
    exporter = services.banks["exporter-bank"]
    [told] = await services.payments.back.answer_recall(
        exporter, "third-bank", asked.message, agreed=UETRS[:1]
    )
    assert isinstance(read(told), Answers)
    assert await services.balance("exporter") == 700


async def test_what_went_back_before_an_error_is_told_when_it_is_asked_for_alone(
    services: BankServices,
) -> None:
    await paid(services, 700, 300)
    exporter = services.banks["exporter-bank"]
    spent = services.pays(
        200,
        message="M-9",
        uetr=UETRS[50],
        payer_account=account(services.accounts["exporter"]),
        payer_bank=bank("XIANCNBJ"),
        payee_account=account(services.accounts["importer"]),
        payee_bank=bank("ALMAKZKA"),
    )
    await services.take("exporter-bank", "exporter", spent)
    with pytest.raises(Refused, match=UETRS[1]):
        await services.payments.back.give_back(exporter, UETRS[:2], reason="AC04")
    assert await services.balance("exporter") == 100
    [returned] = await services.payments.back.give_back(exporter, UETRS[:1], reason="AC04")
    await services.take("importer-bank", "exporter-bank", returned.data)
    assert await services.balance("importer") == START - 300


async def test_a_file_of_unknown_banks_reads_the_list_of_banks_once(
    services: BankServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_banks, times = Directory._read_banks, []

    async def counted(directory: Directory) -> None:
        times.append(1)
        await read_banks(directory)

    monkeypatch.setattr(Directory, "_read_banks", counted)
    [told] = await services.take(
        "importer-bank", "importer", services.pays(1, 2, 3, payee_bank=bank("NOSUCHXX"))
    )
    report = read(told)
    assert isinstance(report, StatusReport)
    assert [one.reason for one in report.statuses] == ["RC01"] * 3
    assert len(times) == 1


async def test_a_return_beyond_what_was_paid_or_of_nothing_is_refused(
    services: BankServices,
) -> None:
    await paid(services, 700)
    exporter = services.banks["exporter-bank"]
    [returned] = await services.payments.back.give_back(exporter, [UETRS[0]], reason="AC04")
    back = read(returned)
    assert isinstance(back, Returns)
    more = back._replace(message="B-2", returns=(back.returns[0]._replace(returned_minor=701),))
    unknown = back._replace(message="B-3", returns=(back.returns[0]._replace(uetr=UETRS[8]),))
    for message, code in ((more, "AM09"), (unknown, "NOOR")):
        [told] = await services.take("importer-bank", "exporter-bank", encode(message))
        report = read(told)
        assert isinstance(report, StatusReport)
        assert [(one.status, one.reason) for one in report.statuses] == [("RJCT", code)]
    with pytest.raises(Refused):
        await services.payments.back.give_back(exporter, [UETRS[7]], reason="AC04")
    with pytest.raises(Refused):
        await services.payments.back.recall(exporter, [UETRS[7]], reason="DUPL")
    with pytest.raises(NotFound):
        await services.payments.back.answer_recall(exporter, "importer-bank", "none", agreed=[])


async def test_banks_pay_each_other_with_pacs_009(services: BankServices) -> None:
    one = read_transfer(services)
    message = Transfers(BANKS, "F-1", "2026-05-01T08:00:00+00:00", "ALMAKZKA", "XIANCNBJ", (one,))
    [told] = await services.take("exporter-bank", "importer-bank", encode(message))
    report = read(told)
    assert isinstance(report, StatusReport)
    assert report.status == "ACSC"


def read_transfer(services: BankServices):
    from zhidao.finance.wire.iso20022.messages.messages import decode
    from zhidao.finance.wire.iso20022.syntax.envelope import read_envelope

    file = decode(read_envelope(services.pays(9_000)))
    assert isinstance(file, Transfers)
    return file.transfers[0]._replace(
        group="", charges="", payer=bank("ALMAKZKA"), payee=bank("XIANCNBJ")
    )


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
async def test_any_spoiled_message_is_answered_and_money_stays_whole(
    services: BankServices, data: st.DataObject
) -> None:
    message = bytearray(
        services.pays(7, message=data.draw(st.from_regex(r"[A-Z0-9]{20}", fullmatch=True)))
    )
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(message) - 1))
        message[place : place + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=6))
    try:
        outgoing = await services.take("importer-bank", "importer", bytes(message))
    except Refused:
        return
    assert outgoing
    for one in outgoing:
        read(one)


@pytest.mark.bound("finance.service.payments.payments._STEPS_MAX")
@pytest.mark.parametrize("steps", [3, 2])
async def test_messages_past_the_bound_of_one_carrying_are_not_dropped_in_silence(
    services: BankServices, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    # The instruction, its payment at the other bank, and that bank's answer.
    monkeypatch.setattr(payments, "_STEPS_MAX", steps)
    importer = Actor(PartyId("importer"), Role.PARTY)
    bank = services.banks["importer-bank"]
    if steps == 3:
        assert await services.payments.carry(bank, importer, services.pays(700))
    else:
        with pytest.raises(Refused, match="more than 2 messages follow from one; 1") as refusal:
            await services.payments.carry(bank, importer, services.pays(700))
        assert (refusal.value.code, bool(refusal.value.remedy)) == ("too_many", True)
    assert await services.balance("exporter") == 700
