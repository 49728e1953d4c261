"""Who may agree, in a party's name, to a token or person that somebody else made for it.

An admin of the node makes tokens and people for its parties, but none of them opens anything until
the party itself agrees: one of its own people, or, for a party that never had any, the node's
operator. Nobody makes a party one without people by taking its people away: once somebody of it
got in, whoever is locked out is let in again at the node's own machine only. So a rule of two
persons of a bank rests on the bank and not on one admin of the node, who can make operators.
"""

from __future__ import annotations

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Forbidden
from zhidao.core.ids import PartyId
from zhidao.node.security.callers import OPERATOR, OWN, WAITS, Callers


def agreed_by_maker(actor: Actor, party: PartyId) -> str:
    """What a maker's own word counts for: his own party's agreement, and nobody else's."""
    return OWN if actor.party == party else WAITS


async def agreement(actor: Actor, party: PartyId, callers: Callers, *, besides: str = "") -> str:
    """In whose name the actor agrees for a party. Raises Forbidden if he cannot.

    `besides`: a person who does not count, since it is that person's own password that waits.
    """
    if actor.party == party and actor.person and actor.person != besides:
        return f"person {actor.person}"
    if actor.role is Role.OPERATOR and not await _ever_had_people(party, callers):
        return OPERATOR
    raise Forbidden(
        f"{party} itself must agree",
        code="party_must_agree",
        remedy=f"let a person of {party} sign in and agree; the operator may while it never had"
        " one; if all are locked out: zhidao people agree NAME --data, at the node's machine",
    )


async def _ever_had_people(party: PartyId, callers: Callers) -> bool:
    """Whether anybody of the party was ever agreed to, also who was withdrawn or waits again."""
    persons = await callers.persons()
    return any(each.party == party and each.agreed != WAITS for each in persons)
