"""Keys are made once, kept sealed, and come back for every algorithm."""

from __future__ import annotations

from pathlib import Path

import pytest

from zhidao.core.ambient import SeededRandomness
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.keys import Algorithm
from zhidao.node.adapters.keys.files import KeyFiles


def test_a_key_of_any_algorithm_comes_back(tmp_path: Path) -> None:
    files = KeyFiles(tmp_path / "keys", b"passphrase", SeededRandomness(1))
    made = {algorithm: files.make("node", algorithm).public for algorithm in Algorithm}
    again = KeyFiles(tmp_path / "keys", b"passphrase", SeededRandomness(2))
    for algorithm, public in made.items():
        assert again.make("node", algorithm).public == public
    assert len(again.names()) == len(made)


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_no_secret_stands_in_the_file(tmp_path: Path, algorithm: Algorithm) -> None:
    class Told(SeededRandomness):
        def token(self, size: int) -> bytes:
            drawn.append(super().token(size))
            return drawn[-1]

    drawn: list[bytes] = []
    KeyFiles(tmp_path, b"passphrase", Told(1)).make("node", algorithm)
    secret = next(token for token in drawn if len(token) == algorithm.secret_bytes)
    for file in tmp_path.iterdir():
        data = file.read_bytes()
        assert secret not in data
        assert secret.hex().encode() not in data


@pytest.mark.parametrize("spoiled", [b"", b"\xff\xfe\x00", b'{"v":1', b"[" * 100_000])
@pytest.mark.parametrize("name", ["node.ed25519.key", "vault.json"])
def test_a_damaged_file_is_told_by_its_name_and_stays(
    tmp_path: Path, name: str, spoiled: bytes
) -> None:
    folder = tmp_path / "keys"
    KeyFiles(folder, b"passphrase", SeededRandomness(1)).make("node", Algorithm.ED25519)
    (folder / name).write_bytes(spoiled)
    with pytest.raises((MalformedInput, Refused)) as told:
        KeyFiles(folder, b"passphrase", SeededRandomness(2)).make("node", Algorithm.ED25519)
    assert name in told.value.where
    assert told.value.remedy
    assert (folder / name).read_bytes() == spoiled


def test_a_flipped_bit_in_a_key_is_told_by_the_file(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    KeyFiles(folder, b"passphrase", SeededRandomness(1)).make("node", Algorithm.ED25519)
    file = folder / "node.ed25519.key"
    data = file.read_bytes()
    for place in range(0, len(data), 7):
        file.write_bytes(data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :])
        with pytest.raises((MalformedInput, Refused)) as told:
            KeyFiles(folder, b"passphrase", SeededRandomness(2)).get("node", Algorithm.ED25519)
        assert "node.ed25519.key" in told.value.where


def test_keys_without_their_vault_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    KeyFiles(folder, b"passphrase", SeededRandomness(1)).make("node", Algorithm.ED25519)
    (folder / "vault.json").unlink()
    with pytest.raises(MalformedInput) as told:
        KeyFiles(folder, b"passphrase", SeededRandomness(2))
    assert told.value.code == "vault_missing"
    assert not (folder / "vault.json").exists()


def test_who_only_looks_for_a_key_leaves_a_folder_without_keys_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    files = KeyFiles(folder, b"passphrase", SeededRandomness(1))
    assert files.get("node", Algorithm.ED25519) is None
    assert files.names() == []
    assert not folder.exists()
