"""A bank whose books stand here moves no money past them by a message that it wrote itself."""

from __future__ import annotations

from typing import Any

import pytest
from tests.finance.service.bank_services import UETRS, BankServices, read
from tests.finance.service.payments.test_returns import START, give_back, paid

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Refused
from zhidao.core.ids import PartyId
from zhidao.finance.domain.naming import AccountCode, account_id
from zhidao.finance.domain.payments.message import (
    Return,
    Returns,
    Status,
    StatusReport,
    Transfers,
)
from zhidao.finance.events import BankAdmitted
from zhidao.finance.wire.iso20022.messages import reversals
from zhidao.finance.wire.iso20022.messages.credit_transfers import CUSTOMERS
from zhidao.finance.wire.iso20022.messages.messages import encode
from zhidao.finance.wire.iso20022.messages.statuses import TO_BANK
from zhidao.finance.wire.iso20022.syntax.trees import account, bank

PAYER, PAYEE = "importer-bank", "exporter-bank"


@pytest.fixture
async def services(world: Any) -> BankServices:
    return await BankServices(world).ready()


def by(party: str, person: str = "") -> Actor:
    return Actor(PartyId(party), Role.PARTY, person)


async def by_hand(services: BankServices, uetr: str = UETRS[0], minor: int = 700) -> bytes:
    """pacs.004 of the payee's bank, with the right UETR and an id of its own."""
    sent = await give_back(services, uetr)
    [one] = read(sent).returns
    one = one._replace(returned_minor=minor, uetr=uetr)
    made = (reversals.RETURN, "BY-HAND", "2026-05-01T08:00:00+00:00", "XIANCNBJ", "ALMAKZKA")
    return encode(Returns(*made, (one,)))


async def owed(services: BankServices) -> tuple[int, int]:
    """What the payer's bank owes the other by its books, and by the other's."""
    found = []
    for here, code, other in (
        (PAYER, AccountCode.DUE_TO_BANK, PAYEE),
        (PAYEE, AccountCode.DUE_FROM_BANK, PAYER),
    ):
        name = account_id(bank=here, code=code, holder=other, currency="CNY")
        found.append((await services.world.ledger.account("CNY", name)).balance)
    return found[0], found[1]


@pytest.mark.parametrize("person", ["", "li"])
async def test_a_return_that_a_bank_of_this_node_wrote_itself_is_refused(
    services: BankServices, person: str
) -> None:
    await paid(services, 700)
    forged = await by_hand(services)
    before = await owed(services)
    with pytest.raises(Refused) as refused:
        await services.payments.carry(services.banks[PAYER], by(PAYEE, person), forged)
    assert (refused.value.code, refused.value.where) == ("past_own_books", "BY-HAND")
    assert "keeps the books of exporter-bank" in str(refused.value)
    assert await services.balance("importer") == START - 700
    assert await owed(services) == before
    # What its service made may be brought by anybody of it, and by itself.
    sent = await give_back(services)
    await services.payments.carry(services.banks[PAYER], by(PAYEE, person), sent.data)
    assert (await services.balance("importer"), await services.balance("exporter")) == (START, 0)
    await services.goes_on()  # Whoever brings it gets the answer; the bank asks for it again.
    assert await owed(services) == (0, 0)


async def test_a_payment_that_a_bank_of_this_node_wrote_itself_is_refused(
    services: BankServices,
) -> None:
    _, onward = await services.take(PAYER, "importer", services.pays(700))
    file = read(onward)
    assert isinstance(file, Transfers)
    [one] = file.transfers
    other = one._replace(uetr=UETRS[9], amount_minor=1234)
    for name, many in (("BY-HAND", (other,)), (file.message, (other,))):
        forged = encode(file._replace(message=name, transfers=many))
        with pytest.raises(Refused) as refused:
            await services.payments.carry(services.banks[PAYEE], by(PAYER), forged)
        assert refused.value.code == "past_own_books"
    assert await services.balance("exporter") == 0
    await services.payments.carry(services.banks[PAYEE], by(PAYER), onward.data)
    assert await services.balance("exporter") == 700


@pytest.mark.parametrize("verdict", ["ACSC", "RJCT"])
@pytest.mark.parametrize("whole", [False, True])
async def test_a_word_on_a_payment_that_the_books_do_not_bear_out_is_refused(
    services: BankServices,
    verdict: str,
    whole: bool,  # noqa: FBT001
) -> None:
    """The payee's bank has neither credited nor refused it: it may hold it for a name."""
    _, onward = await services.take(PAYER, "importer", services.pays(700))
    [one] = read(onward).transfers
    told = () if whole else (Status("", "", one.end_to_end, one.uetr, verdict, "", ""),)
    made = (TO_BANK, "BY-HAND", "2026-05-01T08:00:00+00:00", "XIANCNBJ", "ALMAKZKA")
    about = (read(onward).message, onward.definition, verdict, "", "")
    forged = encode(StatusReport(*made, *about, told))
    with pytest.raises(Refused) as refused:
        await services.payments.carry(services.banks[PAYER], by(PAYEE, "li"), forged)
    assert refused.value.code == "past_own_books"
    answer, *_ = await services.take(PAYEE, PAYER, onward.data)
    if verdict == "RJCT":
        with pytest.raises(Refused):
            await services.payments.carry(services.banks[PAYER], by(PAYEE), forged)
    # What its service said may be brought by anybody of it.
    await services.payments.carry(services.banks[PAYER], by(PAYEE), answer.data)
    assert (await services.balance("importer"), await services.balance("exporter")) == (
        START - 700,
        700,
    )


