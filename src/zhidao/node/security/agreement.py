"""Who may agree, in a party's name, to a token or person that somebody else made for it.

An admin of the node makes tokens and people for its parties, but none of them opens anything until
the party itself agrees: one of its own people, or, for a party without any, the node's operator.
So a rule of two persons of a bank rests on the bank and not on one admin of the node.
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
    if actor.role is Role.OPERATOR and not await _has_people(party, callers, besides):
        return OPERATOR
    raise Forbidden(
        f"{party} itself must agree",
        code="party_must_agree",
        remedy=f"let a person of {party} sign in and agree; the operator may while it has none",
    )


async def _has_people(party: PartyId, callers: Callers, besides: str) -> bool:
    persons = await callers.persons()
    return any(each.party == party and each.may_enter and each.name != besides for each in persons)
