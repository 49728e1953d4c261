from __future__ import annotations

import json
from importlib import resources

import pytest

from zhidao.trust.domain.evm import Address, LogEntry, Outcome
from zhidao.trust.wire.evm import abi
from zhidao.trust.wire.evm import title_contract as contract


@pytest.fixture(scope="module")
def published() -> list[dict]:
    file = resources.files("zhidao.trust") / "artefacts" / "token_registry.json"
    contracts = json.loads(file.read_bytes())["contracts"]
    return [item for one in contracts.values() for item in one["abi"]]


def signatures(published, kind: str) -> set[str]:
    return {
        f"{item['name']}({','.join(i['type'] for i in item['inputs'])})"
        for item in published
        if item["type"] == kind
    }


def test_calls_and_errors_are_spelled_as_in_the_published_interface(published):
    assert set(contract._CALLS) <= signatures(published, "function")
    assert set(contract._REASONS) <= signatures(published, "error")


def test_events_have_the_indexed_and_plain_types_of_the_published_interface(published):
    theirs = {item["name"]: item["inputs"] for item in published if item["type"] == "event"}
    for name, (indexed, plain) in contract._EVENTS.items():
        inputs = theirs[name]
        assert tuple(i["type"] for i in inputs if i["indexed"]) == indexed
        assert tuple(i["type"] for i in inputs if not i["indexed"]) == plain
        # The order matters too: our values are the indexed ones first.
        assert [i["indexed"] for i in inputs] == [True] * len(indexed) + [False] * len(plain)


def test_a_call_that_is_not_canonical_has_no_name():
    data = contract.mint_call(bytes(32), Address(bytes(20)))
    assert contract.call_of(data).action == "mint"
    assert contract.call_of(data + b"\0") is None
    assert contract.call_of(b"\1\2\3\4" + data[4:]) is None
    assert contract.call_of(b"") is None


def test_strange_logs_are_left_out():
    where = Address(bytes(20))
    topic = abi.topic("TitleEscrowCreated(address,address,uint256)")
    strange = [
        LogEntry(where, (), b""),
        LogEntry(where, (bytes(32),), b""),
        LogEntry(where, (topic, bytes(32)), b""),
        LogEntry(where, (topic, b"\xff" * 32, bytes(32), bytes(32)), b""),
        LogEntry(where, (topic, bytes(32), bytes(32), bytes(32)), b"tail"),
    ]
    assert contract.events_of(strange) == ()
    good = LogEntry(where, (topic, bytes(32), bytes(32), bytes(32)), b"")
    assert [event.name for event in contract.events_of([good])] == ["TitleEscrowCreated"]


@pytest.mark.parametrize(
    ("output", "code"),
    [
        (abi.selector("TokenExists()"), "title_exists"),
        (abi.encode_call("Error(string)", ("ERC721: why",)), "contract_refused"),
        (abi.selector("Error(string)") + b"x", "contract_refused"),
        (b"", "contract_refused"),
        (b"\xde\xad\xbe\xef", "contract_refused"),
    ],
)
def test_each_revert_has_a_code(output: bytes, code: str):
    outcome = Outcome(gas_used=1, output=output, logs=(), created=None, failure="revert")
    assert contract.refusal_of(outcome).code == code


def test_a_fault_of_the_machine_has_a_code():
    outcome = Outcome(gas_used=1, output=b"", logs=(), created=None, failure="OutOfGas")
    assert contract.refusal_of(outcome).code == "execution_failed"
