"""A node's keys in one sealed file, to keep apart from its backups, and the way back.

The file holds the vault and every key file, sealed once more under the node's own passphrase: it
shows neither how many keys there are nor whose.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from zhidao.core.ambient import Randomness
from zhidao.core.canonical import jcs, parse_strict
from zhidao.core.encoding import base64url, parse_base64url
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.files.bounded import open_given, read_kept
from zhidao.core.files.output import PRIVATE, write_whole
from zhidao.core.keyfile import check_key_file, open_vault
from zhidao.core.keys import PublicKey
from zhidao.core.versions import check_version_in
from zhidao.node.adapters.keys.files import VAULT, Inventory, vouch
from zhidao.node.security.key_names import KeyNames
from zhidao.node.security.private_files import write_private

FORMAT: Final = "zhidao.keys"
_FIELDS: Final = {"v", "format", "kdf", "n", "salt", "nonce", "sealed"}
# As in core.keyfile: about 0.1 s and 32 MiB.
_SCRYPT_N: Final = 2**15
_SCRYPT_R: Final = 8
_BYTES_MAX: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A key as its file shows it to anybody: nothing secret."""

    name: str
    algorithm: str
    fingerprint: str
    public: str


def list_keys(folder: Path) -> list[ListedKey]:
    """The keys of a folder in order of name; needs no passphrase. Raises MalformedInput."""
    return [_listed(file) for file in sorted(folder.glob("*.key"))]


def public_key(folder: Path, name: str) -> PublicKey | None:
    """The public key of that name and algorithm (`node.ed25519`), or None."""
    file = folder / f"{name}.key"
    return PublicKey.from_multikey(_listed(file).public) if file.exists() else None


def export_keys(folder: Path, passphrase: bytes, out: Path, randomness: Randomness) -> int:
    """Writes all keys to a new file of mode 0600 and returns how many there are.

    Every key is opened first, so that an export is known to be good. Raises Refused
    (`file_exists`, `no_keys`, `wrong_passphrase`, `bad_key`).
    """
    if out.exists():
        raise Refused(
            f"{out} stands already", code="file_exists", remedy="name a new file or remove it"
        )
    vault_data = _vault_of(folder)
    vault = open_vault(vault_data, passphrase)
    files = sorted(folder.glob("*.key"))
    for file in files:
        vault.open(read_kept(file))
    content = {VAULT: vault_data.decode(), **{f.name: read_kept(f).decode() for f in files}}
    salt, nonce = randomness.token(16), randomness.token(12)
    head: dict[str, Any] = {
        "v": 1,
        "format": FORMAT,
        "kdf": "scrypt",
        "n": _SCRYPT_N,
        "salt": base64url(salt),
        "nonce": base64url(nonce),
    }
    sealed = _cipher(passphrase, salt).encrypt(nonce, jcs(content), jcs(head))
    sealed_keys = jcs(head | {"sealed": base64url(sealed)})
    write_whole(out, sealed_keys, mode=PRIVATE, new=True)
    return len(files)


def import_keys(source: Path, passphrase: bytes, folder: Path, randomness: Randomness) -> int:
    """Puts exported keys into a folder that has none and returns how many there are.

    A vault under which no key was ever made gives way: earlier releases left one behind where a
    start was refused. Raises MalformedInput for another file, Refused (`wrong_passphrase`,
    `keys_exist`).
    """
    if any(folder.glob("*.key")) or ((folder / VAULT).exists() and Inventory(folder).read()):
        raise Refused(
            f"{folder} has keys already, or had some; none was touched",
            code="keys_exist",
            remedy=f"name a data folder without keys, or move this one aside: mv {folder} KEPT",
        )
    content = _opened(source, passphrase)
    vault = open_vault(content[VAULT].encode(), passphrase)
    for name, text in content.items():
        if name != VAULT:
            vault.open(text.encode())
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / VAULT).unlink(missing_ok=True)
    # The vault last: a folder with keys and no vault is refused when a node starts on it. Before it
    # the list that it vouches for, by which two files that change places are known.
    for name in sorted(content.keys() - {VAULT}):
        write_private(folder / name, content[name].encode())
    labels = [name.removesuffix(".key") for name in content if name != VAULT]
    Inventory(folder).write(labels)
    named = KeyNames(folder, vault)
    named.write({key.stem: check_key_file(read_kept(key)).multikey for key in folder.glob("*.key")})
    write_private(folder / VAULT, content[VAULT].encode())
    vouch(folder, passphrase, randomness)
    return len(labels)


