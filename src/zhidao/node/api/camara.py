"""CAMARA location-verification 3.0.0 and location-retrieval 0.5.0 as their OpenAPI files say.

These routes answer in CAMARA's own forms: ErrorInfo bodies and the x-correlator header.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import Request, Response, Router, post
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi.datastructures import ResponseSpec

from zhidao.connectivity.domain.overlap import Result
from zhidao.connectivity.service.location import (
    ANY_AGE,
    ANY_SURFACE,
    MAY_LOCATE,
    Declined,
    Device,
    Located,
    Location,
)
from zhidao.connectivity.service.ports import NetworkAway
from zhidao.core.actor import Actor
from zhidao.core.errors import Forbidden, MalformedInput, Unauthenticated, Unavailable, ZhidaoError
from zhidao.core.geo import Geodetic
from zhidao.core.remedies import with_remedy
from zhidao.node.http.access import ACCESS
from zhidao.node.http.field_forms import plainly
from zhidao.node.http.problems import LATER_S, on_bug

# Where these APIs stand; all refusals there have CAMARA's form.
PATHS: Final = ("/location-verification/", "/location-retrieval/")
_AnyRequest = Request[Any, Any, Any]
# Commonalities 0.6, schema XCorrelator.
_CORRELATOR: Final = re.compile(r"[a-zA-Z0-9\-_:;./<>{}]{0,256}\Z", re.ASCII)
# Refusals of a request's form that have a status of their own; RFC 9110's names, which Python
# changes between versions.
_OF_THE_FORM: Final = {
    408: "REQUEST_TIMEOUT",
    413: "CONTENT_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    421: "MISDIRECTED_REQUEST",
    429: "TOO_MANY_REQUESTS",
}
_SURFACE_MAX: Final = 2**53 - 1

Phone = Annotated[str, msgspec.Meta(pattern=r"^\+[1-9][0-9]{4,14}\Z")]
Ipv4 = Annotated[str, msgspec.Meta(max_length=15)]
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Seconds = Annotated[int, msgspec.Meta(ge=0, le=2**31)]


class Point(msgspec.Struct):
    """Degrees, WGS 84."""

    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)]


class CircleIn(msgspec.Struct):
    """The asked circle; radius in metres."""

    areaType: Literal["CIRCLE"]  # noqa: N815 (the API's name)
    center: Point
    radius: Annotated[float, msgspec.Meta(ge=1)]


class DeviceIpv4(msgspec.Struct, omit_defaults=True):
    """A device by its public IPv4 address with its port or its private address."""

    publicAddress: Ipv4  # noqa: N815 (the API's name)
    privateAddress: Ipv4 | msgspec.UnsetType = msgspec.UNSET  # noqa: N815 (the API's name)
    publicPort: Port | msgspec.UnsetType = msgspec.UNSET  # noqa: N815 (the API's name)


class DeviceIn(msgspec.Struct, omit_defaults=True):
    """A device by one or more identifiers; this node knows phone numbers."""

    phoneNumber: Phone | msgspec.UnsetType = msgspec.UNSET  # noqa: N815 (the API's name)
    networkAccessIdentifier: (  # noqa: N815 (the API's name)
        Annotated[str, msgspec.Meta(max_length=256)] | msgspec.UnsetType
    ) = msgspec.UNSET
    ipv4Address: DeviceIpv4 | msgspec.UnsetType = msgspec.UNSET  # noqa: N815 (the API's name)
    ipv6Address: (  # noqa: N815 (the API's name)
        Annotated[str, msgspec.Meta(max_length=45)] | msgspec.UnsetType
    ) = msgspec.UNSET


class VerifyLocationRequest(msgspec.Struct):
    """The question whether the device is within this circle."""

    area: CircleIn
    device: DeviceIn | msgspec.UnsetType = msgspec.UNSET
    maxAge: Seconds | msgspec.UnsetType = msgspec.UNSET  # noqa: N815 (the API's name)


class RetrieveLocationRequest(msgspec.Struct):
    """The question where the device is."""

    device: DeviceIn | msgspec.UnsetType = msgspec.UNSET
    maxAge: Seconds | msgspec.UnsetType = msgspec.UNSET  # noqa: N815 (the API's name)
    maxSurface: (  # noqa: N815 (the API's name)
        Annotated[int, msgspec.Meta(ge=1, le=_SURFACE_MAX)] | msgspec.UnsetType
    ) = msgspec.UNSET


class DeviceOut(msgspec.Struct):
    """The one identifier by which the network found the device."""

    phoneNumber: str  # noqa: N815 (the API's name)


class VerifyLocationResponse(msgspec.Struct, omit_defaults=True):
    """The result; `matchRate` in percent with PARTIAL only."""

    verificationResult: str  # noqa: N815 (the API's name)
    lastLocationTime: str  # noqa: N815 (the API's name)
    matchRate: int | msgspec.UnsetType = msgspec.UNSET  # noqa: N815 (the API's name)
    device: DeviceOut | msgspec.UnsetType = msgspec.UNSET


class CircleOut(msgspec.Struct):
    """The network's circle; radius in metres."""

    areaType: str  # noqa: N815 (the API's name)
    center: Point
    radius: float


