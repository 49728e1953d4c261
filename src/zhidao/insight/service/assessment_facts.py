"""The parts of an assessment that are no answers: what was read, and the licences by scope."""

from __future__ import annotations

from typing import Final

from zhidao.core.canonical import Json
from zhidao.insight.domain.licences import LicenceText
from zhidao.insight.domain.spdx import parse_expression
from zhidao.insight.service.repository import Tree
from zhidao.insight.service.tree_reading import TreeReading, quoted

# So many lines of a list are written; how many there are is written too.
_LISTED: Final = 200


def source_facts(tree: Tree, reading: TreeReading) -> dict[str, Json]:
    """What was read, and what was not."""
    return {
        "kind": tree.kind,
        "commit": tree.commit,
        "tree": tree.id,
        "files": len(tree.files),
        "links": tree.links,
        "submodules": tree.submodules,
        "unread_files": len(reading.unread),
        "unread": list(reading.unread[:_LISTED]),
        "notes": [{"code": code, "detail": detail} for code, detail in tree.notes],
    }


def licence_facts(reading: TreeReading) -> dict[str, Json]:
    """Licences by scope: a folder with a licence file of its own; empty for the whole."""
    scopes: dict[str, list[Json]] = {}
    for path, told in sorted(reading.licences.items())[:_LISTED]:
        scopes.setdefault(_scope(path), []).append(_text(reading, path, told))
    counts = sorted(reading.header_counts.items(), key=lambda each: (-each[1], each[0]))
    return {
        "scopes": [{"scope": scope, "texts": texts} for scope, texts in sorted(scopes.items())],
        "texts": len(reading.licences),
        "headers": [
            {
                "expression": expression[:400],
                "files": count,
                "is_expression": parse_expression(expression) is not None,
            }
            for expression, count in counts[:_LISTED]
        ],
        "manifests": [
            {
                "path": path,
                "line": stated.line,
                "stated": quoted(stated.expression),
                "is_expression": parse_expression(stated.expression) is not None,
            }
            for path, stated in sorted(reading.manifests.items())
        ],
    }


def _scope(path: str) -> str:
    folder = path.rpartition("/")[0]
    return "" if folder == "LICENSES" else folder


def _text(reading: TreeReading, path: str, told: LicenceText) -> Json:
    extra: Json = None
    if told.extra is not None:
        cite = reading.cite("licence_text", path, letters=told.extra)
        extra = {"lines": [cite.first, cite.last], "quotation": cite.quotation}
    return {
        "path": path,
        "blob": reading.blob_of[path],
        "reading": str(told.reading),
        "expression": told.expression,
        "versions": told.versions,
        "resembles": told.resembles,
        "extra": extra,
        "verdict": "shown" if told.is_settled else "needs_person",
    }
