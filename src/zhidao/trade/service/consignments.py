"""Consignments: enter once, add the carrier's bill, check the papers, let customs release."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Final, TypeVar

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.archive import Archive, digest_of
from zhidao.core.errors import Conflict, Forbidden, MalformedInput, NotFound, Refused
from zhidao.core.events import SignedEvent
from zhidao.core.journal import Records
from zhidao.core.judging import DOCUMENT, IN_PLACE, Judges
from zhidao.trade.domain.comparison import Answer, CheckResult
from zhidao.trade.domain.model.consignment import CanonicalConsignment
from zhidao.trade.domain.model.known_codes import SHORT_CODES, KnownCodes
from zhidao.trade.domain.model.numbers import same_number
from zhidao.trade.domain.papers import BillOfLading, bill_of_lading_of
from zhidao.trade.domain.sane_bill import absurdities_of_bill
from zhidao.trade.domain.sanity import Absurdity, absurdities, refuse
from zhidao.trade.domain.tracking.consignment_states import refusal_of
from zhidao.trade.events import (
    Consignment,
    CrossCheckFinding,
    CustomsReleased,
    DocumentAdded,
    PapersChecked,
)
from zhidao.trade.service.customs_rule import CustomsRule, anybody, others_of
from zhidao.trade.service.issuing import JSON, Issuing, same_entry
from zhidao.trade.service.papers import PaperShelf
from zhidao.trade.service.state import aggregate_of, document_of_kind, fold, parties_of

MAY_ENTER: Final = access(
    Role.PARTY,
    relation=Relation.OWNER,
    of="the consignment in the body, its exporter",
    parties=lambda entry: (entry.exporter.id,),
)
MAY_ADD_BILL: Final = access(
    Role.PARTY,
    relation=Relation.PEER,
    of="the consignment, its carrier",
    parties=lambda entered: (entered.carrier,),
)
MAY_CHECK: Final = access(Role.PARTY, Role.NODE, relation=Relation.PEER, of="the consignment")
MAY_RELEASE: Final = access(
    Role.PARTY,
    relation=Relation.PEER,
    of="the consignment, its customs party",
    parties=lambda entered: (entered.customs,),
)

RELEASED: Final = "released"
_ATTEMPTS: Final = 8
ResultT = TypeVar("ResultT")


async def everywhere(consignment: str) -> None:
    """Lets every history be written here."""
    del consignment


# Raises Conflict for a bill whose title stands already: asked by consignment, document, carrier's
# code and number.
CheckUntitled = Callable[..., Awaitable[None]]


async def _untitled(actor: Actor, **bill: str) -> None:
    del actor, bill


class ConsignmentService:
    """Implements `trade.commands.Consignments` and the use cases of a consignment's parties."""

    def __init__(
        self,
        *,
        records: Records,
        archive: Archive,
        issuing: Issuing,
        shelf: PaperShelf,
        check_home: Callable[[str], Awaitable[None]] = everywhere,
        must_be_known: Callable[..., Awaitable[None]] = anybody,
        customs: CustomsRule | None = None,
        judges: Judges = IN_PLACE,
        codes: KnownCodes = SHORT_CODES,
        clock: Clock | None = None,
    ) -> None:
        """`check_home` raises Refused where another node writes a consignment's history.

        `must_be_known` raises Refused for a party that nobody here knows: whoever took its name
        later would read the papers. `customs`: who may be customs of a consignment. `codes`: by
        which places and goods are known. `clock`: by which days lie too far ahead; without one, in
        another century.
        """
        self._records = records
        self._archive = archive
        self._issuing = issuing
        self._shelf = shelf
        self._check_home = check_home
        self._must_be_known = must_be_known
        self._customs = customs or CustomsRule()
        self._judges = judges
        self._codes = codes
        self._clock = clock
        # Told by wiring, once titles are there.
        self.check_untitled: CheckUntitled = _untitled

    async def enter(self, actor: Actor, source: bytes) -> Consignment:
        """Opens a consignment from one entry file; the same file again changes nothing.

        Raises Forbidden if the actor is not the entry's exporter, Conflict if the name stands for
        another entry, Refused (`implausible`) for what no consignment can be, and what reading,
        rules and lot refuse; parties that nobody knows, and customs that is none (`not_customs`).
        """
        from zhidao.trade.wire import entry as entry_file

        MAY_ENTER.admit(actor)
        entry = await self._judges.run(DOCUMENT, entry_file.read, source)
        if not MAY_ENTER.relates(actor, entry):
            raise Forbidden(
                f"{actor.party} cannot enter for {entry.exporter.id}",
                where="$.parties.exporter.id",
                remedy="let the exporter enter its consignment",
            )

        async def attempt() -> Consignment:
            standing = await self._records.history(aggregate_of(entry.id))
            if standing:
                return _unless_other(fold(standing), source, actor)
            codes, today = self._codes, self._today()
            refuse(await self._judges.run(DOCUMENT, _absurd_entry, source, codes, today))
            readers = [party.id for party in entry.parties.values()]
            await self._must_be_known(*readers)
            parts = {part: party.id for part, party in entry.parties.items() if part != "customs"}
            customs = entry.parties["customs"].id
            await self._customs.check(customs, parts, where="$.parties.customs.id")
            facts = await self._issuing.facts(actor, entry, source=source)
            return fold(
                await self._records.record(
                    actor,
                    aggregate_of(entry.id),
                    facts,
                    after=0,
                    owner=entry.exporter.id,
                    visible=readers,
                )
            )

        return await _until_written(attempt)

    async def add_bill_of_lading(
        self, actor: Actor, consignment: str, *, number: str, data: bytes
    ) -> DocumentAdded:
        """Adds the carrier's bill of lading; the same bytes again change nothing.

        Raises NotFound to strangers, Forbidden to other parties, Conflict for a second bill and for
        one that could get no title (`title_exists`, `double_title`), since it stays for good;
        Refused (`implausible`) for what no bill can say.
        """
        MAY_ADD_BILL.admit(actor)

        async def attempt() -> DocumentAdded:
            state, events = await self._standing(actor, consignment)
            MAY_ADD_BILL.check(actor, state.entered)
            bill = await self._judges.run(DOCUMENT, _read_bill, data)
            if bill.number != number:
                raise MalformedInput(
                    f"the document bears the number {bill.number[:40]!r}, not {number[:40]!r}",
                    where="$.number",
                    remedy="give the number that stands in the document",
                )
            before = document_of_kind(state.documents, "bill_of_lading")
            if before and before.digest == digest_of(data):
                return before
            entry = await self._archive.get(state.entered.entry)
            codes, today = self._codes, self._today()
            refuse(await self._judges.run(DOCUMENT, _absurd_bill, bill, entry, codes, today))
            digest = await self._archive.put(data)
            await self.check_untitled(
                actor,
                consignment=consignment,
                document=digest,
                carrier_code=bill.carrier_code,
                number=number,
            )
            fact = DocumentAdded(
                consignment=consignment,
                kind="bill_of_lading",
                number=number,
                digest=digest,
                media_type=JSON,
                valid=True,
                rules=["DCSA transport document, the fields that the checks read"],
                credential="",
            )
            await self._append(actor, state, events, fact)
            return fact

        return await _until_written(attempt)

    async def proposed_bill(
        self, actor: Actor, consignment: str, *, number: str, carrier_code: str, on_board: date
    ) -> bytes:
        """The bill that the carrier may add as it is: the goods as they were entered.

        Keeps nothing. Raises NotFound to strangers, Forbidden to other parties, Refused
        (`implausible`) for one that could not be added.
        """
        MAY_ADD_BILL.admit(actor)
        state = await self.consignment(actor, consignment)
        MAY_ADD_BILL.check(actor, state.entered)
        entry = await self._archive.get(state.entered.entry)
        data = await self._judges.run(
            DOCUMENT, _written_bill, entry, number, carrier_code, on_board.isoformat()
        )
        bill = await self._judges.run(DOCUMENT, _read_bill, data)
        codes, today = self._codes, self._today()
        refuse(await self._judges.run(DOCUMENT, _absurd_bill, bill, entry, codes, today))
        return data

    def _today(self) -> date | None:
        return self._clock.now().to_datetime().date() if self._clock else None

    async def bill_of_lading(
        self, actor: Actor, consignment: str, digest: str
    ) -> tuple[str, str] | None:
        """Carrier code (`` if it bears none) and number of the bill with these bytes, or None.

        Raises NotFound if the actor may not see the consignment.
        """
        state = await self.consignment(actor, consignment)
        document = document_of_kind(state.documents, "bill_of_lading")
        if document is None or document.digest != digest:
            return None
        bill = await self._judges.run(DOCUMENT, _read_bill, await self._archive.get(digest))
        return bill.carrier_code, bill.number

    async def check(self, actor: Actor, consignment: str) -> PapersChecked:
        """Holds the papers against each other and records the answer.

        The same papers with the same answers again change nothing.
        """
        MAY_CHECK.admit(actor)

        async def attempt() -> PapersChecked:
            state, events = await self._standing(actor, consignment)
            fact = _checked(state, await self._shelf.compared(state))
            if state.papers != fact:
                await self._append(actor, state, events, fact)
            return fact

        return await _until_written(attempt)

    async def answers(self, actor: Actor, consignment: str) -> list[CheckResult]:
        """Every rule's answer about the papers, agreeing ones too; records nothing."""
        return await self._shelf.compared(await self.consignment(actor, consignment))

    async def release(
        self, actor: Actor, consignment: str, *, declaration: str, decision: str
    ) -> CustomsReleased:
        """Records that customs let the goods go; the same again changes nothing.

        One number written in other case is the same.

        Raises NotFound to strangers, Forbidden to all but the consignment's customs party, Refused
        for one that is none (`not_customs`), as a consignment of before may name it.
        """
        MAY_RELEASE.admit(actor)
        if decision != RELEASED:
            raise Refused(
                f"{decision[:40]!r} lets no goods go",
                code="not_a_release",
                where="$.decision",
                remedy=f"give {RELEASED!r}",
            )

        async def attempt() -> CustomsReleased:
            state, events = await self._standing(actor, consignment)
            MAY_RELEASE.check(actor, state.entered)
            await self.check_customs(state)
            fact = CustomsReleased(
                consignment=consignment, declaration=declaration, decision=decision
            )
            if state.customs and same_number(state.customs.declaration, declaration):
                return state.customs
            await self._append(actor, state, events, fact)
            return fact

        return await _until_written(attempt)

    async def check_customs(self, state: Consignment) -> None:
        """Raises Refused (`not_customs`) where the customs of a consignment is none."""
        await self._customs.check(state.entered.customs, others_of(state.entered))

    async def consignment(self, actor: Actor, consignment: str) -> Consignment:
        """The consignment as it stands. Raises NotFound if the actor may not see it."""
        return fold(await self._records.history(aggregate_of(consignment), actor))

    async def consignments(self, actor: Actor, *, limit: int, after: str = "") -> list[Consignment]:
        """The consignments that the actor may see, by name, after the name `after`."""
        names = await self._records.aggregates(
            aggregate_of(""), actor, limit=limit, after=aggregate_of(after) if after else ""
        )
        return [fold(each) for each in await self._records.histories(names, actor)]

    async def document(self, actor: Actor, consignment: str, digest: str) -> tuple[bytes, str]:
        """The bytes and media type of a document, or of a credential, of the consignment.

        The entry itself is the exporter's alone. Raises NotFound for everything else.
        """
        state = await self.consignment(actor, consignment)
        kinds = {document.digest: document.media_type for document in state.documents}
        kinds |= {d.credential: "application/vc" for d in state.documents if d.credential}
        if actor.viewer in (None, state.entered.exporter):
            kinds[state.entered.entry] = JSON
        if digest not in kinds:
            raise NotFound("the consignment has no document of that digest")
        return await self._archive.get(digest), kinds[digest]

    async def opened_with(self, seen: Consignment) -> CanonicalConsignment:
        """What the consignment was opened with, for the node's own comparisons.

        The entry is the exporter's alone: who compares tells what differs, and not what it says.
        """
        entry = await self._archive.get(seen.entered.entry)
        return await self._judges.run(DOCUMENT, _canonical, entry, self._codes)

    async def _standing(
        self, actor: Actor, consignment: str
    ) -> tuple[Consignment, tuple[SignedEvent, ...]]:
        await self._records.history(aggregate_of(consignment), actor)
        events = await self._records.history(aggregate_of(consignment))
        return fold(events), events

    async def _append(
        self,
        actor: Actor,
        state: Consignment,
        events: tuple[SignedEvent, ...],
        fact: DocumentAdded | PapersChecked | CustomsReleased,
    ) -> None:
        refused = refusal_of(state, fact)
        if refused:
            raise _SecondError(refused)
        await self._check_home(state.entered.consignment)
        await self._records.record(
            actor,
            events[-1].aggregate,
            [fact],
            after=events[-1].version,
            owner=events[0].owner,
            visible=parties_of(state.entered),
        )


