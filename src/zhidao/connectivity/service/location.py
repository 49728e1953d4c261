"""CAMARA's two location questions: is the device in this circle, and where is it.

Codes and their conditions: CAMARA DeviceLocation r3.2, location-verification 3.0.0 and
location-retrieval 0.5.0.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from zhidao.connectivity.domain.overlap import Match, match
from zhidao.connectivity.domain.question import AnswerKind, AskedBy
from zhidao.connectivity.domain.subscriber_location import (
    Holding,
    Subscriber,
    SubscriberLocation,
)
from zhidao.connectivity.service.ports import NetworkBackend
from zhidao.connectivity.service.questions import Question, Questions
from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.errors import NotFound, ZhidaoError
from zhidao.core.geo import Geodetic
from zhidao.core.timescale import NS

MAY_LOCATE: Final = access(
    Role.PARTY,
    Role.OPERATOR,
    relation=Relation.PEER,
    of="the device in the body",
    parties=lambda holding: holding.may_ask,
)

# The API lets a provider set a minimum; below it a circle would tell more than a cell can know.
RADIUS_M_MIN: Final = 100.0
ANY_AGE: Final = -1
ANY_SURFACE: Final = 0
_UNKNOWN: Final = "no network that answers this node knows this number"


class Declined(ZhidaoError):
    """A refusal in CAMARA's terms: an HTTP status and one of its codes."""

    exit_status = 1

    def __init__(self, status: HTTPStatus, code: str, message: str) -> None:
        super().__init__(message, code=code)
        self.status = status


@dataclass(frozen=True, slots=True)
class Device:
    """How a request names its device. `phone` empty: only by means that are not supported.

    `given` false: the request names none.
    """

    phone: str = ""
    given: bool = False


@dataclass(frozen=True, slots=True)
class Located:
    """A location that answers a request, for the device that the network chose."""

    phone: str
    location: SubscriberLocation


