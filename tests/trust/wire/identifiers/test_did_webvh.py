from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput, Refused, ZhidaoError
from zhidao.core.timescale import Utc
from zhidao.trust.wire.identifiers.did import parse_web_place, web_url
from zhidao.trust.wire.identifiers.did_webvh import Resolved, parse_webvh, resolve

NOW = Utc.parse("2026-11-24T12:00:00Z")
# The suite holds these logs with both verdicts, by implementation: entry 2 changes the witnesses
# and bears only those of the new list. The method has the former list witness a change, as the
# resolvers of python and java-eecc do, so the verdicts of these two are contradicted.
CONTRADICTED = {"witness-update/java", "witness-update/ts"}


def cases(folder: Path) -> Iterator[tuple[str, bool]]:
    """Name of each vector, and whether it got the verdict (and document) of the suite."""
    for file in sorted(folder.glob("*/*/did.jsonl")):
        told = json.loads((file.parent / "resolutionResult.json").read_text())
        wanted = told["didDocument"]
        lines = file.read_text().splitlines()
        if wanted:
            did = wanted["id"]
        else:
            did = json.loads(lines[-1])["state"]["id"] if lines else "did:webvh:x:example.com"
        witness = file.parent / "did-witness.json"
        name = f"{file.parent.parent.name}/{file.parent.name}"
        try:
            data = witness.read_bytes() if witness.exists() else b""
            found = resolve(did, file.read_bytes(), data, now=NOW)
        except ZhidaoError:
            yield name, wanted is None
            continue
        # Writers add the implicit services in different spellings; all else must agree.
        same = wanted is not None and _bare(found.document) == _bare(wanted)
        yield name, same and told["didDocumentMetadata"]["versionId"] == found.version


def _bare(document: dict) -> dict:
    return {name: value for name, value in document.items() if name != "service"}


def test_the_methods_own_suite(shared: Path) -> None:
    outcomes = dict(cases(shared / "trust" / "didwebvh"))
    assert len(outcomes) == 56
    assert {name for name, passed in outcomes.items() if not passed} == CONTRADICTED


def _log(shared: Path) -> tuple[str, bytes]:
    folder = shared / "trust" / "didwebvh" / "key-rotation" / "python"
    told = json.loads((folder / "resolutionResult.json").read_text())
    return told["didDocument"]["id"], (folder / "did.jsonl").read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines[::-1],
        lambda lines: lines[1:],
        lambda lines: [lines[0], lines[0]],
        lambda lines: [lines[0].replace(b'"versionTime"', b'"versionTim"'), *lines[1:]],
        lambda lines: [*lines[:-1], lines[-1].replace(b"z6Mk", b"z6Mj", 1)],
        lambda lines: [*lines, b"{}"],
        lambda lines: [*lines, b"["],
    ],
)
def test_a_changed_history_is_refused(shared: Path, change) -> None:
    did, log = _log(shared)
    resolve(did, log, b"", now=NOW)
    with pytest.raises((Refused, MalformedInput)) as refusal:
        resolve(did, b"\n".join(change(log.splitlines())), b"", now=NOW)
    assert refusal.value.code == "bad_did_log"


def test_an_older_state_of_the_log_is_the_older_document(shared: Path) -> None:
    did, log = _log(shared)
    first = resolve(did, log.splitlines()[0], b"", now=NOW)
    assert first.version.startswith("1-")
    assert first.document != resolve(did, log, b"", now=NOW).document


@pytest.mark.parametrize(
    "place",
    ["example.com#a", "127.0.0.1", "127.0.0.1%3a8080", "%31%32%37.0.0.1", "2130706433",
     "example.com:%2e%2e:x", "example.com:..", "example.com:.", "example.com:", "localhost",
     "example.com%3A99999", "example.com%3A0", "EXAMPLE.com", "a..b", "-", "example.com?x", "",
     "example.com/a", "user@example.com", "[::1]", "example.com%3A8080%3A1"],
)  # fmt: skip
def test_a_place_that_is_no_plain_host_and_path_is_malformed(place: str) -> None:
    with pytest.raises(MalformedInput):
        parse_web_place(place)


@given(st.text(max_size=30))
def test_any_text_is_a_did_or_malformed(text: str) -> None:
    for read in (web_url, parse_webvh):
        for did in (text, f"did:web:{text}", f"did:webvh:{'Q' * 46}:{text}"):
            with contextlib.suppress(MalformedInput):
                read(did)


def test_a_deactivated_did_says_so_in_its_metadata_and_not_in_its_document() -> None:
    found = Resolved({"id": "did:webvh:x"}, "2-x", NOW, NOW, deactivated=True)
    with pytest.raises(Refused) as refusal:
        found.active()
    assert refusal.value.code == "did_deactivated"
    assert "deactivated" not in found.document
    assert Resolved({"id": "did:webvh:x"}, "1-x", NOW, NOW, deactivated=False).active() == {
        "id": "did:webvh:x"
    }
