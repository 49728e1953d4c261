"""Data of transactions that operators and guardians sign with wallets of their own."""

from __future__ import annotations

import pytest

from zhidao.cli.main import main
from zhidao.trust.domain.evm import parse_address
from zhidao.trust.wire.evm.title_guard import cancel_call, recover_call, support_call

NEW_OWNER = "0x" + "cc" * 20


def test_the_calls_of_a_guard_are_printed_for_a_wallet(capsys) -> None:
    for words, data in (
        (["support", NEW_OWNER.upper().replace("X", "x")], support_call(parse_address(NEW_OWNER))),
        (["cancel"], cancel_call()),
        (["recover"], recover_call()),
    ):
        assert main(["trust", "contract", *words]) == 0
        assert capsys.readouterr().out.strip() == "0x" + data.hex()


@pytest.mark.parametrize("words", [["support"], ["cancel", NEW_OWNER], ["support", "0x12"]])
def test_an_address_goes_with_support_alone(words: list[str], capsys) -> None:
    assert main(["trust", "contract", *words]) == 2
    assert "address" in capsys.readouterr().err


@pytest.mark.parametrize("what", ["anchor", "guard"])
def test_a_contract_is_created_by_its_own_code_or_says_how_to_compile_it(what, capsys) -> None:
    terms = ["--owner", "0x" + "aa" * 20, "--guardian", "0x" + "bb" * 20, "--votes", "1"]
    status = main(["trust", "contract", what, *(terms if what == "guard" else []), "--days", "2"])
    told = capsys.readouterr()
    if status == 0:
        assert bytes.fromhex(told.out.strip()[2:])
    else:
        assert status == 3
        assert "own_contracts.py" in told.err


def test_a_guard_without_sensible_terms_is_refused(capsys) -> None:
    owner = "0x" + "aa" * 20
    words = ["trust", "contract", "guard", "--owner", owner, "--guardian", owner, "--votes", "1"]
    assert main([*words, "--days", "2"]) in (1, 2)
    assert "guardians" in capsys.readouterr().err