class Location:
    """Answers both questions from a network backend; each is written down with its answer."""

    def __init__(self, backend: NetworkBackend, clock: Clock, questions: Questions) -> None:
        """`clock`: what ages are counted against."""
        self._backend = backend
        self._clock = clock
        self._questions = questions

    async def verify(
        self,
        actor: Actor,
        device: Device,
        *,
        subject: str,
        centre: Geodetic,
        radius_m: float,
        age_s_max: int,
    ) -> tuple[Located, Match]:
        """Whether the device is within the circle. Raises Declined, Unavailable.

        `subject`: the phone number that the caller's token stands for, or empty.
        """
        async with self._named(actor, device, subject, AskedBy.VERIFICATION) as (phone, question):
            subscriber = await self._served(phone, question)
            if not self._backend.covers(phone, centre, radius_m):
                raise _verification("AREA_NOT_COVERED", "the network does not reach the asked area")
            if radius_m < RADIUS_M_MIN:
                raise _verification(
                    "INVALID_AREA",
                    f"the asked circle is too small; ask for {RADIUS_M_MIN:.0f} m or more",
                )
            seen = self._seen(subscriber, age_s_max, "LOCATION_VERIFICATION", question)
            question.answer = AnswerKind.COMPARED
            return Located(phone, seen), match(centre, radius_m, seen)

    async def retrieve(
        self, actor: Actor, device: Device, *, subject: str, age_s_max: int, surface_m2_max: int
    ) -> Located:
        """Where the device is. Raises Declined, Unavailable."""
        async with self._named(actor, device, subject, AskedBy.RETRIEVAL) as (phone, question):
            subscriber = await self._served(phone, question)
            seen = self._seen(subscriber, age_s_max, "LOCATION_RETRIEVAL", question)
            if surface_m2_max != ANY_SURFACE and seen.surface_m2 > surface_m2_max:
                raise _unprocessable(
                    "LOCATION_RETRIEVAL.UNABLE_TO_FULFILL_MAX_SURFACE",
                    f"no location within {surface_m2_max} m2",
                )
            question.answer = AnswerKind.LOCATED
            return Located(phone, seen)

    async def subscriber(
        self, actor: Actor, phone: str, by: AskedBy = AskedBy.LOCATIONS
    ) -> Subscriber:
        """What the network of a number says of it. Raises NotFound, Unavailable.

        by: for what, as is written down; of a way it is compared with where it was.
        """
        MAY_LOCATE.admit(actor)
        async with self._asked(actor, phone, by) as question:
            found = await self._backend.subscriber(phone)
            question.answer = _told(found)
            if by is AskedBy.TRACK and found.locations:
                question.answer = AnswerKind.COMPARED
            return found

    @asynccontextmanager
    async def _named(
        self, actor: Actor, device: Device, subject: str, by: AskedBy
    ) -> AsyncIterator[tuple[str, Question]]:
        """While a request about the number that it names is answered. Raises Declined."""
        MAY_LOCATE.admit(actor)
        phone = _phone_of(device, subject)
        try:
            # A device whose holder did not agree looks like one that does not exist.
            async with self._asked(actor, phone, by) as question:
                yield phone, question
        except NotFound as error:
            raise Declined(
                HTTPStatus.NOT_FOUND, "IDENTIFIER_NOT_FOUND", "no device of that number is known"
            ) from error

    @asynccontextmanager
    async def _asked(self, actor: Actor, phone: str, by: AskedBy) -> AsyncIterator[Question]:
        """While a question of somebody who may ask is answered. Raises NotFound for others.

        A network hears nothing of a question that its SIM's holder did not agree to; and that it is
        away is told to nobody else either.
        """
        try:
            holding, known = await self._backend.holding(phone), phone
        except NotFound:
            holding, known = Holding(), ""
        async with self._questions.asked(actor, phone=known, holding=holding, by=by) as question:
            if not known or (actor.role is Role.PARTY and not MAY_LOCATE.relates(actor, holding)):
                raise NotFound(_UNKNOWN)
            try:
                yield question
            except NotFound as error:
                raise NotFound(_UNKNOWN) from error

    async def _served(self, phone: str, question: Question) -> Subscriber:
        found = await self._backend.subscriber(phone)
        if found.withheld:
            question.answer = AnswerKind.WITHHELD
            raise Declined(HTTPStatus.FORBIDDEN, "PERMISSION_DENIED", found.why)
        if not found.applicable:
            raise _unprocessable("SERVICE_NOT_APPLICABLE", "the service is not for this device")
        return found

    def _seen(
        self, found: Subscriber, age_s_max: int, api: str, question: Question
    ) -> SubscriberLocation:
        """The newest location, not older than asked. Raises Declined."""
        seen = found.newest
        if age_s_max != ANY_AGE and not self._fresh(seen, age_s_max):
            raise _unprocessable(
                f"{api}.UNABLE_TO_FULFILL_MAX_AGE", f"no location within {age_s_max} s"
            )
        if not seen:
            question.answer = AnswerKind.NOT_LOCATED
            raise _unprocessable(f"{api}.UNABLE_TO_LOCATE", _unlocated(found))
        return seen[0]

    def _fresh(self, seen: tuple[SubscriberLocation, ...], age_s_max: int) -> bool:
        now = self._clock.now()
        return any(now.since_ns(location.at) <= age_s_max * NS for location in seen)


def _phone_of(device: Device, subject: str) -> str:
    if subject and device.given:
        raise _unprocessable("UNNECESSARY_IDENTIFIER", "the access token names the device")
    if not subject and not device.given:
        raise _unprocessable("MISSING_IDENTIFIER", "the request names no device")
    phone = subject or device.phone
    if not phone:
        raise _unprocessable("UNSUPPORTED_IDENTIFIER", "devices are known here by phoneNumber only")
    return phone


def _told(found: Subscriber) -> AnswerKind:
    if found.withheld:
        return AnswerKind.WITHHELD
    return AnswerKind.LOCATED if found.newest else AnswerKind.NOT_LOCATED


def _unlocated(subscriber: Subscriber) -> str:
    return ": ".join(filter(None, ("the network cannot locate the device", subscriber.why)))


def _unprocessable(code: str, message: str) -> Declined:
    return Declined(HTTPStatus.UNPROCESSABLE_ENTITY, code, message)


def _verification(code: str, message: str) -> Declined:
    return _unprocessable(f"LOCATION_VERIFICATION.{code}", message)
