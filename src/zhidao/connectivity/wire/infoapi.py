"""What Open5GS tells over its InfoAPI: devices of the AMF, sessions of the SMF, base stations.

Source: Open5GS, docs/_docs/tutorial/07-infoAPI-UE-gNB-session-data.md, src/amf/ue-info.c,
src/amf/gnb-info.c, src/smf/pdu-info.c and lib/metrics/prometheus/json_pager.c of 2026, read and not
run. Its numbers are doubles and may come with an exponent. `{}` stands for a list that did not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from zhidao.connectivity.domain.served_cell import CellId
from zhidao.connectivity.domain.sim import device_of
from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Utc

PAGE_SIZE: Final = 100
_NS_PER_US: Final = 1000
# Two are kept of a subscriber (OGS_MAX_NUM_OF_MSISDN); a list of more is no list of numbers.
_NUMBERS: Final = 8
# Until 2200: what a clock may say, in microseconds of Unix time.
_US_END: Final = 7_258_118_400_000_000
_SHORT: Final = 40
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CoreDevice:
    """A device as the AMF knows it. at: when the core took note of it; cells: none or one.

    `cells` may be newer than `at`: a path switch and an uplink message change the cell alone
    (src/amf/ngap-handler.c), so the device was in it at some time from `at` on. modem: the 14
    digits that name it; empty where the core did not ask it for them.
    """

    supi: str = field(repr=False)
    connected: bool
    numbers: tuple[str, ...] = field(repr=False)
    cells: tuple[CellId, ...] = ()
    at: tuple[Utc, ...] = ()
    modem: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class CoreSession:
    """Whether a device has a session over which data goes now."""

    supi: str = field(repr=False)
    active: bool


@dataclass(frozen=True, slots=True)
class BaseStation:
    """A base station that is connected to the AMF, by its gNB identity."""

    gnb: int
    plmn: str
    ready: bool


def devices(document: object, page: int) -> tuple[tuple[CoreDevice, ...], bool]:
    """The devices of a page of `/ue-info`, and whether another page follows.

    Who has no SUPI yet is left out. Raises MalformedInput with the place.
    """
    return _page(document, page, _device)


def sessions(document: object, page: int) -> tuple[tuple[CoreSession, ...], bool]:
    """The same of `/pdu-info`."""
    return _page(document, page, _session)


def stations(document: object, page: int) -> tuple[tuple[BaseStation, ...], bool]:
    """The same of `/gnb-info`."""
    return _page(document, page, _station)


def _page(
    document: object, page: int, read: Callable[[Mapping[str, Any]], Sequence[T]]
) -> tuple[tuple[T, ...], bool]:
    root = _object(document, "the document")
    items, pager = root.get("items"), root.get("pager")
    if not isinstance(items, list) or not isinstance(pager, dict):
        raise MalformedInput("a list without items and pager: it did not fit, or is another's")
    if pager.get("truncated"):
        raise MalformedInput("a list that was cut for want of memory")
    if _whole(pager.get("page"), "pager.page") != page:
        raise MalformedInput(f"page {str(pager.get('page'))[:_SHORT]} where {page} was asked for")
    if len(items) > PAGE_SIZE:
        raise MalformedInput(f"{len(items)} items on a page of {PAGE_SIZE}")
    found: list[T] = []
    for number, item in enumerate(items):
        try:
            found.extend(read(_object(item, "an item")))
        except MalformedInput as error:
            error.where = f"items[{number}]"
            raise
    more = "next" in pager
    if more and not items:
        raise MalformedInput("an empty page that another one follows")
    return tuple(found), more


def _device(item: Mapping[str, Any]) -> Sequence[CoreDevice]:
    supi = item.get("supi")
    if not isinstance(supi, str) or not supi:
        return ()
    numbers = item.get("msisdn", [])
    if not isinstance(numbers, list) or len(numbers) > _NUMBERS:
        raise MalformedInput("msisdn is no list of numbers")
    cells, at = _located(item.get("location", {}))
    return (
        CoreDevice(
            supi=supi[:_SHORT],
            connected=item.get("cm_state") == "connected",
            numbers=tuple(_number(each) for each in numbers),
            cells=cells,
            at=at,
            modem=_modem(item.get("pei")),
        ),
    )


def _number(value: object) -> str:
    return str(value)[:_SHORT].removeprefix("msisdn-").removeprefix("+")


def _modem(value: object) -> str:
    """Whatever else stands there names no modem."""
    try:
        return device_of(value) if isinstance(value, str) else ""
    except MalformedInput:
        return ""


def _located(value: object) -> tuple[tuple[CellId, ...], tuple[Utc, ...]]:
    """Neither where the core has not noted any location: its time is 0 then."""
    location = _object(value, "location")
    if "nr_cgi" not in location:
        return (), ()
    at_us = _whole(location.get("timestamp"), "location.timestamp")
    if at_us == 0:
        return (), ()
    if at_us > _US_END:
        raise MalformedInput("location.timestamp is no time in microseconds")
    cell = _object(location["nr_cgi"], "location.nr_cgi")
    plmn = cell.get("plmn")
    if not isinstance(plmn, str):
        raise MalformedInput("location.nr_cgi.plmn is no text")
    identity = CellId(plmn, _whole(cell.get("nci"), "location.nr_cgi.nci"))
    return (identity,), (Utc.from_unix_ns(at_us * _NS_PER_US),)


def _session(item: Mapping[str, Any]) -> Sequence[CoreSession]:
    supi, pdus = item.get("supi"), item.get("pdu", [])
    if not isinstance(supi, str) or not supi:
        return ()
    if not isinstance(pdus, list):
        raise MalformedInput("pdu is no list")
    active = any(isinstance(each, dict) and each.get("pdu_state") == "active" for each in pdus)
    return (CoreSession(supi[:_SHORT], active),)


def _station(item: Mapping[str, Any]) -> Sequence[BaseStation]:
    ng = _object(item.get("ng", {}), "ng")
    return (
        BaseStation(
            _whole(item.get("gnb_id"), "gnb_id"),
            str(item.get("plmn", ""))[:6],
            ng.get("setup_success") is True,
        ),
    )


def _object(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise MalformedInput(f"{what} is no object")
    return value


def _whole(value: object, what: str) -> int:
    """A whole number that is not negative, however a double of it is written."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    if isinstance(value, float):
        whole = value.is_integer()
    if isinstance(value, int | float) and whole and value >= 0:
        return int(value)
    raise MalformedInput(f"{what} is no whole number: {str(value)[:_SHORT]!r}")