class LocationOut(msgspec.Struct, omit_defaults=True):
    """Where the network located the device, and when."""

    lastLocationTime: str  # noqa: N815 (the API's name)
    area: CircleOut
    device: DeviceOut | msgspec.UnsetType = msgspec.UNSET


class ErrorInfo(msgspec.Struct):
    """CAMARA's own form of a refusal."""

    status: int
    code: str
    message: str


_REFUSALS: Final = {
    status: ResponseSpec(ErrorInfo, media_type="application/json", description=text)
    for status, text in (
        (400, "The request is not what its schema says."),
        (401, "No valid token, signed request or session."),
        (403, "The caller's role does not allow this, or the network's operator does not tell."),
        (404, "The network knows no such device."),
        (415, "The body is not JSON."),
        (422, "The device is named twice, not at all, or in a way that is not served."),
        (503, "The network does not answer; Retry-After says when it may be asked again."),
    )
}


def routes(location: Location, subject_of: Callable[[Actor], str] = lambda _: "") -> Router:
    """Both APIs. `subject_of`: the phone number that a caller's token stands for, or empty."""

    @post(
        "/location-verification/v3/verify",
        status_code=HTTPStatus.OK,
        tags=["CAMARA"],
        responses=_REFUSALS,
        opt={ACCESS: MAY_LOCATE},
    )
    async def verify(
        data: VerifyLocationRequest, actor: Actor, request: _AnyRequest
    ) -> Response[VerifyLocationResponse]:
        """Verifies whether a device is within a circle."""
        headers = _headers(request)
        found, match = await location.verify(
            actor,
            _device(data.device),
            subject=subject_of(actor),
            centre=Geodetic(data.area.center.latitude, data.area.center.longitude),
            radius_m=_finite(data.area.radius),
            age_s_max=ANY_AGE if data.maxAge is msgspec.UNSET else data.maxAge,
        )
        answer = VerifyLocationResponse(
            verificationResult=match.result.value,
            lastLocationTime=str(found.location.at),
            matchRate=match.rate_percent if match.result is Result.PARTIAL else msgspec.UNSET,
            device=_chosen(data.device, found),
        )
        return Response(answer, headers=headers)

    @post(
        "/location-retrieval/v0.5/retrieve",
        status_code=HTTPStatus.OK,
        tags=["CAMARA"],
        responses=_REFUSALS,
        opt={ACCESS: MAY_LOCATE},
    )
    async def retrieve(
        data: RetrieveLocationRequest, actor: Actor, request: _AnyRequest
    ) -> Response[LocationOut]:
        """Retrieves where a device is."""
        headers = _headers(request)
        found = await location.retrieve(
            actor,
            _device(data.device),
            subject=subject_of(actor),
            age_s_max=ANY_AGE if data.maxAge is msgspec.UNSET else data.maxAge,
            surface_m2_max=ANY_SURFACE if data.maxSurface is msgspec.UNSET else data.maxSurface,
        )
        centre = found.location.centre
        answer = LocationOut(
            lastLocationTime=str(found.location.at),
            area=CircleOut(
                areaType="CIRCLE",
                center=Point(latitude=centre.latitude_deg, longitude=centre.longitude_deg),
                radius=found.location.radius_m,
            ),
            device=_chosen(data.device, found),
        )
        return Response(answer, headers=headers)

    return Router(
        "/",
        route_handlers=[verify, retrieve],
        exception_handlers={
            ZhidaoError: on_error,
            ValidationException: on_error,
            HTTPException: on_error,
        },
    )


