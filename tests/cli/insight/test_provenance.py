"""Provenance held against files, and signed so that another maker's library agrees."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey
from tests.cli.insight.test_assess import Run, run

from zhidao.cli.insight import provenance as command
from zhidao.core.errors import MalformedInput
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.insight.library.provenance import encode_statement, sign_statement
from zhidao.insight.wire import provenance

__all__ = ["run"]

KEY = SoftwareKey(Algorithm.ED25519, bytes(range(32)))
OTHER = SoftwareKey(Algorithm.ED25519, bytes(range(1, 33)))
COMMIT = "4170c7b8a89a1247680d1b680f2a8b172dbe0f83"


def statement(**subjects: bytes) -> bytes:
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in subjects.items()}
    return encode_statement(
        subjects=digests,
        build_type="urn:x:build:1",
        external={"commit": COMMIT},
        internal={},
        dependencies=[{"name": "source", "digest": {"gitCommit": COMMIT}}],
        builder="https://example.org/builder",
        byproducts=[{"name": "again", "digest": {"sha256": next(iter(digests.values()))}}],
    )


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    file = tmp_path / "a.whl"
    file.write_bytes(b"the wheel")
    return file


@pytest.fixture
def envelope(tmp_path: Path) -> Path:
    file = tmp_path / "a.provenance.json"
    file.write_bytes(sign_statement(statement(wheel=b"the wheel", list=b"the list"), KEY))
    return file


def asked(run: Run, *words: object) -> tuple[int, dict[str, Any]]:
    status, out, err = run("provenance", *words, "--json")
    assert err == ""
    return status, json.loads(out)


def test_a_file_is_the_one_that_an_accepted_key_says(run: Run, envelope: Path, wheel: Path):
    key = f"A. Person={KEY.public.multikey}"
    status, told = asked(run, envelope, wheel, "--signatory", key)
    assert status == 0
    assert told["signed_by"] == [{"key": KEY.public.multikey, "name": "A. Person"}]
    assert told["commit"] == COMMIT
    assert told["builder"] == "https://example.org/builder"
    assert told["built_again"] == [{"name": "again", "is_equal": True}]
    assert [(each["is_subject"], each["name"]) for each in told["files"]] == [(True, "wheel")]
    words = run("provenance", envelope, wheel, "--signatory", key)[1]
    assert "built again equal bit by bit" in words


def test_without_an_accepted_key_it_is_nobodys_word(run: Run, envelope: Path, wheel: Path):
    for words in ((), ("--signatory", OTHER.public.multikey)):
        status, told = asked(run, envelope, wheel, *words)
        assert (status, told["signed_by"]) == (1, [])


def test_a_file_of_one_other_byte_is_not_in_it(run: Run, envelope: Path, wheel: Path):
    wheel.write_bytes(b"the Wheel")
    status, told = asked(run, envelope, wheel, "--signatory", KEY.public.multikey)
    assert status == 1
    assert [each["is_subject"] for each in told["files"]] == [False]
    # One that is in it does not speak for one that is not.
    good = wheel.with_name("list")
    good.write_bytes(b"the list")
    assert asked(run, envelope, good, wheel, "--signatory", KEY.public.multikey)[0] == 1


def test_another_makers_library_takes_our_signature_and_we_take_theirs(
    run: Run, envelope: Path, wheel: Path
):
    theirs = Envelope.from_dict(json.loads(envelope.read_text()))
    public = KEY.public.raw.hex()
    key = SSlibKey(KEY.public.multikey, "ed25519", "ed25519", {"public": public})
    assert set(theirs.verify([key], 1)) == {KEY.public.multikey}
    assert theirs.pae() == provenance.decode_envelope(envelope.read_bytes()).message
    other = base64.b64encode(OTHER.sign(theirs.pae())).decode()
    document = json.loads(envelope.read_text())
    document["signatures"].append({"sig": other})
    envelope.write_text(json.dumps(document))
    assert asked(run, envelope, wheel, "--signatory", OTHER.public.multikey)[0] == 0


def altered(envelope: Path, change: Callable[[dict[str, Any]], object]) -> None:
    document = json.loads(envelope.read_text())
    told = json.loads(base64.b64decode(document["payload"]))
    change(told)
    document["payload"] = base64.b64encode(json.dumps(told).encode()).decode()
    envelope.write_text(json.dumps(document))


def test_whatever_is_altered_in_it_is_signed_by_nobody(run: Run, envelope: Path, wheel: Path):
    def other_commit(told: dict[str, Any]) -> None:
        told["predicate"]["buildDefinition"]["resolvedDependencies"][0]["digest"] = {"a": "b"}

    before = envelope.read_text()
    changes: list[Callable[[dict[str, Any]], object]] = [
        other_commit,
        lambda told: told["subject"].pop(),
        lambda told: told["predicate"]["runDetails"]["builder"].update(id="urn:other"),
        lambda told: None,
    ]
    for change in changes:
        envelope.write_text(before)
        altered(envelope, change)
        status, told = asked(run, envelope, wheel, "--signatory", KEY.public.multikey)
        assert (status, told["signed_by"]) == (1, [])


@pytest.mark.parametrize(
    "change",
    [
        lambda told: told.update(_type="https://in-toto.io/Statement/v0.1"),
        lambda told: told.update(predicateType="https://slsa.dev/provenance/v0.2"),
        lambda told: told.update(subject=[]),
        lambda told: told["subject"][0].update(digest={}),
        lambda told: told["predicate"].pop("runDetails"),
        lambda told: told.update(predicate=[]),
    ],
)
def test_what_is_no_such_statement_is_bad_input(
    run: Run, envelope: Path, wheel: Path, change: Callable[[dict[str, Any]], object]
):
    altered(envelope, change)
    status, out, err = run("provenance", envelope, wheel)
    assert (status, out) == (2, "")
    assert "a.provenance.json" in err


def test_what_is_no_envelope_is_bad_input(run: Run, envelope: Path, wheel: Path):
    document = json.loads(envelope.read_text())
    for change in ({"payloadType": "text/plain"}, {"payload": "*"}, {"signatures": []}):
        envelope.write_text(json.dumps(document | change))
        assert run("provenance", envelope, wheel)[0] == 2
    assert run("provenance", wheel, wheel)[0] == 2
    envelope.write_text(json.dumps(document))
    assert run("provenance", envelope, wheel.with_name("nowhere"))[0] == 2
    assert run("provenance", envelope, wheel.parent)[0] == 2


def test_nothing_else_is_signed():
    with pytest.raises(MalformedInput):
        sign_statement(b"{}", KEY)


@pytest.mark.bound("insight.wire.provenance.PROVENANCE_BYTES_MAX")
@pytest.mark.bound("cli.insight.provenance.ARTEFACT_BYTES_MAX")
def test_what_is_read_is_bounded(
    run: Run, envelope: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch
):
    words = ("provenance", envelope, wheel, "--signatory", KEY.public.multikey)
    for module, name, size in (
        (provenance, "PROVENANCE_BYTES_MAX", envelope.stat().st_size),
        (command, "ARTEFACT_BYTES_MAX", wheel.stat().st_size),
    ):
        with monkeypatch.context() as patched:
            for most, expected in ((size, 0), (size - 1, 2)):
                patched.setattr(module, name, most)
                assert run(*words)[0] == expected
