"""SD-JWT VC: a signed token whose claims a holder shows one by one, with proof of the holder's key.

Source: RFC 9901 (Selective Disclosure for JWTs) sections 4 and 7; SD-JWT-based Verifiable
Credentials (IETF draft-ietf-oauth-sd-jwt-vc) section 3; RFC 7515 for the signature, RFC 8725
section 3 for what is never taken (no `none`, no key from the token's own header).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.encoding import base64url, parse_base64url
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.keys import Algorithm, PublicKey, Signer, low_s
from zhidao.trust.wire.credentials.jwk import key_of_jwk

TYPE: Final = "dc+sd-jwt"
# The type's name until November 2024; documents that bear it are still about.
_TYPES: Final = (TYPE, "vc+sd-jwt")
_KEY_BINDING_TYPE: Final = "kb+jwt"
_ALGORITHMS: Final = {
    "EdDSA": Algorithm.ED25519,
    "Ed25519": Algorithm.ED25519,
    "ES256": Algorithm.P256,
    "ES384": Algorithm.P384,
    "ES256K": Algorithm.SECP256K1,
}
_NAMES: Final = {
    Algorithm.ED25519: "EdDSA",
    Algorithm.P256: "ES256",
    Algorithm.P384: "ES384",
    Algorithm.SECP256K1: "ES256K",
}
_DIGEST: Final = "sha-256"
_TOKEN_CHARACTERS_MAX: Final = 1_000_000
_DISCLOSURES_MAX: Final = 1_000
_DEPTH_MAX: Final = 16
# Claims that a holder may never hide (SD-JWT VC section 3.2.2.2).
_NEVER_HIDDEN: Final = frozenset({"iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "status"})


@dataclass(frozen=True, slots=True)
class Token:
    """A token taken apart, nothing of it checked."""

    signed: str
    header: dict[str, Any]
    payload: dict[str, Any]
    signature: bytes
    disclosures: tuple[str, ...]
    key_binding: str

    @property
    def issuer(self) -> str:
        """Who says so, or ``."""
        value = self.payload.get("iss")
        return value if isinstance(value, str) else ""

    @property
    def key_id(self) -> str:
        """The issuer's key by its name in the header, absolute if that is only a fragment."""
        name = self.header.get("kid")
        if not isinstance(name, str):
            return ""
        return self.issuer + name if name.startswith("#") else name


def parse(text: str) -> Token:
    """Takes a token apart. Raises MalformedInput (`bad_token`)."""
    if len(text) > _TOKEN_CHARACTERS_MAX:
        raise _malformed(f"it has more than {_TOKEN_CHARACTERS_MAX} characters")
    if not text.isascii():
        raise _malformed("it is no ASCII")
    token, *disclosures = text.split("~")
    binding = disclosures.pop() if disclosures else ""
    if "~" not in text:
        raise _malformed("it has no ~ behind the signed part")
    if len(disclosures) > _DISCLOSURES_MAX:
        raise _malformed(f"it shows more than {_DISCLOSURES_MAX} claims")
    header, payload, signature, signed = _jws(token)
    return Token(signed, header, payload, signature, tuple(disclosures), binding)


def verify(
    token: Token,
    *,
    key_of: Callable[[str], PublicKey],
    now_s: int,
    audience: str | None = None,
    nonce: str | None = None,
) -> dict[str, Any]:
    """Checks a token and returns its claims with the shown ones in their places.

    `key_of` gives the issuer's key of a verification method. With an `audience` and `nonce` the
    holder must have signed for exactly them. Raises MalformedInput (`bad_token`) or Refused:
    `unknown_algorithm`, `bad_proof`, `expired`, `not_yet_valid`, `bad_key_binding`.
    """
    if token.header.get("typ") not in _TYPES:
        raise _malformed(f"its type is not {TYPE}")
    _check_header(token.header)
    key = key_of(token.key_id or token.issuer)
    _check_signature(token.header, token.signature, token.signed, key, code="bad_proof")
    claims = _shown(token)
    _check_times(claims, now_s)
    if token.key_binding or audience is not None or nonce is not None:
        _check_key_binding(token, now_s, audience, nonce)
    return claims


