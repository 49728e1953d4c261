"""The node's keys on disk: one vault, one sealed file a key, all of mode 0600."""

from __future__ import annotations

import os
from pathlib import Path

from zhidao.core.ambient import Randomness
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.ids import PartyId
from zhidao.core.keyfile import Vault, create_vault, open_vault
from zhidao.core.keys import Algorithm, Signer, SoftwareKey


class KeyFiles:
    """Finds or makes keys by name; a KeyRing for parties under one algorithm is a view of it."""

    def __init__(self, folder: Path, passphrase: bytes, randomness: Randomness) -> None:
        self._folder = folder
        self._randomness = randomness
        self._open: dict[str, SoftwareKey] = {}
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._vault = self._vault_of(passphrase)

    def get(self, name: str, algorithm: Algorithm) -> SoftwareKey | None:
        """The key of that name, or None."""
        label = f"{name}.{algorithm.label}"
        if label not in self._open:
            file = self._folder / f"{label}.key"
            if not file.exists():
                return None
            self._open[label] = self._vault.open(file.read_bytes())
        return self._open[label]

    def make(self, name: str, algorithm: Algorithm) -> SoftwareKey:
        """The key of that name, made and written down if it is new."""
        key = self.get(name, algorithm)
        if key is None:
            key = SoftwareKey(algorithm, self._randomness.token(algorithm.secret_bytes))
            label = f"{name}.{algorithm.label}"
            write_private(self._folder / f"{label}.key", self._vault.seal(key, self._randomness))
            self._open[label] = key
        return key

    def of_party(self, party: str, algorithm: Algorithm) -> list[SoftwareKey]:
        """All keys that a party has had here in order, the present one last."""
        return party_keys(self, party, algorithm)

    def rename(self, name: str, to: str, algorithm: Algorithm) -> None:
        """Gives a key another name; in one step, so after a crash it has one of the two."""
        source = self._folder / f"{name}.{algorithm.label}.key"
        source.replace(source.with_name(f"{to}.{algorithm.label}.key"))
        _sync(self._folder)
        self._open.clear()

    def names(self) -> list[str]:
        """Names of all keys with their algorithm, in order."""
        return sorted(file.stem for file in self._folder.glob("*.key"))

    def _vault_of(self, passphrase: bytes) -> Vault:
        file = self._folder / "vault.json"
        if file.exists():
            return open_vault(file.read_bytes(), passphrase)
        if any(self._folder.glob("*.key")):
            raise MalformedInput(f"{self._folder} has keys but no vault.json; restore it")
        data, vault = create_vault(passphrase, self._randomness)
        write_private(file, data)
        return vault


class PartyRing:
    """The parties' present keys of one algorithm for which this node is custodian.

    Keys are rotated while the node stands still, so what was found once is kept.
    """

    def __init__(self, files: KeyFiles, algorithm: Algorithm) -> None:
        self._files = files
        self._algorithm = algorithm
        self._found: dict[PartyId, Signer] = {}

    def signer(self, party: PartyId) -> Signer | None:
        """The party's key, or None."""
        if party not in self._found:
            keys = party_keys(self._files, party, self._algorithm)
            if not keys:
                return None
            self._found[party] = keys[-1]
        return self._found[party]


def party_key_name(party: str, number: int) -> str:
    """The name of a party's key by its number; no party's name holds an underscore."""
    return f"party.{party}" if number == 1 else f"party.{party}_{number}"


def party_keys(files: KeyFiles, party: str, algorithm: Algorithm) -> list[SoftwareKey]:
    """All keys that a party has had here in order, the present one last."""
    found: list[SoftwareKey] = []
    while key := files.get(party_key_name(party, len(found) + 1), algorithm):
        found.append(key)
    return found


def write_private(file: Path, data: bytes) -> None:
    """Writes a whole file of mode 0600 or nothing; durable when it returns."""
    temporary = file.with_name(file.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    temporary.replace(file)
    _sync(file.parent)


def _sync(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_passphrase(file: str, data: Path, credentials: str) -> bytes | None:
    """The passphrase from a systemd credential or a 0600 file; None if neither is given.

    Raises Refused if the file is readable by others or lies inside the data folder.
    """
    if credentials and (Path(credentials) / "zhidao-passphrase").exists():
        return (Path(credentials) / "zhidao-passphrase").read_bytes().strip()
    if not file:
        return None
    path = Path(file).expanduser().absolute()
    if path.is_relative_to(data):
        raise Refused(f"{path} lies in the data folder", remedy="a copy of one must not open it")
    if path.stat().st_mode & 0o077:
        raise Refused(f"others may read {path}", remedy=f"chmod 600 {path}")
    return path.read_bytes().strip()
