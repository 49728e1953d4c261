"""Reports on digital public goods: made of results, signed, computed again from their folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from zhidao.core.archive import digest_of
from zhidao.core.canonical import Json, jcs
from zhidao.core.errors import MalformedInput, Refused, ZhidaoError
from zhidao.core.timescale import Utc
from zhidao.insight.domain.publication import (
    CorridorEntry,
    GoodEntry,
    Publication,
    crossing_figures,
    findings,
    good_figures,
)
from zhidao.insight.library.assessments import recheck
from zhidao.insight.library.corridors import asked_figures, corridor_of_reports
from zhidao.insight.library.declarations import Trusted
from zhidao.insight.service.ports import Sign
from zhidao.insight.wire.assessment import decode_assessment
from zhidao.insight.wire.publication.corridor_result import decode_corridor_result
from zhidao.insight.wire.publication.document import (
    REPORT_BYTES_MAX,
    Manifest,
    credential_document,
    decode_manifest,
    decode_publication,
    encode_publication,
)
from zhidao.insight.wire.publication.order import (
    ORDER_BYTES_MAX,
    as_plain,
    decode_order,
    read_plain,
)
from zhidao.insight.wire.publication.page import encode_publication_page

__all__ = [
    "CREDENTIAL",
    "EVIDENCE_BYTES_MAX",
    "FILES_MAX",
    "ORDER_BYTES_MAX",
    "REPORT_BYTES_MAX",
    "ordered_files",
    "publish",
    "verify_publication",
]

REPORT: Final = "report.json"
PAGE: Final = "report.html"
CREDENTIAL: Final = "report.credential.json"
EVIDENCE_BYTES_MAX: Final = 64 * 1024 * 1024
# A page, a document, a credential, and what 200 goods and 50 corridors enclose.
FILES_MAX: Final = 400
Read = Callable[[str], bytes]


def ordered_files(data: bytes) -> list[str]:
    """The files that an order names. Raises MalformedInput."""
    order = decode_order(data)
    named = [each.result for each in order.goods]
    for each in order.corridors:
        named += [each.result, *filter(None, (each.area, each.reports))]
    return list(dict.fromkeys(named))


def publish(data: bytes, files: Mapping[str, bytes], *, sign: Sign, at: Utc) -> dict[str, bytes]:
    """The files of a report by their names in its folder. files: those that the order names.

    Raises MalformedInput for what is no order or no result, Refused where figures of a corridor do
    not come out of the reports that are enclosed.
    """
    order, evidence = _enclosed(decode_order(data), files)
    document = _document(order, evidence)
    report = encode_publication(document)
    made = {**evidence, REPORT: report, PAGE: encode_publication_page(decode_publication(report))}
    since = Utc.from_unix_ns(at.unix_ns // 1_000_000_000 * 1_000_000_000)
    digests = {name: digest_of(each) for name, each in made.items()}
    unproven = credential_document(
        digests, key=sign.key, by=order.publisher, since=since, title=order.title
    )
    return {**made, CREDENTIAL: jcs(sign(unproven, since))}


def _enclosed(
    order: Publication, files: Mapping[str, bytes]
) -> tuple[Publication, dict[str, bytes]]:
    """The same order with the names that its files have in the folder, and those files."""
    evidence: dict[str, bytes] = {}

    def put(name: str, told: str) -> str:
        evidence[told] = files[name]
        return told

    goods = tuple(
        replace(each, result=put(each.result, f"evidence/good-{number:03}.json"))
        for number, each in enumerate(order.goods, start=1)
    )
    corridors = []
    for number, each in enumerate(order.corridors, start=1):
        stem = f"evidence/corridor-{number:02}"
        named = replace(each, result=put(each.result, f"{stem}.json"))
        if each.area:
            area, reports = f"{stem}.geojson", f"{stem}.csv"
            named = replace(named, area=put(each.area, area), reports=put(each.reports, reports))
        corridors.append(named)
    return replace(order, goods=goods, corridors=tuple(corridors)), evidence


def _document(order: Publication, evidence: Mapping[str, bytes]) -> dict[str, Json]:
    """All that the report tells, out of its evidence alone."""
    goods: dict[str, dict[str, Json]] = {}
    listed: list[Json] = []
    for good in order.goods:
        goods[good.name] = good_figures(_read(evidence, good.result, decode_assessment))
        told: dict[str, Json] = {"name": good.name, "layer": good.layer}
        listed.append(told | {"evidence": good.result, "figures": goods[good.name]})
    crossings: list[tuple[str, Mapping[str, Any]]] = []
    corridors: list[Json] = []
    for corridor in order.corridors:
        result = _read(evidence, corridor.result, decode_corridor_result)
        if corridor.area:
            _check_comes_out(corridor, result, evidence)
        figures: list[Any] = crossing_figures(result)
        crossings += [(corridor.name, each) for each in figures]
        corridors.append(
            {
                "name": corridor.name,
                "evidence": corridor.result,
                "is_enclosed": bool(corridor.area),
                "crossings": figures,
            }
        )
    return {
        "order": as_plain(order),
        "goods": listed,
        "corridors": corridors,
        "findings": [*findings(goods, crossings)],
    }


def _read(
    evidence: Mapping[str, bytes], name: str, read: Callable[[bytes], dict[str, Any]]
) -> dict[str, Any]:
    data = evidence.get(name)
    if data is None:
        raise MalformedInput(f"no file {name[:200]} in the report")
    try:
        return read(data)
    except MalformedInput as error:
        error.where = f"{name} {error.where}".strip()
        raise


def _check_comes_out(
    corridor: CorridorEntry, result: Mapping[str, Any], evidence: Mapping[str, bytes]
) -> None:
    """Raises Refused where the figures are not those of the enclosed map and reports."""
    area, reports = evidence.get(corridor.area), evidence.get(corridor.reports)
    if area is None or reports is None:
        raise MalformedInput("map or reports are not enclosed", where=corridor.name)
    if "composite" in result or result["basis"] != {"kind": "files"}:
        raise Refused(
            f"{corridor.name}: figures of a log, or with weights, do not come of map and reports",
            code="other_figures",
        )
    try:
        seed = int(result["seed"])
    except ValueError as error:
        raise MalformedInput("a seed is a number", where=corridor.result) from error
    made = corridor_of_reports(
        area, reports.splitlines(keepends=True), asked=asked_figures(seed=seed)
    )
    if made.document() != jcs(dict(result)):
        raise Refused(
            f"{corridor.name}: its figures are not those of the map and reports that are enclosed",
            code="other_figures",
        )


def verify_publication(
    files: Mapping[str, bytes], *, trusted: Trusted, repositories: Mapping[str, Path]
) -> dict[str, Json]:
    """Whether a report is what its evidence gives, and by whose key.

    files: of its folder by name. repositories: of goods by name, to which their evidence is held.
    `wrong` names everything that is not as it should be; `not_computed` what nobody can compute
    from here. Raises MalformedInput for a folder that holds no report.
    """
    for name in (REPORT, PAGE, CREDENTIAL):
        if name not in files:
            raise MalformedInput(f"no {name} in the folder", code="no_report")
    manifest = decode_manifest(files[CREDENTIAL])
    wrong = [*_unsigned(files[CREDENTIAL], manifest, trusted), *_other_files(files, manifest)]
    document = decode_publication(files[REPORT])
    order = read_plain(document["order"])
    if unknown := sorted(set(repositories) - {each.name for each in order.goods}):
        raise MalformedInput(f"the report has no good {unknown[0]}", where="--repository")
    wrong += _other_figures(document, order, files)
    for good in order.goods:
        if _is_held_to(good, files, repositories):
            wrong += _stale(good.name, files[good.result], repositories[good.name], trusted)
    leaves = list(_leaves(document, ""))
    return {
        "title": document["order"]["title"],
        "by": manifest.by,
        "key": manifest.key,
        "since": manifest.since,
        "figures": len(leaves),
        "wrong": tuple(dict.fromkeys(wrong)),
        "not_computed": tuple(_not_computed(order, files, repositories)),
    }


def _unsigned(data: bytes, manifest: Manifest, trusted: Trusted) -> list[str]:
    name = trusted.accepted.get(manifest.key)
    if name is None or name not in ("", manifest.by):
        return [f"signature: {manifest.key} is no key that you accept for {manifest.by}"]
    told = trusted.verify(data, Utc.parse(manifest.since))
    return [f"signature: {told}"] if told else []


def _other_files(files: Mapping[str, bytes], manifest: Manifest) -> list[str]:
    there = {name: digest_of(data) for name, data in files.items() if name != CREDENTIAL}
    return [
        f"file {name}: {'not signed' if name not in manifest.files else 'another or missing'}"
        for name in sorted({*there, *manifest.files})
        if there.get(name) != manifest.files.get(name)
    ]


def _other_figures(
    document: dict[str, Any], order: Publication, files: Mapping[str, bytes]
) -> list[str]:
    """Figures that do not come out of the evidence, by their place in the document."""
    try:
        made = decode_publication(encode_publication(_document(order, files)))
    except ZhidaoError as error:
        return [f"evidence: {error} {error.where}".strip()]
    told, given = dict(_leaves(document, "")), dict(_leaves(made, ""))
    wrong = [
        f"figure {place}"
        for place in sorted({*told, *given})
        if told.get(place, _NOTHING) != given.get(place, _NOTHING)
    ]
    if encode_publication_page(made) != files[PAGE]:
        wrong.append(f"file {PAGE}: not the page of these figures")
    return wrong


_NOTHING: Final = object()


def _leaves(value: Any, place: str) -> Sequence[tuple[str, Any]]:
    """Every value that is no object and no list, by its place."""
    if isinstance(value, dict):
        inner = [(f"{place}.{key}" if place else key, each) for key, each in value.items()]
    elif isinstance(value, list):
        inner = [(f"{place}[{number}]", each) for number, each in enumerate(value)]
    else:
        return [(place, value)]
    if not inner:
        return [(place, type(value)())]
    return [leaf for name, each in inner for leaf in _leaves(each, name)]


def _stale(name: str, data: bytes, source: Path, trusted: Trusted) -> list[str]:
    """What an assessment's repository, at the commit assessed, does not give."""
    commit = str(decode_assessment(data)["source"]["commit"])
    told: dict[str, Any] = recheck(data, source, revision=commit, declarations={}, trusted=trusted)
    if told["as_made"]:
        return []
    return [f"good {name}: the repository does not give this assessment at {commit[:12]}"]


def _is_held_to(
    good: GoodEntry, files: Mapping[str, bytes], repositories: Mapping[str, Path]
) -> bool:
    """Whether its repository is here; with lists of parts beside it that is not enough."""
    if good.name not in repositories or good.result not in files:
        return False
    parts = decode_assessment(files[good.result]).get("components") or {}
    return all(each.get("names_only") for each in parts.get("lists", ()))


def _not_computed(
    order: Publication, files: Mapping[str, bytes], repositories: Mapping[str, Path]
) -> list[str]:
    held = (each.name for each in order.goods if not _is_held_to(each, files, repositories))
    goods = [f"good {name}" for name in held]
    corridors = [f"corridor {each.name}" for each in order.corridors if not each.area]
    return [*goods, *corridors]
