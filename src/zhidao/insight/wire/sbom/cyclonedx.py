"""CycloneDX in JSON: components, also those within others.

Source: CycloneDX 1.6 (ECMA-424), JSON reference: components, licenses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from zhidao.core.errors import MalformedInput
from zhidao.insight.domain.components import Component
from zhidao.insight.wire.sbom.values import listed, text_of


def cyclonedx_parts(document: Mapping[str, Any]) -> Iterator[Component]:
    """The components, not that which the list is about. Raises MalformedInput."""
    waiting = [("components", listed(document, "components", ""))]
    while waiting:
        place, parts = waiting.pop()
        for number, part in enumerate(parts):
            where = f"{place}[{number}]"
            yield Component(
                name=_full_name(part, where),
                version=text_of(part, "version", where),
                purl=text_of(part, "purl", where),
                licences=tuple(_licences(part, where)),
                where=where,
            )
            if inner := listed(part, "components", where):
                waiting.append((f"{where}.components", inner))


def _full_name(part: Mapping[str, Any], where: str) -> str:
    group, name = text_of(part, "group", where), text_of(part, "name", where)
    return f"{group}/{name}" if group and name else name


def _licences(part: Mapping[str, Any], where: str) -> Iterator[str]:
    for number, choice in enumerate(listed(part, "licenses", where)):
        place = f"{where}.licenses[{number}]"
        licence = choice.get("license", {})
        if not isinstance(licence, dict):
            raise MalformedInput("license is an object", where=place)
        told = text_of(choice, "expression", place) or text_of(licence, "id", place)
        if told := told or text_of(licence, "name", place):
            yield told
