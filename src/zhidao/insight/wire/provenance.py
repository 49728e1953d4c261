"""How an artefact was built, as a statement of in-toto under a DSSE envelope.

Source: in-toto Attestation Framework, Statement v1 and its envelope layer; SLSA Provenance v1.0;
DSSE v1.0, the pre-authentication encoding. Fields that are not known are not looked at, as the
parsing rules of in-toto ask.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar

import msgspec

from zhidao.core.canonical import Json, jcs, parse_strict
from zhidao.core.encoding import parse_base64
from zhidao.core.errors import MalformedInput
from zhidao.core.keys import Signer

PROVENANCE_BYTES_MAX: Final = 1024 * 1024
STATEMENT: Final = "https://in-toto.io/Statement/v1"
PREDICATE: Final = "https://slsa.dev/provenance/v1"
PAYLOAD: Final = "application/vnd.in-toto+json"
_SUBJECTS: Final = 1000
_SIGNATURES: Final = 20
T = TypeVar("T")
_Digests = Annotated[dict[str, str], msgspec.Meta(min_length=1)]


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """What was built or taken: a name or a URI, and digests, hexadecimal."""

    name: str = ""
    uri: str = ""
    digest: dict[str, str] = {}


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """An artefact that the statement is about. Digests decide; the name does not."""

    digest: _Digests
    name: str = ""


class BuildDefinition(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What goes into a build."""

    build_type: str
    external_parameters: dict[str, Any]
    internal_parameters: dict[str, Any] = {}
    resolved_dependencies: list[Resource] = []


class Builder(msgspec.Struct, frozen=True):
    """Who built: a URI of nobody's check but the reader's."""

    id: str


class RunDetails(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a build. byproducts: here the same artefact, built a second time."""

    builder: Builder
    byproducts: list[Resource] = []


class Provenance(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The predicate of SLSA."""

    build_definition: BuildDefinition
    run_details: RunDetails


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """A statement with that predicate."""

    type: str = msgspec.field(name="_type")
    subject: Annotated[list[Subject], msgspec.Meta(min_length=1, max_length=_SUBJECTS)]
    predicate_type: str = msgspec.field(name="predicateType")
    predicate: Provenance


class _Signature(msgspec.Struct, frozen=True):
    sig: str
    keyid: str = ""


class _Envelope(msgspec.Struct, frozen=True, kw_only=True):
    payload: str
    payload_type: str = msgspec.field(name="payloadType")
    signatures: Annotated[list[_Signature], msgspec.Meta(min_length=1, max_length=_SIGNATURES)]


@dataclass(frozen=True, slots=True)
class Signed:
    """A statement with what was signed of it and the signatures; nobody looked at them yet."""

    statement: Statement
    message: bytes
    signatures: tuple[bytes, ...]


def encode_statement(
    *,
    subjects: Mapping[str, str],
    build_type: str,
    external: Mapping[str, Json],
    internal: Mapping[str, Json],
    dependencies: Sequence[Json],
    builder: str,
    byproducts: Sequence[Json],
) -> bytes:
    """The statement, canonical: the same build gives the same bytes. subjects: name -> SHA-256.

    It tells no hour, so that whoever builds again can compare it too.
    """
    return jcs(
        {
            "_type": STATEMENT,
            "subject": [
                {"name": name, "digest": {"sha256": digest}} for name, digest in subjects.items()
            ],
            "predicateType": PREDICATE,
            "predicate": {
                "buildDefinition": {
                    "buildType": build_type,
                    "externalParameters": external,
                    "internalParameters": internal,
                    "resolvedDependencies": list(dependencies),
                },
                "runDetails": {"builder": {"id": builder}, "byproducts": list(byproducts)},
            },
        }
    )


def sign_statement(statement: bytes, signer: Signer) -> bytes:
    """The envelope of one signature. Raises MalformedInput for what is no such statement."""
    _statement(statement)
    told: dict[str, Json] = {
        "payload": base64.b64encode(statement).decode(),
        "payloadType": PAYLOAD,
        "signatures": [
            {
                "keyid": signer.public.multikey,
                "sig": base64.b64encode(signer.sign(_message(PAYLOAD, statement))).decode(),
            }
        ],
    }
    return jcs(told)


def decode_envelope(data: bytes) -> Signed:
    """Statement and signatures. Raises MalformedInput for another form, type or predicate."""
    envelope = _converted(data, _Envelope, "an envelope")
    if envelope.payload_type != PAYLOAD:
        raise MalformedInput(f"an envelope of {envelope.payload_type[:60]}, not of {PAYLOAD}")
    payload = parse_base64(envelope.payload)
    return Signed(
        _statement(payload),
        _message(envelope.payload_type, payload),
        tuple(parse_base64(each.sig) for each in envelope.signatures),
    )


def _statement(payload: bytes) -> Statement:
    statement = _converted(payload, Statement, "a statement")
    if (statement.type, statement.predicate_type) != (STATEMENT, PREDICATE):
        raise MalformedInput("no Statement v1 of in-toto with provenance v1 of SLSA")
    return statement


def _message(kind: str, payload: bytes) -> bytes:
    """What is signed (DSSE v1.0, PAE): both with their lengths, so that no two read as one."""
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)


def _converted(data: bytes, kind: type[T], what: str) -> T:
    try:
        return msgspec.convert(parse_strict(data, bytes_max=PROVENANCE_BYTES_MAX), kind)
    except msgspec.ValidationError as error:
        raise MalformedInput(f"not {what} of provenance: {error}") from error
