"""Mutated invoices: compiled rules against the official XSLT, which Saxon runs as published.

Where the official run ends, the same asserts must have fired; where it aborts, ours must still
answer. `--long` takes 5,000 documents for each of the four rule sets, the short run 500. Mutations
come from one seed.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from lxml import etree

from conformance.trade import rule_packs
from conformance.verdicts import NO_DATA
from zhidao.core.errors import MalformedInput, Unavailable
from zhidao.rules import parse_xml, snapshot, xml_text
from zhidao.trade.adapters.packs import InstalledPack
from zhidao.trade.adapters.rule_engine import PackRules, SharedSaxon

SHORT: Final = 500
LONG: Final = 5_000
SEED: Final = 20261124
_SVRL: Final = "{http://purl.oclc.org/dsdl/svrl}"
_SETS: Final = {
    "en16931-ubl": ("en16931/valid-ubl/*.xml", "xrechnung/business-cases/*/*ubl.xml"),
    "en16931-cii": ("en16931/valid-cii/*.xml", "xrechnung/business-cases/*/*uncefact.xml"),
    "xrechnung-ubl": ("xrechnung/**/*ubl.xml",),
    "xrechnung-cii": ("xrechnung/**/*uncefact.xml",),
}
_VALUES: Final = (
    *("", " ", "0", "-1", "1.005", "99999.99", "abc", "1e3", "+5", ".5", "true", "false", "yes"),
    *("2026-02-30", "2026-02-28", "2026-2-1", "20260228", "EUR", "XXX", "eur", "DE", "QQ", "VAT"),
    *("S", "Z", "E", "AE", "K", "G", "O", "L", "M", "B", "380", "381", "30", "58", "59", "C62"),
    *(
        "a b",
        "#AAA#text",
        "0.00",
        "100",
        "19",
        "7.5",
        "\u00a0",
        "NaN",
        "INF",
        "12345678901234567890",
    ),
)


def run(shared: Path | None, *, long: bool = False) -> dict[str, Any]:
    """The report; `undecided` counts documents that the official rules abort on."""
    name = "trade-mutants"
    if shared is None or not (shared / "trade/en16931").exists():
        return {"suite": name, "skipped": NO_DATA}
    try:
        packs = [p for p in rule_packs.wanted() if (p.folder / "rules.xslt").is_file()]
    except (Unavailable, MalformedInput) as error:
        return {"suite": name, "skipped": str(error)}
    wanted = {p.identity.family: p for p in packs if p.identity.family in _SETS}
    failed: list[str] = []
    with quiet():
        return _report(name, shared / "trade", wanted, LONG if long else SHORT, failed)


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps what Saxon writes to standard error about each abort out of the report."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _report(
    name: str, data: Path, wanted: dict[str, InstalledPack], count: int, failed: list[str]
) -> dict[str, Any]:
    total = aborted = fired = 0
    for family, pack in wanted.items():
        judge = _Differential(pack)
        for label, document in mutants(_seeds(data, _SETS[family]), count):
            total += 1
            verdict = judge.compare(document)
            aborted += verdict == "aborted"
            fired += judge.fired
            if verdict not in ("same", "aborted"):
                failed.append(f"{family} {label}: {verdict}")
    return {
        "suite": name,
        "passed": total - len(failed),
        "total": total,
        "failed": failed,
        "aborted_by_official_rules": aborted,
        "asserts_fired": fired,
        "families": sorted(wanted),
    }


class _Differential:
    def __init__(self, pack: InstalledPack) -> None:
        self._saxon = SharedSaxon()
        self._ours = PackRules(pack, self._saxon, only_saxon=False)
        self._asserts = self._ours.rules.asserts()
        text = (pack.folder / "rules.xslt").read_text(encoding="utf-8")
        self._official = self._saxon.get().compiled(text)
        self.fired = 0

    def compare(self, document: bytes) -> str:
        """`same`, `aborted`, or how they differ."""
        from saxonche import PySaxonApiError

        self.fired = 0
        root = parse_xml(document)
        answers = self._ours.answers(root, snapshot(root))[0]
        ours = sorted(self._asserts[a.number].id for a in answers if not a.error)
        self.fired = len(ours)
        undecided = {self._asserts[a.number].id for a in answers if a.error}
        node = self._saxon.get().document(xml_text(root))
        try:
            report = self._official.transform_to_string(xdm_node=node)
        except PySaxonApiError:
            # Ours may decide what the official run gave up: an `or` needs only one true side.
            return "aborted"
        found = etree.fromstring(report.encode()).iter(
            _SVRL + "failed-assert", _SVRL + "successful-report"
        )
        theirs = sorted(element.get("id") or "unnamed" for element in found)
        if undecided:
            return f"ours leaves {sorted(undecided)[:3]} undecided, official decides"
        if ours != theirs:
            differing = set(ours) ^ set(theirs)
            return f"differ on {sorted(differing)[:5] or 'how often'}"
        return "same"


def _seeds(folder: Path, globs: tuple[str, ...]) -> list[bytes]:
    found = []
    for each in globs:
        for file in sorted(folder.glob(each)):
            data = file.read_bytes()
            # Large documents say nothing more and cost much.
            if len(data) < 60_000:
                found.append(data)
    return found


def mutants(seeds: list[bytes], count: int) -> Iterator[tuple[str, bytes]]:
    """Documents with one to three changes each: values, doubled, moved and missing elements."""
    choose = random.Random(SEED)  # noqa: S311 (a reproducible choice, no secret)
    made = 0
    while made < count:
        try:
            root = parse_xml(choose.choice(seeds))
        except MalformedInput:
            continue
        changes = [_mutate(root, choose) for _ in range(choose.randint(1, 3))]
        made += 1
        yield f"#{made} {'; '.join(changes)}", etree.tostring(root)


def _mutate(root: etree._Element, choose: random.Random) -> str:
    elements = [e for e in root.iter() if e is not root]
    element = choose.choice(elements)
    parent = element.getparent()
    assert parent is not None
    name = etree.QName(element).localname
    kind = choose.randrange(6)
    if kind == 0:
        parent.remove(element)
        return f"remove {name}"
    if kind == 1:
        parent.insert(parent.index(element), etree.fromstring(etree.tostring(element)))
        return f"double {name}"
    if kind == 2 and element.attrib:
        key = choose.choice(list(element.attrib))
        if choose.random() < 0.3:
            del element.attrib[key]
        else:
            element.set(key, choose.choice(_VALUES))
        return f"attribute of {name}"
    if kind == 3:
        other = choose.choice(elements)
        if len(other) == 0:
            value = choose.choice(elements).text
            other.text = value
            return f"{etree.QName(other).localname} := {value!r}"
    leaves = [e for e in elements if len(e) == 0] or elements
    leaf = choose.choice(leaves)
    leaf.text = choose.choice(_VALUES)
    return f"{etree.QName(leaf).localname} := {leaf.text!r}"
