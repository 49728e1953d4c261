"""People of the node and of its parties: made, agreed to, reset, withdrawn, signed out."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final

from zhidao.core.access import CALLER, access
from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Conflict, Forbidden, NotFound, Refused
from zhidao.core.ids import PartyId
from zhidao.core.text.plain_text import refuse_untidy
from zhidao.node.security.administration import Act, Administration, Record, console
from zhidao.node.security.agreement import agreed_by_maker, agreement
from zhidao.node.security.callers import (
    BEFORE,
    EARLIER,
    OPERATOR,
    WAITS,
    Callers,
    Change,
    Person,
    Session,
)
from zhidao.node.security.gate import NOWHERE, Gate, Origin, SignedIn
from zhidao.node.security.passkeys.records import PasskeyStore, passkey_record
from zhidao.node.security.password_hashing import Passwords
from zhidao.node.security.person_names import PersonNames, taken

# The pages ask the same (web/src/session.ts).
PASSWORD_CHARACTERS_MIN: Final = 12
MAY_MANAGE: Final = access(Role.ADMIN)
MAY_AGREE: Final = access(Role.ADMIN, Role.OPERATOR, Role.PARTY)
MAY_WITHDRAW: Final = access(Role.ADMIN, Role.PARTY)
# Whose turn it is when an admin gives somebody a password.
_TURN: Final = "administration"


class People:
    """Makes and changes people; each act leaves its trace."""

    def __init__(
        self,
        callers: Callers,
        administration: Administration,
        gate: Gate,
        passwords: Passwords,
        passkeys: PasskeyStore,
        names: PersonNames,
    ) -> None:
        self._names = names
        self._callers = callers
        self._administration = administration
        self._gate = gate
        self._passwords = passwords
        self._passkeys = passkeys

    async def first_admin(
        self,
        *,
        code: str,
        name: str,
        password: str,
        party: PartyId,
        before: Callable[[Actor], Awaitable[None]] | None = None,
        origin: Origin = NOWHERE,
    ) -> SignedIn:
        """Makes the first admin by the console's code; the code is used up only on success.

        `before` runs once the code was found right and before the admin stands, so that what it
        keeps is there as soon as anybody can sign in.
        """
        check_password(password)
        refuse_untidy(name, path="$.name")
        if not await self._gate.first_start():
            raise _admin_exists()
        taken = await self._gate.take_code(code, "first-admin")
        admin = Actor(party, Role.ADMIN, name, "first admin's code")
        try:
            if before:
                await before(admin)
            person = Person(name, party, Role.ADMIN, await self._passwords.hashed(password, _TURN))
            record = self._record(admin, Act.FIRST_ADMIN_MADE, person)
            first = await self._callers.add_first_person(person, record)
        except BaseException:
            await self._callers.add_code(taken)
            raise
        if not first:
            raise _admin_exists()
        return await self._gate.open_session(person, record=None, origin=origin)

    async def make(
        self, actor: Actor, *, name: str, password: str, party: PartyId, role: Role
    ) -> Person:
        """Makes a person who can sign in with a password.

        One of another party than the actor's gets in once that party agrees. Raises as
        `PersonNames.free`, Refused (`short_password`).
        """
        MAY_MANAGE.admit(actor)
        check_password(password)
        if role is Role.NODE:
            raise Refused("a person cannot be the node")
        refuse_untidy(name, path="$.name")  # before the work on a password
        hashed = await self._passwords.hashed(password, _TURN)
        agreed = agreed_by_maker(actor, party)
        person = Person(
            name, party, role, hashed if agreed else "", "" if agreed else hashed, agreed
        )
        record = self._record(actor, Act.PERSON_MADE, person)
        async with self._names.free(actor, name):
            if not await self._callers.add_person(person, record):
                raise taken(name)
        return person

    async def every(self, actor: Actor) -> list[Person]:
        """All people; a party sees its own."""
        CALLER.admit(actor)
        people = await self._callers.persons()
        return [each for each in people if actor.role is not Role.PARTY or _is_own(actor, each)]

    async def passkeys(self) -> Mapping[str, int]:
        """How many passkeys each name has."""
        return await self._passkeys.counts()

    async def one(self, actor: Actor, name: str) -> Person:
        """A person who is not withdrawn. Raises NotFound if the actor may see none."""
        found = [each for each in await self.every(actor) if each.name == name]
        if not found or found[0].withdrawn:
            raise NotFound("no person of that name", where=name)
        return found[0]

    async def waiting_for(self, actor: Actor) -> list[Person]:
        """People who get in, or whose new password counts, once the actor agrees."""
        found = []
        for each in await self.every(actor):
            if each.withdrawn or not each.waiting_hash:
                continue
            with contextlib.suppress(Forbidden):
                await agreement(actor, each.party, self._callers, role=each.role, besides=each.name)
                found.append(each)
        return found

    async def agree(self, actor: Actor, name: str) -> Person:
        """Agrees to a person, or to a new password, in the party's name.

        Raises NotFound, Forbidden (`party_must_agree`), Conflict (`agreed_already`, `not_joined`).
        """
        MAY_AGREE.admit(actor)
        before = await self.one(actor, name)
        if before.is_invited:
            # A party agrees to who somebody is, and that shows in who set the password.
            raise Conflict(f"{name} has not used the invitation yet", code="not_joined")
        waits = bool(before.waiting_hash)
        besides = name if waits else ""
        by = await agreement(actor, before.party, self._callers, role=before.role, besides=besides)
        if not waits and (before.agreed not in (WAITS, OPERATOR) or before.agreed == by):
            raise Conflict(f"the party has agreed to {name}", code="agreed_already")
        after = replace(
            before,
            password_hash=before.waiting_hash or before.password_hash,
            waiting_hash="",
            agreed=by,
        )
        record = self._record(actor, Act.PERSON_AGREED, after)
        fallen = await self._fallen(actor, before, only_marked=True) if waits else None
        await self._change(before, after, record, end_sessions=waits, passkeys=fallen)
        return after

    async def withdraw(self, actor: Actor, name: str, *, with_tokens: bool = False) -> None:
        """Takes a person's access away, in all sessions, at once. Names are not given again.

        `with_tokens`: also what the person made, whose secrets the person has seen; an admin's act.
        Raises NotFound, Forbidden, Conflict (`last_admin`).
        """
        MAY_WITHDRAW.admit(actor)
        person = await self.one(actor, name)
        if actor.role is not Role.ADMIN:
            await agreement(actor, person.party, self._callers)
        tokens: dict[str, Record | None] = {}
        if with_tokens:
            MAY_MANAGE.admit(actor)
            tokens = {
                each.id: self._administration.record(
                    actor, Act.TOKEN_WITHDRAWN, subject=each.id, party=each.party
                )
                for each in await self._callers.tokens()
                if each.made_by == name and not each.revoked
            }
        changed = await self._callers.withdraw_person(
            name,
            self._record(actor, Act.PERSON_WITHDRAWN, person),
            admins_of=self._administration.node,
            tokens=tokens,
            passkeys=await self._fallen(actor, person),
        )
        for token_id in tokens:
            self._gate.forget_token(token_id)
        if changed is Change.LAST_ADMIN:
            raise _last_admin(name)
        if changed is Change.UNKNOWN:
            raise NotFound("no person of that name", where=name)

    async def change_role(self, actor: Actor, name: str, role: Role) -> Person:
        """Gives somebody another role; all sessions of the name end. The same role: nothing.

        One of another party gets in again once that party agrees. Raises NotFound, Conflict
        (`last_admin`).
        """
        MAY_MANAGE.admit(actor)
        if role is Role.NODE:
            raise Refused("a person cannot be the node")
        before = await self.one(actor, name)
        if before.role is role:
            return before
        after = replace(before, role=role, acted=before.has_acted)
        if not agreed_by_maker(actor, before.party):
            waits = before.waiting_hash or before.password_hash
            after = replace(after, password_hash="", waiting_hash=waits)
        changed = await self._callers.change_role(
            before,
            after,
            self._record(actor, Act.PERSON_CHANGED, after),
            admins_of=self._administration.node,
        )
        if changed is Change.LAST_ADMIN:
            raise _last_admin(name)
        if changed is Change.UNKNOWN:
            raise _changed_meanwhile(name)
        return after

    async def change_password(
        self, actor: Actor, *, old: str, new: str, origin: Origin
    ) -> SignedIn:
        """A person's own new password; all sessions of that name end, and a new one is opened.

        Raises Unauthenticated, TooManyTries for a wrong old one.
        """
        check_password(new)
        if not actor.person:
            raise Forbidden("a token or link has no password", code="no_password")
        before = await self._gate.checked_person(actor.person, old, origin)
        hashed = await self._passwords.hashed(new, f"person {actor.person}")
        after = replace(before, password_hash=hashed, waiting_hash="")
        record = self._record(actor, Act.PASSWORD_CHANGED, after)
        await self._change(before, after, record, end_sessions=True)
        await self._passkeys.mark(actor.person, falls=False)
        return await self._gate.open_session(after, record=None, origin=origin)

    async def reset(self, actor: Actor, name: str, password: str) -> Person:
        """Gives somebody a new password, and takes the passkeys away, which may be lost.

        Of another party's person both count once that party agrees.
        """
        MAY_MANAGE.admit(actor)
        check_password(password)
        before = await self.one(actor, name)
        hashed = await self._passwords.hashed(password, _TURN)
        counts = bool(agreed_by_maker(actor, before.party))
        if counts:
            after = replace(before, password_hash=hashed, waiting_hash="")
        else:
            after = replace(before, waiting_hash=hashed)
        record = self._record(actor, Act.PASSWORD_RESET, after)
        fallen = await self._fallen(actor, before) if counts else None
        await self._change(before, after, record, end_sessions=counts, passkeys=fallen)
        if not counts:
            await self._passkeys.mark(name, falls=True)
        return after

    async def sessions(self, actor: Actor, name: str) -> list[Session]:
        """The sessions of a person: an admin's to see, and the person's own."""
        person = await self.one(actor, name)
        if actor.person != name:
            MAY_MANAGE.admit(actor)
        return await self._callers.sessions(person.name)

    async def end_sessions(
        self, actor: Actor, name: str, *, session: str = "", besides: str = ""
    ) -> int:
        """Ends all sessions of a person, or one; returns how many.

        `session`: only the one of this id; raises NotFound if there is none. `besides`: the cookie
        of the one that stays.
        """
        person = await self.one(actor, name)
        found = await self.sessions(actor, name)
        kept = self._gate.session_hash(besides)
        ended = [
            each.secret_hash
            for each in found
            if each.secret_hash != kept and session in ("", each.id)
        ]
        if session and not ended:
            raise NotFound("no session of that name", where=session)
        record = self._record(actor, Act.SESSIONS_ENDED, person)
        everything = not (session or besides)
        only = None if everything else ended
        return await self._callers.end_sessions(name, record, only=only)

    async def adopt_earlier(self) -> None:
        """Writes down, once, people who were made before acts left a trace."""
        for person in await self._callers.persons():
            if person.agreed == EARLIER and not person.withdrawn:
                after = replace(person, agreed=BEFORE)
                record = self._record(
                    console(self._administration.node), Act.EARLIER_ADOPTED, after
                )
                await self._callers.change_person(person, after, record)

    async def _fallen(
        self, actor: Actor, person: Person, *, only_marked: bool = False
    ) -> dict[bytes, Record | None]:
        """The passkeys that go with a change to a person, each with its act."""
        return {
            each.credential_id: passkey_record(
                self._administration, actor, Act.PASSKEY_REMOVED, each, person.party
            )
            for each in await self._passkeys.of(person.name)
            if each.falls or not only_marked
        }

    async def _change(
        self,
        before: Person,
        after: Person,
        record: Record,
        *,
        end_sessions: bool,
        passkeys: dict[bytes, Record | None] | None = None,
    ) -> None:
        if not await self._callers.change_person(
            before, after, record, end_sessions=end_sessions, passkeys=passkeys
        ):
            raise _changed_meanwhile(before.name)

    def _record(self, actor: Actor, act: Act, person: Person) -> Record:
        return self._administration.record(
            actor, act, subject=person.name, party=person.party, values=values_of(person)
        )


def values_of(person: Person) -> dict[str, str]:
    """What an act says of a person."""
    return {
        "agreed": person.agreed,
        "role": person.role.value,
        "made": digest_of(person),
        "kind": "person",
    }


def digest_of(person: Person) -> str:
    """What an act says of a person, so that a changed row shows: SHA-256 over all that counts."""
    parts = (
        person.name,
        person.party,
        person.role.value,
        person.password_hash,
        person.waiting_hash,
        person.agreed,
        *(("acted",) if person.acted else ()),
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def check_password(password: str) -> None:
    """Raises Refused (`short_password`) for one that is too short."""
    if len(password) < PASSWORD_CHARACTERS_MIN:
        raise Refused(
            f"a password needs {PASSWORD_CHARACTERS_MIN} characters or more", code="short_password"
        )


def _is_own(actor: Actor, person: Person) -> bool:
    return person.party == actor.party


def _last_admin(name: str) -> Conflict:
    return Conflict(
        f"{name} is the last admin: without one nobody could administer this node",
        code="last_admin",
        remedy="make another admin first",
    )


def _changed_meanwhile(name: str) -> Conflict:
    return Conflict(f"{name} was changed meanwhile; look and try again")


def _admin_exists() -> Conflict:
    return Conflict("this node has an admin already; sign in", code="admin_exists")
