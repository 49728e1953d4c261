"""Assesses a repository: what its files and history show of the questions of standards."""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

from zhidao.core.canonical import Json
from zhidao.insight.domain.assessment import Answer, Claims, Counted, Found, answers
from zhidao.insight.domain.components import ComponentList
from zhidao.insight.domain.evidence_kinds import PUBLICCODE
from zhidao.insight.domain.history import history_figures
from zhidao.insight.domain.licence_comparison import KnownTexts
from zhidao.insight.domain.signed_claims import Judged
from zhidao.insight.domain.standards import Pack
from zhidao.insight.service.component_facts import component_findings, lock_lists
from zhidao.insight.service.licence_findings import licence_findings, outbound_licences
from zhidao.insight.service.pointers import borne_out, check_borne_out, paths_of
from zhidao.insight.service.repository import Repository, Tree
from zhidao.insight.service.signed_claims import marked, paths_signed, with_signed
from zhidao.insight.service.tree_reading import TreeReading, read_tree


@dataclass(frozen=True, slots=True)
class Assessment:
    """All that was read and found of one commit.

    lists: what it is made of, by the lists that were given and the lock files of the tree. signed:
    the signed claims with their marks.
    """

    tree: Tree
    reading: TreeReading
    history: dict[str, Json]
    roots: frozenset[str]
    packs: tuple[Pack, ...]
    lists: tuple[ComponentList, ...]
    signed: Claims
    answers: tuple[Answer, ...]


def assess(
    repository: Repository,
    packs: Sequence[Pack],
    known: KnownTexts,
    claims: Claims,
    *,
    judged: Judged,
    lists: Sequence[ComponentList] = (),
    again: bool = False,
) -> Assessment:
    """Reads the tree and the history once, and answers every question of the packs.

    Raises Refused if unsigned claims point to lines that are not there; `again`, of a result that
    was made once, such lines are left out. What was signed of other lines is marked so.
    """
    with ThreadPoolExecutor(max_workers=1) as beside:
        # Both wait for git most of the time.
        awaited = beside.submit(repository.commits)
        reading = read_tree(repository, known, paths_of(claims) | paths_signed(judged))
        commits = awaited.result()
    history = history_figures(commits, repository.tags())
    roots = frozenset(commit.id for commit in commits if not commit.parents)
    if not again:
        check_borne_out(reading, claims)
    every = (*lists, *lock_lists(reading))
    read = Assessment(repository.tree, reading, history, roots, tuple(packs), every, {}, ())
    return answered(read, claims, judged)


def answered(read: Assessment, claims: Claims, judged: Judged) -> Assessment:
    """The same reading with the answers that these claims give."""
    signed = marked(judged, read.reading, read.roots, read.packs)
    found = findings(read)
    every = borne_out(read.reading, with_signed(claims, signed))
    return replace(read, signed=signed, answers=answers(read.packs, found, every))


def findings(read: Assessment) -> dict[str, Found]:
    """What was found of each kind of evidence that the packs ask for."""
    reading = read.reading
    found = {
        kind: Found(
            tuple(reading.cite(kind, file.path) for file in files if file.path in reading.contents)
        )
        for kind, files in reading.kinds.items()
    }
    found |= licence_findings(reading) | _history(read.history) | _programs(reading)
    found |= component_findings(read.lists, outbound_licences(reading))
    for pack in read.packs:
        for question in pack.questions:
            for kind in question.settled_by:
                if kind.startswith(PUBLICCODE):
                    found[kind] = _publiccode(reading, kind)
    return found


def _history(history: dict[str, Json]) -> dict[str, Found]:
    found = {"history": _counted("history", "commits", history["commits"])}
    if history["releases"]:
        found["tags"] = _counted("tags", "releases", history["releases"])
    asked, signed = history["commits_last_year"], history["signed_off_last_year"]
    if asked and asked == signed:
        found["signed_off"] = _counted("signed_off", "signed_off_last_year", signed)
    return found


def _programs(reading: TreeReading) -> dict[str, Found]:
    """Whether compiled programs stand in the tree; not told where some files were too large."""
    told = f"{len(reading.programs)} of {len(reading.files)} files"
    if reading.programs:
        first = f"{told}, {reading.programs[0]} first"
        return {"programs": _counted("programs", "programs", first)}
    return {} if reading.unread else {"no_programs": _counted("no_programs", "programs", told)}


def _counted(kind: str, figure: str, value: Json) -> Found:
    return Found((Counted(kind, figure, str(value)),))


_KEY: Final = re.compile(r"( *)([A-Za-z]+) *:")


def _publiccode(reading: TreeReading, kind: str) -> Found:
    """The line of publiccode.yml that begins a key; no YAML is read, only its outline."""
    names = kind.removeprefix(PUBLICCODE).split("/")
    for file in reading.kinds.get("publiccode", ()):
        text = reading.contents.get(file.path, "")
        if line := _line_of_key(text.split("\n"), names):
            return Found((reading.cite(kind, file.path, line),))
    return Found()


def _line_of_key(lines: list[str], names: list[str]) -> int:
    above: list[tuple[int, str]] = []
    for number, line in enumerate(lines, start=1):
        found = _KEY.match(line)
        if found is None:
            continue
        deep = len(found[1])
        above = [each for each in above if each[0] < deep]
        above.append((deep, found[2]))
        if [name for _, name in above] == names:
            return number
    return 0
