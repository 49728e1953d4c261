"""backup, restore and keys on a database and keys, without a node."""

from __future__ import annotations

import json
import re
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.store.test_age import IDENTITY, RECIPIENT

from zhidao.cli.main import main
from zhidao.core.ambient import SeededRandomness
from zhidao.core.keys import Algorithm
from zhidao.node.adapters.keys.files import KeyFiles

Run = Callable[..., tuple[int, str, str]]
service = pytest.mark.service


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("a long sentence")
    passphrase.chmod(0o600)
    monkeypatch.setenv("ZHIDAO_KEYS_PASSPHRASE_FILE", str(passphrase))
    monkeypatch.setenv("ZHIDAO_NODE_DATA", str(tmp_path / "data"))

    def call(*words: object) -> tuple[int, str, str]:
        status = main([str(word) for word in words])
        told = capsys.readouterr()
        return status, told.out, told.err

    return call


@pytest.fixture
def by_url(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A migrated database, as the node's, and its key."""
    monkeypatch.setenv("ZHIDAO_DATABASE_URL", database_url)
    keys = tmp_path / "data" / "keys"
    KeyFiles(keys, b"a long sentence", SeededRandomness(1)).make("node", Algorithm.ED25519)
    return database_url


@service
def test_a_backup_goes_into_an_empty_database_and_into_no_other(
    run: Run,
    by_url: str,
    empty_database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    out = tmp_path / "x.zdbackup"
    status, told, _ = run("backup", "-o", out, "--json")
    assert status == 0
    answer = json.loads(told)
    assert answer["bytes"] == out.stat().st_size
    assert answer["meta"]["log"] is None
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    status, told, _ = run("restore", out, "--json")
    assert (status, json.loads(told)["error"]) == (1, "target_not_empty")
    monkeypatch.setenv("ZHIDAO_DATABASE_URL", empty_database_url)
    status, told, _ = run("restore", out, "--json")
    assert status == 0
    restored = json.loads(told)
    assert (restored["rows"], restored["migrations"]) == (answer["rows"], [])
    assert not restored["recovering"]


@service
def test_a_backup_is_never_written_over(run: Run, by_url: str, tmp_path: Path):
    out = tmp_path / "x.zdbackup"
    assert run("backup", "-o", out)[0] == 0
    before = out.read_bytes()
    status, told, _ = run("backup", "-o", out, "--json")
    assert (status, json.loads(told)["error"]) == (1, "file_exists")
    assert out.read_bytes() == before


@service
def test_a_truncated_archive_is_status_2_and_touches_nothing(
    run: Run, by_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    out = tmp_path / "x.zdbackup"
    run("backup", "-o", out)
    assert run("restore", out, "--inspect")[0] == 0
    out.write_bytes(out.read_bytes()[:-700])
    # No database is named now, so one would be made in the data folder.
    monkeypatch.delenv("ZHIDAO_DATABASE_URL")
    for words in (("restore", out, "--json"), ("restore", out, "--inspect", "--json")):
        status, told, _ = run(*words)
        assert (status, json.loads(told)["error"]) == (2, "backup_truncated")
    assert not (tmp_path / "data" / "postgres").exists()


def test_an_archive_of_another_kind_is_status_2(run: Run, tmp_path: Path):
    file = tmp_path / "x"
    file.write_bytes(b"PK\x03\x04" * 400)
    status, told, _ = run("restore", file, "--json")
    assert status == 2
    assert json.loads(told)["error"].startswith("backup_")


def test_a_backup_of_no_node_is_status_1(run: Run, tmp_path: Path):
    status, _, err = run("backup", "-o", tmp_path / "x")
    assert status == 1
    assert "no node has run" in err
    assert not (tmp_path / "x").exists()


@service
def test_an_embedded_database_is_started_for_a_backup_and_stopped_after_it(
    run: Run, by_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from zhidao.store.running import running_url

    run("backup", "-o", tmp_path / "first")
    monkeypatch.delenv("ZHIDAO_DATABASE_URL")
    # A number that is known beside the database is known to the restored one too.
    assert run("restore", tmp_path / "first")[0] == 0
    assert running_url(tmp_path / "data" / "postgres") is None
    assert run("backup", "-o", tmp_path / "second")[0] == 0
    status, told, _ = run("restore", tmp_path / "first", "--json")
    refused = json.loads(told)
    assert (status, refused["error"]) == (1, "backup_older")
    # The time is the one of this backup, and says so.
    assert re.search(r"backup 1 of \d{4}-\d\d-\d\dT[0-9:.]+Z; backup 2 is newer", refused["detail"])
    assert "where" not in refused
    status, told, _ = run("restore", tmp_path / "first", "--older", "1", "--json")
    assert (status, json.loads(told)["error"]) == (1, "target_not_empty")


@service
def test_an_archive_is_held_to_the_key_that_it_should_be_by(
    run: Run,
    by_url: str,
    empty_database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    out, keys = tmp_path / "x.zdbackup", tmp_path / "data" / "keys"
    mine = json.loads(run("backup", "-o", out, "--json")[1])["signed_by"]
    [listed] = json.loads(run("keys", "list", "--json")[1])
    assert mine == listed["fingerprint"]
    monkeypatch.setenv("ZHIDAO_DATABASE_URL", empty_database_url)
    shutil.rmtree(keys)

    def error(*words: object) -> tuple[int, str]:
        status, told, _ = run("restore", out, *words, "--json")
        return status, json.loads(told)["error"]

    assert error() == (1, "signer_unknown")
    assert run("restore", out, "--inspect")[0] == 4
    assert error("--signed-by", "nobody") == (2, "no_key_named")
    other = KeyFiles(keys, b"a long sentence", SeededRandomness(2)).make("node", Algorithm.ED25519)
    assert error() == (1, "backup_of_another")
    assert error("--inspect") == (1, "backup_of_another")
    assert error("--signed-by", other.public.multikey) == (1, "backup_of_another")
    assert run("restore", out, "--inspect", "--signed-by", mine)[0] == 0
    file = tmp_path / "key.pub"
    file.write_text(listed["key"] + "\n")
    assert run("restore", out, "--signed-by", file)[0] == 0


@service
def test_an_unsigned_archive_is_read_only_where_somebody_asks_for_that(
    run: Run, by_url: str, tmp_path: Path
):
    old = Path(__file__).parents[1] / "golden" / "backup-v1.zdbackup"
    status, told, _ = run("restore", old, "--json")
    assert (status, json.loads(told)["error"]) == (1, "backup_unsigned")
    assert "--unsigned" in json.loads(told)["remedy"]
    status, told, _ = run("restore", old, "--inspect", "--unsigned", "--json")
    assert (status, json.loads(told)["signed_by"]) == (4, "")
    # A newer, signed one is known: this one has no number at all.
    assert run("backup", "-o", tmp_path / "new")[0] == 0
    status, told, _ = run("restore", old, "--unsigned", "--json")
    assert (status, json.loads(told)["error"]) == (1, "backup_older")
    assert "--older 0" in json.loads(told)["remedy"]


@service
def test_a_backup_is_sealed_to_the_recovery_key_of_the_settings(
    run: Run,
    by_url: str,
    empty_database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("ZHIDAO_BACKUP_RECOVERY_KEY", RECIPIENT)
    out, identity = tmp_path / "x.age", tmp_path / "identity"
    identity.write_text(f"# public key: {RECIPIENT}\n{IDENTITY}\n")
    assert json.loads(run("backup", "-o", out, "--json")[1])["sealed"]
    monkeypatch.setenv("ZHIDAO_DATABASE_URL", empty_database_url)
    status, told, _ = run("restore", out, "--json")
    assert (status, json.loads(told)["error"]) == (1, "backup_sealed")
    assert run("restore", out, "--identity", identity)[0] == 0
    status, told, _ = run("backup", "--seal-to", "age1nobody", "-o", tmp_path / "y", "--json")
    assert (status, json.loads(told)["error"]) == (2, "bad_recipient")


@service
def test_a_backup_needs_the_key_of_the_node_and_makes_none(
    run: Run, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ZHIDAO_DATABASE_URL", database_url)
    status, told, _ = run("backup", "-o", tmp_path / "x", "--json")
    assert (status, json.loads(told)["error"]) == (1, "no_keys")
    assert not list(tmp_path.rglob("*.key"))
    assert not (tmp_path / "x").exists()


def test_keys_are_listed_exported_and_imported_by_acts_of_their_own(run: Run, tmp_path: Path):
    keys = tmp_path / "data" / "keys"
    KeyFiles(keys, b"a long sentence", SeededRandomness(1)).make("node", Algorithm.ED25519)
    status, told, _ = run("keys", "list", "--json")
    assert status == 0
    [listed] = json.loads(told)
    assert listed["name"] == "node"
    out = tmp_path / "node.zdkeys"
    assert json.loads(run("keys", "export", "-o", out, "--json")[1])["keys"] == 1
    status, told, _ = run("keys", "export", "-o", out, "--json")
    assert (status, json.loads(told)["error"]) == (1, "file_exists")
    assert run("keys", "import", out)[0] == 1
    shutil.rmtree(keys)
    assert run("keys", "import", out)[0] == 0
    assert json.loads(run("keys", "list", "--json")[1]) == [listed]


def test_a_wrong_passphrase_is_status_1(run: Run, tmp_path: Path):
    keys = tmp_path / "data" / "keys"
    KeyFiles(keys, b"another", SeededRandomness(1)).make("node", Algorithm.ED25519)
    status, told, _ = run("keys", "export", "-o", tmp_path / "x", "--json")
    assert (status, json.loads(told)["error"]) == (1, "wrong_passphrase")


def test_an_export_needs_a_name_for_its_file(run: Run):
    with pytest.raises(SystemExit) as caught:
        run("keys", "export")
    assert caught.value.code == 2


@pytest.mark.parametrize("action", ["list", "verify"])
def test_a_folder_without_an_archived_day_is_said_to_have_none(
    run: Run, tmp_path: Path, action: str
):
    code, out, _ = run("archive", action, str(tmp_path), "--json")
    assert (code, json.loads(out)["error"]) == (1, "no_archive")
