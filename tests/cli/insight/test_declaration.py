"""Declarations signed by a person's key that openssl made, judged offline, taken back, lapsed."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from tests.cli.insight.test_assess import Run, answer, project, run
from tests.insight.git_sample import commit, git

from zhidao.cli.main import main
from zhidao.core.encoding import parse_base58btc
from zhidao.core.timescale import Utc
from zhidao.insight.library import declarations
from zhidao.insight.wire import signed_declarations

__all__ = ["project", "run"]

PRIVACY = "# Privacy\n\nNothing is collected,\nand nothing is sent.\n\n# Other\n\nx\n"
ANSWERS = """by = "A. Person"
on = 2026-11-30

[[answer]]
standard = "dpg"
item = "7"
text = "The law of X."
see = [{ path = "PRIVACY.md", says = "Nothing is collected," }]

[[answer]]
standard = "dpg"
item = "9a"
text = "Nothing is held."
see = [{ path = "PRIVACY.md", says = "# Privacy" }]

[[answer]]
standard = "dpg"
item = "9b"
text = "Not yet."
met = false
"""
Sign = Callable[..., Path]


def key_file(place: Path, kind: str = "ed25519") -> Path:
    made = ["openssl", "genpkey", "-algorithm", kind, "-out", str(place)]
    subprocess.run(made, check=True, capture_output=True)
    place.chmod(0o600)
    return place


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return key_file(tmp_path / "mine.pem")


@pytest.fixture
def written(project: Path, tmp_path: Path) -> Path:
    commit(project, {"PRIVACY.md": PRIVACY})
    file = tmp_path / "answers.toml"
    file.write_text(ANSWERS)
    return file


@pytest.fixture
def signed(run: Run, written: Path, project: Path, key: Path, tmp_path: Path) -> Path:
    file = tmp_path / "signed.json"
    status, out, _ = run("declaration", "sign", written, project, "--key", key, "-o", file)
    assert (status, out) == (0, "")
    return file


def signer(file: Path) -> str:
    return json.loads(file.read_text())["issuer"]["id"]


def assessed(run: Run, project: Path, *words: object) -> dict[str, Any]:
    status, out, err = run("assess", project, "--standard", "dpg", "--json", *words)
    assert (status, err) == (0, "")
    return json.loads(out)


def verdicts(document: dict[str, Any]) -> dict[str, tuple[str, str]]:
    found = ((item, answer(document, "dpg", item)) for item in ("7", "9a", "9b"))
    return {item: (each["verdict"], each["reason"]) for item, each in found}


def marks(run: Run, result: Path, project: Path, *words: object) -> dict[str, str]:
    status, out, err = run("recheck", result, project, "--json", *words)
    assert err == ""
    told = json.loads(out)
    assert (status == 0) == (
        all(each["mark"] == "signed" for each in told["signed"])
        and told["verdict_counts"]["same"] == len(told["verdicts"])
        and not told["counts"]["stale"] + told["counts"]["gone"]
        and told["as_made"] is not False
    )
    return {each["item"]: each["mark"] for each in told["signed"]}


@pytest.fixture
def result(run: Run, signed: Path, project: Path, tmp_path: Path) -> Path:
    file = tmp_path / "r.json"
    accepted = ("--signatory", signer(signed))
    words = ("assess", project, "--standard", "dpg", "--declare", signed, *accepted, "-o", file)
    assert run(*words)[0] == 0
    return file


def test_what_an_accepted_key_signed_is_claimed_and_signed(run: Run, project: Path, signed: Path):
    for accepted in (signer(signed), signer(signed).removeprefix("did:key:")):
        document = assessed(run, project, "--declare", signed, "--signatory", accepted)
        assert verdicts(document) == {
            "7": ("claimed", "claimed_signed"),
            "9a": ("claimed", "claimed_signed"),
            "9b": ("needs_person", "declared_not_met_signed"),
        }
    (claim,) = answer(document, "dpg", "7")["claims"]
    assert (claim["signed"], claim["mark"], claim["by"]) == (True, "signed", "A. Person")
    assert document["declarations"] == [json.loads(signed.read_text())]
    table = run("assess", project, "--declare", signed, "--signatory", accepted)[1]
    assert "A. Person on 2026-11-30: The law of X. [signed; did:key:z6Mk" in table


def test_the_same_moment_gives_the_same_bytes(run: Run, project: Path, signed: Path):
    words = ("--declare", signed, "--signatory", signer(signed), "--at", "2027-01-01T00:00:00Z")
    assert assessed(run, project, *words) == assessed(run, project, *words)


def test_any_reader_of_credentials_can_check_the_signature(
    signed: Path, run: Run, capsys: pytest.CaptureFixture[str]
):
    """Once by our own verifier of credentials, once by nothing but the rule of eddsa-jcs-2022."""
    capsys.readouterr()
    assert main(["trust", "credential", "verify", str(signed), "--offline"]) == 0
    assert json.loads(capsys.readouterr().out)["form"] == "w3c"
    document = json.loads(signed.read_text())
    proof = document.pop("proof")
    value = parse_base58btc(proof.pop("proofValue")[1:])
    parts = (hashlib.sha256(rfc8785.dumps(each)).digest() for each in (proof, document))
    raw = parse_base58btc(document["issuer"]["id"].removeprefix("did:key:z"))[2:]
    Ed25519PublicKey.from_public_bytes(raw).verify(value, b"".join(parts))


def test_a_key_that_nobody_accepted_is_bad_input(run: Run, project: Path, signed: Path):
    other = "Somebody Else=" + signer(signed)
    for words in ((), ("--signatory", other)):
        status, out, err = run("assess", project, "--declare", signed, *words)
        assert (status, out) == (2, "")
        assert "accept" in err
        assert "signed.json" in err
    right = "A. Person=" + signer(signed)
    assert run("assess", project, "--declare", signed, "--signatory", right)[0] == 0


@pytest.mark.parametrize("at", range(8))
def test_an_altered_declaration_is_bad_input(run: Run, project: Path, signed: Path, at: int):
    document = json.loads(signed.read_text())
    subject = document["credentialSubject"]
    alterations: list[Callable[[], object]] = [
        lambda: subject["answers"][0].update(text="The law of Y."),
        lambda: subject["answers"][2].update(met=True),
        lambda: subject["answers"][0]["see"][0].update(passage="0" * 64),
        lambda: subject.update(roots=["a" * 40]),
        lambda: subject.update(on="2026-12-01"),
        lambda: document.update(validUntil="2099-01-01T00:00:00Z"),
        lambda: document["issuer"].update(name="Another Person"),
        lambda: document.pop("proof"),
    ]
    alterations[at]()
    signed.write_text(json.dumps(document))
    words = ("--declare", signed, "--signatory", signer(signed))
    status, _, err = run("assess", project, *words)
    assert status == 2
    assert "the signature does not hold" in err
    assert run("declaration", "show", signed)[0] == 1


def test_a_signature_ends_with_the_text_that_it_is_about(
    run: Run, project: Path, signed: Path, result: Path
):
    words = ("--declare", signed, "--signatory", signer(signed))
    assert marks(run, result, project, *words[2:]) == dict.fromkeys(("7", "9a", "9b"), "signed")
    # Broken into other lines, and something else beside it: the same words.
    same = PRIVACY.replace("collected,\nand", "collected, and").replace("\nx\n", "\ny\n")
    commit(project, {"PRIVACY.md": same})
    assert verdicts(assessed(run, project, *words))["7"] == ("claimed", "claimed_signed")
    # The line that is pointed to stands there still, and the next one says the contrary.
    commit(project, {"PRIVACY.md": PRIVACY.replace("and nothing is sent", "and all is sent")})
    lapsed = ("needs_person", "declaration_text_changed")
    told = verdicts(assessed(run, project, *words))
    assert (told["7"], told["9a"]) == (lapsed, lapsed)
    now = marks(run, result, project, *words[2:])
    assert now == {"7": "text_changed", "9a": "text_changed", "9b": "signed"}
    commit(project, {"PRIVACY.md": None})
    assert verdicts(assessed(run, project, *words))["7"] == lapsed


def test_a_signature_ends_with_its_time(run: Run, project: Path, signed: Path, result: Path):
    accepted = ("--signatory", signer(signed))
    since = Utc.parse(json.loads(signed.read_text())["validFrom"])
    day_ns = 86_400 * 10**9
    for seconds, mark in ((-1, "not_yet"), (0, "signed"), (365 * 86_400, "signed")):
        at = str(since.plus_ns(seconds * 10**9))
        assert set(marks(run, result, project, *accepted, "--at", at).values()) == {mark}
    over = ("--at", str(since.plus_ns(365 * day_ns + 1)))
    assert set(marks(run, result, project, *accepted, *over).values()) == {"expired"}
    told = verdicts(assessed(run, project, "--declare", signed, *accepted, *over))
    assert told["7"] == ("needs_person", "declaration_expired")


def test_its_signer_takes_an_answer_back(
    run: Run, project: Path, signed: Path, result: Path, key: Path, tmp_path: Path
):
    taken = tmp_path / "withdrawn.json"
    words = ("declaration", "withdraw", signed, "--reason", "the law is another", "--key", key)
    assert run(*words, "--answer", "dpg:7", "-o", taken)[0] == 0
    accepted = ("--signatory", signer(signed))
    given = ("--declare", signed, "--declare", taken, *accepted)
    told = verdicts(assessed(run, project, *given))
    assert told["7"] == ("needs_person", "declaration_withdrawn")
    assert told["9a"] == ("claimed", "claimed_signed")
    found = marks(run, result, project, "--declare", taken, *accepted)
    assert found == {"7": "withdrawn", "9a": "signed", "9b": "signed"}
    # A result that was made with the withdrawal holds it, and is what it was.
    later = tmp_path / "later.json"
    run("assess", project, "--standard", "dpg", *given, "-o", later)
    status, out, _ = run("recheck", later, project, *accepted, "--json")
    assert (status, json.loads(out)["as_made"]) == (1, True)
    assert run("declaration", "show", taken)[1].count("dpg:7") == 1
    assert run(*words, "-o", tmp_path / "all.json")[0] == 0
    found = marks(run, result, project, "--declare", tmp_path / "all.json", *accepted)
    assert set(found.values()) == {"withdrawn"}


def test_nobody_else_takes_it_back(
    run: Run, project: Path, signed: Path, result: Path, key: Path, tmp_path: Path
):
    other = key_file(tmp_path / "other.pem")
    words = ("declaration", "withdraw", signed, "--reason", "x", "--key")
    assert run(*words, other)[0] == 1
    assert run(*words, key, "--answer", "dpg:8")[0] == 1
    # Nor by a file that names the declaration and is signed by a key that is accepted too.
    taken = tmp_path / "withdrawn.json"
    run(*words, key, "-o", taken)
    document = json.loads(taken.read_text())
    mine = tmp_path / "theirs.toml"
    mine.write_text(ANSWERS)
    theirs = tmp_path / "theirs.json"
    run("declaration", "sign", mine, project, "--key", other, "-o", theirs)
    document["issuer"]["id"] = signer(theirs)
    taken.write_text(json.dumps(document))
    both = ("--signatory", signer(signed), "--signatory", signer(theirs))
    assert run("recheck", result, project, "--declare", taken, *both)[0] == 2


def test_it_is_about_one_history(run: Run, signed: Path, tmp_path: Path):
    other = tmp_path / "other"
    commit(other, {"PRIVACY.md": PRIVACY, "README.md": "# Another project\n"})
    words = ("--declare", signed, "--signatory", signer(signed))
    told = verdicts(assessed(run, other, *words))
    assert set(told.values()) == {("needs_person", "declaration_other_repository")}


def test_it_is_about_one_question(
    run: Run, project: Path, signed: Path, monkeypatch: pytest.MonkeyPatch
):
    from dataclasses import replace

    from zhidao.insight.library import assessments
    from zhidao.insight.wire.packs import installed_packs

    def asked_otherwise() -> tuple[Any, ...]:
        return tuple(
            replace(pack, questions=tuple(replace(q, en=q.en + " Now?") for q in pack.questions))
            for pack in installed_packs()
        )

    monkeypatch.setattr(assessments, "installed_packs", asked_otherwise)
    told = verdicts(assessed(run, project, "--declare", signed, "--signatory", signer(signed)))
    assert set(told.values()) == {("needs_person", "declaration_question_changed")}


def test_a_result_is_no_place_to_sign_in(run: Run, project: Path, signed: Path, result: Path):
    """Whoever writes into a result that something was signed, or alters what was, is found out."""
    accepted = ("--signatory", signer(signed))
    document = json.loads(result.read_text())
    unsigned = json.loads(result.read_text())
    del unsigned["declarations"], unsigned["judged_at"]
    result.write_text(json.dumps(unsigned))
    status, out, _ = run("recheck", result, project, *accepted, "--json")
    assert (status, json.loads(out)["as_made"]) == (1, False)
    document["declarations"][0]["credentialSubject"]["answers"][0]["text"] = "The law of Y."
    result.write_text(json.dumps(document))
    assert set(marks(run, result, project, *accepted).values()) == {"bad_signature"}


def test_without_an_accepted_key_a_recheck_takes_no_name_for_its_owner(
    run: Run, project: Path, result: Path
):
    assert set(marks(run, result, project).values()) == {"unknown_key"}


def test_signed_and_unsigned_in_the_same_words_is_said_once(
    run: Run, project: Path, signed: Path, written: Path
):
    both = ("--declare", written, "--declare", signed, "--signatory", signer(signed))
    document = assessed(run, project, *both)
    assert len(answer(document, "dpg", "7")["claims"]) == 1
    assert verdicts(document)["7"] == ("claimed", "claimed_signed")
    # Somebody's further word is no signed one.
    written.write_text(ANSWERS.replace("The law of X.", "The law of Z, too."))
    assert verdicts(assessed(run, project, *both))["7"] == ("claimed", "claimed_unsigned")


def test_a_lost_signature_is_noticed(run: Run, project: Path, written: Path, result: Path):
    words = ("assess", project, "--standard", "dpg", "--declare", written, "--against", result)
    status, out, _ = run(*words)
    assert status == 1
    assert "lost signature dpg 7  claimed_signed -> claimed_unsigned" in out


def test_what_is_not_there_is_not_signed(run: Run, written: Path, project: Path, key: Path):
    written.write_text(ANSWERS.replace("Nothing is collected,", "Nothing at all"))
    status, out, err = run("declaration", "sign", written, project, "--key", key)
    assert (status, out) == (1, "")
    assert "Nothing at all" in err


def test_a_key_that_others_may_read_or_of_another_kind_signs_nothing(
    run: Run, written: Path, project: Path, key: Path, tmp_path: Path
):
    key.chmod(0o644)
    assert run("declaration", "sign", written, project, "--key", key)[0] == 2
    other = key_file(tmp_path / "x.pem", "x25519")
    assert run("declaration", "sign", written, project, "--key", other)[0] == 2
    assert run("declaration", "sign", written, project)[0] == 2
    nobody = ("--party", "office", "--data", tmp_path / "nowhere")
    assert run("declaration", "sign", written, project, *nobody)[0] == 1
    assert not (tmp_path / "nowhere").exists()


def test_the_key_of_a_party_signs(
    run: Run, written: Path, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from zhidao.core.keys import Algorithm
    from zhidao.node.library import key_files
    from zhidao.node.security.party_keys import party_key_name

    secret = tmp_path / "passphrase"
    secret.write_text("a long passphrase")
    secret.chmod(0o600)
    monkeypatch.setenv("ZHIDAO_KEYS_PASSPHRASE_FILE", str(secret))
    data = tmp_path / "node"
    keys = key_files(data, b"a long passphrase")
    made = keys.make(party_key_name("office", 1), Algorithm.ED25519)
    file = tmp_path / "s.json"
    words = ("declaration", "sign", written, project, "--party", "office", "--data", data)
    assert run(*words, "-o", file)[0] == 0
    assert signer(file) == "did:key:" + made.public.multikey


@pytest.mark.bound("insight.library.declarations.DAYS_MAX")
def test_how_long_it_is_good_for_is_bounded(run: Run, written: Path, project: Path, key: Path):
    words = ("declaration", "sign", written, project, "--key", key, "--days")
    for days, expected in ((0, 2), (1, 0), (declarations.DAYS_MAX, 0)):
        assert run(*words, days)[0] == expected
    assert run(*words, declarations.DAYS_MAX + 1)[0] == 2


@pytest.mark.bound("insight.wire.signed_declarations.REASON_LETTERS_MAX")
def test_the_reason_of_a_withdrawal_is_bounded(run: Run, signed: Path, key: Path):
    most = signed_declarations.REASON_LETTERS_MAX
    words = ("declaration", "withdraw", signed, "--key", key, "--reason")
    for letters, expected in ((0, 2), (most, 0), (most + 1, 2)):
        assert run(*words, "x" * letters)[0] == expected


@pytest.mark.bound("insight.wire.signed_declarations.DECLARATIONS_MAX")
def test_how_many_files_are_taken_is_bounded(
    run: Run, project: Path, signed: Path, result: Path, monkeypatch: pytest.MonkeyPatch
):
    words = ["--signatory", signer(signed)]
    for number in range(3):
        other = signed.with_name(f"s{number}.json")
        other.write_bytes(signed.read_bytes())
        words += ["--declare", str(other)]
    for most, expected in ((3, 0), (2, 2)):
        monkeypatch.setattr(declarations, "DECLARATIONS_MAX", most)
        assert run("assess", project, *words)[0] == expected
    document = json.loads(result.read_text())
    document["declarations"] *= signed_declarations.DECLARATIONS_MAX + 1
    result.write_text(json.dumps(document))
    assert run("recheck", result, project)[0] == 2


def test_it_is_signed_of_a_bundle_too(
    run: Run, written: Path, project: Path, key: Path, tmp_path: Path
):
    bundle = tmp_path / "p.bundle"
    git(project, "bundle", "create", str(bundle), "--all", "HEAD")
    file = tmp_path / "s.json"
    assert run("declaration", "sign", written, bundle, "--key", key, "-o", file)[0] == 0
    document = assessed(run, project, "--declare", file, "--signatory", signer(file))
    assert verdicts(document)["7"] == ("claimed", "claimed_signed")
