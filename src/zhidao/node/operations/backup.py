"""What a backup must be before it is restored: signed by the right key, and not older than known.

Keys and the copy of the log's head stay outside of backups on purpose. Keys move by an act of their
own. The copy of the newest checkpoint, and the number of the newest backup beside it, are how an
older state is noticed, so they must not be put back together with it.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from zhidao.core.canonical import decode_json, jcs
from zhidao.core.errors import MalformedInput, Refused, ZhidaoError
from zhidao.core.files.bounded import read_kept
from zhidao.core.keys import PublicKey
from zhidao.node.config import Config
from zhidao.node.security.private_files import write_private
from zhidao.store.backup import Summary
from zhidao.trust.domain.note import Checkpoint
from zhidao.trust.wire.log.note import decode_note, parse_checkpoint

HEAD_COPY: Final = "log/checkpoint"
COUNTER_COPY: Final = "log/backups"
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{4}(-[0-9a-f]{4}){7}")
_KEY_FILE_BYTES_MAX: Final = 4096


class Counter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The newest backup by its number, as a file beside the database remembers it.

    `check` is the SHA-256 of both, so that a damaged number is known as damaged.
    """

    number: int = 0
    at: str = ""
    check: str = ""

    def checked(self) -> Counter:
        """The same with its check."""
        digest = hashlib.sha256(f"{self.number} {self.at}".encode()).hexdigest()
        return Counter(number=self.number, at=self.at, check=digest)


@dataclass(frozen=True, slots=True)
class Conditions:
    """What an archive is held to. `signers`: fingerprints, any of which may have signed it.

    `newest`: the number of the newest backup that anybody here knows of, 0 if nobody does.
    `older`: the number of an older one that is restored all the same.
    """

    signers: Sequence[str]
    newest: int = 0
    older: int | None = None

    def judge(self, summary: Summary) -> None:
        """Raises Refused (`signer_unknown`, `backup_of_another`, `backup_older`)."""
        if summary.signer is not None:
            self.judge_signer(summary.signer)
        number = number_of(summary.meta)
        if number < self.newest and number != self.older:
            raise Refused(
                f"this is backup {number} of {summary.meta.get('at') or 'an unknown time'};"
                f" backup {self.newest} is newer",
                code="backup_older",
                remedy=f"restore backup {self.newest}, or name this one: --older {number}",
            )

    def judge_signer(self, signer: PublicKey) -> None:
        """Raises Refused if the signer is none of those that count."""
        if not self.signers:
            raise Refused(
                f"the backup is signed by {signer.fingerprint}; nothing here says whose key that"
                " is",
                code="signer_unknown",
                remedy="import the node's keys first (zhidao keys import FILE), or name the key"
                " that you expect: --signed-by FINGERPRINT",
            )
        if signer.fingerprint not in self.signers:
            raise Refused(
                f"the backup is signed by {signer.fingerprint}, not by {' or '.join(self.signers)}",
                code="backup_of_another",
                remedy="use a backup of this node; zhidao keys list shows its fingerprints",
            )


def number_of(meta: Mapping[str, Any]) -> int:
    """The number of a backup; those from before numbers have 0."""
    number = meta.get("number", 0)
    return number if isinstance(number, int) else 0


def _start_of(file: Path) -> bytes:
    with file.open("rb") as opened:
        said = opened.read(_KEY_FILE_BYTES_MAX + 1)
    if len(said) > _KEY_FILE_BYTES_MAX:
        raise ValueError(f"more than {_KEY_FILE_BYTES_MAX} bytes")  # Told by its caller.
    return said


def fingerprint_in(text: str) -> str:
    """The fingerprint that `--signed-by` means: itself, a Multikey, or a file that holds either.

    Raises MalformedInput (`no_key_named`).
    """
    file = Path(text)
    try:
        said = _start_of(file) if file.is_file() else text.encode()
        said_text = said.decode().strip()
        if _FINGERPRINT.fullmatch(said_text):
            return said_text
        return PublicKey.from_multikey(said_text).fingerprint
    except (ZhidaoError, OSError, ValueError) as error:
        raise MalformedInput(
            f"{text[:80]!r} is no fingerprint, no Multikey and no file of one"
            f" within {_KEY_FILE_BYTES_MAX} bytes",
            code="no_key_named",
            remedy="zhidao keys list --json shows both for each key",
        ) from error


def newest_head(config: Config) -> Checkpoint | None:
    """The log's newest head by the copy beside the database, None if there is none to read."""
    try:
        return parse_checkpoint(decode_note(read_kept(config.data / HEAD_COPY)).text)
    except (FileNotFoundError, ZhidaoError):
        return None


def newest_counter(folder: Path) -> Counter:
    """The number of the newest backup by the copy in a node's folder.

    Raises MalformedInput (`file_unusable`) for a file that is there and cannot be read: an older
    archive would pass for the newest.
    """
    file = folder / COUNTER_COPY
    try:
        counter = decode_json(read_kept(file), Counter)
    except FileNotFoundError:
        return Counter()
    except (OSError, msgspec.DecodeError, MalformedInput) as error:
        raise _unusable(file, str(error)) from error
    if counter != counter.checked():
        raise _unusable(file, "its check does not fit")
    return counter


async def newest_backup_at(folder: Path) -> str:
    """When the newest backup was made; empty: never. Raises MalformedInput (`file_unusable`)."""
    return (await asyncio.to_thread(newest_counter, folder)).at


def _unusable(file: Path, why: str) -> MalformedInput:
    return MalformedInput(
        f"{file} cannot be read: {why}",
        code="file_unusable",
        remedy=f"put a copy of it back, or remove it: rm {file}",
    )


def keep_counter(config: Config, counter: Counter) -> None:
    """Writes the number beside the database. Raises OSError."""
    file = config.data / COUNTER_COPY
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(file, jcs(msgspec.to_builtins(counter.checked())))
