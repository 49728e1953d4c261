"""The single window: lodge, amend, cancel, assess, answer, decide; every step in the log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.archive import Archive
from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.errors import Conflict, MalformedInput, Refused
from zhidao.core.events import every
from zhidao.core.ids import PartyId, party_id
from zhidao.core.journal import Records
from zhidao.core.judging import DOCUMENT, IN_PLACE, Judges
from zhidao.trade.domain.clearance.declaration import (
    Declaration,
    Step,
    fold_declaration,
    step,
)
from zhidao.trade.domain.clearance.facts import screened_facts
from zhidao.trade.domain.clearance.risk import FLOOR, Channel, RiskRule, RuleSet, decide
from zhidao.trade.domain.model.consignment import CanonicalConsignment
from zhidao.trade.domain.model.known_codes import SHORT_CODES, KnownCodes
from zhidao.trade.domain.model.numbers import number_key
from zhidao.trade.events import (
    AgencyAnswered,
    DeclarationCancelled,
    DeclarationDecided,
    DeclarationSubmitted,
    RiskDecided,
    RiskMatched,
)
from zhidao.trade.service.customs_rule import CustomsRule
from zhidao.trade.service.document_set import read_document
from zhidao.trade.service.entering import declared
from zhidao.trade.service.ports import Listings, LodgedNumbers
from zhidao.trade.wire import risk_file

MAY_DECLARE: Final = access(Role.PARTY, relation=Relation.OWNER, of="the declaration")
MAY_ANSWER: Final = access(
    Role.PARTY, relation=Relation.PEER, of="the declaration, an agency that is asked"
)
MAY_DECIDE: Final = access(
    Role.PARTY,
    relation=Relation.PEER,
    of="the declaration, its customs party",
    parties=lambda submitted: (submitted.customs,),
)
MAY_CANCEL: Final = access(
    Role.PARTY,
    relation=Relation.OWNER,
    of="the declaration",
    parties=lambda submitted: (submitted.declarant,),
)

KINDS: Final = ("export_declaration", "import_declaration")
_ATTEMPTS: Final = 8
_AGENCIES_MAX: Final = 20
_TOLD_MAX: Final = 5
# Who, which invoice and which bill: with another of these it is another declaration.
_KEPT: Final = (
    *("consignorParty.name", "consignorParty.postalAddress.countryId"),
    *("consigneeParty.name", "consigneeParty.postalAddress.countryId"),
    *("invoiceDocument.id", "transportContractDocument.id"),
)


class Clearance:
    """Use cases of declarants, customs and agencies."""

    def __init__(
        self,
        *,
        records: Records,
        archive: Archive,
        rules: RuleSet,
        listings: Listings,
        numbers: LodgedNumbers,
        judges: Judges = IN_PLACE,
        customs: CustomsRule | None = None,
        codes: KnownCodes = SHORT_CODES,
        clock: Clock | None = None,
    ) -> None:
        """`customs`: who may be customs of a declaration. `codes`: of known places and goods.

        `clock`: by which days lie too far ahead; without one, days of another century do.
        """
        self._judges = judges
        self._customs = customs or CustomsRule()
        self._codes = codes
        self._clock = clock
        self._records = records
        self._archive = archive
        self._rules = replace(rules, screened=True)
        self._listings = listings
        self._numbers = numbers

    async def submit(
        self,
        actor: Actor,
        data: bytes,
        *,
        kind: str,
        customs: PartyId,
        agencies: Sequence[PartyId] = (),
        reason: str = "",
    ) -> Declaration:
        """Lodges a declaration, or its next version with a reason; the same bytes change nothing.

        An agency that was asked once is asked about each later version, named again or not.

        Raises MalformedInput for a document that is no whole declaration, Conflict where another
        declaration bears the number, in other case too, Refused where it is decided already, says
        what cannot be (`implausible`), or is amended to speak of other parties, another invoice or
        bill, or to be of another kind (`other_consignment`), and for customs that is none, or is
        the declarant itself (`not_customs`).
        """
        MAY_DECLARE.admit(actor)
        if kind not in KINDS:
            raise MalformedInput("no such kind of declaration", where="kind")
        if len(agencies) > _AGENCIES_MAX:
            raise MalformedInput(
                f"{len(agencies)} agencies; a declaration goes to at most {_AGENCIES_MAX}",
                where="agencies",
                remedy="name only those whose permit it needs",
            )
        await self._customs.check(customs, {"declarant": actor.party}, where="customs")
        today = self._clock.now().to_datetime().date() if self._clock else None
        said = await self._judges.run(DOCUMENT, declared, data, kind, self._codes, today)
        number = said.get(f"{'ex' if kind == KINDS[0] else 'im'}portDeclarationDocument.id")
        await self._refuse_same_number(number)
        await self._refuse_another(actor, said, number, customs=customs, kind=kind)
        digest = await self._archive.put(data)
        owner = actor.party

        def build(standing: Declaration | None) -> DeclarationSubmitted | None:
            if standing and standing.submitted.declarant != actor.party:
                raise Conflict("another party's declaration bears this number")
            if standing and standing.submitted.document == digest:
                return None
            return DeclarationSubmitted(
                declaration=number,
                version=standing.submitted.version + 1 if standing else 1,
                kind=kind,
                document=digest,
                declarant=actor.party,
                customs=customs,
                agencies=_asked(agencies, standing),
                reason=reason,
            )

        return await self._write(actor, number, build, owner=owner)

    async def _refuse_same_number(self, number: str) -> None:
        """Refuses a number that was lodged in another way of writing it, and not in this one."""
        lodged = await self._numbers.same_as(number)
        if lodged and number not in lodged:
            raise Conflict(
                f"{number[:40]} was lodged already, written {lodged[0][:40]}: it is one number",
                code="number_lodged",
                remedy="write the number as it was lodged to amend that declaration, or give this"
                " one a number of its own",
            )

    async def _refuse_another(
        self, actor: Actor, said: CanonicalConsignment, number: str, *, customs: PartyId, kind: str
    ) -> None:
        """Refuses an amendment that is about something else than what it amends."""
        events = await self._records.history(_aggregate(number))
        standing = fold_declaration(events).submitted if events else None
        if standing is None or standing.declarant != actor.party:
            return
        data = await self._archive.get(standing.document)
        found = await self._judges.run(DOCUMENT, read_document, data, kind=standing.kind)
        before = found.consignment
        other = [path for path in _KEPT if _kept(said, path) != _kept(before, path)]
        if standing.customs != customs:
            other.append("customs")
        if standing.kind != kind:
            other.append("kind")
        if other:
            raise Refused(
                f"an amendment keeps what the declaration is about; changed: {', '.join(other)}",
                code="other_consignment",
                where=other[0],
                remedy="cancel this declaration and make a new one under a number of its own",
            )

    async def assess(self, declaration: str) -> Declaration:
        """Lets the risk rules decide about the standing version; a second time changes nothing."""
        node = Actor(self._records.node, Role.NODE)
        standing = await self.declaration(node, declaration)
        submitted = standing.submitted
        data = await self._archive.get(submitted.document)
        found = await self._judges.run(DOCUMENT, read_document, data, kind=submitted.kind)
        facts = await self._facts(found.consignment)
        fact = await self._risk(submitted, facts)
        return await self._write(node, declaration, lambda now: None if now and now.risk else fact)

    async def _assess_anew(self, standing: Declaration) -> None:
        """Holds what is about to be released against the lists of this moment.

        What they find is written; a milder channel is not, so that no list is waited for.
        """
        if standing.risk is None or standing.is_ended:
            return
        submitted = standing.submitted
        data = await self._archive.get(submitted.document)
        found = await self._judges.run(DOCUMENT, read_document, data, kind=submitted.kind)
        fact = await self._risk(submitted, await self._facts(found.consignment))
        grave = list(Channel)
        milder = grave.index(Channel(fact.channel)) < grave.index(Channel(standing.risk.channel))
        if milder or (fact.facts, fact.rules) == (standing.risk.facts, standing.risk.rules):
            return
        node = Actor(self._records.node, Role.NODE)
        await self._write(
            node,
            submitted.declaration,
            lambda now: fact if now and now.risk == standing.risk else None,
        )

    async def _risk(self, submitted: DeclarationSubmitted, facts: dict[str, str]) -> RiskDecided:
        made = decide(facts, self._rules)
        return RiskDecided(
            declaration=submitted.declaration,
            version=submitted.version,
            rules=await self._archive.put(jcs(self._rules.plain())),
            facts=await self._archive.put(jcs(facts)),
            score=made.score,
            channel=made.channel.value,
            matches=[
                RiskMatched(rule=m.rule, fact=m.fact, value=m.value, weight=m.weight)
                for m in made.matches
            ],
            at_random=made.at_random,
        )

    async def answer(
        self, actor: Actor, declaration: str, *, version: int, permit: bool, reason: str
    ) -> Declaration:
        """An agency permits or denies a version. Raises Refused for a party that is not asked."""
        MAY_ANSWER.admit(actor)
        fact = AgencyAnswered(
            declaration=declaration,
            version=version,
            agency=actor.party,
            answer="permit" if permit else "deny",
            reason=reason,
        )
        return await self._write(
            actor,
            declaration,
            lambda now: None if now and now.answers.get(actor.party) == fact else fact,
        )

    async def decide(
        self, actor: Actor, declaration: str, *, version: int, decision: str, reason: str = ""
    ) -> Declaration:
        """Customs holds, releases or refuses, the last with a reason.

        Before a release the lists are asked again. Raises Forbidden to all but its customs party,
        Refused for one that is none (`not_customs`) and where the lists tell something else than
        customs could see (`risk_changed`): what was found stands to be read; MalformedInput where
        a list that is configured cannot be read.
        """
        MAY_DECIDE.admit(actor)
        if decision not in ("held", "released", "refused"):
            raise MalformedInput(f"no such decision: {decision[:20]!r}")
        fact = DeclarationDecided(
            declaration=declaration, version=version, decision=decision, reason=reason
        )

        def build(now: Declaration | None) -> DeclarationDecided | None:
            if now:
                MAY_DECIDE.check(actor, now.submitted)
            same = now and now.status.value == decision and now.ended_by == reason
            if not same and now and decision == "released":
                _refuse_unseen(seen, now.risk)
            return None if same else fact

        seen: RiskDecided | None = None
        standing = await self.declaration(actor, declaration)
        MAY_DECIDE.check(actor, standing.submitted)
        await self._customs.check(actor.party, {"declarant": standing.submitted.declarant})
        if decision == "released":
            seen = standing.risk
            await self._assess_anew(standing)
        return await self._write(actor, declaration, build)

    async def cancel(
        self, actor: Actor, declaration: str, *, version: int, reason: str
    ) -> Declaration:
        """The declarant takes it back before it is decided."""
        MAY_CANCEL.admit(actor)
        fact = DeclarationCancelled(declaration=declaration, version=version, reason=reason)

        def build(now: Declaration | None) -> DeclarationCancelled | None:
            if now:
                MAY_CANCEL.check(actor, now.submitted)
            return None if now and now.status.value == "cancelled" else fact

        return await self._write(actor, declaration, build)

    async def declaration(self, actor: Actor, declaration: str) -> Declaration:
        """The declaration as it stands. Raises NotFound if the actor may not see it."""
        return fold_declaration(await self._records.history(_aggregate(declaration), actor))

    async def listed(self, actor: Actor, *, limit: int, after: str = "") -> list[Declaration]:
        """The declarations that the actor may see, by number."""
        names = await self._records.aggregates(
            "declaration/", actor, limit=limit, after=_aggregate(after) if after else ""
        )
        return [fold_declaration(each) for each in await self._records.histories(names, actor)]

    async def lodged(self, declaration: str) -> Declaration | None:
        """The declaration of that number, however it is written and whoever may see it.

        None if none was lodged here: it was lodged with a system of customs' own. For the node's
        own questions: what it says is told to nobody by this.
        """
        for name in dict.fromkeys([declaration, *await self._numbers.same_as(declaration)]):
            if events := await self._records.history(_aggregate(name)):
                return fold_declaration(events)
        return None

    async def said(self, declared: Declaration) -> CanonicalConsignment:
        """What the standing version of a declaration says."""
        data = await self._archive.get(declared.submitted.document)
        kind = declared.submitted.kind
        return (await self._judges.run(DOCUMENT, read_document, data, kind=kind)).consignment

    async def rules_of(self, actor: Actor, declaration: str) -> list[RiskRule]:
        """The rules by which a declaration was assessed last, with their reasons; from the log."""
        risk = (await self.declaration(actor, declaration)).risk
        if risk is None:
            return []
        rules = risk_file.read_rules(await self._archive.get(risk.rules))
        return [*rules.rules, *(FLOOR if rules.screened else ())]

    async def rerun(self, actor: Actor, declaration: str) -> list[tuple[RiskDecided, bool]]:
        """Every risk decision of a declaration, and whether made again it is the same."""
        events = await self._records.history(_aggregate(declaration), actor)
        return [(fact, await self._is_same(fact)) for fact in every(events, RiskDecided)]

    async def _is_same(self, fact: RiskDecided) -> bool:
        rules = risk_file.read_rules(await self._archive.get(fact.rules))
        facts = parse_strict(await self._archive.get(fact.facts))
        again = decide(facts, rules)
        matches = [(m.rule, m.fact, m.value, m.weight) for m in again.matches]
        return (again.score, again.channel.value, again.at_random, matches) == (
            fact.score,
            fact.channel,
            fact.at_random,
            [(m.rule, m.fact, m.value, m.weight) for m in fact.matches],
        )

    async def _facts(self, declared: CanonicalConsignment) -> dict[str, str]:
        return screened_facts(declared, rules=self._rules, listing=await self._listings.current())

    async def _write(
        self,
        actor: Actor,
        declaration: str,
        build: Callable[[Declaration | None], Step | None],
        *,
        owner: PartyId | None = None,
    ) -> Declaration:
        """Appends what `build` makes of the standing state; None changes nothing."""
        for attempt in range(_ATTEMPTS):
            events = await self._records.history(_aggregate(declaration))
            if owner is None:
                # A stranger is told what a reader of nothing is told.
                await self._records.history(_aggregate(declaration), actor)
            standing = fold_declaration(events) if events else None
            fact = build(standing)
            if fact is None and standing is not None:
                return standing
            if fact is None:
                raise Refused("there is nothing to write")
            state = step(standing, fact)
            readers = [
                party_id(name) for name in (state.submitted.customs, *state.submitted.agencies)
            ]
            try:
                await self._records.record(
                    actor,
                    _aggregate(declaration),
                    [fact],
                    after=events[-1].version if events else 0,
                    owner=party_id(state.submitted.declarant),
                    visible=readers,
                )
            except Conflict:
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                return state
        raise Conflict("others kept writing")


def _kept(declared: CanonicalConsignment, path: str) -> str:
    value = declared.get(path)
    return number_key(value) if path.endswith(".id") else value


def _refuse_unseen(seen: RiskDecided | None, now: RiskDecided | None) -> None:
    """Refuses to release upon a risk that nobody has seen: a reason answers what was read."""
    if now is None or seen is None or (seen.channel, seen.matches) == (now.channel, now.matches):
        return
    before = {(each.rule, each.fact, each.value) for each in seen.matches}
    new = [each for each in now.matches if (each.rule, each.fact, each.value) not in before]
    told = ", ".join(f"{each.rule} ({each.fact}: {each.value[:40]})" for each in new[:_TOLD_MAX])
    raise Refused(
        f"the lists changed since it was assessed: {seen.channel} is {now.channel}"
        + (f"; found now: {told}" if told else ""),
        code="risk_changed",
        where="decision",
        remedy="read it again, and release it with a reason that answers what was found",
    )


def _asked(agencies: Sequence[PartyId], standing: Declaration | None) -> list[str]:
    """Whose permit a version needs: those named, and all that were asked before."""
    before = {*standing.submitted.agencies, *standing.answers} if standing else set()
    every = sorted(before | set(agencies))
    if len(every) > _AGENCIES_MAX:
        raise MalformedInput(
            f"{len(every)} agencies with those that were asked before; at most {_AGENCIES_MAX}",
            where="agencies",
            remedy="name only those whose permit it needs beside them",
        )
    return every


def _aggregate(declaration: str) -> str:
    return f"declaration/{declaration}"
