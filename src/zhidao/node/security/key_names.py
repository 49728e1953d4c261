"""Which key lies under which name: two key files that changed places are known as such.

A sealed key file says its public key and not whose it is. What was seen first under a name stands
beside the files; a folder of an earlier release gets its list at the next start.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.errors import MalformedInput, Refused, ZhidaoError
from zhidao.core.files.bounded import read_kept
from zhidao.core.keys import PublicKey
from zhidao.node.security.private_files import write_private

MISPLACED_REMEDY: Final = (
    "give each file its own name again, from a copy of the folder, or import an export of the keys"
    " into an empty keys folder: zhidao keys import; until then nothing is signed"
)
_CHECK: Final = ""


class KeyNames:
    """The list of a keys folder: Multikeys by name and algorithm (`party.maker.ed25519`)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.file = folder / "names.json"

    def read(self) -> dict[str, str]:
        """The list, empty without a file. Raises MalformedInput for a damaged one."""
        if not self.file.exists():
            return {}
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

    def check(self) -> None:
        """Raises Refused (`key_misplaced`) for the first file that holds another name's key.

        What is new is listed. A damaged key file is left to who opens it.
        """
        listed = self.read()
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
        if not seen.items() <= listed.items():
            self._write(listed | seen)

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
        if label in listed and listed[label] != key:
            other = f", which is {homes[0]}'s" if homes else ""
            was = PublicKey.from_multikey(listed[label]).fingerprint
            return (
                f"{label} has the key {PublicKey.from_multikey(key).fingerprint}{other}; its own is"
                f" {was}"
            )
        # A key that was given another name has left the former one.
        if label not in listed and any(seen.get(home) == key for home in homes):
            return f"{label} is a copy of {homes[0]}'s key"
        return ""

    def forget(self, label: str) -> None:
        """A key leaves its name."""
        listed = self.read()
        if listed.pop(label, None) is not None:
            self._write(listed)

    def add(self, label: str, key: str) -> None:
        """A key gets its name."""
        self._write(self.read() | {label: key})

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

    def _write(self, names: Mapping[str, str]) -> None:
        write_private(self.file, jcs({**names, _CHECK: _check_of(names)}))


def _check_of(names: Mapping[str, str]) -> str:
    return hashlib.sha256(jcs(dict(names))).hexdigest()


def _damaged(file: Path) -> MalformedInput:
    return MalformedInput(
        f"{file.name}, the list of which key lies under which name, was changed",
        where=str(file),
        remedy=f"if no key file was renamed, remove it: the next start writes it anew: rm {file}",
    )
