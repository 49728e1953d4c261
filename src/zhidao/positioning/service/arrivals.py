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
from zhidao.core.errors import MalformedInput, NotFound, Refused, Unavailable
from zhidao.core.events import Fact, SignedEvent
from zhidao.core.ids import PartyId
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
)
from zhidao.positioning.service.attempts import attempt_of
from zhidao.positioning.service.awaited import (
    Arrival,
    arrival_named,
    asked_of,
    evidence_of,
    is_proven,
    proofs_of,
    told_by,
)
from zhidao.positioning.service.awaiting import Awaiting
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
_T = TypeVar("_T")


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


class ArrivalService(Awaiting):
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
        super().__init__(records=records, custody=custody)
        Settings.of_arrivals(method=method)
        self._archive = archive
        self._navigation = navigation
        self._bases = bases
        self._network = network
        self._workers = workers
        self._method = method
        self._tracks: dict[str, Track] = {}
        self._node = Actor(records.node, Role.NODE)

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
        return told_by(await self._records.history(arrival_named(consignment), actor))

    async def track(self, actor: Actor, consignment: str, *, container: str = "") -> Track:
        """The positions of the window that decided, or of the last one, with bounds and skies.

        `container`: of this one of several. Raises NotFound if no window of it was evaluated.
        """
        digest = evidence_of(await self.arrival(actor, consignment), container)
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
        known |= {each.evidence for each in proofs_of(found)}
        if digest not in known:
            raise NotFound("no evidence of that digest")
        return data

    async def _examine(self, event: SignedEvent, received: WindowReceived, name: str) -> None:
        handled = Handled(f"{CONSUMER}/{name}", event.id)
        if await self._records.is_handled(handled):
            return
        history = await self._records.history(arrival_named(name))
        expected = asked_of(history, received.terminal)
        if expected is None or is_proven(history, received.terminal):
            # Proven stays proven; a watch whose wish was never completed waits for nothing.
            return
        window = await self._custody.window(received.digest, terminal=received.terminal)
        finding = await self._evaluate(expected, window, attempt_of(expected, history))
        first = history[0]
        fact = await self._conclude(expected, window, finding, {first.owner, *first.visible})
        observed = finding.result.observed_at if finding.result else ""
        await self._records.record(
            self._node,
            arrival_named(name),
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
                terminal=expected.terminal,
                consignment=expected.consignment,
                container=expected.container,
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
        container=expected.container,
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
        container=expected.container,
    )
