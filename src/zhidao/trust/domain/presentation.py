"""What a W3C presentation must look like: who shows it, and credentials that are whole.

Source: Verifiable Credentials Data Model 2.0 (W3C Recommendation, 15 May 2025), section 4.13.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from zhidao.core.errors import MalformedInput
from zhidao.trust.domain.credential import CONTEXT_V2, check_credential, is_url

_CREDENTIALS_MAX: Final = 100
_ENVELOPED: Final = "EnvelopedVerifiableCredential"


def check_presentation(document: Mapping[str, Any]) -> None:
    """Raises MalformedInput (`malformed_presentation`) if the data model forbids it."""
    context, kinds = document.get("@context"), document.get("type")
    if not isinstance(context, list) or context[:1] != [CONTEXT_V2]:
        raise _malformed("@context", f"it does not begin with {CONTEXT_V2}")
    if "VerifiablePresentation" not in (kinds if isinstance(kinds, list) else [kinds]):
        raise _malformed("type", "it does not name VerifiablePresentation")
    if "id" in document and not is_url(document["id"]):
        raise _malformed("id", "it is no URL")
    if "holder" in document:
        holder = document["holder"]
        if not is_url(holder.get("id") if isinstance(holder, Mapping) else holder):
            raise _malformed("holder", "it is no URL and no object with one as id")
    shown = document.get("verifiableCredential", [])
    items = shown if isinstance(shown, list) else [shown]
    if len(items) > _CREDENTIALS_MAX:
        raise _malformed("verifiableCredential", f"more than {_CREDENTIALS_MAX}")
    for item in items:
        _check_shown(item)


def _check_shown(item: object) -> None:
    if not isinstance(item, Mapping):
        raise _malformed("verifiableCredential", "a credential is no object")
    if item.get("type") in (_ENVELOPED, [_ENVELOPED]):
        if not str(item.get("id", "")).startswith("data:"):
            raise _malformed("verifiableCredential", "an enveloped one has no data: URL as id")
        return
    check_credential(item)


def _malformed(place: str, what: str) -> MalformedInput:
    return MalformedInput(f"presentation: {what}", code="malformed_presentation", where=place)