async def refused_return(services: BankServices) -> bytes:
    """The bytes of a return whose money the payee has spent, as anybody can write them again."""
    index, kept = services.index, []
    remember = index.remember

    async def seen(bank: str, sender: str, messages: Any) -> Any:
        kept.extend(one for one in messages if one.definition.startswith("pacs.004"))
        return await remember(bank, sender, messages)

    index.remember = seen
    with pytest.raises(Refused) as refused:
        await give_back(services)
    assert refused.value.code == "AM04"
    index.remember = remember
    return await services.world.durable.archive.get(kept[0].digest)


async def spends(services: BankServices, minor: int) -> None:
    """The exporter pays the importer; the other bank has not answered yet."""
    data = services.pays(
        minor,
        message="M-9",
        uetr=UETRS[50],
        payer_account=account(services.accounts["exporter"]),
        payer_bank=bank("XIANCNBJ"),
        payee_account=account(services.accounts["importer"]),
        payee_bank=bank("ALMAKZKA"),
    )
    await services.take(PAYEE, "exporter", data)


async def test_a_return_that_was_refused_for_want_of_money_moves_nothing_by_hand(
    services: BankServices,
) -> None:
    """Its message was kept, and then nothing was reserved for it."""
    await paid(services, 700)
    await spends(services, 600)
    forged = await refused_return(services)
    before = await owed(services)
    for person in ("", "li"):
        with pytest.raises(Refused) as refused:
            await services.payments.carry(services.banks[PAYER], by(PAYEE, person), forged)
        assert refused.value.code == "past_own_books"
    assert (await services.balance("importer"), await owed(services)) == (START - 700, before)
    # With money again it goes back by the next message, and by that one alone.
    more = services.pays(1_000, message="M-10", uetr=UETRS[51])
    _, onward = await services.take(PAYER, "importer", more)
    answer, *_ = await services.take(PAYEE, PAYER, onward.data)
    await services.take(PAYER, PAYEE, answer.data)
    sent = await give_back(services)
    assert sent.data != forged
    with pytest.raises(Refused, match="bear out"):
        await services.payments.carry(services.banks[PAYER], by(PAYEE), forged)
    # Booked it is the bank's own as well: brought once more it is answered as it was.
    for _ in range(2):
        await services.payments.carry(services.banks[PAYER], by(PAYEE), sent.data)
        await services.goes_on()
        assert await services.balance("importer") == START - 1_000 + 600
        assert (await owed(services))[0] == -(await owed(services))[1]


async def carrier(services: BankServices) -> BankAdmitted:
    """A third bank, admitted here, whose books are elsewhere."""
    place = {"town": "Aktau", "country": "KZ"}
    new = BankAdmitted(bank="carrier", name="A third bank", bic="CARRKZKA", **place)
    await services.world.accounts.admit(Actor(PartyId("operator"), Role.OPERATOR), new)
    return new


@pytest.mark.parametrize("first", ["RJCT", "ACSC", "ACSP"])
@pytest.mark.parametrize("last", ["ACSP", "ACSC", "RJCT", ""])
@pytest.mark.parametrize("own", [True, False])
async def test_a_report_that_names_one_payment_twice_is_refused_whoever_writes_it(
    services: BankServices,
    first: str,
    last: str,
    own: bool,  # noqa: FBT001
) -> None:
    """What is judged and what is booked would be two words, of which one is not true."""
    bic, sender = "XIANCNBJ", PAYEE
    if not own:
        bic, sender = (await carrier(services)).bic, "carrier"
    data = services.pays(700, payee_bank=bank(bic))
    _, onward = await services.take(PAYER, "importer", data)
    [one] = read(onward).transfers
    assert await services.balance("importer") == START - 700
    told = tuple(Status("", "", one.end_to_end, one.uetr, word, "", "") for word in (first, last))
    made = (TO_BANK, "BY-HAND", "2026-05-01T08:00:00+00:00", bic, "ALMAKZKA")
    about = (read(onward).message, onward.definition, "", "", "")
    forged = encode(StatusReport(*made, *about, told))
    with pytest.raises(Refused) as refused:
        await services.payments.carry(services.banks[PAYER], by(sender, "li"), forged)
    assert (refused.value.code, refused.value.where) == ("named_twice", one.uetr)
    with pytest.raises(Refused, match="twice"):
        await services.take(PAYER, sender, forged)  # As the node itself brings it.
    assert await services.balance("importer") == START - 700
    if own:
        await services.take(PAYEE, PAYER, onward.data)
        await services.goes_on()
        assert await owed(services) == (700, -700)


