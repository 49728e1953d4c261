"""A person's own notifications: addresses, wishes, tests; and the queue, for who runs the node."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Final, Protocol

from zhidao.core.access import CALLER, access
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock, Randomness
from zhidao.core.errors import Conflict, Forbidden, MalformedInput, NotFound, Refused
from zhidao.core.timescale import NS, Utc
from zhidao.node.notifications.choice import Choice
from zhidao.node.notifications.message import (
    About,
    Address,
    AddressState,
    Channel,
    Message,
    State,
    digest,
)
from zhidao.node.notifications.ports import Store

MAY_HAVE: Final = CALLER
# An auditor writes nothing, and nothing waits for one.
MAY_CHOOSE: Final = access(Role.ADMIN, Role.OPERATOR, Role.PARTY)
MAY_SEE_QUEUE: Final = access(Role.ADMIN, Role.OPERATOR, Role.AUDITOR)
MAY_SEND_AGAIN: Final = access(Role.ADMIN, Role.OPERATOR)
ADDRESSES_OF_PERSON_MAX: Final = 10
WRONG_CODES_MAX: Final = 5
# Whoever types the addresses of others sends them so many mails, and guesses so often.
CODES_OF_DAY_MAX: Final = 10
_DAY_NS: Final = 86_400 * NS
# A test is one message an address in so many seconds, whoever presses how often.
_TEST_EVERY_S: Final = 30
_CODE_DIGITS: Final = 6


class Checks(Protocol):
    """Whether a target may be written to."""

    async def check(self, channel: Channel, target: str, *, public_key: str, shared: str) -> None:
        """Raises MalformedInput, Refused (`no_public_address`, `no_mail_server`)."""
        ...


class Notifications:
    """What a person may do about being told."""

    def __init__(
        self,
        store: Store,
        checks: Checks,
        clock: Clock,
        randomness: Randomness,
        *,
        secret: bytes,
        wake: Callable[[], None],
        languages: Collection[str] = (),
    ) -> None:
        """`secret`: the node's, of which the codes follow; `wake`: there is something to send.

        languages: in which there are words.
        """
        self._languages = frozenset(languages)
        self._store = store
        self._checks = checks
        self._clock = clock
        self._randomness = randomness
        self._secret = secret
        self._wake = wake

    async def choice(self, actor: Actor) -> Choice:
        """The person's wishes."""
        return await self._store.choice(_person(actor))

    async def choose(self, actor: Actor, choice: Choice) -> None:
        """Keeps them; what waits already to be sent stays as it is."""
        await self._store.put_choice(_person(actor), choice)

    async def speak(self, actor: Actor, language: str) -> None:
        """Tells the person in this language from now on; an auditor is told nothing."""
        if actor.role in MAY_CHOOSE.roles and language in self._languages:
            choice = await self.choice(actor)
            await self.choose(actor, replace(choice, language=language))

    async def addresses(self, actor: Actor) -> list[Address]:
        """The person's addresses, oldest first."""
        return await self._store.addresses(_person(actor))

    async def add(
        self, actor: Actor, *, channel: Channel, target: str, public_key: str = "", shared: str = ""
    ) -> Address:
        """One more address. To a mail address a code is sent, and nothing else before it is said.

        Raises MalformedInput, Refused (`no_public_address`, `no_mail_server`, `too_many_addresses`,
        `too_many_codes`), Conflict (`address_taken`).
        """
        person = _person(actor)
        await self._checks.check(channel, target, public_key=public_key, shared=shared)
        living = await self._living(person)
        if len(living) >= ADDRESSES_OF_PERSON_MAX:
            raise Refused(
                f"a person has at most {ADDRESSES_OF_PERSON_MAX} addresses",
                code="too_many_addresses",
            )
        now = self._clock.now()
        mail = channel is Channel.MAIL
        if mail:
            await self._check_codes(person, now)
        # Said again after an end, it is a new one: earlier messages are not its own.
        turn = "" if mail else str(now.tai_ns)
        address = Address(
            id=digest(person, channel.value, target, turn),
            person=person,
            channel=channel,
            target=target,
            public_key=public_key,
            shared=shared,
            state=AddressState.UNCONFIRMED if mail else AddressState.LIVE,
            made_at=now,
        )
        taken = any(each.target == target for each in living)
        first = self._message(address, About.CODE) if mail else None
        if taken or not await self._store.add_address(address, first):
            raise Conflict("this address is among yours already", code="address_taken")
        self._wake()
        return address

    async def confirm(self, actor: Actor, address_id: str, code: str) -> Address:
        """Takes the code that a mail brought. Raises NotFound, Refused (`code_differs`)."""
        address = await self._own(actor, address_id)
        if address.state is not AddressState.UNCONFIRMED:
            return address
        if not hmac.compare_digest(code.strip(), self.code(address.id)):
            if await self._store.count_try(address.id) >= WRONG_CODES_MAX:
                await self._store.change_address(address.id, AddressState.ENDED, "too_many_codes")
            raise Refused("this is not the code that the mail brought", code="code_differs")
        await self._store.change_address(address.id, AddressState.LIVE, "")
        return await self._own(actor, address_id)

    async def remove(self, actor: Actor, address_id: str) -> None:
        """Forgets an address, with what waits for it. Raises NotFound."""
        if not await self._store.remove_address(_person(actor), address_id):
            raise _unknown(address_id)

    async def test(self, actor: Actor, address_id: str) -> Message:
        """Sends a test to one's own address. Raises NotFound, Refused (`address_not_live`)."""
        address = await self._own(actor, address_id)
        if address.state is not AddressState.LIVE:
            raise Refused("nothing is sent to this address now", code="address_not_live")
        message = self._message(address, About.TEST)
        await self._store.add_message(message)
        self._wake()
        return message

    async def own_messages(self, actor: Actor, *, after: str, limit: int) -> list[Message]:
        """What was sent to the person, newest first."""
        return await self._store.messages(person=_person(actor), after=after, limit=limit)

    async def queue(self, actor: Actor, *, state: str, after: str, limit: int) -> list[Message]:
        """Everybody's messages, newest first; what they tell of is for their readers alone."""
        MAY_SEE_QUEUE.admit(actor)
        if state and state not in {each.value for each in State}:
            raise MalformedInput("no such state of a message", where="only")
        return await self._store.messages(state=state, after=after, limit=limit)

    async def again(self, actor: Actor, message: str) -> None:
        """Sends a message that was given up. Raises Conflict (`not_dead`)."""
        MAY_SEND_AGAIN.admit(actor)
        if not await self._store.again(message, self._clock.now()):
            raise Conflict(
                "only what was given up is sent again, and only to an address in use",
                code="not_dead",
            )
        self._wake()

    async def _living(self, person: str) -> list[Address]:
        every = await self._store.addresses(person)
        return [each for each in every if each.state is not AddressState.ENDED]

    async def _check_codes(self, person: str, now: Utc) -> None:
        if await self._store.codes_since(person, now.plus_ns(-_DAY_NS)) >= CODES_OF_DAY_MAX:
            raise Refused(
                f"{CODES_OF_DAY_MAX} codes a day are sent for one person", code="too_many_codes"
            )

    def code(self, address_id: str) -> str:
        """The code of a mail address; it follows from the node's secret and is kept nowhere."""
        mac = hmac.digest(self._secret, f"notification code\n{address_id}".encode(), "sha256")
        return str(int.from_bytes(mac[:8], "big") % 10**_CODE_DIGITS).zfill(_CODE_DIGITS)

    async def _own(self, actor: Actor, address_id: str) -> Address:
        for each in await self._store.addresses(_person(actor)):
            if each.id == address_id:
                return each
        raise _unknown(address_id)

    def _message(self, address: Address, about: About) -> Message:
        now = self._clock.now()
        turn = now.unix_ns // NS // _TEST_EVERY_S if about is About.TEST else now.tai_ns
        return Message(
            id=digest(address.id, about.value, str(turn)),
            person=address.person,
            address=address.id,
            about=about,
            due_at=now,
            made_at=now,
        )


def _person(actor: Actor) -> str:
    MAY_HAVE.admit(actor)
    if not actor.person:
        raise Forbidden(
            "a token or link is nobody who could be told",
            code="nobody_to_tell",
            remedy="sign in as a person",
        )
    return actor.person


def _unknown(address: str) -> NotFound:
    return NotFound("you have no address of that id", where=address)
