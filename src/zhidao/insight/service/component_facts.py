"""What a program is made of as a result tells it: lists, licences counted, what to look at."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final

from zhidao.core.canonical import Json
from zhidao.insight.domain.assessment import Counted, Found
from zhidao.insight.domain.components import ComponentList, ConcernedPart, concerned_parts
from zhidao.insight.service.tree_reading import TreeReading
from zhidao.insight.wire.sbom.lock_files import lock_file_parts

# So many lines of a list are written; how many there are is written too.
_LISTED: Final = 200


def lock_lists(reading: TreeReading) -> Iterator[ComponentList]:
    """The lock files of the tree that were read: names, and no licences."""
    for file in reading.kinds.get("lock_file", ()):
        text = reading.contents.get(file.path)
        parts = None if text is None else lock_file_parts(file.path, text)
        if parts is not None and text is not None:
            form = file.path.rpartition("/")[2]
            digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
            yield ComponentList(file.path, form, digest, parts, names_only=True)


def component_findings(lists: Sequence[ComponentList], outbound: Sequence[str]) -> dict[str, Found]:
    """How many parts each list has and how many state a licence; how many a person must look at."""
    counted = tuple(
        Counted("components", each.file, f"{len(each.components)}, {_stated(each)} with a licence")
        for each in lists
    )
    found = {"components": Found(counted)} if counted else {}
    if concerned := concerned_parts(outbound, lists):
        told = Counted("licences_to_look_at", "components", str(len(concerned)))
        found["licences_to_look_at"] = Found((told,))
    return found


def _stated(listed: ComponentList) -> int:
    return sum(bool(each.licences) for each in listed.components)


def component_facts(lists: Sequence[ComponentList], outbound: Sequence[str]) -> dict[str, Json]:
    """The lists and what to look at; empty where there is no list."""
    if not lists:
        return {}
    concerned = concerned_parts(outbound, lists)
    return {
        "outbound": tuple(outbound),
        "lists": [_list_facts(each) for each in lists],
        "to_look_at": [_concern_facts(each) for each in concerned[:_LISTED]],
        "to_look_at_count": len(concerned),
    }


def _list_facts(listed: ComponentList) -> Json:
    counts = listed.licence_counts()
    return {
        "file": listed.file,
        "form": listed.form,
        "sha256": listed.sha256,
        "components": len(listed.components),
        "with_licence": _stated(listed),
        "names_only": listed.names_only,
        "licences": [{"licence": name, "components": count} for name, count in counts[:_LISTED]],
    }


def _concern_facts(concerned: ConcernedPart) -> Json:
    part = concerned.component
    return {
        "file": concerned.file,
        "where": part.where,
        "name": part.name,
        "version": part.version,
        "purl": part.purl,
        "licences": part.licences,
        "outbound": concerned.outbound,
        "concern": str(concerned.concern),
    }
