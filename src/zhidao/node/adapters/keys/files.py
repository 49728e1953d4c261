"""The node's keys on disk: one vault, one sealed file a key, all of mode 0600."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from zhidao.core.ambient import Randomness
from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.files.bounded import read_kept
from zhidao.core.ids import PartyId
from zhidao.core.keyfile import Vault, check_key_file, create_vault, open_vault, vouching
from zhidao.core.keys import Algorithm, Signer, SoftwareKey
from zhidao.node.security.key_names import NAMES, KeyNames
from zhidao.node.security.party_keys import party_keys
from zhidao.node.security.private_files import sync_folder, write_private

VAULT: Final = "vault.json"
VAULT_REMEDY: Final = (
    "put vault.json back from a copy of the folder, or import an export of the keys into an empty"
    " keys folder: zhidao keys import"
)


KEYS_REMEDY: Final = (
    "put the file back from a copy of the folder, or import an export of the keys into an empty"
    " keys folder: zhidao keys import; no new key is made in its place"
)


@contextmanager
def _named(file: Path, remedy: str) -> Iterator[None]:
    """Whatever is wrong with the bytes of a file is told with its name and what to do."""
    try:
        yield
    except (MalformedInput, Refused) as error:
        error.where = f"{file} {error.where}".strip()
        error.remedy = error.remedy or remedy
        raise
    except OSError as error:
        raise MalformedInput(
            f"{file} cannot be read: {error.strerror}", code="file_unusable", remedy=remedy
        ) from error


class Inventory:
    """Which keys a folder has had, by name and algorithm: one that is lost is known as lost."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "inventory.json"

    def read(self) -> frozenset[str] | None:
        """The names, None without a file. Raises MalformedInput for a damaged one."""
        if not self.file.exists():
            return None
        remedy = f"if no key is lost, remove it, and the next start writes it anew: rm {self.file}"
        with _named(self.file, remedy):
            said = read_kept(self.file)
            names = parse_strict(said)
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                raise MalformedInput("not an inventory of keys")
            if _inventory(names) != said:
                raise MalformedInput("an inventory of keys was changed")
        return frozenset(names[:-1])

    def write(self, names: Iterable[str]) -> None:
        """Replaces the names."""
        listed = sorted(names)
        write_private(self.file, _inventory([*listed, _check_of(listed)]))


def _inventory(names: list[str]) -> bytes:
    """The bytes of an inventory; its last entry is a check of the others."""
    if not names or names[-1] != _check_of(names[:-1]):
        raise MalformedInput("an inventory of keys was changed")
    return jcs([*names])


def _check_of(names: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(names).encode()).hexdigest()


def read_key(file: Path, vault: Vault | None) -> None:
    """Raises MalformedInput or Refused, naming the file, if it is not whole.

    Without the vault only what stands in it readable is judged.
    """
    with _named(file, KEYS_REMEDY):
        data = read_kept(file)
        if vault is not None:
            vault.open(data)
        else:
            check_key_file(data)


