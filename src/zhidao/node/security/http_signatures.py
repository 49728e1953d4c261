"""HTTP message signatures of requests (RFC 9421) over their content digests (RFC 9530).

Thin on purpose: one signature a request, plain components without parameters, keys known before.
Everything else is refused by name, so that nobody believes something was checked that was not.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.encoding import parse_base64
from zhidao.core.errors import MalformedInput, Unauthenticated

CLOCK_S_MAX: Final = 300
HEADER_CHARACTERS_MAX: Final = 4096
_LABEL: Final = r"[a-z*][a-z0-9_.*-]{0,63}"
# One inner list with its parameters (RFC 8941 section 3.1.1), in its only serialised form.
_INPUT: Final = re.compile(
    rf"({_LABEL})=(\(((?:\"[a-z0-9@_-]{{1,64}}\"(?: (?=\"))?)*)\)((?:;[a-z_]{{1,16}}="
    r"(?:-?[0-9]{1,15}|\"(?:[ !#-\[\]-~]|\\[\"\\]){0,256}\"))*))",
    re.ASCII,
)
_PARAMETER: Final = re.compile(r";([a-z_]+)=(?:(-?[0-9]+)|\"((?:[^\"\\]|\\.)*)\")")
_SIGNATURE: Final = re.compile(rf"({_LABEL})=:([A-Za-z0-9+/=]{{1,4096}}):", re.ASCII)
_DIGEST: Final = re.compile(r"(sha-256|sha-512)=:([A-Za-z0-9+/=]{1,128}):", re.ASCII)
_HASHES: Final = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}
_NUMBERS: Final = frozenset(("created", "expires"))
_TEXTS: Final = frozenset(("keyid", "nonce", "alg", "tag"))
# Names of RFC 9421 section 6.2.2 for the algorithms of core.keys; others have none registered.
ALGORITHM_LABELS: Final = {"ed25519": "ed25519", "p256": "ecdsa-p256-sha256"}
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


@dataclass(frozen=True, slots=True)
class Message:
    """A request as it is signed. `path` and `query` as on the wire; header names in lower case."""

    method: str
    scheme: str
    authority: str
    path: str
    query: str
    headers: Mapping[str, Sequence[str]]

    def component(self, name: str) -> str:
        """The value of a component (RFC 9421 section 2). Raises MalformedInput if it is absent."""
        if not name.startswith("@"):
            return self._field(name)
        target = (self.path or "/") + (f"?{self.query}" if self.query else "")
        match name:
            case "@method":
                return self.method
            case "@target-uri":
                return f"{self.scheme}://{self._host()}{target}"
            case "@authority":
                return self._host()
            case "@scheme":
                return self.scheme
            case "@request-target":
                return target
            case "@path":
                return self.path or "/"
            case "@query":
                return f"?{self.query}"
            case _:
                raise MalformedInput(f"the component {name!r} is not read here")

    def _host(self) -> str:
        return self.authority.lower().removesuffix(_DEFAULT_PORTS.get(self.scheme, "\0"))

    def _field(self, name: str) -> str:
        values = self.headers.get(name)
        if not values:
            raise MalformedInput(f"the signature covers {name!r}, which the request does not have")
        return ", ".join(value.strip(" \t") for value in values)


@dataclass(frozen=True, slots=True)
class Signed:
    """What a signature says of itself. `parameters` is the text that is signed last."""

    components: tuple[str, ...]
    parameters: str
    created: int
    key_id: str
    signature: bytes
    expires: int | None = None
    nonce: str = ""
    algorithm: str = ""

    def base(self, message: Message) -> bytes:
        """The bytes that were signed (RFC 9421 section 2.5)."""
        lines = [f'"{name}": {message.component(name)}' for name in self.components]
        return "\n".join([*lines, f'"@signature-params": {self.parameters}']).encode()


def parse_signature(signature_input: str, signature: str) -> Signed:
    """Reads the two header fields. Raises MalformedInput."""
    if max(len(signature_input), len(signature)) > HEADER_CHARACTERS_MAX:
        raise MalformedInput(
            f"Signature-Input and Signature have at most {HEADER_CHARACTERS_MAX} characters"
        )
    said = _INPUT.fullmatch(signature_input)
    given = _SIGNATURE.fullmatch(signature)
    if not said or not given or said[1] != given[1]:
        raise MalformedInput(
            "Signature-Input and Signature hold one signature under one label, its components"
            " without parameters",
            where="Signature-Input",
        )
    components = tuple(each[1:-1] for each in said[3].split(" ")) if said[3] else ()
    if len(set(components)) != len(components):
        raise MalformedInput("a component stands twice", where="Signature-Input")
    numbers, texts = _parameters(said[4])
    if "created" not in numbers or not texts.get("keyid"):
        raise MalformedInput("a signature needs created and keyid", where="Signature-Input")
    return Signed(
        components=components,
        parameters=said[2],
        created=numbers["created"],
        key_id=texts["keyid"],
        signature=parse_base64(given[2]),
        expires=numbers.get("expires"),
        nonce=texts.get("nonce", ""),
        algorithm=texts.get("alg", ""),
    )


def _parameters(text: str) -> tuple[dict[str, int], dict[str, str]]:
    numbers: dict[str, int] = {}
    texts: dict[str, str] = {}
    for match in _PARAMETER.finditer(text):
        name, number, quoted = match.groups()
        if name in numbers or name in texts:
            raise MalformedInput(f"{name} stands twice", where="Signature-Input")
        if number is not None and name in _NUMBERS:
            numbers[name] = int(number)
        elif quoted is not None and name in _TEXTS:
            texts[name] = re.sub(r"\\(.)", r"\1", quoted)
        else:
            raise MalformedInput(f"{name} is not a parameter of that form", where="Signature-Input")
    return numbers, texts


def check_coverage(signed: Signed, message: Message, *, has_body: bool) -> None:
    """Refuses a signature that leaves out what this request does. Raises Unauthenticated."""
    covered = set(signed.components)
    whole = "@target-uri" in covered or (
        "@authority" in covered
        and (
            "@request-target" in covered
            or ("@path" in covered and (not message.query or "@query" in covered))
        )
    )
    if "@method" not in covered or not whole:
        raise Unauthenticated(
            "the signature leaves open what is asked",
            code="signature_coverage",
            where="Signature-Input",
            remedy="cover @method and @target-uri (or @authority, @path and @query)",
        )
    if has_body:
        check_body_covered(signed)


def check_body_covered(signed: Signed) -> None:
    """Refuses a signature that does not cover a body. Raises Unauthenticated."""
    if "content-digest" not in signed.components:
        raise Unauthenticated(
            "the signature does not cover the body",
            code="signature_coverage",
            where="Signature-Input",
            remedy="send Content-Digest (RFC 9530) and cover content-digest",
        )


def check_times(signed: Signed, now_s: int) -> None:
    """Refuses what was signed too long ago or in the future. `now_s`: POSIX seconds."""
    off_s = now_s - signed.created
    if abs(off_s) > CLOCK_S_MAX:
        side = "ago" if off_s > 0 else "in the future"
        raise Unauthenticated(
            f"signed {abs(off_s)} s {side} by this node's clock; at most {CLOCK_S_MAX} s pass",
            code="signature_time",
            where="created",
            remedy="set the clock, or sign the request anew",
        )
    if signed.expires is not None and signed.expires <= now_s:
        raise Unauthenticated(
            f"the signature expired {now_s - signed.expires} s ago",
            code="signature_time",
            where="expires",
        )


def check_digest(field: str, body: bytes) -> None:
    """Compares Content-Digest with the body. Raises MalformedInput, Unauthenticated."""
    known = False
    for part in field.split(","):
        match = _DIGEST.fullmatch(part.strip(" \t"))
        if match is None:
            continue
        known = True
        if parse_base64(match[2]) != _HASHES[match[1]](body).digest():
            raise Unauthenticated(
                "the body is not the one of its Content-Digest", code="content_digest"
            )
    if not known:
        raise MalformedInput(
            "Content-Digest names neither sha-256 nor sha-512", where="Content-Digest"
        )


def content_digest(body: bytes) -> str:
    """The Content-Digest field of a body, with SHA-256."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def mark_of(signed: Signed, message: Message) -> bytes:
    """What one signed request is known by: its key, its nonce and what was signed.

    Never the signature's bytes: of one message there are many that hold (ECDSA takes s and n - s).
    """
    said = hashlib.sha256(signed.base(message)).digest()
    key, nonce = signed.key_id.encode(), signed.nonce.encode()
    parts = b"".join(len(part).to_bytes(4, "big") + part for part in (key, nonce))
    return hashlib.sha256(parts + said).digest()


def minute_of(signed: Signed) -> int:
    """The minute in which a request was signed, since 1970."""
    return signed.created // 60


def replayed() -> Unauthenticated:
    """What the second who brings a signed request hears."""
    return Unauthenticated(
        "this signed request was used before",
        code="signature_replayed",
        remedy="sign each request anew, with a nonce of its own",
    )
