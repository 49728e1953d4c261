"""Who earns refusals waits; nobody else does."""

from __future__ import annotations

import pytest

from zhidao.node.http.refusal_delays import CALLERS_KEPT, WAIT_S_LONGEST, RefusalDelays

BLOCK = "192.0.2.0/24"


def headers(token: str) -> dict[bytes, bytes]:
    return {b"authorization": f"Bearer {token}".encode()}


def test_the_wait_grows_with_refusals_and_falls_with_time() -> None:
    delays = RefusalDelays(2)
    caller = delays.caller(BLOCK, {})
    waits = []
    for _ in range(5):
        waits.append(delays.wait_s(caller, 0.0))
        delays.answered(caller, 403, 0.0)
    # 20 ms times the square of what is owed.
    assert waits == pytest.approx([0.0, 0.02, 0.08, 0.18, 0.32])
    assert delays.wait_s(caller, 1.0) == pytest.approx(0.02 * 3 * 3)
    assert delays.wait_s(caller, 2.5) == 0.0


def test_nobody_waits_longer_than_the_bound() -> None:
    delays = RefusalDelays(2)
    caller = delays.caller(BLOCK, {})
    for _ in range(1_000):
        delays.answered(caller, 400, 0.0)
    assert delays.wait_s(caller, 0.0) == WAIT_S_LONGEST


@pytest.mark.parametrize("status", [200, 201, 204, 304, 409, 422, 429, 500, 503])
def test_what_a_business_refuses_or_the_node_cannot_do_is_not_counted(status: int) -> None:
    delays = RefusalDelays(2)
    caller = delays.caller(BLOCK, headers("good"))
    for _ in range(50):
        delays.answered(caller, status, 0.0)
    assert delays.wait_s(caller, 0.0) == 0.0


def test_who_was_answered_does_not_pay_for_a_neighbour() -> None:
    delays = RefusalDelays(2)
    good, bad = delays.caller(BLOCK, headers("good")), delays.caller(BLOCK, headers("bad"))
    delays.answered(good, 200, 0.0)
    for _ in range(10):
        delays.answered(bad, 401, 0.0)
    assert delays.wait_s(bad, 0.0) == pytest.approx(2.0)
    assert delays.wait_s(good, 0.0) == 0.0
    # Its own refusals are its own.
    delays.answered(good, 403, 0.0)
    assert delays.wait_s(good, 0.0) == pytest.approx(0.02)


def test_fresh_words_after_each_try_gain_nothing() -> None:
    delays = RefusalDelays(2)
    for number in range(10):
        delays.answered(delays.caller(BLOCK, headers(f"guess-{number}")), 401, 0.0)
    assert delays.wait_s(delays.caller(BLOCK, headers("another")), 0.0) == pytest.approx(2.0)
    elsewhere = delays.caller("198.51.100.0/24", headers("another"))
    assert delays.wait_s(elsewhere, 0.0) == 0.0


def test_what_is_kept_of_callers_is_bounded_and_the_oldest_goes() -> None:
    delays = RefusalDelays(2)
    for number in range(CALLERS_KEPT + 1):
        delays.answered(delays.caller(str(number), {}), 403, 0.0)
    assert delays.wait_s(delays.caller("0", {}), 0.0) == 0.0
    assert delays.wait_s(delays.caller("1", {}), 0.0) == pytest.approx(0.02)
    assert len(delays._callers) == CALLERS_KEPT


def test_switched_off_it_counts_nothing() -> None:
    delays = RefusalDelays(0)
    caller = delays.caller(BLOCK, {})
    for _ in range(50):
        delays.answered(caller, 403, 0.0)
    assert delays.wait_s(caller, 0.0) == 0.0
    assert not delays._callers
