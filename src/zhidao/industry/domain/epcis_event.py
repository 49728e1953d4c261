"""One EPCIS 2.0 event by the rules of its kind, and what it says of where things came from.

Types of values are judged by the hash (`domain.event_hash`); here stand the rules between fields.
Source: EPCIS 2.0, sections 7.4.1 to 7.4.6, and CBV 2.0, sections 7.1 and 7.2 (the code lists), by
GS1's published JSON Schema; the texts of the standards not checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Utc
from zhidao.industry.domain.digital_link import canonical_link
from zhidao.industry.domain.event_hash import event_hash
from zhidao.industry.domain.typed_json import utc_ms

DAY_NS: Final = 86_400 * 10**9
# An event from before is a wrong clock; one later than a day ahead has not happened.
EARLIEST: Final = Utc.parse("1990-01-01T00:00:00Z")
# Longer than any identifier of GS1; an index entry of PostgreSQL ends at 2,704 bytes.
NAME_CHARS_MAX: Final = 512
# TAI nanoseconds, in the year 2116: later is beyond every window of a query or a trace.
AT_NS_END: Final = 2**62
ACTIONS: Final = ("ADD", "OBSERVE", "DELETE")
KINDS: Final = (
    *("ObjectEvent", "AggregationEvent", "AssociationEvent", "TransactionEvent"),
    "TransformationEvent",
)
BIZ_STEPS: Final = frozenset(
    """accepting arriving assembling collecting commissioning consigning creating_class_instance
    cycle_counting decommissioning departing destroying disassembling dispensing encoding
    entering_exiting holding inspecting installing killing loading other packing picking receiving
    removing repackaging repairing replacing reserving retail_selling sampling sensor_reporting
    shipping staging_outbound stock_taking stocking storing transporting unloading unpacking
    void_shipping""".split()
)
DISPOSITIONS: Final = frozenset(
    """active available completeness_inferred completeness_verified conformant container_closed
    container_open damaged destroyed dispensed disposed encoded expired in_progress in_transit
    inactive mismatch_class mismatch_instance mismatch_quantity needs_replacement no_pedigree_match
    non_conformant non_sellable_other partially_dispensed recalled reserved retail_sold returned
    sellable_accessible sellable_not_accessible stolen unavailable unknown""".split()
)
_LISTS: Final = {
    "epc": ("epcList", "quantityList"),
    "child": ("childEPCs", "childQuantityList"),
    "input": ("inputEPCList", "inputQuantityList"),
    "output": ("outputEPCList", "outputQuantityList"),
}


class Role(StrEnum):
    """As what a thing stands in an event."""

    EPC = "epc"
    PARENT = "parent"
    CHILD = "child"
    INPUT = "input"
    OUTPUT = "output"
    LOT = "lot"


@dataclass(frozen=True, slots=True)
class EpcisEvent:
    """An event that keeps the rules. `name`: its CBV hash; `plain`: as it was sent, with eventID.

    by: the party that says so; the same event of two parties is said twice.
    things: what it names, each in its role, by canonical links. doubt: why it is kept aside and
    counts for nothing in a trace; empty if it counts. withdrawn: it is an error declaration.
    """

    name: str
    kind: str
    action: str
    biz_step: str
    disposition: str
    read_point: str
    biz_location: str
    at: Utc
    things: tuple[tuple[Role, str], ...]
    transformation: str
    withdrawn: bool
    doubt: str
    plain: Mapping[str, Any]
    by: str

    @property
    def key(self) -> str:
        """Who says which event: one thing that can be seen or withdrawn."""
        return f"{self.by} {self.name}"

    def of(self, role: Role) -> list[str]:
        """The things in one role, in the order in which they were said."""
        return [thing for each, thing in self.things if each is role]


def read_event(event: Any, terms: Mapping[str, str], *, by: str, now: Utc) -> EpcisEvent:
    """Reads and judges an event. Raises MalformedInput with the JSON pointer within the event."""
    name = event_hash(event, terms)
    kind, action = event["type"], event.get("action", "")
    _check_kind(kind, action, event)
    _check_words(event)
    told = event.get("eventID")
    if isinstance(told, str) and told.startswith("ni:///sha-256;") and told != name:
        raise _broken("the hash in eventID is not this event's", "/eventID")
    at = _instant(event["eventTime"])
    withdrawn = _is_declared_wrong(event)
    doubt = ""
    if at.since_ns(EARLIEST) < 0:
        doubt = "before_1990"
    elif at.since_ns(now) > DAY_NS:
        doubt = "future"
    return EpcisEvent(
        name=name,
        kind=kind,
        action=action,
        biz_step=word_of(event.get("bizStep", "")),
        disposition=word_of(event.get("disposition", "")),
        read_point=canonical_link(event.get("readPoint", {}).get("id", "")),
        biz_location=canonical_link(event.get("bizLocation", {}).get("id", "")),
        at=at,
        things=tuple(dict.fromkeys(_things(event))),
        transformation=canonical_link(event.get("transformationID", "")),
        withdrawn=withdrawn,
        doubt=doubt,
        plain=event if told else {**event, "eventID": name},
        by=by,
    )


def check_kept(event: EpcisEvent) -> None:
    """Refuses an event that no store can keep: names too long or with NUL, a time beyond 2116.

    Apart from reading, so that what was taken before this rule stays readable.
    Raises MalformedInput with the JSON pointer within the event.
    """
    told = event.plain.get("eventID")
    names = [
        *(("/eventID", told if isinstance(told, str) else ""), ("/bizStep", event.biz_step)),
        *(("/disposition", event.disposition), ("/readPoint/id", event.read_point)),
        *(("/bizLocation/id", event.biz_location), ("/transformationID", event.transformation)),
        *(("/", thing) for _, thing in event.things),
    ]
    for pointer, name in names:
        if len(name) > NAME_CHARS_MAX:
            raise _broken(f"a name has at most {NAME_CHARS_MAX} characters", pointer)
        if "\0" in name:
            raise _broken("a name holds the character NUL", pointer)
    if event.at.tai_ns >= AT_NS_END:
        raise _broken("no event happens after 2115", "/eventTime")


def _instant(told: str) -> Utc:
    try:
        return Utc.parse(utc_ms(told))
    except MalformedInput as error:
        raise _broken(str(error.args[0]), "/eventTime") from error


def _is_declared_wrong(event: Mapping[str, Any]) -> bool:
    """Whether it withdraws an event; null is as absent, and what is no declaration is refused."""
    declared = event.get("errorDeclaration")
    if declared is None:
        return False
    if not isinstance(declared, Mapping) or not declared:
        raise _broken("an errorDeclaration is an object with its time", "/errorDeclaration")
    return True


def word_of(told: str) -> str:
    """A word of CBV however it is written, bare; a word of others as it is.

    >>> word_of("https://ref.gs1.org/cbv/BizStep-shipping")
    'shipping'
    """
    for mark in ("/cbv/BizStep-", "/cbv/Disp-", "cbv:BizStep-", "cbv:Disp-", ":bizstep:", ":disp:"):
        if mark in told:
            return told.rpartition(mark)[2]
    return told


def _check_kind(kind: str, action: str, event: Mapping[str, Any]) -> None:
    if kind not in KINDS:
        raise _broken(f"{kind[:40]!r} is no event of EPCIS 2.0", "/type")
    if "eventTimeZoneOffset" not in event:
        raise _broken("it has no eventTimeZoneOffset", "/")
    if kind == "TransformationEvent":
        _check_transformation(action, event)
        return
    if action not in ACTIONS:
        raise _broken(f"the action is none of {', '.join(ACTIONS)}", "/action")
    if kind in ("AggregationEvent", "AssociationEvent"):
        _check_packing(action, event)
    elif not _names_things(kind, event):
        raise _broken("it names no things", "/")


def _names_things(kind: str, event: Mapping[str, Any]) -> bool:
    if _names(event, "epc") or event.get("sensorElementList"):
        return True
    return kind == "TransactionEvent" and bool(event.get("parentID"))


def _check_transformation(action: str, event: Mapping[str, Any]) -> None:
    if action:
        raise _broken("a transformation has no action", "/action")
    sides = _names(event, "input") + _names(event, "output")
    if not sides:
        raise _broken("a transformation has neither input nor output", "/")
    if sides < 2 and not event.get("transformationID"):
        raise _broken("a transformation of one side bears a transformationID", "/")


def _check_packing(action: str, event: Mapping[str, Any]) -> None:
    if not event.get("parentID") and action != "OBSERVE":
        raise _broken("it has no parentID", "/")
    if action != "DELETE" and not _names(event, "child"):
        raise _broken("it names no children", "/")


def _names(event: Mapping[str, Any], role: str) -> bool:
    """Whether the event names anything in a role, by itself or by its class."""
    return any(event.get(name) for name in _LISTS[role])


def _check_words(event: Mapping[str, Any]) -> None:
    for field, words in (("bizStep", BIZ_STEPS), ("disposition", DISPOSITIONS)):
        word = event.get(field, "")
        if word and ":" not in word and word not in words:
            raise _broken(f"{word[:40]!r} is no word of CBV 2.0", f"/{field}")


def _things(event: Mapping[str, Any]) -> Iterator[tuple[Role, str]]:
    for said, lists in _LISTS.items():
        role = Role(said)
        for thing in event.get(lists[0], ()):
            yield role, canonical_link(thing)
        for element in event.get(lists[1], ()):
            if "epcClass" in element:
                yield role, canonical_link(element["epcClass"])
    if parent := event.get("parentID"):
        yield Role.PARENT, canonical_link(parent)
    yield from _lots(event)


def _lots(event: Mapping[str, Any]) -> Iterator[tuple[Role, str]]:
    """Lots of which serials were commissioned: of each article among them, the one lot named."""
    lot = event.get("ilmd", {}).get("cbvmda:lotNumber")
    if event["type"] != "ObjectEvent" or event.get("action") != "ADD" or not isinstance(lot, str):
        return
    for thing in event.get("epcList", ()):
        article, is_serial, _ = canonical_link(thing).partition("/21/")
        if is_serial:
            yield Role.LOT, f"{article}/10/{lot}"


def _broken(rule: str, pointer: str) -> MalformedInput:
    return MalformedInput(
        f"EPCIS event: {rule}",
        where=pointer,
        remedy="write the event as GS1's JSON Schema of EPCIS 2.0 has it",
    )
