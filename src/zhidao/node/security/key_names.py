"""Which key lies under which name: two key files that changed places are known as such.

A sealed key file says its public key and not whose it is. What was seen first under a name stands
beside the files under the vault's tag, which takes the passphrase; a folder of an earlier release
gets list and tag at the next start, and from then on one without them is refused.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.errors import MalformedInput, Refused, ZhidaoError
from zhidao.core.files.bounded import read_kept
from zhidao.core.keyfile import Vault
from zhidao.core.keys import PublicKey
from zhidao.node.security.private_files import write_private

NAMES: Final = "names.json"
MISPLACED_REMEDY: Final = (
    "give each file its own name again, from a copy of the folder, or import an export of the keys"
    " into an empty keys folder: zhidao keys import; until then nothing is signed"
)
NAMES_REMEDY: Final = (
    "put names.json back from a copy of the folder; if there is none, compare zhidao keys list with"
    " what others know of these keys, then export them and import them into an empty keys folder"
)
_CHECK: Final = ""
# No label: those have a dot.
_TAG: Final = "tag"


class KeyNames:
    """The list of a keys folder: Multikeys by name and algorithm (`party.maker.ed25519`).

    Without the vault (no passphrase) its tag is not judged, and nothing is written.
    """

    def __init__(self, folder: Path, vault: Vault | None) -> None:
        self._folder = folder
        self._vault = vault
        self.file = folder / NAMES

    def read(self) -> dict[str, str]:
        """The list, empty without a file.

        Raises MalformedInput for a damaged one, and for one that the vault does not vouch for.
        """
        return self._read()[0]

    def _read(self) -> tuple[dict[str, str], bool]:
        """The list, and whether the vault vouched for it."""
        if not self.file.exists():
            if self._is_vouched and any(self._folder.glob("*.key")):
                raise MalformedInput(
                    f"{self.file.name}, the list of which key lies under which name, is missing",
                    where=str(self.file),
                    remedy=NAMES_REMEDY,
                )
            return {}, False
        names = self._parsed()
        tag = names.pop(_TAG, "")
        if self._vault is None or (not tag and not self._is_vouched):
            return names, False
        if not hmac.compare_digest(tag.encode(), self._vault.tag(jcs(dict(names))).encode()):
            raise _damaged(self.file)
        return names, True

    def _parsed(self) -> dict[str, str]:
        """What the file says under its own check, the tag among it."""
        try:
            listed = parse_strict(read_kept(self.file))
        except (MalformedInput, OSError) as error:
            raise _damaged(self.file) from error
        if not isinstance(listed, dict) or not all(isinstance(k, str) for k in listed.values()):
            raise _damaged(self.file)
        names = {str(label): str(key) for label, key in listed.items()}
        if names.pop(_CHECK, "") != _check_of(names):
            raise _damaged(self.file)
        return names

    @property
    def _is_vouched(self) -> bool:
        return self._vault is not None and self._vault.names_vouched

    def check(self) -> None:
        """Raises Refused (`key_misplaced`) for the first file that holds another name's key.

        What is new is listed. A damaged key file is left to who opens it.
        """
        listed, is_vouched = self._read()
        seen = self._seen()
        for label in sorted(seen):
            said = self.fault(label, seen[label], listed, seen)
            if said:
                raise Refused(
                    said,
                    code="key_misplaced",
                    where=str(self._folder / f"{label}.key"),
                    remedy=MISPLACED_REMEDY,
                )
        if seen and not (is_vouched and seen.items() <= listed.items()):
            self.write(listed | seen)

    def faults(self) -> dict[Path, str]:
        """What is wrong with each misplaced file, by its path; writes nothing."""
        listed, seen = self.read(), self._seen()
        return {
            self._folder / f"{label}.key": said
            for label, key in sorted(seen.items())
            if (said := self.fault(label, key, listed, seen))
        }

    def fault(
        self, label: str, key: str, listed: Mapping[str, str], seen: Mapping[str, str]
    ) -> str:
        """Why a key is not the one of its name, or empty."""
        homes = [other for other, its in listed.items() if its == key and other != label]
        if label not in listed:
            return self._fault_of_new(label, key, homes, seen)
        if listed[label] != key:
            other = f", which is {homes[0]}'s" if homes else ""
            was = PublicKey.from_multikey(listed[label]).fingerprint
            return (
                f"{label} has the key {PublicKey.from_multikey(key).fingerprint}{other}; its own is"
                f" {was}"
            )
        return ""

    def _fault_of_new(
        self, label: str, key: str, homes: Sequence[str], seen: Mapping[str, str]
    ) -> str:
        """The same for a name that is not listed; `homes`: names that the key has in the list."""
        if any(seen.get(home) == key for home in homes):
            return f"{label} is a copy of {homes[0]}'s key"
        # A party's key goes from waiting to its number; no key goes from one party to another.
        is_another = homes and not any(_whose(home) == _whose(label) for home in homes)
        return f"{label} has {homes[0]}'s key" if is_another else ""

    def forget(self, label: str) -> None:
        """A key leaves its name."""
        listed = self.read()
        if listed.pop(label, None) is not None:
            self.write(listed)

    def add(self, label: str, key: str) -> None:
        """A key gets its name."""
        self.write(self.read() | {label: key})

    def _seen(self) -> dict[str, str]:
        found = {}
        for file in self._folder.glob("*.key"):
            try:
                fields = parse_strict(read_kept(file))
                public = PublicKey.from_multikey(str(fields["public"]))
            except (ZhidaoError, OSError, KeyError, TypeError, ValueError):
                continue
            found[file.stem] = public.multikey
        return found

    def write(self, names: Mapping[str, str]) -> None:
        """Replaces the list, under the vault's tag."""
        assert self._vault is not None, "who writes names has the passphrase"
        tagged = {**names, _TAG: self._vault.tag(jcs(dict(names)))}
        write_private(self.file, jcs({**tagged, _CHECK: _check_of(tagged)}))


def _whose(label: str) -> tuple[str, str]:
    """The party or use of a key, and its algorithm, without its number."""
    name, _, algorithm = label.rpartition(".")
    return name.partition("_")[0], algorithm


def _check_of(names: Mapping[str, str]) -> str:
    return hashlib.sha256(jcs(dict(names))).hexdigest()


def _damaged(file: Path) -> MalformedInput:
    return MalformedInput(
        f"{file.name}, the list of which key lies under which name, was changed",
        where=str(file),
        remedy=NAMES_REMEDY,
    )
