"""Routes of people, their passwords and sessions, and of the journal of administration."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Final

import msgspec
from litestar import Request, Router, delete, get, post, put
from litestar.params import Parameter

from zhidao.core.access import CALLER
from zhidao.core.actor import Actor, Role
from zhidao.core.ids import PartyId, parse_id, party_id
from zhidao.node.api.callers import Name, Password
from zhidao.node.events import Administered
from zhidao.node.http.access import ACCESS
from zhidao.node.http.authentication import SESSION_COOKIE
from zhidao.node.identity.parties import Parties
from zhidao.node.lists.listing import LISTED, Listing
from zhidao.node.security.administration import PREFIX
from zhidao.node.security.callers import Person
from zhidao.node.security.gate import SESSION_SECONDS, Gate
from zhidao.node.security.people import MAY_AGREE, MAY_MANAGE, MAY_WITHDRAW, People
from zhidao.store.reading import Stored

ACTS_MAX: Final = 200
_LIVES_NS: Final = SESSION_SECONDS * 10**9
_Name = Annotated[str, Parameter(min_length=1, max_length=64)]
_Limit = Annotated[int, Parameter(ge=1, le=ACTS_MAX)]
_SessionId = Annotated[str, Parameter(pattern=r"^[0-9a-f]{16}\Z")]
_After = Annotated[str, Parameter(max_length=36)]


_PEOPLE = Listing("people", ("name",), ("name", "party", "role", "state", "agreed"))


_JOURNAL = Listing(
    "administration",
    ("id",),
    (
        *("at", "act", "subject", "party", "by", "person", "role", "credential", "values"),
        *("leaf", "id"),
    ),
)


class NewPerson(msgspec.Struct, forbid_unknown_fields=True):
    """Somebody who may sign in."""

    name: Name
    password: Password
    party: Name
    role: Role


class PersonView(msgspec.Struct):
    """A person. `agreed`: who agreed in the party's name; `waits`: for whose word, or empty.

    `state`: enters, invited (no password was set yet), waits (none counts yet), reset (a new one
    waits), withdrawn. `passkeys`: how many the person signs in with.
    """

    name: str
    party: str
    role: str
    agreed: str
    waits: str
    state: str
    passkeys: int = 0


class NewPassword(msgspec.Struct, forbid_unknown_fields=True):
    """A password that somebody else gets from an admin."""

    password: Password


class NewRole(msgspec.Struct, forbid_unknown_fields=True):
    """What somebody may do from now on."""

    role: Role


class SessionSeen(msgspec.Struct):
    """A session, named without opening it.

    `block`: the addresses it was opened from. `here`: whether it is the one that asks.
    """

    session: str
    began_at: str
    ends_at: str
    block: str
    here: bool


class Ended(msgspec.Struct):
    """How many sessions ended."""

    ended: int


class ActView(msgspec.Struct):
    """One act of administration. `leaf`: its index in the log, null while it is on its way."""

    id: str
    act: str
    at: str
    subject: str
    party: str
    by: str
    person: str
    role: str
    credential: str
    values: dict[str, str]
    leaf: int | None


ReadActs = Callable[..., Awaitable[Sequence[Stored]]]


def routes(people: People, parties: Parties, read_acts: ReadActs, node: PartyId) -> Router:
    """Routes under /v1. `read_acts`: viewer, after, limit."""

    @post("/people", status_code=201, opt={ACCESS: MAY_MANAGE})
    async def add_person(data: NewPerson, actor: Actor) -> PersonView:
        """Makes somebody who may sign in; admins only.

        One of another party than the admin's gets in once that party agrees.
        """
        await parties.must_be_here(party_id(data.party), data.role)
        person = await people.make(
            actor,
            name=data.name,
            password=data.password,
            party=party_id(data.party),
            role=data.role,
        )
        return person_view(person)

    @get("/people", opt={LISTED: _PEOPLE, ACCESS: CALLER})
    async def list_people(actor: Actor) -> list[PersonView]:
        """All people in order of name; a party sees its own."""
        passkeys = await people.passkeys()
        return [
            person_view(person, passkeys.get(person.name, 0))
            for person in await people.every(actor)
        ]

    @get("/people/{name:str}", opt={ACCESS: CALLER})
    async def one_person(name: _Name, actor: Actor) -> PersonView:
        """One person."""
        person = await people.one(actor, name)
        return person_view(person, (await people.passkeys()).get(name, 0))

    @post("/people/{name:str}/agreement", status_code=200, opt={ACCESS: MAY_AGREE})
    async def agree_to_person(name: _Name, actor: Actor) -> PersonView:
        """Agrees in the party's name: one of its people, or, if it has none, the operator."""
        return person_view(await people.agree(actor, name))

    @delete("/people/{name:str}", status_code=204, opt={ACCESS: MAY_WITHDRAW})
    async def withdraw_person(name: _Name, actor: Actor, *, tokens: bool = False) -> None:
        """Takes access away at once, in all sessions; the last admin stays.

        `tokens`: withdraws those that the person made as well, by an admin only.
        """
        await people.withdraw(actor, name, with_tokens=tokens)

    @post("/people/{name:str}/password", status_code=200, opt={ACCESS: MAY_MANAGE})
    async def reset_password(name: _Name, data: NewPassword, actor: Actor) -> PersonView:
        """Gives somebody a new password and takes the passkeys away; admins only.

        Another party's waits for its word.
        """
        return person_view(await people.reset(actor, name, data.password))

    @put("/people/{name:str}/role", status_code=200, opt={ACCESS: MAY_MANAGE})
    async def change_role(name: _Name, data: NewRole, actor: Actor) -> PersonView:
        """Gives somebody another role, which ends all sessions; the last admin stays one.

        One of another party than the admin's gets in again once that party agrees.
        """
        person = await people.one(actor, name)
        await parties.must_be_here(person.party, data.role)
        return person_view(await people.change_role(actor, name, data.role))

    @get("/people/{name:str}/sessions", opt={ACCESS: CALLER})
    async def list_sessions(
        name: _Name, actor: Actor, request: Request[Any, Any, Any]
    ) -> list[SessionSeen]:
        """Where somebody is signed in: for admins, and for oneself."""
        own = Gate.session_hash(request.cookies.get(SESSION_COOKIE, ""))
        return [
            SessionSeen(
                session=each.id,
                began_at=str(each.expires_at.plus_ns(-_LIVES_NS)),
                ends_at=str(each.expires_at),
                block=each.block,
                here=each.secret_hash == own,
            )
            for each in await people.sessions(actor, name)
        ]

    @delete("/people/{name:str}/sessions", status_code=200, opt={ACCESS: CALLER})
    async def end_sessions(
        name: _Name, actor: Actor, request: Request[Any, Any, Any], *, others: bool = False
    ) -> Ended:
        """Signs somebody out everywhere: an admin, or oneself. `others`: but not here."""
        here = request.cookies.get(SESSION_COOKIE, "") if others else ""
        return Ended(await people.end_sessions(actor, name, besides=here))

    @delete("/people/{name:str}/sessions/{session:str}", status_code=200, opt={ACCESS: CALLER})
    async def end_session(name: _Name, session: _SessionId, actor: Actor) -> Ended:
        """Signs somebody out of one browser: an admin, or oneself."""
        return Ended(await people.end_sessions(actor, name, session=session))

    @get("/administration", opt={LISTED: _JOURNAL, ACCESS: CALLER})
    async def administration(actor: Actor, after: _After = "", limit: _Limit = 50) -> list[ActView]:
        """Acts of administration, oldest first: all of them, or those that concern one's party."""
        if after:
            parse_id(after)
        # An admin, whichever party his token names, sees what the node sees.
        viewer = node if actor.role is Role.ADMIN else actor.viewer
        return [_act(each) for each in await read_acts(viewer=viewer, after=after, limit=limit)]

    handlers = [
        *(add_person, list_people, one_person, agree_to_person, withdraw_person),
        *(reset_password, change_role, list_sessions, end_sessions, end_session, administration),
    ]
    return Router("/v1", route_handlers=handlers, tags=["callers"])


def person_view(person: Person, passkeys: int = 0) -> PersonView:
    """A person as everybody sees it."""
    state = "enters"
    if person.withdrawn:
        state = "withdrawn"
    elif person.is_invited:
        state = "invited"
    elif person.waiting_hash:
        state = "reset" if person.password_hash else "waits"
    waits = person.party if state in ("waits", "reset") else ""
    role = person.role.value
    return PersonView(person.name, person.party, role, person.agreed, waits, state, passkeys)


def _act(stored: Stored) -> ActView:
    event = stored.event
    fact = Administered.of(event)
    return ActView(
        id=event.aggregate.removeprefix(PREFIX),
        act=fact.act,
        at=str(event.occurred_at),
        subject=fact.subject,
        party=fact.party,
        by=event.asserted_by.party,
        person=fact.person,
        role=fact.role,
        credential=fact.credential,
        values=fact.values,
        leaf=stored.leaf_index,
    )
