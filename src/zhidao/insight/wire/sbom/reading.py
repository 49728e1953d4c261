"""A bill of materials in JSON, whichever of the three families it is of, as parts with licences.

Edges between parts are not followed, so a list whose parts depend on each other in a circle, as
those of npm do, is a list like any other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from zhidao.core.canonical import parse_strict
from zhidao.core.errors import MalformedInput
from zhidao.insight.domain.components import Component, ComponentList
from zhidao.insight.wire.sbom.cyclonedx import cyclonedx_parts
from zhidao.insight.wire.sbom.spdx import spdx2_parts, spdx3_parts, version_of_graph

SBOM_BYTES_MAX: Final = 32 * 1024 * 1024
COMPONENTS_MAX: Final = 100_000
TEXT_LETTERS_MAX: Final = 2000
_CYCLONEDX: Final = frozenset(f"1.{minor}" for minor in range(2, 8))
_SPDX: Final = ("SPDX-2.2", "SPDX-2.3")
Parts = Callable[[Mapping[str, Any]], Iterable[Component]]


def decode_sbom(data: bytes, file: str) -> ComponentList:
    """The list. Raises MalformedInput for another form, or what contradicts itself."""
    document = parse_strict(data, bytes_max=SBOM_BYTES_MAX)
    if not isinstance(document, dict):
        raise MalformedInput("a bill of materials is a JSON object")
    form, parts = _form(document)
    components = tuple(_checked(parts(document)))
    return ComponentList(file, form, hashlib.sha256(data).hexdigest(), components)


def _form(document: Mapping[str, Any]) -> tuple[str, Parts]:
    """Its name, and who reads it."""
    if document.get("bomFormat") == "CycloneDX":
        version = str(document.get("specVersion"))[:10]
        if version not in _CYCLONEDX:
            raise MalformedInput(f"CycloneDX {version} is not read, only 1.2 to 1.7 in JSON")
        return f"CycloneDX {version}", cyclonedx_parts
    if "spdxVersion" in document:
        told = str(document["spdxVersion"])[:20]
        if told not in _SPDX:
            raise MalformedInput(f"{told} is not read in this form, only {' and '.join(_SPDX)}")
        return told.replace("-", " "), spdx2_parts
    if "@graph" in document:
        version = version_of_graph(document)
        if not version.startswith("3.0"):
            raise MalformedInput(f"SPDX {version[:20] or '3'} is not read, only 3.0")
        return f"SPDX {version}", spdx3_parts
    raise MalformedInput("neither CycloneDX nor SPDX in JSON")


def _checked(parts: Iterable[Component]) -> Iterator[Component]:
    """Each once. Raises MalformedInput for two parts of one purl that state other licences."""
    known: dict[str, Component] = {}
    for number, part in enumerate(parts, start=1):
        if number > COMPONENTS_MAX:
            raise MalformedInput(f"a bill of materials has at most {COMPONENTS_MAX} components")
        texts = (part.name, part.version, part.purl, *part.licences)
        if not part.name or max(map(len, texts)) > TEXT_LETTERS_MAX:
            raise MalformedInput(
                f"a component has a name, and texts of at most {TEXT_LETTERS_MAX} letters",
                where=part.where,
            )
        first = known.setdefault(part.purl, part) if part.purl else part
        if first.licences != part.licences:
            raise MalformedInput(
                f"two components are {part.purl[:200]} and state other licences: {first.where}",
                where=part.where,
            )
        if first is part:
            yield part