class _SecondError(Refused):
    """Other content under a name that is taken: told as a Conflict, and never tried again."""


async def _until_written(attempt: Callable[[], Awaitable[ResultT]]) -> ResultT:
    """Runs a read-decide-append again while somebody else appends in between."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return await attempt()
        except _SecondError as error:
            raise Conflict(str(error.args[0])) from error
        except Conflict:
            continue
    return await attempt()


def _unless_other(standing: Consignment, source: bytes, actor: Actor) -> Consignment:
    if standing.entered.exporter != actor.party or not same_entry(standing.entered, source):
        raise _SecondError("that name stands for another consignment already")
    return standing


def _canonical(source: bytes, codes: KnownCodes) -> CanonicalConsignment:
    from zhidao.trade.wire import entry as entry_file

    return entry_file.canonical(source, codes)


def _absurd_entry(source: bytes, codes: KnownCodes, today: date | None) -> list[Absurdity]:
    from zhidao.trade.wire import entry as entry_file

    return absurdities(entry_file.canonical(source, codes), codes, today=today, coded=True)


def _absurd_bill(
    bill: BillOfLading, entry: bytes, codes: KnownCodes, today: date | None
) -> list[Absurdity]:
    from zhidao.trade.wire import entry as entry_file

    return absurdities_of_bill(bill, entry_file.canonical(entry, codes), codes, today=today)


def _read_bill(data: bytes) -> BillOfLading:
    from zhidao.trade.wire import bill_of_lading

    return bill_of_lading.read(data)


def _written_bill(entry: bytes, number: str, carrier_code: str, on_board: str) -> bytes:
    from zhidao.trade.wire import bill_of_lading
    from zhidao.trade.wire import entry as entry_file

    bill = bill_of_lading_of(
        entry_file.read(entry),
        number=number,
        carrier_code=carrier_code,
        on_board=date.fromisoformat(on_board),
    )
    return bill_of_lading.write(bill)


def _checked(state: Consignment, answers: list[CheckResult]) -> PapersChecked:
    open_answers = [answer for answer in answers if answer.answer is not Answer.AGREE]
    return PapersChecked(
        consignment=state.entered.consignment,
        agree=not open_answers,
        checks=len(answers),
        documents=[document.digest for document in state.documents],
        findings=[
            CrossCheckFinding(
                rule=answer.rule,
                verdict=answer.answer.value,
                sentence=answer.sentence,
                left=answer.left,
                right=answer.right,
            )
            for answer in open_answers
        ],
    )