def _opened(source: Path, passphrase: bytes) -> dict[str, str]:
    content = parse_strict(_decrypted(_read(source), passphrase), bytes_max=_BYTES_MAX)
    if not isinstance(content, dict) or VAULT not in content:
        raise MalformedInput("the export holds no vault", where=str(source))
    for name, text in content.items():
        # Names become files of the node's folder: none may lead out of it.
        if not isinstance(text, str) or Path(name).name != name or not _is_key_name(name):
            raise MalformedInput(f"the export names a file {name[:48]!r}", where=str(source))
    return content


def _read(source: Path) -> dict[str, Any]:
    try:
        with open_given(source) as file:
            fields = parse_strict(file.read(_BYTES_MAX + 1), bytes_max=_BYTES_MAX)
    except FileNotFoundError as error:
        raise MalformedInput(f"no file {source}") from error
    try:
        check_version_in(fields, form="a file of exported keys", known=(1,))
    except MalformedInput as error:
        error.where = str(source)
        raise
    if not isinstance(fields, dict) or set(fields) != _FIELDS:
        raise MalformedInput("not a file of exported keys", where=str(source))
    if (fields["v"], fields["format"], fields["n"]) != (1, FORMAT, _SCRYPT_N):
        raise MalformedInput("exported keys of another format or cost", where=str(source))
    return fields


def _decrypted(fields: Mapping[str, Any], passphrase: bytes) -> bytes:
    sealed = parse_base64url(_text(fields["sealed"]))
    salt, nonce = (parse_base64url(_text(fields[name])) for name in ("salt", "nonce"))
    # All but the ciphertext is authenticated with it: a changed cost of scrypt shows as a wrong
    # tag.
    head = {name: value for name, value in fields.items() if name != "sealed"}
    try:
        return _cipher(passphrase, salt).decrypt(nonce, sealed, jcs(head))
    except (InvalidTag, ValueError) as error:
        raise Refused(
            "wrong passphrase, or the file was changed",
            code="wrong_passphrase",
            remedy="give the passphrase of the node that the keys were exported from",
        ) from error


def _is_key_name(name: str) -> bool:
    return name == VAULT or (name.endswith(".key") and not name.startswith("."))


def _listed(file: Path) -> ListedKey:
    fields = parse_strict(read_kept(file), bytes_max=_BYTES_MAX)
    if not isinstance(fields, dict) or not isinstance(fields.get("public"), str):
        raise MalformedInput("not a key file", where=str(file))
    key = PublicKey.from_multikey(fields["public"])
    name = file.stem.removesuffix(f".{key.algorithm.label}")
    return ListedKey(name, key.algorithm.label, key.fingerprint, key.multikey)


def _vault_of(folder: Path) -> bytes:
    try:
        return read_kept(folder / VAULT)
    except FileNotFoundError as error:
        raise Refused(
            f"{folder} holds no keys", code="no_keys", remedy="name the node's folder with --data"
        ) from error


def _cipher(passphrase: bytes, salt: bytes) -> ChaCha20Poly1305:
    derived = Scrypt(salt=salt, length=32, n=_SCRYPT_N, r=_SCRYPT_R, p=1).derive(passphrase)
    return ChaCha20Poly1305(derived)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise MalformedInput("a field of the exported keys has the wrong type")
    return value
