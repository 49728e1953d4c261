"""The marks of an arrival: which of them a stranger can check, and which are somebody's word."""

from __future__ import annotations

from collections.abc import Iterator

from zhidao.connectivity.domain.crosscheck import compare
from zhidao.connectivity.domain.subscriber_location import SubscriberLocation
from zhidao.connectivity.events import NetworkChecked
from zhidao.core.encoding import parse_hex
from zhidao.core.errors import Refused, ZhidaoError
from zhidao.core.geo import Geodetic
from zhidao.core.keys import PublicKey
from zhidao.core.timescale import Utc
from zhidao.devices.domain.binding import binding_of, bound_to, unbound
from zhidao.devices.events import Binding, SealChecked, Sealed, TerminalRegistered, WindowReceived
from zhidao.devices.wire.chunk import decode_chunk, window_of
from zhidao.positioning.events import ArrivalProven, Marks
from zhidao.trust.domain.proof import Replayed, Statement
from zhidao.verification.case import Case, OpenedFact


def claimed_marks(marks: Marks) -> tuple[Statement, ...]:
    """Which marks the node gave, for a reader who compares them with a condition."""
    names = [
        *(["signed_by_terminal"] if marks.signed_by_terminal else []),
        *(["bound_to_goods"] if marks.bound_to_goods else []),
        *(["recomputed"] if marks.recomputed else []),
        *([f"corroborated by {name}" for name in marks.corroborated_by]),
        *(["inside"] if marks.inside_risk_ppb else []),
        *(["inside by the open-sky model"] if marks.inside_open_sky_model_ppb else []),
    ]
    return (Statement("marks", f"The node gave these marks: {', '.join(names) or 'none'}."),)


def marks_of(case: Case, told: OpenedFact[ArrivalProven]) -> Replayed:
    """Checks each mark against what is enclosed.

    Raises Refused with the code `false_mark` for a mark that the proof itself contradicts.
    """
    key = _terminal_key(case, told)
    parts = (
        _signed(case, told, key),
        _bound(case, told, key),
        _corroborated(case, told),
    )
    return Replayed(
        tuple(one for part in parts for one in part.proven),
        tuple(one for part in parts for one in part.not_proven),
    )


def are_opened(case: Case, told: OpenedFact[ArrivalProven]) -> bool:
    """Whether the facts on which the claimed marks rest are opened.

    Those of the signature are its registration and window; the raw bytes may be left out.
    """
    marks, key = told.fact.marks, _terminal_key(case, told)
    whole = [seal for seal in _seals(case, told) if case.is_whole(seal.event.aggregate)]
    answers = [t.fact for t in case.every(NetworkChecked) if _is_about(t.fact, told.fact)]
    signed = bool(key) and bool(_windows(case, told))
    bound = _standing(case, told, key, whole).bound
    seen = any(answer.verdict == "match" for answer in answers)
    return (
        (signed or not marks.signed_by_terminal)
        and (bound or not marks.bound_to_goods)
        and (seen or not marks.corroborated_by)
    )


def _windows(case: Case, told: OpenedFact[ArrivalProven]) -> list[WindowReceived]:
    """The arrival's window as the terminal's node took it in, before the arrival."""
    return [
        one.fact
        for one in case.every(WindowReceived)
        if (one.fact.terminal, one.fact.digest) == (told.fact.terminal, told.fact.window)
        and one.index < told.index
    ]


def _terminal_key(case: Case, told: OpenedFact[ArrivalProven]) -> str:
    """The key of the terminal by its registration and its seals; `` if neither is opened."""
    terminal = told.fact.terminal
    keys = [
        *(t.fact.key for t in case.every(TerminalRegistered) if t.fact.terminal == terminal),
        *(t.fact.terminal_key for t in _seals(case, told)),
    ]
    if len(set(keys)) > 1:
        raise _false(f"terminal {terminal} is registered and sealed under different keys")
    return keys[0] if keys else ""


