"""What a history shows without reading a single change: who is absent, who came, how often.

An author is an e-mail address in small letters, without a mailmap; nobody is named or ranked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median
from typing import Final

from zhidao.core.canonical import Json

AUTHOR_RULE: Final = "author = e-mail of the author line, small letters, no mailmap"
_DAY_S: Final = 86_400
_YEAR_S: Final = 365 * _DAY_S
# Git's first commit is of 7 April 2005; older dates were imported or forged.
_FIRST_GIT_S: Final = 1_112_911_993
# The range that a date can be written for; beyond it a month has no name.
_WRITABLE_S: Final = (-62_135_596_800, 253_402_300_799)


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit by what its head says. Times in seconds since 1970-01-01 UTC."""

    id: str
    parents: tuple[str, ...]
    author: str
    authored_s: int
    committed_s: int
    is_bot: bool = False
    is_signed_off: bool = False


@dataclass(frozen=True, slots=True)
class Tag:
    """A name of a release and the commit that it stands at."""

    name: str
    commit: str


def history_figures(commits: Sequence[Commit], tags: Iterable[Tag]) -> dict[str, Json]:
    """The figures, by name. `commits`: all that the head reaches, the head first."""
    people = Counter(commit.author for commit in commits)
    head_s = commits[0].committed_s
    return {
        "author_rule": AUTHOR_RULE,
        "commits": len(commits),
        "merges": sum(len(commit.parents) > 1 for commit in commits),
        "authors": len(people),
        "contributor_absence_factor": _absence_factor(people),
        "top_share_permille": max(people.values()) * 1000 // len(commits),
        "bot_commits": sum(commit.is_bot for commit in commits),
        **_dates(commits, head_s),
        **_months(commits),
        **_last_year(commits, head_s),
        **_releases(commits, tags),
    }


def _dates(commits: Sequence[Commit], head_s: int) -> dict[str, Json]:
    times = [commit.authored_s for commit in commits]
    return {
        "first_authored_s": min(times),
        "last_authored_s": max(times),
        "dates_before_git": sum(time < _FIRST_GIT_S for time in times),
        "dates_after_head": sum(time > head_s + _DAY_S for time in times),
    }


def _months(commits: Sequence[Commit]) -> dict[str, Json]:
    months: dict[tuple[int, int], set[str]] = {}
    for commit in commits:
        months.setdefault(_month(commit.authored_s), set()).add(commit.author)
    return {"active_months": len(months), "authors_max_month": max(map(len, months.values()))}


def _last_year(commits: Sequence[Commit], head_s: int) -> dict[str, Json]:
    """Of the 365 days before the head: who came for the first time, who was there, sign-offs."""
    since = head_s - _YEAR_S
    first_seen: dict[str, int] = {}
    for commit in commits:
        known = first_seen.get(commit.author, commit.authored_s)
        first_seen[commit.author] = min(known, commit.authored_s)
    recent = [commit for commit in commits if since < commit.authored_s <= head_s]
    own = [commit for commit in recent if len(commit.parents) < 2]
    return {
        "newcomers_last_year": sum(since < seen <= head_s for seen in first_seen.values()),
        "authors_last_year": len({commit.author for commit in recent}),
        "commits_last_year": len(own),
        "signed_off_last_year": sum(commit.is_signed_off for commit in own),
    }


def _absence_factor(people: Counter[str]) -> int:
    """The fewest authors who together made at least half of the commits.

    CHAOSS calls it contributor absence factor.
    """
    half, made = people.total(), 0
    for count, (_, commits) in enumerate(people.most_common(), start=1):
        made += commits
        if 2 * made >= half:
            return count
    return 0


def _releases(commits: Sequence[Commit], tags: Iterable[Tag]) -> dict[str, Json]:
    times = {commit.id: commit.committed_s for commit in commits}
    dated = sorted({times[tag.commit] for tag in tags if tag.commit in times})
    gaps = [(later - earlier) / _DAY_S for earlier, later in pairwise(dated)]
    return {
        "releases": len(dated),
        "release_gap_days_median": round(median(gaps)) if gaps else None,
        "last_release_s": dated[-1] if dated else None,
    }


def _month(time_s: int) -> tuple[int, int]:
    """Year and month in UTC; all that no date can be written for are one month."""
    if not _WRITABLE_S[0] <= time_s <= _WRITABLE_S[1]:
        return (0, 0)
    at = datetime.fromtimestamp(time_s, UTC)
    return (at.year, at.month)
