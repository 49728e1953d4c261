"""The SimpleEventQuery of EPCIS 2.0: its parameters, judged, and whether an event fits.

Source: EPCIS 2.0, section 8.2.7.1 (parameter names), by GS1's published OpenAPI; the standard's
text not checked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Utc
from zhidao.industry.domain.digital_link import canonical_link
from zhidao.industry.domain.epcis_event import ACTIONS, KINDS, EpcisEvent, Role, word_of

PER_PAGE: Final = 30
PER_PAGE_MAX: Final = 1_000
# A page ends with the event that passes it.
PAGE_BYTES: Final = 1024 * 1024
VALUES_MAX: Final = 100
_OWN: Final = (Role.EPC, Role.CHILD)
_ANY: Final = (Role.EPC, Role.CHILD, Role.PARENT, Role.INPUT, Role.OUTPUT)
# Parameter -> in which roles the thing may stand.
MATCHES: Final[Mapping[str, tuple[Role, ...]]] = {
    "MATCH_epc": _OWN,
    "MATCH_parentID": (Role.PARENT,),
    "MATCH_inputEPC": (Role.INPUT,),
    "MATCH_outputEPC": (Role.OUTPUT,),
    "MATCH_anyEPC": _ANY,
    "MATCH_epcClass": _OWN,
    "MATCH_inputEPCClass": (Role.INPUT,),
    "MATCH_outputEPCClass": (Role.OUTPUT,),
    "MATCH_anyEPCClass": _ANY,
}
# Parameter -> field of the event with which it is compared.
EQUALS: Final[Mapping[str, str]] = {
    "eventType": "kind",
    "EQ_action": "action",
    "EQ_bizStep": "biz_step",
    "EQ_disposition": "disposition",
    "EQ_readPoint": "read_point",
    "EQ_bizLocation": "biz_location",
    "EQ_transformationID": "transformation",
    "EQ_eventID": "event_id",
}
_TIMES: Final = ("GE_eventTime", "LT_eventTime", "GE_recordTime", "LT_recordTime")
_ORDER: Final = ("orderBy", "orderDirection", "perPage", "nextPageToken")
_WORDS: Final = {"eventType": KINDS, "EQ_action": ACTIONS}


@dataclass(frozen=True, slots=True)
class EventQuery:
    """A query as judged. equals: field -> any of these. matches: roles and any of these things.

    Times are TAI nanoseconds, each half open. order: `at` or `captured`.
    """

    equals: Mapping[str, frozenset[str]] = field(default_factory=dict)
    matches: tuple[tuple[tuple[Role, ...], frozenset[str]], ...] = ()
    at_from_ns: int = -(2**62)
    at_to_ns: int = 2**62
    captured_from_ns: int = -(2**62)
    captured_to_ns: int = 2**62
    order: str = "at"
    descending: bool = True
    per_page: int = PER_PAGE
    after: str = ""

    def fits(self, event: EpcisEvent, *, captured_ns: int) -> bool:
        """Whether an event is among the answers."""
        if not self.at_from_ns <= event.at.tai_ns < self.at_to_ns:
            return False
        if not self.captured_from_ns <= captured_ns < self.captured_to_ns:
            return False
        if any(_of(event, name) not in wanted for name, wanted in self.equals.items()):
            return False
        return all(
            any(role in roles and thing in things for role, thing in event.things)
            for roles, things in self.matches
        )


def read_query(parameters: Mapping[str, Sequence[str]]) -> EventQuery:
    """Judges the parameters of a request. Raises MalformedInput, which names the parameter."""
    equals: dict[str, frozenset[str]] = {}
    matches = []
    times: dict[str, int] = {}
    for name, told in parameters.items():
        if name in MATCHES:
            matches.append((MATCHES[name], frozenset(map(canonical_link, _values(name, told)))))
        elif name in EQUALS:
            read = partial(_value, name)
            equals[EQUALS[name]] = frozenset(map(read, _values(name, told)))
        elif name in _TIMES:
            times[name] = _instant(name, told[-1])
        elif name not in _ORDER:
            raise _wrong(name, "no parameter of SimpleEventQuery that this node knows")
    order = _one(parameters, "orderBy", ("eventTime", "recordTime"))
    direction = _one(parameters, "orderDirection", ("DESC", "ASC"))
    return EventQuery(
        equals=equals,
        matches=tuple(matches),
        at_from_ns=times.get("GE_eventTime", -(2**62)),
        at_to_ns=times.get("LT_eventTime", 2**62),
        captured_from_ns=times.get("GE_recordTime", -(2**62)),
        captured_to_ns=times.get("LT_recordTime", 2**62),
        order="captured" if order == "recordTime" else "at",
        descending=direction == "DESC",
        per_page=_per_page(parameters.get("perPage", ["30"])[-1]),
        after=parameters.get("nextPageToken", [""])[-1],
    )


def event_id(event: EpcisEvent) -> str:
    """What an event calls itself: as it was sent, or its hash."""
    told = event.plain.get("eventID")
    return told if isinstance(told, str) else event.name


def _values(name: str, told: Sequence[str]) -> list[str]:
    values = [part.strip() for text in told for part in text.split(",")]
    if len(values) > VALUES_MAX:
        raise _wrong(name, f"it has more than {VALUES_MAX} values")
    return values


def _of(event: EpcisEvent, name: str) -> str:
    return event_id(event) if name == "event_id" else str(getattr(event, name))


def _value(name: str, value: str) -> str:
    words = _WORDS.get(name)
    if words and value not in words:
        raise _wrong(name, f"{value[:40]!r} is none of {', '.join(words)}")
    return word_of(value) if name in ("EQ_bizStep", "EQ_disposition") else canonical_link(value)


def _instant(name: str, text: str) -> int:
    try:
        return Utc.parse(text).tai_ns
    except MalformedInput as error:
        raise _wrong(name, str(error.args[0])) from error


def _one(parameters: Mapping[str, Sequence[str]], name: str, words: tuple[str, ...]) -> str:
    told = parameters.get(name, [words[0]])[-1]
    if told not in words:
        raise _wrong(name, f"{told[:40]!r} is none of {', '.join(words)}")
    return told


def _per_page(text: str) -> int:
    if not (
        text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= PER_PAGE_MAX
    ):
        raise _wrong("perPage", f"not a number from 1 to {PER_PAGE_MAX}")
    return int(text)


def _wrong(name: str, why: str) -> MalformedInput:
    return MalformedInput(
        f"query parameter {name[:40]}: {why}",
        where=name[:40],
        remedy="use the parameters of SimpleEventQuery of EPCIS 2.0",
    )
