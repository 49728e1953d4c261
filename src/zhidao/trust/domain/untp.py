"""The shapes of the UN Transparency Protocol 0.7.0: envelopes, passports, lifecycle events.

Sources: UNTP 0.7.0 schema of the Digital Product Passport (JSON Schema, read in full) and the
UNTP specification's page on Digital Traceability Events (read; its schema not checked). Of the
conformity credential, the facility record and the identity anchor only the envelope is checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from zhidao.core.errors import MalformedInput
from zhidao.trust.domain.credential import CONTEXT_V2, is_url
from zhidao.trust.events import UntpEnvelope

CONTEXT: Final = "https://vocabulary.uncefact.org/untp/0.7.0/context/"
PRODUCT_PASSPORT: Final = "DigitalProductPassport"
TRACEABILITY_EVENT: Final = "DigitalTraceabilityEvent"
TYPES: Final = frozenset(
    {
        *(PRODUCT_PASSPORT, TRACEABILITY_EVENT, "DigitalConformityCredential"),
        *("DigitalFacilityRecord", "DigitalIdentityAnchor"),
    }
)
_GRANULARITIES: Final = ("model", "batch", "item")
_EVENT: Final = "LifecycleEvent"
# What each kind of event must have beside the common fields: its products, and its facilities.
_EVENTS: Final = {
    "MakeEvent": (("inputProduct", "outputProduct"), ("madeAtFacility",)),
    "MoveEvent": (("movedProduct",), ("fromFacility", "toFacility")),
    "ModifyEvent": (("modifiedProduct",), ("modifiedAtFacility",)),
}
_MEMBERS_MAX: Final = 1_000


def enveloped(unsecured: Mapping[str, Any], envelope: UntpEnvelope) -> dict[str, Any]:
    """A credential's document with the contexts, type, title and issuer that UNTP asks for."""
    return {
        **unsecured,
        "@context": [CONTEXT_V2, CONTEXT],
        "type": [envelope.type, "VerifiableCredential"],
        "name": envelope.title,
        "issuer": {
            "type": ["CredentialIssuer"],
            "id": unsecured["issuer"],
            "name": envelope.issuer_name,
        },
    }


def is_untp(document: Mapping[str, Any]) -> bool:
    """Whether a credential says that its words are those of UNTP 0.7.0, and of nothing else."""
    return document.get("@context") == [CONTEXT_V2, CONTEXT]


def check_untp(document: Mapping[str, Any]) -> None:
    """Raises MalformedInput (`malformed_credential`) with the place that is not as UNTP asks.

    `document` must have passed `check_credential`.
    """
    kinds = _list(document.get("type"), "type")
    known = [kind for kind in kinds if kind in TYPES]
    strange = [kind for kind in kinds if kind not in TYPES and kind != "VerifiableCredential"]
    if len(known) != 1 or strange:
        raise _malformed("type", f"it names not just one of {', '.join(sorted(TYPES))}")
    _url(document, "", "id")
    _text(document, "", "name")
    _text(document, "", "validFrom")
    issuer = _object(document.get("issuer"), "issuer")
    _text(issuer, "issuer", "name")
    if not str(issuer.get("id")).startswith("did:"):
        raise _malformed("issuer.id", "it is no DID")
    if known == [PRODUCT_PASSPORT]:
        _product(_object(document.get("credentialSubject"), "credentialSubject"))
    elif known == [TRACEABILITY_EVENT]:
        subjects = document.get("credentialSubject")
        for k, event in enumerate(_list(subjects, "credentialSubject")):
            place = f"credentialSubject[{k}]"
            _lifecycle_event(_object(event, place), place)


def _product(product: Mapping[str, Any]) -> None:
    place = "credentialSubject"
    _identified(product, place)
    _identified(_object(product.get("idScheme"), f"{place}.idScheme"), f"{place}.idScheme")
    if product.get("idGranularity") not in _GRANULARITIES:
        raise _malformed(f"{place}.idGranularity", f"it is not one of {', '.join(_GRANULARITIES)}")
    for k, category in enumerate(_list(product.get("productCategory"), f"{place}.productCategory")):
        _classification(category, f"{place}.productCategory[{k}]")
    facility = f"{place}.producedAtFacility"
    _identified(_object(product.get("producedAtFacility"), facility), facility)
    country = f"{place}.countryOfProduction"
    _text(_object(product.get("countryOfProduction"), country), country, "countryCode")


def _lifecycle_event(event: Mapping[str, Any], place: str) -> None:
    kinds = _list(event.get("type"), f"{place}.type")
    named = [kind for kind in kinds if isinstance(kind, str) and kind in _EVENTS]
    if len(named) != 1 or _EVENT not in kinds:
        raise _malformed(f"{place}.type", f"it names not {_EVENT} and one of {', '.join(_EVENTS)}")
    _identified(event, place)
    _text(event, place, "eventDate")
    _classification(event.get("activityType"), f"{place}.activityType")
    products, facilities = _EVENTS[named[0]]
    for name in products:
        for k, member in enumerate(_list(event.get(name), f"{place}.{name}")):
            inner = f"{place}.{name}[{k}]"
            held = _object(member, inner)
            _identified(_object(held.get("product"), f"{inner}.product"), f"{inner}.product")
    for name in facilities:
        _identified(_object(event.get(name), f"{place}.{name}"), f"{place}.{name}")


def _classification(value: object, place: str) -> None:
    told = _object(value, place)
    for name in ("code", "name", "schemeName"):
        _text(told, place, name)
    # The specification's own pages spell it both ways; the schema says schemeId.
    _url(told, place, "schemeId" if "schemeId" in told else "schemeID")


def _identified(value: Mapping[str, Any], place: str) -> None:
    _url(value, place, "id")
    _text(value, place, "name")


def _url(value: Mapping[str, Any], place: str, name: str) -> None:
    if not is_url(value.get(name)):
        raise _malformed(_inside(place, name), "it is no URI")


def _text(value: Mapping[str, Any], place: str, name: str) -> None:
    told = value.get(name)
    if not isinstance(told, str) or not told:
        raise _malformed(_inside(place, name), "it is missing, or no text")


def _object(value: object, place: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _malformed(place, "it is missing, or no object")
    return value


def _list(value: object, place: str) -> list[Any]:
    items: list[Any] = value if isinstance(value, list) else [value]
    if not items or items == [None] or len(items) > _MEMBERS_MAX:
        raise _malformed(place, f"it has no member, or more than {_MEMBERS_MAX}")
    return items


def _inside(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _malformed(place: str, what: str) -> MalformedInput:
    return MalformedInput(
        f"UNTP credential: {place}: {what}", code="malformed_credential", where=place
    )
