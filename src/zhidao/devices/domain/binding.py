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

    A terminal stands for one container. Where whole seals put it into two, nobody knows in which
    it is, and it stands for neither.
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
    owner's is whole a reader's holds nothing. Which seal it was is not said, since whoever sees the
    one need not know of the other.
    """
    sealed, own = Sealed.of(sealing), sealing.asserted_by.party == owner
    for history in others:
        other = history[0]
        if Sealed.of(other).container == sealed.container:
            continue
        looks = [SealChecked.of(each) for each in history if each.type == SealChecked.TYPE]
        by_owner = other.asserted_by.party == owner
        if by_owner and not own and all(look.intact for look in looks):
            return f"terminal not bound: {sealed.terminal} is in another container of its owner's"
        # One called broken before anybody found it whole never bound anything: a slip of the hand.
        slip = bool(looks) and not looks[0].intact
        if other.recorded_at >= sealing.recorded_at and not slip and (by_owner or not own):
            return f"terminal not bound: {sealed.terminal} was sealed into another container since"
    return ""


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
