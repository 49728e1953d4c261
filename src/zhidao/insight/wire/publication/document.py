"""A report as JSON of one byte form (RFC 8785), its credential, and both read again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec

from zhidao.core.canonical import Json, jcs, parse_strict
from zhidao.core.errors import MalformedInput
from zhidao.core.timescale import Utc
from zhidao.core.versions import check_version_in

FORMAT: Final = "zhidao.insight-report"
REPORT_BYTES_MAX: Final = 16 * 1024 * 1024
_CREDENTIAL: Final = "InsightReportCredential"
_CONTEXTS: Final = (
    "https://www.w3.org/ns/credentials/v2",
    "https://www.w3.org/ns/credentials/undefined-terms/v2",
)


def encode_publication(document: Mapping[str, Json]) -> bytes:
    """The document, ending without a newline."""
    return jcs({"v": 1, "format": FORMAT, **document})


def decode_publication(data: bytes) -> dict[str, Any]:
    """The document. Raises MalformedInput for what is none, or of a version not known."""
    plain = parse_strict(data, bytes_max=REPORT_BYTES_MAX)
    check_version_in(plain, form="a report", known=(1,))
    if not isinstance(plain, dict) or plain.get("format") != FORMAT or plain.get("v") != 1:
        raise MalformedInput("no report on digital public goods")
    if not isinstance(plain.get("order"), dict):
        raise MalformedInput("a report without its order")
    return plain


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    file: str
    sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]


class _Subject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    type: Literal["InsightReport"]
    title: dict[str, str]
    files: list[_File]


class _Issuer(msgspec.Struct, frozen=True):
    id: str
    name: str


class Manifest(msgspec.Struct, frozen=True):
    """What a credential says of a report: by whose key, as whom, since when, which files."""

    key: str
    by: str
    since: str
    files: dict[str, str]


def credential_document(
    files: Mapping[str, str], *, key: str, by: str, since: Utc, title: tuple[str, str]
) -> dict[str, Json]:
    """A credential without its proof over the files of a report: name -> SHA-256."""
    listed = [{"file": name, "sha256": digest} for name, digest in sorted(files.items())]
    issuer: dict[str, Json] = {"id": key, "name": by}
    subject: dict[str, Json] = {
        "type": "InsightReport",
        "title": {"en": title[0], "zh": title[1]},
        "files": tuple(listed),
    }
    return {
        "@context": list(_CONTEXTS),
        "type": ["VerifiableCredential", _CREDENTIAL],
        "issuer": issuer,
        "validFrom": str(since),
        "credentialSubject": subject,
    }


def decode_manifest(data: bytes) -> Manifest:
    """What it says; its proof is not looked at. Raises MalformedInput."""
    document = parse_strict(data, bytes_max=REPORT_BYTES_MAX)
    if not isinstance(document, dict) or _CREDENTIAL not in (document.get("type") or ()):
        raise MalformedInput("no credential of a report")
    try:
        issuer = msgspec.convert(document.get("issuer"), _Issuer)
        subject = msgspec.convert(document.get("credentialSubject"), _Subject)
        since = msgspec.convert(document.get("validFrom"), str)
    except msgspec.ValidationError as error:
        raise MalformedInput(f"no credential of a report: {error}") from error
    return Manifest(
        issuer.id, issuer.name, since, {each.file: each.sha256 for each in subject.files}
    )
