from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from zhidao.cli.main import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*words: object) -> tuple[int, str, str]:
        status = main(["finance", *map(str, words)])
        told = capsys.readouterr()
        return status, told.out, told.err

    return call


def test_a_replay_answers_batch_by_batch_and_ends_with_balances(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "batches.jsonl"
    lines = [
        {"accounts": [{"id": n, "ledger": 1, "code": 1} for n in (1, 2)]},
        {
            "transfers": [
                {
                    "id": "3",
                    "debit_account_id": "1",
                    "credit_account_id": 2,
                    "amount": amount,
                    "ledger": 1,
                    "code": 1,
                }
                for amount in (7, 8)
            ]
        },
    ]
    file.write_text("\n".join(map(json.dumps, lines)) + "\n")
    status, out, err = run("ledger", "replay", file)
    assert (status, err) == (0, "")
    answers = [json.loads(line) for line in out.splitlines()]
    assert answers[0]["results"] == ["created", "created"]
    assert answers[1]["results"] == ["created", "exists_with_different_amount"]
    assert [a["credits_posted"] for a in answers[2]["accounts"]] == ["0", "7"]
    assert [a["debits_posted"] for a in answers[2]["accounts"]] == ["7", "0"]


def test_a_bad_line_is_named(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "batches.jsonl"
    file.write_text('{"accounts": [{"id": 1, "ledger": 1, "code": 1}]}\n{"transfers": [{}]}\n')
    status, out, err = run("ledger", "replay", file)
    assert status == 2
    assert json.loads(out)["results"] == ["created"]
    assert "line 2" in err
    assert run("ledger", "replay", tmp_path / "none")[0] == 2