def on_error(request: _AnyRequest, error: Exception) -> Response[dict[str, Any]]:
    """Any refusal in CAMARA's form; a bug is told in full only in the node's own log."""
    match error:
        case ZhidaoError():
            return _on_refusal(request, error)
        case HTTPException():
            return _on_http(request, error)
        case _:
            return _error(
                request,
                HTTPStatus.INTERNAL_SERVER_ERROR,
                "INTERNAL",
                str(on_bug(request, error).content["detail"]),
            )


def _device(device: DeviceIn | msgspec.UnsetType) -> Device:
    """How the request names its device. Raises MalformedInput for identifiers of wrong form."""
    if isinstance(device, msgspec.UnsetType):
        return Device()
    if device == DeviceIn():
        raise MalformedInput("device names nothing; give a phoneNumber")
    if isinstance(device.ipv4Address, DeviceIpv4):
        address = device.ipv4Address
        if address.privateAddress is msgspec.UNSET and address.publicPort is msgspec.UNSET:
            raise MalformedInput("ipv4Address needs publicPort or privateAddress")
        _ip(address.publicAddress, 4)
        if isinstance(address.privateAddress, str):
            _ip(address.privateAddress, 4)
    if isinstance(device.ipv6Address, str):
        _ip(device.ipv6Address, 6)
    phone = device.phoneNumber
    return Device(phone=phone if isinstance(phone, str) else "", given=True)


def _ip(text: str, version: int) -> None:
    try:
        found = ipaddress.ip_address(text).version
    except ValueError as error:
        raise MalformedInput(f"not an IP address: {text[:48]!r}") from error
    if found != version:
        raise MalformedInput(f"not an IPv{version} address: {text[:48]!r}")


def _finite(radius_m: float) -> float:
    if not math.isfinite(radius_m):
        raise MalformedInput("the radius is not a finite number")
    return radius_m


def _chosen(device: DeviceIn | msgspec.UnsetType, found: Located) -> DeviceOut | msgspec.UnsetType:
    """Only a caller who named a device learns which of its identifiers was used."""
    return msgspec.UNSET if device is msgspec.UNSET else DeviceOut(found.phone)


def _headers(request: _AnyRequest) -> dict[str, str]:
    """The correlator of the request, to be sent back. Raises MalformedInput for another form."""
    value = request.headers.get("x-correlator")
    if value is None:
        return {}
    if not _CORRELATOR.match(value):
        raise MalformedInput("x-correlator has characters that it may not have, or too many")
    return {"x-correlator": value}


def _error(
    request: _AnyRequest, status: HTTPStatus, code: str, message: str
) -> Response[dict[str, Any]]:
    value = request.headers.get("x-correlator", "")
    headers = {"x-correlator": value} if value and _CORRELATOR.match(value) else {}
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    body = {"status": int(status), "code": code, "message": message}
    return Response(body, status_code=status, media_type="application/json", headers=headers)


def _on_refusal(request: _AnyRequest, error: ZhidaoError) -> Response[dict[str, Any]]:
    message = with_remedy(error)
    match error:
        case Declined():
            return _error(request, error.status, error.code, message)
        case Unauthenticated():
            return _error(request, HTTPStatus.UNAUTHORIZED, "UNAUTHENTICATED", message)
        case Forbidden():
            return _error(request, HTTPStatus.FORBIDDEN, "PERMISSION_DENIED", message)
        case Unavailable():
            refusal = _error(request, HTTPStatus.SERVICE_UNAVAILABLE, "UNAVAILABLE", message)
            soon_s = error.retry_after_s if isinstance(error, NetworkAway) else LATER_S
            refusal.headers["Retry-After"] = str(soon_s)
            return refusal
        case _ if error.http_status in _OF_THE_FORM:
            status = HTTPStatus(error.http_status)
            return _error(request, status, _OF_THE_FORM[status], message)
        case _:
            return _error(request, HTTPStatus.BAD_REQUEST, "INVALID_ARGUMENT", message)


def _on_http(request: _AnyRequest, error: HTTPException) -> Response[dict[str, Any]]:
    status = HTTPStatus(error.status_code)
    if status is HTTPStatus.BAD_REQUEST:
        first: dict[str, Any] = {}
        if isinstance(error.extra, list) and error.extra and isinstance(error.extra[0], dict):
            first = error.extra[0]
        where = f"{first['key']}: " if first.get("key") else ""
        message = f"{where}{plainly(str(first.get('message', error.detail)))}"
        return _error(request, status, "INVALID_ARGUMENT", message)
    response = _error(request, status, status.name, str(error.detail) or status.phrase)
    for name, value in (error.headers or {}).items():
        response.headers[name] = value
    return response
