"""Keys are made once, kept sealed, and come back for every algorithm."""

from __future__ import annotations

from pathlib import Path

import pytest

from zhidao.core.ambient import SeededRandomness
from zhidao.core.keys import Algorithm
from zhidao.node.adapters.key_files import KeyFiles


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
