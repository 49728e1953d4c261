"""EPCIS 2.0 documents in JSON: what is captured, and what a query answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Utc
from zhidao.industry.domain.epcis_event import EpcisEvent, check_kept, read_event
from zhidao.industry.domain.event_hash import context_terms
from zhidao.industry.domain.mass_balance import check_quantities

CONTEXT: Final = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
# Terms of GS1's own context that stand in a hash as full names.
KNOWN_TERMS: Final = {"cbvmda": "urn:epcglobal:cbv:mda:"}
DOCUMENT_BYTES_MAX: Final = 20 * 1024 * 1024
EVENTS_MAX: Final = 10_000
# Prefixes that one @context declares, and the characters of each with its namespace.
PREFIXES_MAX: Final = 100
PREFIX_CHARS_MAX: Final = 512


@dataclass(frozen=True, slots=True)
class Wrong:
    """One event that was refused: which of the document, where in it, and why."""

    index: int
    pointer: str
    said: str


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """A document with its events in order, those refused apart.

    Each event bears the prefixes under which it was said, to be told without the others.
    """

    events: tuple[EpcisEvent, ...]
    wrong: tuple[Wrong, ...]


def read_document(data: bytes, *, by: str, now: Utc) -> ReadDocument:
    """Reads a capture document. Raises MalformedInput if it is none; wrong events are told."""
    if len(data) > DOCUMENT_BYTES_MAX:
        raise MalformedInput(
            f"an EPCIS document has at most {DOCUMENT_BYTES_MAX} bytes",
            code="too_large",
            remedy="send it in parts",
        )
    plain = parse_strict(data, bytes_max=DOCUMENT_BYTES_MAX)
    if not isinstance(plain, dict) or plain.get("type") != "EPCISDocument":
        raise _no_document("its type is not EPCISDocument", "/type")
    if "@context" not in plain:
        raise _no_document("it has no @context", "/@context")
    if not str(plain.get("schemaVersion", "")).startswith("2."):
        raise _no_document("its schemaVersion is not 2.0", "/schemaVersion")
    terms = KNOWN_TERMS | _terms(plain["@context"])
    events, wrong = [], []
    for index, event in enumerate(_listed(plain.get("epcisBody"))):
        try:
            events.append(_read(event, terms, by=by, now=now))
        except MalformedInput as error:
            wrong.append(Wrong(index, error.where, str(error.args[0])))
    return ReadDocument(tuple(events), tuple(wrong))


def _read(event: Any, terms: Mapping[str, str], *, by: str, now: Utc) -> EpcisEvent:
    own = _terms(event.get("@context")) if isinstance(event, dict) else {}
    told = {**terms, **own}
    read = read_event(event, told, by=by, now=now)
    check_kept(read)
    check_quantities(read.plain)
    used = set(_prefixes({k: v for k, v in read.plain.items() if k != "@context"}))
    context = {name: space for name, space in told.items() if name in used}
    plain = {**read.plain, "@context": context}
    _check_reads_back(plain)
    return replace(read, plain=plain)


def _check_reads_back(plain: Mapping[str, Any]) -> None:
    """A number such as 1e20 is read, and its canonical form is one that nobody reads again."""
    try:
        back = parse_strict(jcs(plain))
    except MalformedInput as error:
        said = f"EPCIS event: as it would be kept nobody could read it again: {error.args[0]}"
        remedy = "write numbers beyond 2^53 as text, and send the event in parts if it is large"
        raise MalformedInput(said, where="/", remedy=remedy) from error
    if back != plain:
        raise MalformedInput(
            "EPCIS event: it does not read back as it was written",
            where="/",
            remedy="write numbers beyond 2^53 as text",
        )


def _terms(context: object) -> dict[str, str]:
    """The prefixes of a context. Raises MalformedInput for too many, or one too long."""
    terms = context_terms(context)
    if len(terms) > PREFIXES_MAX:
        raise _no_document(f"a context has at most {PREFIXES_MAX} prefixes", "/@context")
    if any(len(name) + len(space) > PREFIX_CHARS_MAX for name, space in terms.items()):
        raise _no_document(f"a prefix has at most {PREFIX_CHARS_MAX} characters", "/@context")
    return terms


def _prefixes(value: object) -> Iterator[str]:
    """What stands before the colon of each name and each text within."""
    if isinstance(value, str):
        yield value.partition(":")[0]
    elif isinstance(value, dict):
        for name, each in value.items():
            yield name.partition(":")[0]
            yield from _prefixes(each)
    elif isinstance(value, list):
        for each in value:
            yield from _prefixes(each)


def _listed(body: object) -> list[Any]:
    listed = body.get("eventList") if isinstance(body, dict) else None
    if not isinstance(listed, list) or not listed:
        raise _no_document("it has no list of events", "/epcisBody/eventList")
    if len(listed) > EVENTS_MAX:
        raise _no_document(f"it has more than {EVENTS_MAX} events", "/epcisBody/eventList")
    return listed


def events_in(data: bytes) -> tuple[list[Any], dict[str, str]]:
    """The events of a capture or query document as they stand, and the prefixes over them.

    Raises MalformedInput if it is none.
    """
    plain = parse_strict(data, bytes_max=DOCUMENT_BYTES_MAX)
    body = plain.get("epcisBody") if isinstance(plain, dict) else None
    if isinstance(body, dict) and isinstance(body.get("queryResults"), dict):
        body = body["queryResults"].get("resultsBody")
    listed = body.get("eventList") if isinstance(body, dict) else None
    if not isinstance(listed, list):
        raise _no_document("it has no list of events", "/epcisBody/eventList")
    return listed, KNOWN_TERMS | context_terms(plain.get("@context"))


def query_document(events: Sequence[Mapping[str, Any]], *, at: Utc) -> dict[str, Any]:
    """The answer to a query, in the shape of the standard's EPCISQueryDocument."""
    return {
        "@context": [CONTEXT, KNOWN_TERMS],
        "type": "EPCISQueryDocument",
        "schemaVersion": "2.0",
        "creationDate": at.to_datetime().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "epcisBody": {
            "queryResults": {
                "queryName": "SimpleEventQuery",
                "resultsBody": {"eventList": list(events)},
            }
        },
    }


def _no_document(why: str, pointer: str) -> MalformedInput:
    return MalformedInput(
        f"no EPCIS 2.0 document to capture: {why}",
        where=pointer,
        remedy="send an EPCISDocument of version 2.0 in JSON with at least one event",
    )
