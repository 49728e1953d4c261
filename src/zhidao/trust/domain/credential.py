"""What a W3C credential must look like and when it counts; signatures are in `wire`.

Source: Verifiable Credentials Data Model 2.0 (W3C Recommendation, 15 May 2025), section 4.
Contexts are not processed: documents are taken only with contexts whose meaning is known here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.timescale import Utc

CONTEXT_V2: Final = "https://www.w3.org/ns/credentials/v2"
CONTEXT_V1: Final = "https://www.w3.org/2018/credentials/v1"
_PERIOD: Final = ("validFrom", "validUntil")
_PERIOD_V1: Final = ("issuanceDate", "expirationDate")
# Section 4.3 of the data model: gives terms of nobody's vocabulary a meaning of their own.
CONTEXT_UNDEFINED_TERMS: Final = "https://www.w3.org/ns/credentials/undefined-terms/v2"
CONTEXT_EXAMPLES: Final = "https://www.w3.org/ns/credentials/examples/v2"
KNOWN_CONTEXTS: Final = frozenset({CONTEXT_V2, CONTEXT_UNDEFINED_TERMS, CONTEXT_EXAMPLES})

_TYPED: Final = (
    *("credentialStatus", "credentialSchema", "refreshService"),
    *("termsOfUse", "evidence", "proof"),
)
_NEEDS_ID: Final = ("credentialSchema",)
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s\"<>\\^`{|}]+\Z", re.ASCII)
_LANGUAGE_FIELDS: Final = {"@value", "@language", "@direction"}
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[_-][A-Za-z0-9]+)*\Z", re.ASCII)
_KIND_CHARACTERS_MAX: Final = 64
# A credential of a real maker has 2 to 5 contexts, a dozen types and some hundred nodes; the work
# of reading one grows with the product of contexts and nodes.
CONTEXTS_MAX: Final = 16
TYPES_MAX: Final = 64
NODES_MAX: Final = 2_000


def type_of(kind: str) -> str:
    """The credential type of a kind in plain words.

    >>> type_of("origin_statement")
    'OriginStatementCredential'
    """
    if len(kind) > _KIND_CHARACTERS_MAX:
        raise MalformedInput(
            f"a kind of credential has at most {_KIND_CHARACTERS_MAX} characters",
        )
    if not _WORD.match(kind):
        raise MalformedInput(f"not a kind of credential: {kind[:48]!r}; use letters and _")
    name = "".join(word[:1].upper() + word[1:] for word in re.split("[_-]", kind))
    return name if name.endswith("Credential") else f"{name}Credential"


def check_credential(document: Mapping[str, Any]) -> None:
    """Raises MalformedInput (`malformed_credential`) if the data model forbids the document."""
    check_extent(document)
    _check_context(document.get("@context"))
    if "VerifiableCredential" not in _texts(document.get("type"), "type"):
        raise _malformed("type", "it does not name VerifiableCredential")
    _check_id(document, "id", required=False)
    issuer_of(document)
    _check_named(document.get("issuer"), "issuer")
    _check_named(document, "credential")
    for subject in _objects(document.get("credentialSubject"), "credentialSubject"):
        if not subject:
            raise _malformed("credentialSubject", "it claims nothing")
        _check_id(subject, "credentialSubject.id", required=False)
    for name in _TYPED:
        if name in document:
            _check_typed(document[name], name)
    _check_period_order(document)


def check_extent(document: Mapping[str, Any]) -> None:
    """Raises MalformedInput (`credential_too_large`) beyond what is worked on.

    Counted are objects, members of every `@context`, and types (different ones of the whole, all
    of one node), wherever they stand: at most NODES_MAX, CONTEXTS_MAX and TYPES_MAX.
    """
    nodes, contexts, repeated = 0, 0, 0
    types: set[str] = set()
    waiting: list[Any] = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
            continue
        if not isinstance(value, dict):
            continue
        nodes += 1
        for name, inner in value.items():
            items = inner if isinstance(inner, list) else [inner]
            if name == "@context":
                contexts += len(items)
            elif name in ("type", "@type"):
                types.update(item for item in items[: TYPES_MAX + 1] if isinstance(item, str))
                repeated = max(repeated, len(items))
        _check_counts(nodes=nodes, contexts=contexts, types=max(len(types), repeated))
        waiting += value.values()


def _check_counts(*, nodes: int, contexts: int, types: int) -> None:
    for count, count_max, what in (
        (contexts, CONTEXTS_MAX, "contexts"),
        (types, TYPES_MAX, "types"),
        (nodes, NODES_MAX, "objects"),
    ):
        if count > count_max:
            raise MalformedInput(
                f"a credential has more than {count_max} {what}",
                code="credential_too_large",
                remedy="divide what it says over several credentials",
            )


def check_contexts_known(document: Mapping[str, Any]) -> None:
    """Raises Refused (`unknown_context`) for a context whose terms this node does not know."""
    for context in document["@context"]:
        if not isinstance(context, str) or context not in KNOWN_CONTEXTS:
            raise Refused(f"unknown context {str(context)[:80]}", code="unknown_context")


def check_period(document: Mapping[str, Any], now: Utc) -> None:
    """Raises Refused: `not_yet_valid` or `expired`."""
    first, last = _period_fields(document)
    start, end = _instant(document, first), _instant(document, last)
    if start is not None and now < start:
        raise Refused(f"valid from {start}", code="not_yet_valid")
    if end is not None and now > end:
        raise Refused(f"valid until {end}", code="expired")


def issuer_of(document: Mapping[str, Any]) -> str:
    """The issuer's identifier. Raises MalformedInput."""
    issuer = document.get("issuer")
    name = issuer.get("id") if isinstance(issuer, dict) else issuer
    if not isinstance(name, str) or not _URL.match(name):
        raise _malformed("issuer", "it is no URL and no object with one as id")
    return name