def _signed(case: Case, told: OpenedFact[ArrivalProven], key: str) -> Replayed:
    fact = told.fact
    received = _windows(case, told)
    window = case.file(fact.window)
    if not received or not key or window is None:
        return _lacks("signed_by_terminal", "the terminal's registration or window is not opened")
    chunks = [case.file(digest) for digest in received[-1].chunk_digests]
    whole = [chunk for chunk in chunks if chunk is not None]
    if len(whole) < len(chunks) or not whole:
        return _lacks("signed_by_terminal", "the signed chunks are not enclosed")
    _check_chunks(received[-1], whole, key=key, window=window)
    if not fact.marks.signed_by_terminal:
        return Replayed()
    return Replayed(
        (
            Statement(
                "signed_by_terminal",
                f"Every chunk of the raw window ({len(whole)} in all) bears the signature of "
                f"terminal {fact.terminal} (key {PublicKey.from_multikey(key).fingerprint}).",
            ),
        ),
        (
            Statement(
                "fresh",
                "That the window was observed after the node gave its nonce "
                f"{received[-1].nonce}: that it was fresh is the node's word.",
            ),
            Statement(
                "terminal_key", "That only the terminal has its key: how it is kept is unknown."
            ),
        ),
    )


def _check_chunks(
    received: WindowReceived, chunks: list[bytes], *, key: str, window: bytes
) -> None:
    try:
        whole = window_of(chunks, key=PublicKey.from_multikey(key), nonce=parse_hex(received.nonce))
        simulated = decode_chunk(chunks[0]).simulated
    except ZhidaoError as error:
        raise _false(f"the window's chunks are not the terminal's: {error}") from error
    if whole != window or received.key != key:
        raise _false("the terminal signed other bytes than those that were evaluated")
    if simulated != received.simulated:
        raise _false("the terminal's chunks say otherwise whether the signals are simulated")


def _bound(case: Case, told: OpenedFact[ArrivalProven], key: str) -> Replayed:
    """The seal binds the terminal to the goods, by what was written before the arrival."""
    fact = told.fact
    seals = _seals(case, told)
    whole = [seal for seal in seals if case.is_whole(seal.event.aggregate)]
    if not whole:
        return _lacks("bound_to_goods", "no seal of this terminal is opened as a whole")
    standing = _standing(case, told, key, whole)
    if not standing.bound:
        if fact.marks.bound_to_goods and len(whole) == len(seals):
            raise _false(f"the arrival is marked as bound, but {standing.reason}")
        return Replayed()
    if not fact.marks.bound_to_goods:
        return Replayed()
    checks = ", ".join(sorted({c.event.asserted_by.party for c in _checks(case, standing.seal)}))
    return Replayed(
        (
            Statement(
                "bound_to_goods",
                f"{standing.sealed_by} closed seal {standing.seal} on container "
                f"{standing.container} with this terminal and key; {checks} found it whole.",
            ),
        ),
        tuple(_left_open(case, standing, checks, told.index)),
    )


def _standing(
    case: Case, told: OpenedFact[ArrivalProven], key: str, whole: list[OpenedFact[Sealed]]
) -> Binding:
    """What binds the terminal by these seals: to the goods, or to the container that it names."""
    fact = told.fact
    bindings = [_binding(case, seal, told, key) for seal in whole]
    none = unbound(fact.terminal, "terminal not bound: no seal of it is opened")
    if fact.container:
        return bound_to(bindings, fact.container, otherwise=none)
    return next((one for one in bindings if one.bound), [none, *bindings][-1])


def _left_open(case: Case, standing: Binding, checks: str, arrival: int) -> Iterator[Statement]:
    """What no seal proves; `arrival` is where the arrival stands in the log."""
    yield Statement(
        "physically_bound",
        f"That the terminal is in container {standing.container}: that is the word of "
        f"{standing.sealed_by} and {checks}, who sealed and looked.",
    )
    later = [c for c in _checks(case, standing.seal) if c.index > arrival and not c.fact.intact]
    if later:
        yield Statement(
            "seal_broken_later",
            f"That the seal was still whole later: {later[0].event.asserted_by.party} found "
            f"it broken at {later[0].fact.place}.",
        )