def issue(
    claims: Mapping[str, Any],
    *,
    hidden: Mapping[str, str],
    signer: Signer,
    key_id: str,
) -> str:
    """A token. `hidden`: top-level claims that the holder may leave out, each with its salt.

    Salts are base64url of 16 random bytes. Raises Refused for claims that must stay visible.
    """
    if hidden.keys() & _NEVER_HIDDEN or not hidden.keys() <= claims.keys():
        raise Refused("such a claim is never hidden, or is not there", code="bad_claim")
    shown = {name: value for name, value in claims.items() if name not in hidden}
    disclosures = [
        base64url(jcs([salt, name, claims[name]])) for name, salt in sorted(hidden.items())
    ]
    if disclosures:
        shown["_sd"] = sorted(_digest(disclosure) for disclosure in disclosures)
        shown["_sd_alg"] = _DIGEST
    header = {"alg": _alg(signer), "typ": TYPE, "kid": key_id}
    return "~".join([_signed(header, shown, signer), *disclosures, ""])


def present(
    text: str,
    *,
    names: Sequence[str],
    holder: Signer | None = None,
    audience: str = "",
    nonce: str = "",
    issued_at_s: int = 0,
) -> str:
    """The token with only these hidden claims shown, signed by the holder if one is given."""
    token = parse(text)
    chosen = [each for each in token.disclosures if _disclosure(each)[1] in names]
    shown = "~".join([text.partition("~")[0], *chosen, ""])
    if holder is None:
        return shown
    header = {"alg": _alg(holder), "typ": _KEY_BINDING_TYPE}
    payload = {"iat": issued_at_s, "aud": audience, "nonce": nonce, "sd_hash": _digest(shown)}
    return shown + _signed(header, payload, holder)


def _jws(text: str) -> tuple[dict[str, Any], dict[str, Any], bytes, str]:
    parts = text.split(".")
    if len(parts) != 3:
        raise _malformed("its signed part has not three pieces")
    try:
        header, payload = (parse_strict(parse_base64url(part)) for part in parts[:2])
        signature = parse_base64url(parts[2])
    except MalformedInput as error:
        raise _malformed(str(error)) from error
    if not isinstance(header, dict) or not isinstance(payload, dict):
        raise _malformed("header or payload is no object")
    return header, payload, signature, f"{parts[0]}.{parts[1]}"


def _check_header(header: Mapping[str, Any]) -> None:
    # A token that brings its own key, or asks for what is unknown, is nobody's word.
    if {"crit", "jwk", "jku", "x5u"} & header.keys():
        raise Refused("the token's header names a key or extension of its own", code="bad_token")


def _check_signature(
    header: Mapping[str, Any], signature: bytes, signed: str, key: PublicKey, *, code: str
) -> None:
    name = header.get("alg")
    wanted = _ALGORITHMS.get(name) if isinstance(name, str) else None
    if wanted is None:
        raise Refused(f"the algorithm {str(name)[:16]!r} is not taken", code="unknown_algorithm")
    if wanted is Algorithm.SECP256K1:
        signature = low_s(signature)
    if key.algorithm is not wanted or not key.verifies(signature, signed.encode()):
        raise Refused("the signature is not its key's over this token", code=code)


def _shown(token: Token) -> dict[str, Any]:
    """The claims with every shown one put in its place (RFC 9901 section 7.1)."""
    if token.payload.get("_sd_alg", _DIGEST) != _DIGEST:
        raise _malformed("its digests are not SHA-256")
    waiting: dict[str, str] = {}
    for text in token.disclosures:
        digest = _digest(text)
        if digest in waiting:
            raise _malformed("a claim is shown twice")
        waiting[digest] = text
    seen: set[str] = set()
    claims: dict[str, Any] = _filled(token.payload, waiting, seen, 0)
    claims.pop("_sd_alg", None)
    if waiting:
        raise Refused("a shown claim is not the issuer's", code="bad_proof")
    return claims


def _filled(value: Any, waiting: dict[str, str], seen: set[str], depth: int) -> Any:
    if depth > _DEPTH_MAX:
        raise _malformed(f"claims nest over {_DEPTH_MAX} deep")
    if isinstance(value, list):
        return _filled_list(value, waiting, seen, depth)
    if not isinstance(value, dict):
        return value
    filled = {
        name: _filled(item, waiting, seen, depth + 1)
        for name, item in value.items()
        if name != "_sd"
    }
    if "..." in filled:
        raise _malformed("a claim has a reserved name")
    for digest in _digests(value.get("_sd", []), seen):
        text = waiting.pop(digest, None)
        if text is None:
            continue
        _, name, item = _disclosure(text)
        if name is None or name in filled or name in ("_sd", "..."):
            raise _malformed("a shown claim has no name, or one that is taken")
        if depth == 0 and name in _NEVER_HIDDEN:
            raise _malformed(f"{name} must not be hidden")
        filled[name] = _filled(item, waiting, seen, depth + 1)
    return filled


