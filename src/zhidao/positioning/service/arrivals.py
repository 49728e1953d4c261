"""Arrivals: who waits for what and where, and what the windows of its terminal prove."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import Final, NamedTuple, TypeVar

import msgspec

from zhidao.connectivity.commands import NetworkView
from zhidao.core.actor import Actor, Role
from zhidao.core.archive import Archive
from zhidao.core.errors import Conflict, MalformedInput, NotFound, Refused, Unavailable
from zhidao.core.events import Fact, SignedEvent, every, latest
from zhidao.core.ids import PartyId, party_id
from zhidao.core.journal import Handled, Records
from zhidao.core.timescale import Utc
from zhidao.devices.commands import Custody
from zhidao.devices.events import RawWindow, WindowReceived
from zhidao.positioning.domain.solver_settings import Settings
from zhidao.positioning.events import (
    ArrivalExpected,
    ArrivalNotProven,
    ArrivalProven,
    Marks,
    Site,
    TerminalWatched,
)
from zhidao.positioning.service.attempts import attempt_of
from zhidao.positioning.service.bases import BaseService
from zhidao.positioning.service.evaluation import Earlier, Span, evaluate, span_of
from zhidao.positioning.service.navigation import NavigationService
from zhidao.positioning.service.track import Track, track_of
from zhidao.positioning.wire.position_evidence import (
    PROTECTION_MM_MAX,
    PositionEvidence,
    Question,
    Result,
)

CONSUMER: Final = "positioning.windows"
_PAGE: Final = 100
_TRACKS_KEPT: Final = 16
_RADIUS_MM_MAX: Final = 100_000_000
_PPB_MAX: Final = 1_000_000_000
_T = TypeVar("_T")


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """An arrival as its parties see it. `state`: expected, not_proven or proven."""

    state: str
    expected: ArrivalExpected
    proven: ArrivalProven | None
    not_proven: list[ArrivalNotProven]


class _Finding(NamedTuple):
    """What a window gave on one question: the result and its archived evidence, or why neither."""

    result: Result | None
    evidence: str
    navigation: str
    unreadable: str
    before: str = ""
    surroundings: str = ""


class _Obstacle(NamedTuple):
    """What keeps a window from proving an arrival; an empty reason keeps nothing."""

    reason: str
    sentence: str


_NOTHING: Final = _Obstacle("", "")


class ArrivalService:
    """Implements `positioning.commands.Arrivals` and consumes `devices.WindowReceived`."""

    def __init__(
        self,
        *,
        records: Records,
        archive: Archive,
        navigation: NavigationService,
        bases: BaseService,
        custody: Custody,
        network: NetworkView,
        workers: Executor,
        method: str,
    ) -> None:
        """method: of `Settings`, by which arrivals are judged. Raises MalformedInput for none."""
        Settings.of_arrivals(method=method)
        self._records = records
        self._archive = archive
        self._navigation = navigation
        self._bases = bases
        self._custody = custody
        self._network = network
        self._workers = workers
        self._method = method
        self._tracks: dict[str, Track] = {}
        self._node = Actor(records.node, Role.NODE)

    async def expect(
        self,
        actor: Actor,
        *,
        consignment: str,
        terminal: str,
        site: Site,
        not_before: Utc,
        not_after: Utc,
        risk_ppb: int,
        readers: tuple[str, ...],
    ) -> None:
        """Waits for the consignment; the same call again changes nothing.

        Beside the readers whose terminal it is sees it, who must know where to drive.
        Raises Conflict if the consignment is awaited otherwise, Refused for an impossible wish.
        """
        fact = _wish(consignment, terminal, site, (not_before, not_after), risk_ppb)
        if await self._stands(fact):
            return
        visible = sorted({*map(party_id, readers), *await self._carrier(terminal)} - {actor.party})
        # The watch comes first: a crash in between leaves a watch without a wish, which the
        # repeated call completes; the other way round a wish would never see a window.
        watch = f"watch/{terminal}/{consignment}"
        if not await self._records.history(watch):
            await self._records.record(
                actor,
                watch,
                [TerminalWatched(terminal=terminal, consignment=consignment)],
                after=0,
                owner=actor.party,
            )
        await self._records.record(
            actor, _arrival(consignment), [fact], after=0, owner=actor.party, visible=visible
        )

    async def rehearse(
        self,
        *,
        consignment: str,
        terminal: str,
        site: Site,
        not_before: Utc,
        not_after: Utc,
        risk_ppb: int,
    ) -> None:
        """Refuses what `expect` would refuse, and writes nothing.

        Raises Conflict (`awaited_otherwise`) if the consignment is awaited in another way.
        """
        await self._stands(_wish(consignment, terminal, site, (not_before, not_after), risk_ppb))

    async def _carrier(self, terminal: str) -> set[PartyId]:
        """Whose terminal it is; nobody that is known here for one of another node."""
        try:
            return {await self._custody.owner(terminal)}
        except NotFound:
            return set()

    async def _stands(self, wish: ArrivalExpected) -> bool:
        """Whether exactly this is awaited already. Raises Conflict for anything else."""
        known = latest(await self._records.history(_arrival(wish.consignment)), ArrivalExpected)
        if known not in (None, wish):
            raise Conflict(
                f"the arrival of {wish.consignment} is awaited already, in another way: at"
                f" {known.site.name} by {known.terminal}, {known.not_before} to {known.not_after}",
                code="awaited_otherwise",
                remedy="ask for the same terminal, site, time and risk",
            )
        return known is not None

    async def on_window(self, event: SignedEvent) -> None:
        """Holds a stored window against every arrival that waits for its terminal."""
        received = WindowReceived.of(event)
        prefix = f"watch/{received.terminal}/"
        after = ""
        while True:
            page = await self._records.aggregates(prefix, self._node, limit=_PAGE, after=after)
            for aggregate in page:
                await self._examine(event, received, aggregate.removeprefix(prefix))
            if len(page) < _PAGE:
                return
            after = page[-1]

    async def arrival(self, actor: Actor, consignment: str) -> Arrival:
        """The arrival of a consignment. Raises NotFound if the actor may not see it."""
        history = await self._records.history(_arrival(consignment), actor)
        expected = latest(history, ArrivalExpected)
        if expected is None:
            raise NotFound("no arrival of that name")
        proven = latest(history, ArrivalProven)
        failed = every(history, ArrivalNotProven)
        state = "proven" if proven else "not_proven" if failed else "expected"
        return Arrival(state=state, expected=expected, proven=proven, not_proven=failed)

    async def track(self, actor: Actor, consignment: str) -> Track:
        """The positions of the window that decided, or of the last one, with bounds and skies.

        Raises NotFound if no window of this arrival was evaluated.
        """
        found = await self.arrival(actor, consignment)
        digest = found.proven.evidence if found.proven else ""
        if not digest:
            digest = next((f.evidence for f in reversed(found.not_proven) if f.evidence), "")
        if not digest:
            raise NotFound("no window of this arrival was evaluated yet")
        # The same bytes give the same track for ever: only who may see it is asked each time.
        if digest not in self._tracks:
            data = await self._archive.get(digest)
            told = PositionEvidence.decode(data)
            window = await self._custody.window(told.window, terminal=told.question.terminal)
            navigation = await self._navigation.data(told.navigation)
            track = await self._run(track_of, data, window.data, navigation)
            self._tracks[digest] = track
            while len(self._tracks) > _TRACKS_KEPT:
                del self._tracks[next(iter(self._tracks))]
            return track
        return self._tracks[digest]

    async def evidence(self, actor: Actor, digest: str) -> bytes:
        """The evidence of a digest, for those who may see the arrival that it belongs to."""
        try:
            data = await self._archive.get(digest)
            told = PositionEvidence.decode(data)
            found = await self.arrival(actor, told.question.consignment)
        except (MalformedInput, NotFound) as error:
            # The archive holds other rooms' bytes too: what is no evidence is not here.
            raise NotFound("no evidence of that digest") from error
        known = {failed.evidence for failed in found.not_proven}
        if digest not in known and not (found.proven and found.proven.evidence == digest):
            raise NotFound("no evidence of that digest")
        return data

    async def _examine(self, event: SignedEvent, received: WindowReceived, name: str) -> None:
        handled = Handled(f"{CONSUMER}/{name}", event.id)
        if await self._records.is_handled(handled):
            return
        history = await self._records.history(_arrival(name))
        expected = latest(history, ArrivalExpected)
        if expected is None or latest(history, ArrivalProven):
            # Proven stays proven; a watch whose wish was never completed waits for nothing.
            return
        window = await self._custody.window(received.digest, terminal=received.terminal)
        finding = await self._evaluate(expected, window, attempt_of(expected, history))
        first = history[0]
        fact = await self._conclude(expected, window, finding, {first.owner, *first.visible})
        observed = finding.result.observed_at if finding.result else ""
        await self._records.record(
            self._node,
            _arrival(name),
            [fact],
            after=len(history),
            owner=first.owner,
            visible=first.visible,
            occurred_at=Utc.parse(observed) if observed else None,
            handled=handled,
        )

    async def _evaluate(
        self, expected: ArrivalExpected, window: RawWindow, attempt: int
    ) -> _Finding:
        terminal = expected.terminal
        surroundings = await self._custody.surroundings(terminal)
        before = await self._custody.window_before(window.digest, terminal=terminal)
        settings = Settings.of_arrivals(environment=surroundings, method=self._method)
        try:
            span = await self._run(span_of, window.data)
            digest = await self._fitting(span)
            question = Question(
                consignment=expected.consignment,
                terminal=expected.terminal,
                site=expected.site,
                not_before=expected.not_before,
                not_after=expected.not_after,
                risk_ppb=expected.risk_ppb,
            )
            navigation = await self._navigation.data(digest)
            asked = partial(
                evaluate,
                question,
                window.data,
                navigation,
                settings,
                earlier=Earlier(before, attempt),
                surroundings=surroundings,
            )
            evidence = await self._run(asked)
        except MalformedInput as error:
            return _Finding(None, "", "", str(error))
        kept = await self._archive.put(evidence)
        told = PositionEvidence.decode(evidence)
        return _Finding(told.result, kept, digest, "", told.before, told.surroundings)

    async def _fitting(self, span: Span) -> str:
        """Digest of a time's navigation data, with a base's epochs where they are asked for."""
        if not span.first_at:
            return ""
        first, last = Utc.parse(span.first_at), Utc.parse(span.last_at)
        known = await self._navigation.fitting(
            self._node, systems=span.systems, first=first, last=last
        )
        if self._method != "rtk" or not known:
            return known
        base = await self._bases.serving(self._node, first=first, last=last)
        return await self._navigation.with_base(known, base) if base else known

    async def _conclude(
        self,
        expected: ArrivalExpected,
        window: RawWindow,
        finding: _Finding,
        readers: set[PartyId],
    ) -> Fact:
        bound, unbound = await self._binding(expected, window)
        result = finding.result
        inside = result is not None and result.decision == "inside"
        measured = result is not None and result.mark == "inside_at_risk"
        marks = Marks(
            signed_by_terminal=window.signed,
            bound_to_goods=bound,
            recomputed=result is not None and result.fixes > 0,
            corroborated_by=[],
            disagreed_by=[],
            inside_risk_ppb=expected.risk_ppb if inside and measured else 0,
            inside_open_sky_model_ppb=expected.risk_ppb if inside and not measured else 0,
        )
        obstacle = _obstacle(window, result, finding.unreadable, unbound)
        if result is not None and not obstacle.reason:
            marks, obstacle = await self._ask_network(expected, result, marks, readers)
        if result is not None and not obstacle.reason:
            return _proven(expected, window, finding, result, marks)
        return _not_proven(expected, window, finding, marks, obstacle)

    async def _binding(self, expected: ArrivalExpected, window: RawWindow) -> tuple[bool, str]:
        try:
            found = await self._custody.binding(
                terminal=expected.terminal, consignment=expected.consignment
            )
        except NotFound:
            return False, "no seal binds the terminal to the goods"
        if not found.bound:
            return False, found.reason or "the terminal is not bound to the goods"
        if found.terminal_key != window.key:
            return False, "the seal names another key of the terminal"
        return True, ""

    async def _ask_network(
        self, expected: ArrivalExpected, result: Result, marks: Marks, readers: set[PartyId]
    ) -> tuple[Marks, _Obstacle]:
        """No answer is no disagreement; a mismatch blocks.

        Of the arrival's readers those see the answer, and the phone number in it, who may see the
        terminal.
        """
        try:
            phone = await self._custody.phone(expected.terminal)
            readers &= await self._custody.audience(expected.terminal)
            checked = await self._network.check(
                self._node,
                phone=phone,
                latitude_ndeg=result.latitude_ndeg,
                longitude_ndeg=result.longitude_ndeg,
                bound_mm=result.protection_mm,
                at=Utc.parse(result.observed_at),
                readers=tuple(sorted(readers - {self._node.party})),
            )
        except (NotFound, Unavailable, Refused):
            return marks, _NOTHING
        name = checked.network or "mobile network"
        if checked.verdict == "mismatch":
            marks = msgspec.structs.replace(marks, disagreed_by=[name])
            sentence = f"the network places the terminal elsewhere: {checked.reason or name}"
            return marks, _Obstacle("network_disagrees", sentence)
        if checked.verdict == "match":
            marks = msgspec.structs.replace(marks, corroborated_by=[name])
        return marks, _NOTHING

    async def _run(self, function: Callable[..., _T], *arguments: object) -> _T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._workers, function, *arguments)


def _arrival(consignment: str) -> str:
    return f"arrival/{consignment}"


def _wish(
    consignment: str, terminal: str, site: Site, window: tuple[Utc, Utc], risk_ppb: int
) -> ArrivalExpected:
    wish = ArrivalExpected(
        consignment=consignment,
        terminal=terminal,
        site=site,
        not_before=str(window[0]),
        not_after=str(window[1]),
        risk_ppb=risk_ppb,
    )
    _refuse_wish(wish)
    return wish


def _refuse_wish(wish: ArrivalExpected) -> None:
    site = wish.site
    for name, text in (("consignment", wish.consignment), ("terminal", wish.terminal)):
        if not 0 < len(text) <= 64 or "/" in text or not text.isprintable():
            raise MalformedInput(f"no name of a {name}: {text[:70]!r}")
    if not site.corners and not 0 < site.radius_mm <= _RADIUS_MM_MAX:
        raise Refused("a site has a radius of more than 0 m, up to 100 km")
    site.area()
    if Utc.parse(wish.not_after) <= Utc.parse(wish.not_before):
        raise Refused("the time window ends before it begins")
    if not 0 < wish.risk_ppb <= _PPB_MAX // 2:
        raise Refused("the risk lies above 0, up to 500,000,000 parts per billion")


def _obstacle(window: RawWindow, result: Result | None, unreadable: str, unbound: str) -> _Obstacle:
    """The first thing that keeps a window from proving an arrival, before the network is asked."""
    if not window.signed:
        return _Obstacle("not_signed", "the window is not signed with the registered terminal key")
    if result is None:
        return _Obstacle("unreadable", f"the window cannot be read: {unreadable[:300]}")
    if result.decision != "inside":
        return _Obstacle(result.decision, result.sentence)
    if unbound:
        return _Obstacle("terminal_not_bound", f"the terminal is not bound to the goods: {unbound}")
    return _NOTHING


def _proven(
    expected: ArrivalExpected,
    window: RawWindow,
    finding: _Finding,
    result: Result,
    marks: Marks,
) -> ArrivalProven:
    return ArrivalProven(
        consignment=expected.consignment,
        terminal=expected.terminal,
        site=expected.site,
        observed_at=result.observed_at,
        latitude_ndeg=result.latitude_ndeg,
        longitude_ndeg=result.longitude_ndeg,
        height_mm=result.height_mm,
        protection_mm=result.protection_mm,
        satellites=result.satellites,
        epochs=result.stretch_epochs,
        marks=marks,
        window=window.digest,
        navigation=finding.navigation,
        evidence=finding.evidence,
        simulated=window.simulated or result.simulated,
        before=finding.before,
        surroundings=finding.surroundings,
        open_questions=result.open,
    )


def _not_proven(
    expected: ArrivalExpected,
    window: RawWindow,
    finding: _Finding,
    marks: Marks,
    obstacle: _Obstacle,
) -> ArrivalNotProven:
    result = finding.result
    return ArrivalNotProven(
        consignment=expected.consignment,
        terminal=expected.terminal,
        reason=obstacle.reason,
        sentence=obstacle.sentence,
        observed_at=result.observed_at if result else "",
        latitude_ndeg=result.latitude_ndeg if result else 0,
        longitude_ndeg=result.longitude_ndeg if result else 0,
        protection_mm=result.protection_mm if result else PROTECTION_MM_MAX,
        marks=marks,
        window=window.digest,
        evidence=finding.evidence,
        simulated=window.simulated or bool(result and result.simulated),
        before=finding.before,
    )
