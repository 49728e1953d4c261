from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path

import pytest

from zhidao.core.ambient import SeededRandomness
from zhidao.core.errors import MalformedInput, Refused, ZhidaoError
from zhidao.core.keyfile import create_vault
from zhidao.core.keys import Algorithm
from zhidao.node.adapters.keys.export import export_keys, import_keys, list_keys, public_key
from zhidao.node.adapters.keys.files import KeyFiles

# Passwords and passphrases cost here what they cost a thief.
pytestmark = pytest.mark.slow

PASSPHRASE = b"correct horse battery staple"
RANDOM = SeededRandomness(3)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys of a node and a party, and their export: made once, because the passphrase costs."""
    root = tmp_path_factory.mktemp("made")
    files = KeyFiles(root / "keys", PASSPHRASE, RANDOM)
    files.make("node", Algorithm.ED25519)
    files.make("party.exporter", Algorithm.SECP256K1)
    assert export_keys(root / "keys", PASSPHRASE, root / "node.zdkeys", RANDOM) == 2
    return root


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy of the keys that a test may change."""
    return Path(shutil.copytree(made / "keys", tmp_path / "keys"))


@pytest.fixture
def exported(made: Path, tmp_path: Path) -> Path:
    """A copy of the export that a test may change."""
    return Path(shutil.copy2(made / "node.zdkeys", tmp_path / "node.zdkeys"))


def test_imported_keys_are_the_exported_ones(folder: Path, exported: Path, tmp_path: Path):
    there = tmp_path / "elsewhere" / "keys"
    assert import_keys(exported, PASSPHRASE, there, RANDOM) == 2
    assert {f.name: f.read_bytes() for f in there.iterdir()} == {
        f.name: f.read_bytes() for f in folder.iterdir()
    }
    assert {stat.S_IMODE(f.stat().st_mode) for f in there.iterdir()} == {0o600}


def test_an_export_is_private_and_shows_neither_names_nor_keys(folder: Path, exported: Path):
    assert stat.S_IMODE(exported.stat().st_mode) == 0o600
    text = exported.read_text()
    assert "exporter" not in text
    assert not any(key.public in text for key in list_keys(folder))


def test_an_export_is_never_written_over(folder: Path, exported: Path):
    before = exported.read_bytes()
    with pytest.raises(Refused) as caught:
        export_keys(folder, PASSPHRASE, exported, RANDOM)
    assert caught.value.code == "file_exists"
    assert exported.read_bytes() == before


def test_keys_are_never_written_over(folder: Path, exported: Path):
    with pytest.raises(Refused) as caught:
        import_keys(exported, PASSPHRASE, folder, RANDOM)
    assert caught.value.code == "keys_exist"


def test_the_wrong_passphrase_opens_nothing(folder: Path, exported: Path, tmp_path: Path):
    with pytest.raises(Refused) as caught:
        import_keys(exported, b"guess", tmp_path / "new", RANDOM)
    assert caught.value.code == "wrong_passphrase"
    assert not (tmp_path / "new").exists()
    with pytest.raises(Refused):
        export_keys(folder, b"guess", tmp_path / "other", RANDOM)
    assert not (tmp_path / "other").exists()


def test_a_changed_key_is_found_before_it_is_exported(folder: Path, tmp_path: Path):
    file = folder / "node.ed25519.key"
    fields = json.loads(file.read_text())
    fields["public"] = list_keys(folder)[1].public
    file.write_text(json.dumps(fields))
    with pytest.raises(ZhidaoError):
        export_keys(folder, PASSPHRASE, tmp_path / "other", RANDOM)
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("at", range(0, 900, 61))
def test_any_changed_byte_is_refused(exported: Path, tmp_path: Path, at: int):
    data = bytearray(exported.read_bytes())
    data[at % len(data)] ^= 1
    exported.write_bytes(data)
    with pytest.raises(ZhidaoError):
        import_keys(exported, PASSPHRASE, tmp_path / "new", RANDOM)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", b"\xff", b'{"v":1}'])
def test_other_files_are_no_export(tmp_path: Path, data: bytes):
    file = tmp_path / "x"
    file.write_bytes(data)
    with pytest.raises(MalformedInput):
        import_keys(file, PASSPHRASE, tmp_path / "new", RANDOM)


def test_names_and_fingerprints_need_no_passphrase(folder: Path):
    keys = list_keys(folder)
    assert [(k.name, k.algorithm) for k in keys] == [
        ("node", "ed25519"),
        ("party.exporter", "secp256k1"),
    ]
    found = public_key(folder, "node.ed25519")
    assert found
    assert found.fingerprint == keys[0].fingerprint
    assert public_key(folder, "nobody.ed25519") is None


def test_keys_come_into_a_folder_where_a_refused_start_left_a_vault(exported: Path, tmp_path: Path):
    there = tmp_path / "keys.lost"
    there.mkdir()
    # What earlier releases wrote before they refused.
    (there / "vault.json").write_bytes(create_vault(PASSPHRASE, SeededRandomness(9))[0])
    assert import_keys(exported, PASSPHRASE, there, RANDOM) == 2
    assert KeyFiles(there, PASSPHRASE, RANDOM).get("node", Algorithm.ED25519)


def test_a_vault_whose_keys_are_elsewhere_is_not_replaced(folder: Path, exported: Path):
    for file in folder.glob("*.key"):
        file.unlink()
    before = (folder / "vault.json").read_bytes()
    with pytest.raises(Refused) as caught:
        import_keys(exported, PASSPHRASE, folder, RANDOM)
    assert caught.value.code == "keys_exist"
    assert "move this one aside" in caught.value.remedy
    assert (folder / "vault.json").read_bytes() == before


def test_a_folder_without_keys_has_none_to_export(tmp_path: Path):
    with pytest.raises(Refused) as caught:
        export_keys(tmp_path, PASSPHRASE, tmp_path / "x", RANDOM)
    assert caught.value.code == "no_keys"
    assert list_keys(tmp_path) == []