def _binding(
    case: Case, seal: OpenedFact[Sealed], told: OpenedFact[ArrivalProven], key: str
) -> Binding:
    history = [
        opened.event
        for opened in case.proof.events
        if opened.event.aggregate == seal.event.aggregate and opened.index < told.index
    ]
    return binding_of(
        history, terminal=told.fact.terminal, terminal_key=key or seal.fact.terminal_key
    )


def _seals(case: Case, told: OpenedFact[ArrivalProven]) -> list[OpenedFact[Sealed]]:
    """Seals of this terminal on this consignment's containers, closed before the arrival."""
    return [
        seal
        for seal in case.every(Sealed)
        if (seal.fact.consignment, seal.fact.terminal) == (case.consignment, told.fact.terminal)
        and seal.fact.container in case.entered.every_container
        and seal.index < told.index
    ]


def _checks(case: Case, seal: str) -> list[OpenedFact[SealChecked]]:
    return [told for told in case.every(SealChecked) if told.fact.seal == seal]


def _corroborated(case: Case, told: OpenedFact[ArrivalProven]) -> Replayed:
    fact = told.fact
    answers = [one.fact for one in case.every(NetworkChecked) if _is_about(one.fact, fact)]
    for answer in answers:
        _check_geometry(answer)
        disagrees = answer.verdict == "mismatch" and not fact.marks.disagreed_by
        if disagrees or (fact.marks.corroborated_by and answer.verdict != "match"):
            raise _false(f"the network's recorded answer is {answer.verdict}")
    if not fact.marks.corroborated_by:
        return Replayed()
    names = ", ".join(fact.marks.corroborated_by)
    recorded = (
        "as the node wrote down, its answer was that the circle holds the position"
        if answers
        else "its answer is not opened here"
    )
    return Replayed(
        not_proven=(
            Statement(
                "corroborated",
                f"That {names} saw the terminal there: {recorded}; the network signed nothing.",
            ),
        )
    )


def _is_about(answer: NetworkChecked, fact: ArrivalProven) -> bool:
    return (
        answer.fix_latitude_ndeg,
        answer.fix_longitude_ndeg,
        answer.fix_bound_mm,
        answer.observed_at,
    ) == (fact.latitude_ndeg, fact.longitude_ndeg, fact.protection_mm, fact.observed_at)


def _check_geometry(answer: NetworkChecked) -> None:
    """The verdict follows from the two circles that the answer itself names."""
    if answer.verdict not in ("match", "partial", "mismatch"):
        return
    at = Utc.parse(answer.observed_at)
    centre = Geodetic.from_ndeg(
        latitude_ndeg=answer.network_latitude_ndeg, longitude_ndeg=answer.network_longitude_ndeg
    )
    fix = Geodetic.from_ndeg(
        latitude_ndeg=answer.fix_latitude_ndeg, longitude_ndeg=answer.fix_longitude_ndeg
    )
    circle = SubscriberLocation(
        centre, answer.network_radius_mm / 1000, at, answer.network, answer.simulated
    )
    again = compare(fix, bound_m=answer.fix_bound_mm / 1000, at=at, location=circle)
    # Circles that touch within a millimetre may be judged either way after rounding.
    if {again.agreement.value, answer.verdict} == {"match", "mismatch"}:
        raise _false("the network's answer does not follow from its circle")


def _lacks(code: str, why: str) -> Replayed:
    words = code.replace("_", " ")
    return Replayed(not_proven=(Statement(code, f"That the position is {words}: {why}."),))


def _false(why: str) -> Refused:
    return Refused(why, code="false_mark")
