"""Search: everything of one's own is found, and nothing of others', not even by a count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from tests.contracts.test_journal import make_scribe

from zhidao.core.actor import NOBODY, Actor, Role
from zhidao.core.errors import MalformedInput
from zhidao.core.events import Fact, SignedEvent
from zhidao.core.ids import PartyId, party_id
from zhidao.devices.events import Sealed, TerminalRegistered
from zhidao.finance.domain.naming import uetr
from zhidao.finance.events import DealOpened, MoneyReserved
from zhidao.node.search.finding import EVERYTHING, FOUND_MAX, Search
from zhidao.node.search.memory import MemorySearchIndex
from zhidao.trade.events import CustomsReleased, DeclarationSubmitted, DocumentAdded
from zhidao.trust.events import TitleAsked

EXPORTER, IMPORTER, STRANGER = PartyId("exporter"), PartyId("importer"), PartyId("customs")
AUDITOR = Actor(PartyId("ministry"), Role.AUDITOR)
TRANSFER = "00000000-0000-8000-8000-000000000007"


def party(name: PartyId) -> Actor:
    return Actor(name, Role.PARTY)


class World:
    """An index with what a road writes, by the exporter for the importer."""

    def __init__(self) -> None:
        self.index = MemorySearchIndex()
        self.scribe = make_scribe()
        self.search = Search(self.index, self.parties, uetr)
        self.version = 0

    async def parties(self, actor: Actor) -> Sequence[tuple[str, str]]:
        return [("exporter", "Shaanxi Qinling Instruments"), ("importer-bank", "Oasis Bank")]

    def event(self, aggregate: str, fact: Fact, *visible: PartyId) -> SignedEvent:
        return self.scribe.write(
            fact,
            by=EXPORTER,
            aggregate=aggregate,
            version=1,
            owner=EXPORTER,
            visible=visible,
            occurred_at=None,
        ).event

    async def tell(self, aggregate: str, fact: Fact, *visible: PartyId) -> None:
        await self.search.on_event(self.event(aggregate, fact, *visible))

    async def find(self, actor: Actor, text: str, limit: int = 20) -> list[tuple[str, str]]:
        found = await self.search.search(actor, text, limit=limit)
        return [(each.kind, each.label) for each in found]


def document(kind: str, number: str, consignment: str = "C-2038") -> DocumentAdded:
    return DocumentAdded(
        consignment=consignment,
        kind=kind,
        number=number,
        digest="a" * 64,
        media_type="application/xml",
        valid=True,
        rules=[],
        credential="",
    )


class Entered(Fact, frozen=True, kw_only=True):
    """An entry as far as search reads it, of a version that is yet to come."""

    TYPE = "trade.ConsignmentEntered.v9"
    consignment: str
    container: str


class Deal(Fact, frozen=True, kw_only=True):
    """A deal as far as search reads it."""

    TYPE = DealOpened.TYPE
    deal: str
    consignment: str


@pytest.fixture
async def world() -> World:
    made = World()
    for aggregate, fact in (
        ("consignment/C-2038", Entered(consignment="C-2038", container="CSQU3054383")),
        ("consignment/C-2038", document("invoice", "INV-77/2026")),
        ("consignment/C-2038", document("bill_of_lading", "ZDBL 0001")),
        ("declaration/D-5", DeclarationSubmitted(
            declaration="26CN-0005", version=1, kind="export", document="a" * 64,
            declarant="exporter", customs="customs", agencies=[],
        )),
        ("terminal/t", TerminalRegistered(terminal="T-900", phone="013800138000", key="")),
        ("seal/s", Sealed(
            seal="SEAL-41", container="CSQU3054383", consignment="C-2038", terminal="T-900",
            terminal_key="",
        )),
        ("title/x", TitleAsked(
            title="8b" * 32, consignment="C-2038", holder="exporter", readers=[],
        )),
        ("deal/d", Deal(deal="deal-C-2038", consignment="C-2038")),
        ("deal/d", MoneyReserved(
            deal="deal-C-2038", transfer=TRANSFER, amount_minor=1, currency="EUR",
        )),
    ):  # fmt: skip
        await made.tell(aggregate, fact, IMPORTER)
    return made


def reference() -> str:
    return str(uetr(UUID(TRANSFER)))


TEN = [
    ("c 2038", "consignment"),
    ("csqu-305438-3", "container"),
    ("zdbl0001", "bill"),
    ("8B8B8B", "title"),
    ("inv77", "invoice"),
    ("shaanxi", "party"),
    (reference().upper()[:13], "payment"),
    ("t900", "terminal"),
    ("seal 41", "seal"),
    ("26cn 0005", "declaration"),
]


@pytest.mark.parametrize(("typed", "kind"), TEN)
async def test_ten_of_ten_kinds_are_found_by_who_may_see_them(
    world: World, typed: str, kind: str
) -> None:
    for actor in (party(EXPORTER), party(IMPORTER), AUDITOR):
        assert kind in [found for found, _ in await world.find(actor, typed)], actor


@pytest.mark.parametrize(("typed", "kind"), [each for each in TEN if each[1] != "party"])
async def test_a_stranger_and_an_admin_find_nothing_of_it(
    world: World, typed: str, kind: str
) -> None:
    for actor in (party(STRANGER), Actor(EXPORTER, Role.ADMIN), Actor(STRANGER, Role.OPERATOR)):
        assert await world.find(actor, typed) == []


async def test_goods_are_found_by_the_declaration_that_let_them_go(world: World) -> None:
    """Customs may have it in a system of its own: nobody lodged it here."""
    released = CustomsReleased(
        consignment="C-2038", declaration="KZ-50401-17742", decision="released"
    )
    await world.tell("consignment/C-2038", released, IMPORTER)
    for typed in ("KZ-50401-17742", "kz 50401"):
        for actor in (party(EXPORTER), party(IMPORTER), AUDITOR):
            assert await world.find(actor, typed) == [("consignment", "C-2038")]
        assert await world.find(party(STRANGER), typed) == []


async def test_no_party_can_call_itself_everything(world: World) -> None:
    assert await world.find(Actor(PartyId(EVERYTHING), Role.PARTY), "zzz") == []
    with pytest.raises(MalformedInput):
        party_id(EVERYTHING)
    assert NOBODY != EVERYTHING


async def test_a_search_reads_rows_of_the_callers_party_only(world: World) -> None:
    """Neither count nor time can tell of others: their rows are not looked at."""
    looked: list[tuple[str, list[str]]] = []
    real = world.index.beginning

    async def watched(viewer: str, term: str, *, limit: int) -> Any:
        rows = await real(viewer, term, limit=limit)
        looked.append((viewer, [row.viewer for row in rows]))
        return rows

    world.index.beginning = watched  # type: ignore[method-assign]
    for number in range(300):
        await world.tell(f"consignment/{number}", document("invoice", f"INV-{number}"))
    assert await world.find(party(IMPORTER), "inv") == [("invoice", "INV-77/2026")]
    assert looked == [("importer", ["importer"])]


async def test_the_consignment_of_a_thing_is_told_only_to_who_sees_it(world: World) -> None:
    seal = Sealed(seal="Z-1", container="X", consignment="C-9", terminal="T", terminal_key="")
    await world.tell("seal/z", seal, STRANGER)
    (found,) = await world.search.search(party(STRANGER), "z1", limit=9)
    assert (found.kind, found.consignment) == ("seal", "")
    (found,) = await world.search.search(party(IMPORTER), "seal41", limit=9)
    assert found.consignment == "C-2038"


async def test_exact_names_stand_first_and_the_number_is_bounded(world: World) -> None:
    for number in (10, 100, 1, *range(1000, 1060)):
        await world.tell(f"consignment/{number}", document("invoice", f"K{number}"))
    found = await world.find(party(EXPORTER), "k1", limit=FOUND_MAX)
    assert found[0] == ("invoice", "K1")
    assert len(found) == FOUND_MAX
    assert len(await world.find(party(EXPORTER), "k1", limit=3)) == 3


async def test_the_same_event_again_and_a_filled_index_change_nothing(world: World) -> None:
    event = world.event("consignment/n", document("invoice", "N-1"))

    async def everything() -> Any:
        for _ in range(2):
            yield [event]

    await world.search.fill(everything)
    assert await world.find(party(EXPORTER), "n1") == [("invoice", "N-1")]

    async def never() -> Any:
        raise AssertionError("filled already")
        yield []

    await world.search.fill(never)


@pytest.mark.parametrize("text", ["%", "_", "'; drop table node.search; --", "\U0001f600", "\\"])
async def test_marks_are_no_wildcards(world: World, text: str) -> None:
    assert await world.find(party(EXPORTER), text) == []
