"""What binds a terminal to goods: a seal closed by the carrier and found whole afterwards."""

from __future__ import annotations

from collections.abc import Sequence

from zhidao.core.events import SignedEvent
from zhidao.core.ids import PartyId
from zhidao.devices.events import Binding, SealChecked, Sealed


def unbound(terminal: str, reason: str) -> Binding:
    """A binding that is none, with its reason."""
    return Binding(
        seal="",
        container="",
        terminal=terminal,
        terminal_key="",
        sealed_by="",
        checked_by="",
        bound=False,
        reason=reason,
    )


def binding_of(history: Sequence[SignedEvent], *, terminal: str, terminal_key: str) -> Binding:
    """The binding that a seal's history gives to a terminal with this registered key.

    Bound if it was sealed with this terminal and key, was looked at since, and every look found it
    whole with the same container and terminal: one broken seal is never healed by a later look.
    """
    sealing = next((event for event in history if event.type == Sealed.TYPE), None)
    if sealing is None:
        return unbound(terminal, "terminal not bound: nobody sealed it to the goods")
    sealed = Sealed.of(sealing)
    looks = [event for event in history if event.type == SealChecked.TYPE]
    reason = _objection(sealed, [SealChecked.of(e) for e in looks], terminal, terminal_key)
    return Binding(
        seal=sealed.seal,
        container=sealed.container,
        terminal=sealed.terminal,
        terminal_key=sealed.terminal_key,
        sealed_by=sealing.asserted_by.party,
        checked_by=looks[-1].asserted_by.party if looks else "",
        bound=not reason,
        reason=reason,
    )


def bound_to(found: Sequence[Binding], container: str, *, otherwise: Binding) -> Binding:
    """What joins a terminal to one of several containers, by all seals that name the terminal.

    A terminal stands for one container. `found` says of each seal whether it still binds: a later
    seal ends what an earlier one said. Where two still put it into two containers, since they
    were closed at one instant, nobody knows in which it is, and it stands for neither.
    """
    places = sorted({each.container for each in found if each.bound})
    if not places:
        ours = [each for each in found if each.container == container]
        return [otherwise, *ours][-1]
    if places != [container]:
        where = " and ".join(places)
        return unbound(
            otherwise.terminal,
            f"terminal not bound: {otherwise.terminal} is sealed into {where}, not into"
            f" {container} alone",
        )
    return [each for each in found if each.bound][-1]


def left_since(
    sealing: SignedEvent, others: Sequence[Sequence[SignedEvent]], *, owner: PartyId
) -> str:
    """Why a whole seal does not tell where its terminal is, or `` if it does.

    `others`: the histories of the terminal's other seals. It goes on from one journey to the next
    without a word, so what was sealed last holds it; but whoever owns it comes before whoever may
    only read it and can seal it in as well: no reader's seal sets the owner's aside, and while the
    owner's last one is whole a reader's elsewhere holds nothing. Which seal it was is not said,
    since whoever sees the one need not know of the other.
    """
    sealed, own = Sealed.of(sealing), sealing.asserted_by.party == owner
    others = [each for each in others if not was_a_slip(each)]
    owners = [each for each in others if each[0].asserted_by.party == owner]
    if not own and _holds_elsewhere(owners, sealed.container):
        return f"terminal not bound: {sealed.terminal} is in another container of its owner's"
    if any(_came_after(sealing, each) for each in (owners if own else others)):
        return f"terminal not bound: {sealed.terminal} was sealed into another container since"
    return ""


def _came_after(sealing: SignedEvent, other: Sequence[SignedEvent]) -> bool:
    """Whether another seal was closed since, on another container."""
    apart = Sealed.of(other[0]).container != Sealed.of(sealing).container
    return apart and other[0].recorded_at >= sealing.recorded_at


def _holds_elsewhere(seals: Sequence[Sequence[SignedEvent]], container: str) -> bool:
    """Whether the last of these seals is on another container, and nobody found it broken."""
    last = max((each[0].recorded_at for each in seals), default=None)
    return any(
        Sealed.of(each[0]).container != container and all(_found_whole(each))
        for each in seals
        if each[0].recorded_at == last
    )


def was_a_slip(history: Sequence[SignedEvent]) -> bool:
    """Whether a seal was called broken before any look found it whole: it never bound anything."""
    return _found_whole(history)[:1] == [False]


def _found_whole(history: Sequence[SignedEvent]) -> list[bool]:
    """Of each look at a seal, whether it found it whole."""
    return [SealChecked.of(each).intact for each in history if each.type == SealChecked.TYPE]


def _objection(
    sealed: Sealed, checks: Sequence[SealChecked], terminal: str, terminal_key: str
) -> str:
    if sealed.terminal != terminal:
        return f"terminal not bound: seal {sealed.seal} holds terminal {sealed.terminal}"
    if not terminal_key:
        return f"terminal not bound: terminal {terminal} has no key, so others may speak for it"
    if sealed.terminal_key != terminal_key:
        return f"terminal not bound: seal {sealed.seal} names another key of this terminal"
    if not checks:
        return f"terminal not bound: nobody has checked seal {sealed.seal} since it was closed"
    for check in checks:
        if not check.intact:
            return f"terminal not bound: seal {sealed.seal} was found broken at {check.place}"
        if (check.container, check.terminal) != (sealed.container, sealed.terminal):
            return (
                f"terminal not bound: seal {sealed.seal} was found on container "
                f"{check.container} with terminal {check.terminal}"
            )
    return ""