async def test_one_payment_that_a_message_gives_back_twice_goes_back_once_and_is_told_so(
    services: BankServices,
) -> None:
    bic = (await carrier(services)).bic
    data = services.pays(700, payee_bank=bank(bic))
    _, onward = await services.take(PAYER, "importer", data)
    [one] = read(onward).transfers
    paid_ = Status("", "", one.end_to_end, one.uetr, "ACSC", "", "")
    made = (TO_BANK, "T-1", "2026-05-01T08:00:00+00:00", bic, "ALMAKZKA")
    about = (read(onward).message, onward.definition, "", "", "")
    await services.take(PAYER, "carrier", encode(StatusReport(*made, *about, (paid_,))))
    back = Return("B1", "", "", "", "", one.uetr, 700, 300, "CNY", "2026-05-01", "CUST", "")
    many = (back, back._replace(id="B2"))
    twice = encode(Returns(reversals.RETURN, "T-2", made[2], bic, "ALMAKZKA", many))
    for _ in range(2):
        answer, *_ = await services.take(PAYER, "carrier", twice)
        assert [(told.status, told.reason) for told in read(answer).statuses] == [
            ("ACSC", ""),
            ("RJCT", "DUPL"),
        ]
    assert await services.balance("importer") == START - 400


async def test_a_refusal_and_a_word_on_a_return_may_be_brought_as_they_were_made(
    services: BankServices,
) -> None:
    nobody = services.pays(700, payee_account=account("ab" * 16))
    _, onward = await services.take(PAYER, "importer", nobody)
    [answer] = await services.take(PAYEE, PAYER, onward.data)
    assert read(answer).statuses[0].status == "RJCT"
    await services.payments.carry(services.banks[PAYER], by(PAYEE), answer.data)
    assert await services.balance("importer") == START
    data = services.pays(700, message="M-2", uetr=UETRS[3])
    _, onward = await services.take(PAYER, "importer", data)
    answer, *_ = await services.take(PAYEE, PAYER, onward.data)
    await services.take(PAYER, PAYEE, answer.data)
    sent = await give_back(services, UETRS[3])
    answer, *_ = await services.take(PAYER, PAYEE, sent.data)
    report = read(answer)
    assert isinstance(report, StatusReport)
    lies = [one._replace(status="RJCT") for one in report.statuses]
    forged = encode(report._replace(status="RJCT", statuses=tuple(lies)))
    with pytest.raises(Refused, match="bear out"):
        await services.payments.carry(services.banks[PAYEE], by(PAYER), forged)
    await services.payments.carry(services.banks[PAYEE], by(PAYER), answer.data)
    assert await owed(services) == (0, 0)


async def test_a_bank_with_its_books_elsewhere_brings_its_own_messages(
    services: BankServices,
) -> None:
    place = {"town": "Aktau", "country": "KZ"}
    await carrier(services)
    line = {"peer": "carrier", "currency": "CNY", "limit_minor": 10_000}
    await services.lines.set(by(PAYEE), **line)
    _, onward = await services.take(PAYER, "importer", services.pays(700))
    file = read(onward)
    assert isinstance(file, Transfers)
    [one] = file.transfers
    theirs = one._replace(uetr=UETRS[9], payer_bank=bank("CARRKZKA"))
    data = encode(file._replace(message="T-1", sender="CARRKZKA", transfers=(theirs,)))
    assert file.definition == CUSTOMERS
    await services.payments.carry(services.banks[PAYEE], by("carrier"), data)
    assert await services.balance("exporter") == 700
    # Once it keeps customers here, its books are here.
    await services.world.accounts.open(
        by("carrier"), holder="customs", currency="CNY", name="Customs", **place
    )
    with pytest.raises(Refused, match="keeps the books of carrier"):
        await services.payments.carry(services.banks[PAYEE], by("carrier"), data)


async def test_a_return_that_is_a_second_one_over_there_is_the_payees_again(
    services: BankServices,
) -> None:
    """An earlier version took the first, which somebody wrote by hand: the second is refused."""
    await paid(services, 700)
    forged = await by_hand(services)
    sent = await give_back(services)
    answer, *_ = await services.take(PAYER, PAYEE, forged)
    assert read(answer).status == "ACSC"
    assert await services.balance("exporter") == 0, "reserved"
    [answer] = await services.take(PAYER, PAYEE, sent.data)
    report = read(answer)
    assert (report.statuses[0].status, report.statuses[0].reason) == ("RJCT", "DUPL")
    for _ in range(2):
        await services.take(PAYEE, PAYER, answer.data)
    assert await services.balance("exporter") == 700
    assert not await services.unfinished.steps()
