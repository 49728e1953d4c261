"""The same list in SPDX 2.3 (JSON), out of the one in CycloneDX.

Source: SPDX specification 2.3, clauses 6, 7 and 11, and annex D for expressions.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator
from typing import Any, Final

from zhidao.insight.domain.spdx import parse_expression

Package = dict[str, Any]
_DOCUMENT: Final = "SPDXRef-DOCUMENT"
_NOTHING: Final = "NOASSERTION"
_SPACE: Final = "https://spdx.org/spdxdocs/"


def spdx_of(cyclonedx: bytes) -> bytes:
    """The document. What is no expression of SPDX is told as a comment, and asserted of nothing."""
    listed = json.loads(cyclonedx)
    own = listed["metadata"]["component"]
    name = f"{own['name']}-{own['version']}"
    number = uuid.uuid5(uuid.NAMESPACE_URL, hashlib.sha256(cyclonedx).hexdigest())
    packages = [_package(own), *(_package(part) for part in listed["components"])]
    document = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": _DOCUMENT,
        "name": name,
        "documentNamespace": f"{_SPACE}{name}-{number}",
        "creationInfo": {
            "created": listed["metadata"]["timestamp"],
            "creators": [f"Tool: {name}"],
        },
        "packages": packages,
        "relationships": list(_relationships(packages[0], packages[1:])),
    }
    return json.dumps(document, indent=1, ensure_ascii=False).encode() + b"\n"


def _package(part: dict[str, Any]) -> Package:
    declared, comment = _licence(part.get("licenses", []))
    package: Package = {
        "SPDXID": "SPDXRef-" + hashlib.sha256(part["purl"].encode()).hexdigest()[:24],
        "name": part["name"],
        "versionInfo": part["version"],
        "downloadLocation": _NOTHING,
        "filesAnalyzed": False,
        "licenseConcluded": _NOTHING,
        "licenseDeclared": declared,
        "copyrightText": _NOTHING,
        "externalRefs": [
            {
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": part["purl"],
            }
        ],
    }
    if comment:
        package["licenseComments"] = comment
    # Of several files of a package a checksum would not say which is meant.
    digests = [each["content"] for each in part.get("hashes", ())]
    if len(digests) == 1:
        package["checksums"] = [{"algorithm": "SHA256", "checksumValue": digests[0]}]
    return package


def _licence(licences: list[dict[str, Any]]) -> tuple[str, str]:
    """What is declared, and a comment where that is no expression."""
    for choice in licences:
        licence = choice.get("license", {})
        if told := choice.get("expression") or licence.get("id"):
            return (told, "") if parse_expression(told) else (_NOTHING, told)
        if told := licence.get("name"):
            return _NOTHING, f"The package says: {told}"
    return _NOTHING, ""


def _relationships(own: Package, parts: Iterable[Package]) -> Iterator[dict[str, str]]:
    yield _relationship(_DOCUMENT, "DESCRIBES", own["SPDXID"])
    for part in parts:
        purl = part["externalRefs"][0]["referenceLocator"]
        # Pages are bundled into the wheel; pip brings the others beside it.
        kind = "CONTAINS" if purl.startswith("pkg:npm/") else "DEPENDS_ON"
        yield _relationship(own["SPDXID"], kind, part["SPDXID"])


def _relationship(one: str, kind: str, other: str) -> dict[str, str]:
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}
