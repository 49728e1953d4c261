from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from zhidao.insight.domain.history import Commit, Tag, history_figures

DAY = 86_400
HEAD_S = 1_700_000_000


def commits(*made: tuple[str, int]) -> list[Commit]:
    """Commits by author and days before the head, the head first."""
    return [
        Commit(f"{number:040x}", (), author, HEAD_S - days * DAY, HEAD_S - days * DAY)
        for number, (author, days) in enumerate(made)
    ]


def test_so_few_authors_made_half_of_the_commits():
    # 3 of 7 is less than half, 3 + 2 is more.
    history = commits(*[("a", 0)] * 3, *[("b", 0)] * 2, ("c", 0), ("d", 0))
    assert history_figures(history, [])["contributor_absence_factor"] == 2
    assert history_figures(history[:6], [])["contributor_absence_factor"] == 1


def test_a_newcomer_came_within_365_days_of_the_head():
    figures = history_figures(commits(("a", 0), ("b", 364), ("c", 365), ("d", 700), ("d", 1)), [])
    assert (figures["newcomers_last_year"], figures["authors_last_year"]) == (2, 3)


def test_the_gap_between_releases_is_the_middle_one():
    history = commits(*(("a", days) for days in (0, 10, 40, 41)))
    tags = [Tag(name, history[place].id) for place, name in enumerate(("d", "c", "b", "a"))]
    elsewhere = Tag("e", "f" * 40)
    figures = history_figures(history, [*tags, elsewhere])
    assert (figures["releases"], figures["release_gap_days_median"]) == (4, 10)
    assert history_figures(history, tags[:1])["release_gap_days_median"] is None


def test_odd_dates_are_counted_and_break_nothing():
    history = [
        *commits(("a", 0)),
        Commit("1" * 40, (), "b", -(10**18), 0),
        Commit("2" * 40, (), "b", 10**18, 0),
        Commit("3" * 40, (), "b", HEAD_S + DAY + 1, 0),
    ]
    figures = history_figures(history, [])
    assert (figures["dates_before_git"], figures["dates_after_head"]) == (1, 2)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 3000)), min_size=1))
def test_figures_fit_one_another(made: list[tuple[str, int]]):
    figures = history_figures(commits(*made), [])
    assert 1 <= figures["contributor_absence_factor"] <= figures["authors"] <= len(made)  # type: ignore[operator]
    assert figures["newcomers_last_year"] <= figures["authors_last_year"] <= figures["authors"]  # type: ignore[operator]
    assert "a" not in figures.values()