def _filled_list(
    items: list[Any], waiting: dict[str, str], seen: set[str], depth: int
) -> list[Any]:
    filled = []
    for item in items:
        if isinstance(item, dict) and "..." in item:
            if set(item) != {"..."}:
                raise _malformed("a hidden element has other fields")
            (digest,) = _digests([item["..."]], seen)
            text = waiting.pop(digest, None)
            if text is None:
                continue
            _, name, element = _disclosure(text)
            if name is not None:
                raise _malformed("an element is shown as a named claim")
            item = element  # noqa: PLW2901 (it takes the placeholder's place)
        filled.append(_filled(item, waiting, seen, depth + 1))
    return filled


def _digests(value: Any, seen: set[str]) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _malformed("digests are no list of texts")
    for digest in value:
        if digest in seen:
            raise _malformed("a digest stands twice")
        seen.add(digest)
    return value


def _disclosure(text: str) -> tuple[str, str | None, Any]:
    try:
        value = parse_strict(parse_base64url(text))
    except MalformedInput as error:
        raise _malformed(str(error)) from error
    if not isinstance(value, list) or len(value) not in (2, 3):
        raise _malformed("a disclosure is no list of two or three")
    if not all(isinstance(item, str) for item in value[:-1]):
        raise _malformed("a disclosure's salt or name is no text")
    return value[0], value[1] if len(value) == 3 else None, value[-1]


def _check_times(claims: Mapping[str, Any], now_s: int) -> None:
    for name in ("nbf", "exp", "iat"):
        value = claims.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise _malformed(f"{name} is no number")
    if claims.get("exp") is not None and now_s >= claims["exp"]:
        raise Refused("the token has expired", code="expired")
    if claims.get("nbf") is not None and now_s < claims["nbf"]:
        raise Refused("the token is not valid yet", code="not_yet_valid")


def _check_key_binding(token: Token, now_s: int, audience: str | None, nonce: str | None) -> None:
    if not token.key_binding:
        raise _unbound("the holder did not sign")
    try:
        header, payload, signature, signed = _jws(token.key_binding)
        holder = key_of_jwk(_mapping(token.payload.get("cnf")).get("jwk"))
    except MalformedInput as error:
        raise _unbound(str(error)) from error
    if header.get("typ") != _KEY_BINDING_TYPE:
        raise _unbound("the holder's part is of another type")
    _check_header(header)
    _check_signature(header, signature, signed, holder, code="bad_key_binding")
    raw = "~".join([_compact(token), *token.disclosures, ""])
    if payload.get("sd_hash") != _digest(raw):
        raise _unbound("it is over other claims")
    made = payload.get("iat")
    if isinstance(made, bool) or not isinstance(made, int) or made > now_s:
        raise _unbound("it was made in the future, or says not when")
    for wanted, name in ((audience, "aud"), (nonce, "nonce")):
        if wanted is not None and payload.get(name) != wanted:
            raise _unbound(f"its {name} is another")


def _compact(token: Token) -> str:
    return f"{token.signed}.{base64url(token.signature)}"


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise MalformedInput("the token names no holder's key")
    return value


def _alg(signer: Signer) -> str:
    name = _NAMES.get(signer.public.algorithm)
    if name is None:
        raise Refused("no token is signed with such a key", code="unknown_algorithm")
    return name


def _signed(header: Mapping[str, Any], payload: Mapping[str, Any], signer: Signer) -> str:
    signed = f"{base64url(jcs(dict(header)))}.{base64url(jcs(dict(payload)))}"
    return f"{signed}.{base64url(signer.sign(signed.encode()))}"


def _digest(text: str) -> str:
    return base64url(hashlib.sha256(text.encode()).digest())


def _malformed(what: str) -> MalformedInput:
    return MalformedInput(f"SD-JWT: {what}", code="bad_token")


def _unbound(what: str) -> Refused:
    return Refused(f"the holder's signature: {what}", code="bad_key_binding")
