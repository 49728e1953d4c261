"""CAMARA's two location questions: is the device in this circle, and where is it.

Codes and their conditions: CAMARA DeviceLocation r3.2, location-verification 3.0.0 and
location-retrieval 0.5.0.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from zhidao.connectivity.domain.overlap import Match, match
from zhidao.connectivity.domain.subscriber_location import Subscriber, SubscriberLocation
from zhidao.connectivity.service.ports import NetworkBackend
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
    parties=lambda subscriber: subscriber.readers,
)

# The API lets a provider set a minimum; below it a circle would tell more than a cell can know.
RADIUS_M_MIN: Final = 100.0
ANY_AGE: Final = -1
ANY_SURFACE: Final = 0


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
    """Answers both questions from a network backend."""

    def __init__(self, backend: NetworkBackend, clock: Clock) -> None:
        """`clock`: what ages are counted against."""
        self._backend = backend
        self._clock = clock

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
        subscriber = await self._subscriber(actor, device, subject)
        if not self._backend.covers(subscriber.phone, centre, radius_m):
            raise _verification("AREA_NOT_COVERED", "the network does not reach the asked area")
        if radius_m < RADIUS_M_MIN:
            raise _verification(
                "INVALID_AREA",
                f"the asked circle is too small; ask for {RADIUS_M_MIN:.0f} m or more",
            )
        seen = subscriber.newest
        if age_s_max != ANY_AGE and not self._fresh(seen, age_s_max):
            raise _verification("UNABLE_TO_FULFILL_MAX_AGE", f"no location within {age_s_max} s")
        if not seen:
            raise _verification("UNABLE_TO_LOCATE", _unlocated(subscriber))
        return Located(subscriber.phone, seen[0]), match(centre, radius_m, seen[0])

    async def retrieve(
        self, actor: Actor, device: Device, *, subject: str, age_s_max: int, surface_m2_max: int
    ) -> Located:
        """Where the device is. Raises Declined, Unavailable."""
        subscriber = await self._subscriber(actor, device, subject)
        seen = subscriber.newest
        if age_s_max != ANY_AGE and not self._fresh(seen, age_s_max):
            raise _retrieval("UNABLE_TO_FULFILL_MAX_AGE", f"no location within {age_s_max} s")
        if not seen:
            raise _retrieval("UNABLE_TO_LOCATE", _unlocated(subscriber))
        if surface_m2_max != ANY_SURFACE and seen[0].surface_m2 > surface_m2_max:
            raise _retrieval(
                "UNABLE_TO_FULFILL_MAX_SURFACE", f"no location within {surface_m2_max} m2"
            )
        return Located(subscriber.phone, seen[0])

    async def subscriber(self, actor: Actor, phone: str) -> Subscriber:
        """What the network of a number says of it. Raises NotFound, Unavailable."""
        MAY_LOCATE.admit(actor)
        unknown = NotFound("no network that answers this node knows this number")
        try:
            found = await self._backend.subscriber(phone)
        except NotFound as error:
            raise unknown from error
        if actor.role is Role.PARTY and not MAY_LOCATE.relates(actor, found):
            raise unknown
        return found

    async def _subscriber(self, actor: Actor, device: Device, subject: str) -> Subscriber:
        MAY_LOCATE.admit(actor)
        phone = _phone_of(device, subject)
        try:
            # A device whose holder did not agree looks like one that does not exist.
            found = await self.subscriber(actor, phone)
        except NotFound as error:
            raise Declined(
                HTTPStatus.NOT_FOUND, "IDENTIFIER_NOT_FOUND", "no device of that number is known"
            ) from error
        if found.withheld:
            raise Declined(HTTPStatus.FORBIDDEN, "PERMISSION_DENIED", found.why)
        if not found.applicable:
            raise _unprocessable("SERVICE_NOT_APPLICABLE", "the service is not for this device")
        return found

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


def _unlocated(subscriber: Subscriber) -> str:
    return ": ".join(filter(None, ("the network cannot locate the device", subscriber.why)))


def _unprocessable(code: str, message: str) -> Declined:
    return Declined(HTTPStatus.UNPROCESSABLE_ENTITY, code, message)


def _verification(code: str, message: str) -> Declined:
    return _unprocessable(f"LOCATION_VERIFICATION.{code}", message)


def _retrieval(code: str, message: str) -> Declined:
    return _unprocessable(f"LOCATION_RETRIEVAL.{code}", message)
