"""Who may agree, in a party's name, to a token or person that somebody else made for it.

An admin of the node makes tokens and people for its parties, but none of them opens anything until
the party itself agrees: one of its own people, or, for a party that never had any, the node's
operator. To whoever may move its money, or make who may, only somebody agrees who acts for the
party himself, once there was one: an operator of a bank decides about no money, nor by whom. Nobody
makes a party one without people by taking its people away: once somebody of it got in, whoever is
locked out is let in again at the node's own machine only. So a rule of two persons of a bank rests
on the bank and not on one admin of the node, who can make operators.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Forbidden
from zhidao.core.ids import PartyId
from zhidao.node.security.callers import OPERATOR, OWN, WAITS, Callers, Person

# Whoever is an admin of a party makes its people and gives them passwords without another's word.
_OVER_MONEY: Final = frozenset((Role.PARTY, Role.ADMIN))


def agreed_by_maker(actor: Actor, party: PartyId) -> str:
    """What a maker's own word counts for: his own party's agreement, and nobody else's."""
    return OWN if actor.party == party else WAITS


async def agreement(
    actor: Actor,
    party: PartyId,
    callers: Callers,
    *,
    role: Role | None = None,
    besides: str = "",
) -> str:
    """In whose name the actor agrees for a party. Raises Forbidden if he cannot.

    `role`: of the person or token agreed to; None: nobody gets in by it. `besides`: a person who
    does not count, since it is that person's own password that waits.
    """
    people = await _agreed_to(party, callers)
    if actor.party == party and actor.person and actor.person != besides:
        if role in _OVER_MONEY and actor.role is not Role.PARTY:
            _refuse_if_acted(party, people, besides)
        return f"person {actor.person}"
    if actor.role is Role.OPERATOR and not people:
        return OPERATOR
    raise Forbidden(
        f"{party} itself must agree",
        code="party_must_agree",
        remedy=f"let a person of {party} sign in and agree; the operator may while it never had"
        " one; if all are locked out: zhidao people agree NAME --data, at the node's machine",
    )


async def _agreed_to(party: PartyId, callers: Callers) -> list[Person]:
    """Who of the party was ever agreed to, also who was withdrawn or waits again."""
    return [
        each for each in await callers.persons() if each.party == party and each.agreed != WAITS
    ]


def _refuse_if_acted(party: PartyId, people: Sequence[Person], besides: str) -> None:
    """Raises Forbidden if anybody acts for a party or did, also who has another role by now.

    Who waits for a new role may have had that one: a change by an admin gives nobody a say.
    """
    waiting = [each for each in people if each.name != besides and each.waiting_hash]
    if waiting or any(each.has_acted for each in people):
        raise Forbidden(
            f"{party} itself must agree by a person of the role party: this gives a say"
            " over its money, or over who has one",
            code="party_must_agree",
            remedy=f"let such a person of {party} sign in and agree; if none can:"
            " zhidao people agree NAME --data, at the node's machine",
        )
