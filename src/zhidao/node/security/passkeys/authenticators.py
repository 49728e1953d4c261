"""What is asked of a person's authenticator, and whether its answer holds (WebAuthn level 2).

The library is loaded when the first passkey is asked for: most starts of a node need none.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from zhidao.core.encoding import base64url, parse_base64url
from zhidao.core.errors import MalformedInput, Unauthenticated
from zhidao.core.ids import PartyId
from zhidao.node.security.second_factor import Site

CHALLENGE_BYTES: Final = 32
ANSWERED_WITHIN_MS: Final = 120_000


@dataclass(frozen=True, slots=True)
class Made:
    """A new credential, as the authenticator tells it."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


@dataclass(frozen=True, slots=True)
class Attestation:
    """A browser's answer to `to_make`, each part in base64url."""

    id: str
    client_data: str
    attestation: str


@dataclass(frozen=True, slots=True)
class Assertion:
    """A browser's answer to `to_show`, each part in base64url."""

    id: str
    client_data: str
    authenticator_data: str
    signature: str
    user_handle: str = ""


async def ready() -> None:
    """Loads the library beside the event loop, which would stand still for a quarter second."""
    await asyncio.to_thread(_load)


def user_handle(node: PartyId, name: str) -> bytes:
    """By what an authenticator knows whose passkey it is; says nothing to whoever reads it."""
    return hashlib.sha256(f"zhidao passkey holder v1\n{node}\n{name}".encode()).digest()


def to_make(
    site: Site, *, challenge: bytes, organisation: str, name: str, handle: bytes,
    known: Sequence[bytes],
) -> dict[str, Any]:  # fmt: skip
    """What a browser gives `navigator.credentials.create`. `known`: what the person has already."""
    webauthn, structs = _load()
    options = webauthn.generate_registration_options(
        rp_id=site.host,
        rp_name=organisation or site.host,
        user_name=name,
        user_id=handle,
        challenge=challenge,
        timeout=ANSWERED_WITHIN_MS,
        authenticator_selection=structs.AuthenticatorSelectionCriteria(
            resident_key=structs.ResidentKeyRequirement.PREFERRED,
            user_verification=structs.UserVerificationRequirement.PREFERRED,
        ),
        exclude_credentials=[structs.PublicKeyCredentialDescriptor(id=each) for each in known],
    )
    return dict(webauthn.helpers.options_to_json_dict(options))


def to_show(site: Site, *, challenge: bytes, known: Sequence[bytes], alone: bool) -> dict[str, Any]:
    """What a browser gives `navigator.credentials.get`.

    `alone`: no password came before, so the authenticator itself must know its holder.
    """
    webauthn, structs = _load()
    wanted = structs.UserVerificationRequirement
    options = webauthn.generate_authentication_options(
        rp_id=site.host,
        challenge=challenge,
        timeout=ANSWERED_WITHIN_MS,
        allow_credentials=[structs.PublicKeyCredentialDescriptor(id=each) for each in known],
        user_verification=wanted.REQUIRED if alone else wanted.PREFERRED,
    )
    return dict(webauthn.helpers.options_to_json_dict(options))


def made(answer: Attestation, *, challenge: bytes, site: Site) -> Made:
    """The credential of an answer to `to_make`. Raises Unauthenticated (`wrong_passkey`)."""
    webauthn, _ = _load()
    parts = {"clientDataJSON": answer.client_data, "attestationObject": answer.attestation}
    try:
        found = webauthn.verify_registration_response(
            credential=_credential(answer.id, parts),
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=list(site.origins),
        )
    except _unreadable() as error:
        raise wrong_passkey() from error
    return Made(found.credential_id, found.credential_public_key, found.sign_count)


def shown(
    answer: Assertion, *, challenge: bytes, site: Site, public_key: bytes, sign_count: int,
    alone: bool,
) -> int:  # fmt: skip
    """The count of uses that a right answer to `to_show` tells.

    Raises Unauthenticated (`wrong_passkey`) for any other: another challenge, page, key, a count
    that does not grow, or no look at the holder where that was asked for.
    """
    webauthn, _ = _load()
    parts = {
        "clientDataJSON": answer.client_data,
        "authenticatorData": answer.authenticator_data,
        "signature": answer.signature,
    }
    try:
        found = webauthn.verify_authentication_response(
            credential=_credential(answer.id, parts),
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=list(site.origins),
            credential_public_key=public_key,
            credential_current_sign_count=sign_count,
            require_user_verification=alone,
        )
    except _unreadable() as error:
        raise wrong_passkey() from error
    return int(found.new_sign_count)


def wrong_passkey() -> Unauthenticated:
    """What is said of any answer that does not hold, whatever is wrong with it."""
    return Unauthenticated("this passkey does not open this", code="wrong_passkey")


def credential_id(text: str) -> bytes:
    """The identifier in an answer. Raises Unauthenticated (`wrong_passkey`)."""
    try:
        return parse_base64url(text)
    except MalformedInput as error:
        raise wrong_passkey() from error


def _credential(name: str, parts: dict[str, str]) -> dict[str, Any]:
    # Written anew, since the library takes two spellings of one identifier for two of them.
    plain = base64url(credential_id(name))
    return {"id": plain, "rawId": plain, "type": "public-key", "response": parts}


def _load() -> tuple[Any, Any]:
    import webauthn
    from webauthn.helpers import structs

    return webauthn, structs


def _unreadable() -> tuple[type[Exception], ...]:
    """What the library and those it leans on raise for bytes that are no right answer."""
    from cbor2 import CBORDecodeError
    from cryptography.exceptions import UnsupportedAlgorithm
    from webauthn.helpers.exceptions import WebAuthnException

    return (
        *(WebAuthnException, CBORDecodeError, UnsupportedAlgorithm, ValueError, TypeError),
        *(LookupError, AttributeError, OverflowError),
    )
