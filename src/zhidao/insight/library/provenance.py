"""Whether files are those that somebody says to have built, and out of what."""

from __future__ import annotations

from collections.abc import Mapping

from zhidao.core.canonical import Json
from zhidao.core.keys import PublicKey
from zhidao.insight.wire.provenance import (
    PROVENANCE_BYTES_MAX,
    Resource,
    Signed,
    Statement,
    decode_envelope,
    encode_statement,
    sign_statement,
)

__all__ = ["PROVENANCE_BYTES_MAX", "check_provenance", "encode_statement", "sign_statement"]


def check_provenance(
    data: bytes, digests: Mapping[str, str], accepted: Mapping[str, str]
) -> dict[str, Json]:
    """What an envelope says of files. digests: file -> SHA-256; accepted: Multikey -> its name.

    `signed_by` names the accepted keys that signed it; with none, nothing that it says counts.
    Raises MalformedInput for what is no provenance.
    """
    signed = decode_envelope(data)
    by = [
        {"key": key, "name": name}
        for key, name in accepted.items()
        if _is_signed_by(PublicKey.from_multikey(key), signed)
    ]
    known = {each.digest.get("sha256", ""): each.name for each in signed.statement.subject}
    return {
        "signed_by": tuple(by),
        "files": [
            {
                "file": file,
                "sha256": digest,
                "is_subject": digest in known,
                "name": known.get(digest, ""),
            }
            for file, digest in digests.items()
        ],
        **_told(signed.statement),
    }


def _is_signed_by(key: PublicKey, signed: Signed) -> bool:
    # The names of keys in an envelope are hints that nobody signed.
    return any(key.verifies(each, signed.message) for each in signed.signatures)


def _told(statement: Statement) -> dict[str, Json]:
    build, run = statement.predicate.build_definition, statement.predicate.run_details
    commits = (each.digest.get("gitCommit", "") for each in build.resolved_dependencies)
    own = {each.digest.get("sha256", "") for each in statement.subject}
    return {
        "build_type": build.build_type,
        "builder": run.builder.id,
        "commit": next((each for each in commits if each), ""),
        "subjects": tuple(each.name for each in statement.subject),
        "built_again": tuple(_again(each, own) for each in run.byproducts),
    }


def _again(byproduct: Resource, own: set[str]) -> Json:
    return {"name": byproduct.name, "is_equal": byproduct.digest.get("sha256", "-") in own}
