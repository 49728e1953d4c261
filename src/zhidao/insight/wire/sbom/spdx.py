"""SPDX in JSON: packages of 2.2 and 2.3, and of the graph of 3.0.

Source: SPDX specification 2.3, clause 7, and its JSON schema; SPDX 3.0.1, software and simple
licensing profiles, in the names of its JSON-LD context.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from zhidao.core.errors import MalformedInput
from zhidao.insight.domain.components import Component
from zhidao.insight.wire.sbom.values import listed, text_of

_NOTHING: Final = frozenset(("", "NOASSERTION", "NONE"))
_LISTED: Final = ("https://spdx.org/licenses/", "http://spdx.org/licenses/")
_DECLARED, _CONCLUDED = "hasDeclaredLicense", "hasConcludedLicense"


def spdx2_parts(document: Mapping[str, Any]) -> Iterator[Component]:
    """The packages, not those that the document describes as a whole. Raises MalformedInput.

    What somebody concluded counts, and where nobody did, what the package declares.
    """
    described = _described(document)
    for number, part in enumerate(listed(document, "packages", "")):
        where = f"packages[{number}]"
        if text_of(part, "SPDXID", where) in described:
            continue
        stated = (text_of(part, key, where) for key in ("licenseConcluded", "licenseDeclared"))
        told = next((each for each in stated if each not in _NOTHING), "")
        yield Component(
            name=text_of(part, "name", where),
            version=text_of(part, "versionInfo", where),
            purl=_purl(part, where),
            licences=(told,) if told else (),
            where=where,
        )


def _described(document: Mapping[str, Any]) -> set[str]:
    named = document.get("documentDescribes", [])
    if not isinstance(named, list) or not all(isinstance(each, str) for each in named):
        raise MalformedInput("documentDescribes is a list of texts")
    found = set(named)
    for number, each in enumerate(listed(document, "relationships", "")):
        where = f"relationships[{number}]"
        if text_of(each, "relationshipType", where) == "DESCRIBES":
            found.add(text_of(each, "relatedSpdxElement", where))
    return found


def _purl(part: Mapping[str, Any], where: str) -> str:
    references = listed(part, "externalRefs", where)
    found = (
        text_of(each, "referenceLocator", where)
        for each in references
        if each.get("referenceType") == "purl"
    )
    return next(found, "")


def version_of_graph(document: Mapping[str, Any]) -> str:
    """What the graph says of the specification's version; empty where it says nothing."""
    for number, each in enumerate(listed(document, "@graph", "")):
        if each.get("type") == "CreationInfo":
            return text_of(each, "specVersion", f"@graph[{number}]")
    return ""


def spdx3_parts(document: Mapping[str, Any]) -> Iterator[Component]:
    """The packages of the graph, not the roots of its documents. Raises MalformedInput."""
    graph = [
        (f"@graph[{number}]", each) for number, each in enumerate(listed(document, "@graph", ""))
    ]
    stated = _stated(graph, _expressions(graph))
    roots = {name for where, each in graph for name in _names(each, "rootElement", where)}
    for where, each in graph:
        name = text_of(each, "spdxId", where)
        if each.get("type") == "software_Package" and name not in roots:
            told = stated.get((_CONCLUDED, name)) or stated.get((_DECLARED, name)) or ()
            yield Component(
                name=text_of(each, "name", where),
                version=text_of(each, "software_packageVersion", where),
                purl=text_of(each, "software_packageUrl", where) or _identifier(each, where),
                licences=tuple(told),
                where=where,
            )


def _expressions(graph: Sequence[tuple[str, Mapping[str, Any]]]) -> dict[str, str]:
    """What the elements of licensing say, by their names."""
    return {
        text_of(each, "spdxId", where): _expression(each, where)
        for where, each in graph
        if str(each.get("type", "")).startswith(("simplelicensing_", "expandedlicensing_"))
    }


def _stated(
    graph: Sequence[tuple[str, Mapping[str, Any]]], expressions: Mapping[str, str]
) -> dict[tuple[str, str], list[str]]:
    """The licences of packages by kind of relationship and package."""
    found: dict[tuple[str, str], list[str]] = {}
    for where, each in graph:
        kind = str(each.get("relationshipType", ""))
        if kind not in (_DECLARED, _CONCLUDED):
            continue
        told = [_licence(name, expressions) for name in _names(each, "to", where)]
        mine = found.setdefault((kind, text_of(each, "from", where)), [])
        mine += [one for one in told if one not in _NOTHING]
    return found


def _licence(name: str, expressions: Mapping[str, str]) -> str:
    if name in expressions:
        return expressions[name]
    for prefix in _LISTED:
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    # An element of another document, such as expandedlicensing_NoAssertionLicense of the model.
    return "" if name.rpartition("/")[2].startswith("No") else name


def _expression(each: Mapping[str, Any], where: str) -> str:
    if each.get("type") == "simplelicensing_LicenseExpression":
        return text_of(each, "simplelicensing_licenseExpression", where)
    if each.get("type") == "expandedlicensing_ListedLicense":
        return text_of(each, "spdxId", where).rpartition("/")[2]
    # Texts of nobody's list, and sets of licences: a person reads them.
    return text_of(each, "name", where) or str(each.get("type", ""))


def _identifier(each: Mapping[str, Any], where: str) -> str:
    found = (
        text_of(one, "identifier", where)
        for one in listed(each, "externalIdentifier", where)
        if one.get("externalIdentifierType") == "packageUrl"
    )
    return next(found, "")


def _names(each: Mapping[str, Any], key: str, where: str) -> list[str]:
    value = each.get(key, [])
    names = value if isinstance(value, list) else [value]
    if not all(isinstance(name, str) for name in names):
        raise MalformedInput(f"{key} names elements by their spdxId", where=where)
    return names
