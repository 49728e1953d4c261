"""A long run of spoiled input goes on where it was stopped."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from conformance.fuzz.positioning_parsers import PARSERS, good_inputs, parser

from conformance.positioning import positioning_fuzz
from zhidao.core.errors import ZhidaoError


def _row(name, first, *, seed=2, crashes=0):
    return {
        "parser": name,
        "seed": seed,
        "first": first,
        "inputs": 100_000,
        "refused": 5,
        "crashes": crashes,
        "hangs": 0,
        "peak_mib": 40,
        "example": "",
        "seconds": 1.0,
        "at": "2026-11-25T15:00:00Z",
    }


def test_a_stopped_run_goes_on_with_the_portions_that_it_lacks(tmp_path):
    results = tmp_path / "fuzz.jsonl"
    old = {"inputs": 5, "parser": "msm", "at": "2026-11-24T20:00:00Z"}
    rows = [old, _row("msm", 0), _row("msm", 100_000, crashes=1), _row("ubx", 0)]
    results.write_text("".join(json.dumps(row) + "\n" for row in rows))
    kept = positioning_fuzz.kept_portions(results)
    assert positioning_fuzz.seed_of_next(kept) == 2
    # What crashed is run again.
    assert positioning_fuzz.missing(kept, "msm", 2) == list(range(100_000, 1_000_000, 100_000))


def test_a_finished_run_is_followed_by_another_seed(tmp_path):
    results = tmp_path / "fuzz.jsonl"
    firsts = range(0, 1_000_000, 100_000)
    rows = [_row(name, first) for name in PARSERS for first in firsts]
    results.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert positioning_fuzz.seed_of_next(positioning_fuzz.kept_portions(results)) == 3


def test_what_does_not_end_is_a_hang_and_what_raises_a_crash(monkeypatch):
    def stubborn(data):
        if data[:1] == b"x":
            raise ValueError("a defect")
        while True:
            sum(range(1000))

    monkeypatch.setattr(positioning_fuzz, "HANG_S", 0.02)
    monkeypatch.setattr(positioning_fuzz, "parser", lambda _: stubborn)
    monkeypatch.setattr(positioning_fuzz, "good_inputs", lambda _: [])
    inputs = iter((b"x", b"y", b"x"))
    monkeypatch.setattr(positioning_fuzz, "changed", lambda *_: next(inputs))
    told = positioning_fuzz.fuzz("any", 1, 0, 3)
    assert (told["crashes"], told["hangs"], told["inputs"]) == (2, 1, 3)


@pytest.mark.parametrize("name", PARSERS)
def test_every_parser_takes_the_good_inputs_that_are_spoiled(name):
    if name in ("observations_compact", "compact_compiled"):
        pytest.importorskip("hatanaka")
    taken = 0
    for data in good_inputs(name):
        with suppress(ZhidaoError):
            parser(name)(data)
            taken += 1
    assert taken