def is_url(value: object) -> bool:
    """Whether a value is a text that is one URL."""
    return isinstance(value, str) and _URL.match(value) is not None


def is_version_1(document: Mapping[str, Any]) -> bool:
    """Whether it follows Verifiable Credentials Data Model 1.1 (W3C Recommendation, 2022)."""
    context = document.get("@context")
    return isinstance(context, list) and context[:1] == [CONTEXT_V1]


def _period_fields(document: Mapping[str, Any]) -> tuple[str, str]:
    return _PERIOD_V1 if is_version_1(document) else _PERIOD


def _check_context(context: object) -> None:
    if not isinstance(context, list) or not context or context[0] not in (CONTEXT_V2, CONTEXT_V1):
        raise _malformed("@context", f"it does not begin with {CONTEXT_V2}")
    for item in context[1:]:
        if not (isinstance(item, dict) or (isinstance(item, str) and _URL.match(item))):
            raise _malformed("@context", "an item is neither a URL nor an object")


def _check_id(value: Mapping[str, Any], place: str, *, required: bool) -> None:
    name = value.get("id")
    if name is None and "id" not in value and not required:
        return
    if not isinstance(name, str) or not _URL.match(name):
        raise _malformed(place, "the id is not one URL")


def _check_typed(value: object, name: str) -> None:
    for item in _objects(value, name):
        if not _texts(item.get("type"), f"{name}.type"):
            raise _malformed(name, "it has no type")
        _check_id(item, f"{name}.id", required=name in _NEEDS_ID)


def _check_named(value: object, place: str) -> None:
    """Names and descriptions are text, or language value objects (section 11.1)."""
    if not isinstance(value, dict):
        return
    for field in ("name", "description"):
        if field not in value:
            continue
        told = value[field]
        for item in told if isinstance(told, list) else [told]:
            good = isinstance(item, str) or (
                isinstance(item, dict)
                and isinstance(item.get("@value"), str)
                and set(item) <= _LANGUAGE_FIELDS
            )
            if not good:
                raise _malformed(f"{place}.{field}", "it is neither text nor text with a language")


def _check_period_order(document: Mapping[str, Any]) -> None:
    first, last = _period_fields(document)
    if first == _PERIOD_V1[0] and first not in document:
        raise _malformed(first, "it is missing, and version 1.1 needs it")
    start, end = _instant(document, first), _instant(document, last)
    if start is not None and end is not None and end < start:
        raise _malformed(last, f"it is before {first}")


def _instant(document: Mapping[str, Any], name: str) -> Utc | None:
    if name not in document:
        return None
    value = document[name]
    if not isinstance(value, str):
        raise _malformed(name, "it is not a date-time")
    try:
        return Utc.parse(value)
    except (MalformedInput, Refused) as error:
        raise _malformed(name, str(error)) from error


def _objects(value: object, place: str) -> list[dict[str, Any]]:
    items: list[Any] = value if isinstance(value, list) else [value]
    if not items or not all(isinstance(item, dict) for item in items):
        raise _malformed(place, "it is no object")
    return items


def _texts(value: object, place: str) -> list[str]:
    items: list[Any] = value if isinstance(value, list) else [value]
    if not items or not all(isinstance(item, str) and item for item in items):
        raise _malformed(place, "it is no text and no list of texts")
    return items


def _malformed(place: str, what: str) -> MalformedInput:
    return MalformedInput(f"credential: {what}", code="malformed_credential", where=place)