class KeyFiles:
    """Finds or makes keys by name; a KeyRing for parties under one algorithm is a view of it.

    A folder that holds none stays as it is until the first is made: an export can come into it.
    """

    def __init__(self, folder: Path, passphrase: bytes, randomness: Randomness) -> None:
        self._folder = folder
        self._passphrase = passphrase
        self._randomness = randomness
        self._open: dict[str, SoftwareKey] = {}
        self._vault = self._vault_of()
        self._inventory = Inventory(folder)
        self._had = self._listed()
        self._named = KeyNames(folder, self._vault)
        if self._vault is not None:
            self._named.check()
            vouch(folder, passphrase, randomness)

    def get(self, name: str, algorithm: Algorithm) -> SoftwareKey | None:
        """The key of that name, or None if there never was one.

        Raises Refused (`key_missing`) for one that is lost.
        """
        label = f"{name}.{algorithm.label}"
        if label not in self._open:
            file = self._folder / f"{label}.key"
            if not file.exists():
                if label in self._had:
                    raise Refused(
                        f"the key {label} is missing",
                        code="key_missing",
                        where=str(file),
                        remedy=KEYS_REMEDY,
                    )
                return None
            assert self._vault is not None, "a folder with a key and no vault was refused"
            with _named(file, KEYS_REMEDY):
                self._open[label] = self._vault.open(read_kept(file))
        return self._open[label]

    def make(self, name: str, algorithm: Algorithm) -> SoftwareKey:
        """The key of that name, made and written down if it is new."""
        key = self.get(name, algorithm)
        if key is None:
            key = SoftwareKey(algorithm, self._randomness.token(algorithm.secret_bytes))
            label = f"{name}.{algorithm.label}"
            sealed = self._made_vault().seal(key, self._randomness)
            write_private(self._folder / f"{label}.key", sealed)
            self._open[label] = key
            self._had |= {label}
            self._inventory.write(self._had)
            self._named.add(label, key.public.multikey)
        return key

    def of_party(self, party: str, algorithm: Algorithm) -> list[SoftwareKey]:
        """All keys that a party has had here in order, the present one last."""
        return party_keys(self, party, algorithm)

    def rename(self, name: str, to: str, algorithm: Algorithm) -> None:
        """Gives a key another name; in one step, so after a crash it has one of the two."""
        source = self._folder / f"{name}.{algorithm.label}.key"
        # The old name goes first and the new one comes last: after a crash the folder's files tell.
        self._had -= {source.stem}
        self._inventory.write(self._had)
        self._named.forget(source.stem)
        self._named.forget(f"{to}.{algorithm.label}")
        source.replace(source.with_name(f"{to}.{algorithm.label}.key"))
        self._had |= {f"{to}.{algorithm.label}"}
        self._inventory.write(self._had)
        sync_folder(self._folder)
        self._named.check()
        self._open.clear()

    def names(self) -> list[str]:
        """Names of all keys with their algorithm, in order."""
        return sorted(file.stem for file in self._folder.glob("*.key"))

    def _listed(self) -> frozenset[str]:
        """What the inventory says and what there is; a folder of an earlier release has none."""
        listed = self._inventory.read()
        had = frozenset(self.names()) | (listed or frozenset())
        if had != listed and had:
            self._inventory.write(had)
        return had

    def _vault_of(self) -> Vault | None:
        file = self._folder / VAULT
        if file.exists():
            with _named(file, VAULT_REMEDY):
                return open_vault(read_kept(file), self._passphrase)
        if any(self._folder.glob("*.key")):
            raise MalformedInput(
                f"{self._folder} has keys but no vault.json, without which none opens",
                code="vault_missing",
                where=str(file),
                remedy=VAULT_REMEDY,
            )
        return None

    def _made_vault(self) -> Vault:
        """The vault, made if the folder has none yet."""
        if self._vault is None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            data, vault = create_vault(self._passphrase, self._randomness)
            # The list first: a vault that vouches for one is never without it.
            self._named = KeyNames(self._folder, vault)
            self._named.write({})
            write_private(self._folder / VAULT, data)
            self._vault = vault
        return self._vault


def vouch(folder: Path, passphrase: bytes, randomness: Randomness) -> None:
    """From here on the vault of a folder says that its list of names bears a tag."""
    file = folder / VAULT
    data = read_kept(file)
    if (folder / NAMES).exists() and not open_vault(data, passphrase).names_vouched:
        write_private(file, vouching(data, passphrase, randomness))


class PartyRing:
    """The parties' present keys of one algorithm for which this node is custodian.

    Keys are rotated while the node stands still, so what was found once is kept. `lacking`: parties
    whose present key is lost; none that they had before speaks for them.
    """

    def __init__(
        self, files: KeyFiles, algorithm: Algorithm, lacking: Container[PartyId] = ()
    ) -> None:
        self._files = files
        self._lacking = lacking
        self._algorithm = algorithm
        self._found: dict[PartyId, Signer] = {}

    def signer(self, party: PartyId) -> Signer | None:
        """The party's key, or None."""
        if party in self._lacking:
            return None
        if party not in self._found:
            keys = party_keys(self._files, party, self._algorithm)
            if not keys:
                return None
            self._found[party] = keys[-1]
        return self._found[party]
