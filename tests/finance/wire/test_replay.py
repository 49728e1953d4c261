"""Lines of batches are read strictly: numbers, flags, and nothing unknown."""

from __future__ import annotations

import contextlib
import json
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.finance.domain.ledger.ledger import AccountFlag, TransferFlag
from zhidao.finance.service.ledger.replay import Replay
from zhidao.finance.wire.replay import decode_line


def test_numbers_and_flags_have_two_spellings_and_one_meaning() -> None:
    plain = decode_line(b'{"accounts": [{"id": 5, "ledger": 1, "code": 1, "flags": 6}]}', 1)
    named = decode_line(
        b'{"create_accounts": [{"id": "5", "ledger": "1", "code": 1, "flags":'
        b' ["debits_must_not_exceed_credits", "CREDITS_MUST_NOT_EXCEED_DEBITS"]}]}',
        1,
    )
    assert plain == named
    assert plain.accounts[0].flags == AccountFlag(6)
    line = {
        "transfers": [{"id": str(2**127), "amount": str(2**128 - 1), "flags": "linked|pending"}]
    }
    [transfer] = decode_line(json.dumps(line).encode(), 1).transfers
    assert transfer.id == UUID(int=2**127)
    assert transfer.amount == 2**128 - 1
    assert transfer.flags == TransferFlag.LINKED | TransferFlag.PENDING


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        "[]",
        '{"accounts": [{"id": 1}], "transfers": [{"id": 1}]}',
        '{"transfers": [{"id": 1, "amont": 1}]}',
        '{"transfers": [{"id": 1, "amount": 1.5}]}',
        '{"transfers": [{"id": 1, "amount": -1}]}',
        '{"transfers": [{"id": 1, "amount": "1e3"}]}',
        '{"transfers": [{"id": 1, "code": 65536}]}',
        '{"transfers": [{"id": 1, "flags": "pendig"}]}',
        '{"transfers": [{"id": 340282366920938463463374607431768211456}]}',
    ],
)
def test_what_is_no_batch_is_refused_with_its_line(line: str) -> None:
    with pytest.raises(MalformedInput) as refused:
        decode_line(line.encode(), 17)
    assert refused.value.where.startswith("line 17")


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(MalformedInput):
        decode_line(data, 1)


def submit(replay: Replay, **line: object) -> list[str]:
    return [str(result) for result in replay.submit(decode_line(json.dumps(line).encode(), 1))]


def test_a_replay_remembers_resolves_and_expires() -> None:
    replay = Replay()
    account = {"ledger": 1, "code": 1}
    assert submit(replay, accounts=[account | {"id": 1}, account | {"id": 2}]) == ["created"] * 2
    move = {"debit_account_id": 1, "credit_account_id": 2, "ledger": 1, "code": 1, "amount": 5}
    held = move | {"flags": "pending", "timeout": 1}
    second = 10**9
    assert submit(replay, transfers=[held | {"id": 10}, held | {"id": 11}], timestamp=second) == [
        "created",
        "created",
    ]
    post = {"id": 12, "pending_id": 10, "amount": 3, "flags": "post_pending_transfer"}
    assert submit(replay, transfers=[post]) == ["created"]
    assert submit(replay, transfers=[post, post | {"id": 13}]) == [
        "exists",
        "pending_transfer_already_posted",
    ]
    late = {"id": 14, "pending_id": 11, "flags": "void_pending_transfer"}
    assert submit(replay, transfers=[late], timestamp=3 * second) == ["pending_transfer_expired"]
    assert submit(replay, transfers=[move | {"id": 15, "debit_account_id": 9}]) == [
        "debit_account_not_found"
    ]
    assert submit(replay, transfers=[move | {"id": 15}]) == ["id_already_failed"]
    first, second_account = replay.accounts()
    assert (first.debits_posted, first.debits_pending) == (3, 0)
    assert second_account.credits_posted == 3


def test_big_batches_go_the_fast_way_to_the_same_balances() -> None:
    replay, slow = Replay(), Replay()
    account = {"ledger": 1, "code": 1}
    move = {"debit_account_id": 1, "credit_account_id": 2, "ledger": 1, "code": 1, "amount": 5}
    many = [move | {"id": n} for n in range(1, 601)]
    for each, sizes in ((replay, (600,)), (slow, (200, 200, 200))):
        submit(each, accounts=[account | {"id": 1}, account | {"id": 2}])
        start = 0
        for size in sizes:
            assert set(submit(each, transfers=many[start : start + size])) == {"created"}
            start += size
    assert list(replay.accounts()) == list(slow.accounts())
    assert submit(replay, transfers=many) == ["exists"] * 600


def test_a_batch_of_nothing_is_answered_with_nothing() -> None:
    replay = Replay()
    assert decode_line(b'{"accounts": []}', 1).operation == "create_accounts"
    assert submit(replay, accounts=[]) == submit(replay, create_transfers=[]) == []


def test_a_line_holds_as_much_as_a_message_of_earlier_releases() -> None:
    accounts = [{"id": n, "ledger": 1, "code": 1, "reserved": 0} for n in range(1, 8_191)]
    assert submit(Replay(), accounts=accounts) == ["created"] * 8_190
    assert submit(Replay(), accounts=[accounts[0] | {"reserved": 1}]) == ["reserved_field"]
    with pytest.raises(MalformedInput, match="8190"):
        submit(Replay(), accounts=[*accounts, accounts[0]])
