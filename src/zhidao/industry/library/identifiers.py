"""Identifiers judged and events named, without a node."""

from __future__ import annotations

from typing import Any

from zhidao.industry.domain.digital_link import parse
from zhidao.industry.domain.event_hash import context_terms, event_hash
from zhidao.industry.wire.epcis_document import events_in


def judged_link(link: str) -> dict[str, Any]:
    """A GS1 Digital Link in its parts. Raises MalformedInput with AI, place and rule."""
    read = parse(link)
    return {
        "canonical": read.canonical,
        "domain": read.domain,
        "elements": [[each.ai, each.value] for each in (read.key, *read.qualifiers)],
        "attributes": [list(each) for each in read.attributes],
    }


def checked_document(data: bytes) -> bytes:
    """The same bytes, if they are an EPCIS document at all. Raises MalformedInput."""
    events_in(data)
    return data


def event_names(data: bytes) -> list[str]:
    """The CBV hashes of the events of an EPCIS 2.0 document. Raises MalformedInput."""
    events, terms = events_in(data)
    return [event_hash(event, terms | _own(event)) for event in events]


def _own(event: Any) -> dict[str, str]:
    return context_terms(event.get("@context")) if isinstance(event, dict) else {}
