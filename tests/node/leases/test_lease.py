"""When a lease may be taken over, checked on paper."""

from __future__ import annotations

import pytest

from zhidao.node.leases.lease import LEASE_S, PEACE_S, SILENT_S, VACANT_S, Lease, Watch


def lease(holder: str = "a", *, renewals: int = 0, over_s: float = -5.0) -> Lease:
    return Lease("log", holder, 7, renewals, over_s)


def watching(since_s: float = 0.0, *, seen: Lease | None = None, **more: object) -> Watch:
    watch = Watch("me", **more)  # type: ignore[arg-type]
    watch.look([seen or lease()], since_s)
    return watch


@pytest.mark.parametrize("holder", ["", "me"])
def test_what_is_released_or_was_ours_is_free_at_once(holder: str):
    assert watching().may_take(lease(holder), 0.0)


def test_whoever_is_alone_with_the_database_waits_for_nobody():
    assert watching(alone=True).may_take(lease(), 0.0)


def test_a_running_lease_is_not_free_before_it_was_silent_for_its_whole_length():
    watch = watching()
    assert not watch.may_take(lease(over_s=-30.0), LEASE_S - 0.01)
    # The database's clock was set back: by our own the holder is dead all the same.
    assert watch.may_take(lease(over_s=-30.0), LEASE_S)


def test_a_database_clock_set_forward_takes_nothing_from_who_renews():
    watch = watching()
    assert not watch.may_take(lease(over_s=3600.0), SILENT_S - 0.01)
    assert watch.may_take(lease(over_s=3600.0), SILENT_S)
    watch.look([lease(renewals=1, over_s=3600.0)], SILENT_S)
    assert not watch.may_take(lease(renewals=1, over_s=3600.0), SILENT_S + 0.1)


def test_a_process_known_to_have_ended_is_waited_for_no_longer():
    watch = watching(ended=lambda holder: holder == "a")
    assert watch.may_take(lease("a"), 0.0)
    assert not watch.may_take(lease("b"), 0.0)
    assert watch.pause_s([lease("a")], 0.0, 0.25) == 0.02


def test_what_was_never_looked_at_is_not_taken():
    assert not Watch("me").may_take(lease(over_s=100.0), 1000.0)
    watch = watching()
    watch.forget()
    assert not watch.may_take(lease(over_s=100.0), 1000.0)


def test_who_was_fenced_leaves_the_other_in_peace_unless_nobody_is_there():
    watch = watching(10.0, fenced_s=10.0)
    assert not watch.may_take(lease(over_s=9.0), 10.0 + VACANT_S - 0.01)
    assert watch.may_take(lease(over_s=9.0), 10.0 + VACANT_S)
    assert watch.may_take(lease(""), 10.0)
    later = watching(10.0 + PEACE_S, fenced_s=10.0)
    assert later.may_take(lease(over_s=1.0), 10.0 + PEACE_S + SILENT_S)


def test_a_standby_looks_again_at_the_instant_at_which_the_lease_is_over():
    watch = watching()
    assert watch.pause_s([lease(over_s=-0.1)], 1.0, 0.25) == pytest.approx(0.12)
    assert watch.pause_s([lease(over_s=-4.0)], 1.0, 0.25) == 0.25
    assert watch.pause_s([lease("")], 1.0, 0.25) == 0.02
