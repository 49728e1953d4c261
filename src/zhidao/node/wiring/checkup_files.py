"""Whether each file of a data folder is there and whole, and what to do about one that is not.

Reads only, beside a running node too. What can be judged from the bytes alone is; a private key is
opened where the passphrase is at hand.
"""

from __future__ import annotations

import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from zhidao.core.canonical import parse_strict
from zhidao.core.errors import MalformedInput, Refused, ZhidaoError
from zhidao.core.files.bounded import read_kept
from zhidao.core.keyfile import Vault, check_vault, open_vault
from zhidao.core.keys import Algorithm
from zhidao.core.remedies import remedy_of
from zhidao.node.adapters.keys.export import public_key
from zhidao.node.adapters.keys.files import KEYS_REMEDY, VAULT_REMEDY, Inventory, read_key
from zhidao.node.adapters.scenario_clock import read_time
from zhidao.node.config import ORGANISATION_FILE, Config
from zhidao.node.identity.log_keys import newest_log_key
from zhidao.node.operations.backup import COUNTER_COPY, HEAD_COPY, newest_counter
from zhidao.node.operations.checkup import Damage
from zhidao.node.operations.lost_folders import WITNESSED, lost_in
from zhidao.node.operations.odd_files import ODD_REMEDY, odd_in
from zhidao.node.security.key_names import MISPLACED_REMEDY, KeyNames
from zhidao.store.binaries import find_binaries
from zhidao.store.embedded import password_in
from zhidao.trust.adapters.witness.file import damaged_line
from zhidao.trust.domain.note import NoteKey, NoteKind
from zhidao.trust.wire.log.note import decode_note, parse_checkpoint

HEAD_REMEDY: Final = (
    "put the newest copy of it back; if there is none and no older database was put here, start"
    " the node: it takes the head from its database"
)
COUNTER_REMEDY: Final = "make a backup: zhidao backup numbers it by the log, and writes this anew"
_WITNESSED_REMEDY: Final = (
    "put the newest copy of it back before the node starts: without it this node's witness could"
    " sign a second history of a log that it has seen"
)
_TLS_REMEDY: Final = (
    "put both files back, or remove both and the file certificate beside their folder: the next"
    " start makes a new pair, and peers must be given the new certificate"
)
_CLUSTER_REMEDY: Final = "restore a backup into a new data folder: zhidao restore"
_ORGANISATION_REMEDY: Final = "start the node: it writes the name anew from its journal"
_STATE_REMEDY: Final = "start the node again: it writes this file at its start"
# PG_CONTROL_MAX_SAFE_SIZE of PostgreSQL: what it reads; the rest of the file is zero.
_CONTROL_READ: Final = 512
_CONTROL_BYTES: Final = 8192
_CHILD_S: Final = 20.0
# It grows by a line with each head that is witnessed.
_WITNESSED_BYTES: Final = 2**30


def examine_files(config: Config, passphrase: bytes | None) -> Iterator[Damage]:
    """What is lost or damaged in the data folder (`ExamineFiles`); nothing if no node has run."""
    data = config.data
    keys = data / "keys"
    steps: tuple[Callable[[], Iterator[Damage]], ...] = (
        lambda: _lost(config),
        lambda: _keys(keys, passphrase),
        lambda: _open_to_others(data),
        lambda: _organisation(data / ORGANISATION_FILE),
        lambda: _log(config),
        lambda: _database(data / "postgres"),
        lambda: _tls(data / "tls"),
        lambda: _scenario(data / "scenario-time"),
        lambda: _state(data / "node.json"),
    )
    odd = dict(odd_in(data))
    for file, kind in odd.items():
        yield Damage(file, f"it is {kind}, not a file", ODD_REMEDY)
    for step in steps:
        yield from (damage for damage in step() if damage.file not in odd)


def _lost(config: Config) -> Iterator[Damage]:
    for file, _, seen, remedy in lost_in(config):
        # Of a file that is lost out of a folder which stands, the folder's own check tells.
        if file.parent.name != "tls" or not file.parent.is_dir():
            yield Damage(file, seen, remedy)


def _keys(folder: Path, passphrase: bytes | None) -> Iterator[Damage]:
    files = sorted(folder.glob("*.key"))
    vault_file = folder / "vault.json"
    vault: Vault | None = None
    try:
        vault = _vault(vault_file, passphrase, is_used=bool(files))
    except (ZhidaoError, OSError) as error:
        yield Damage(vault_file, _said(error), VAULT_REMEDY)
    yield from _inventory(Inventory(folder), folder, is_used=bool(files))
    names = KeyNames(folder, vault)
    misplaced: dict[Path, str] = {}
    try:
        misplaced = names.faults()
    except MalformedInput as error:
        yield Damage(names.file, _said(error), remedy_of(error))
    for file in files:
        try:
            read_key(file, vault)
        except ZhidaoError as error:
            yield Damage(file, _said(error), KEYS_REMEDY)
        else:
            if file in misplaced:
                yield Damage(file, misplaced[file], MISPLACED_REMEDY)


def _open_to_others(data: Path) -> Iterator[Damage]:
    """Private keys that others on this machine may read or change, sealed or not."""
    for file in (*sorted(data.glob("keys/*")), data / "tls" / "key.pem"):
        if file.is_file() and (mode := stat.S_IMODE(file.stat().st_mode)) & 0o077:
            yield Damage(file, f"others may use it (mode {mode:o})", f"chmod 600 {file}")


def _organisation(file: Path) -> Iterator[Damage]:
    """It repeats the journal, which writes it anew; without it nobody may have given a name."""
    if not file.exists():
        return
    try:
        said = read_kept(file).decode()
    except (OSError, UnicodeDecodeError) as error:
        yield Damage(file, _said(error), _ORGANISATION_REMEDY)
        return
    if not said.strip() or not said.isprintable():
        yield Damage(file, "empty or not a name", _ORGANISATION_REMEDY)


def _inventory(inventory: Inventory, folder: Path, *, is_used: bool) -> Iterator[Damage]:
    try:
        listed = inventory.read()
    except MalformedInput as error:
        yield Damage(inventory.file, _said(error), remedy_of(error))
        return
    if listed is None and is_used:
        remedy = "compare zhidao keys list with what you have; the next start writes it anew"
        yield Damage(inventory.file, "missing: a lost key would not be known as lost", remedy)
    for label in sorted(listed or ()):
        if not (folder / f"{label}.key").exists():
            yield Damage(folder / f"{label}.key", "missing", KEYS_REMEDY)


def _vault(file: Path, passphrase: bytes | None, *, is_used: bool) -> Vault | None:
    if not file.exists():
        if is_used:
            raise MalformedInput("missing, and no key opens without it")
        return None
    data = read_kept(file)
    check_vault(data)
    return open_vault(data, passphrase) if passphrase is not None else None


def _log(config: Config) -> Iterator[Damage]:
    """The copies beside the database: a node that has run has them all but the counter."""
    head = config.data / HEAD_COPY
    if not head.parent.is_dir() and not (config.data / "postgres" / "cluster").is_dir():
        return
    try:
        if not head.exists():
            raise MalformedInput("missing: an older database would not be noticed")
        _check_head(read_kept(head), config.data / "keys")
    except (ZhidaoError, OSError) as error:
        yield Damage(head, _said(error), HEAD_REMEDY)
    try:
        newest_counter(config.data)
    except MalformedInput as error:
        yield Damage(config.data / COUNTER_COPY, _said(error), COUNTER_REMEDY)
    yield from _witnessed(config.data / WITNESSED)


def _witnessed(file: Path) -> Iterator[Damage]:
    try:
        data = read_kept(file, bytes_max=_WITNESSED_BYTES) if file.exists() else b""
    except OSError as error:
        yield Damage(file, _said(error), _WITNESSED_REMEDY)
        return
    if not data:
        yield Damage(file, "empty" if file.exists() else "missing", _WITNESSED_REMEDY)
    elif number := damaged_line(data):
        yield Damage(file, f"line {number} is damaged or cut off", _WITNESSED_REMEDY)


def _check_head(data: bytes, keys: Path) -> None:
    """Raises MalformedInput or Refused unless it is a head that the log's own keys signed."""
    note = decode_note(data)
    origin = parse_checkpoint(note.text).origin
    known = []
    for name, kind in (
        (f"{newest_log_key(keys)}.{Algorithm.ED25519.label}", NoteKind.PLAIN),
        (f"log.{Algorithm.ML_DSA_44.label}", NoteKind.COSIGNATURE_ML_DSA_44),
    ):
        try:
            key = public_key(keys, name)
        except (ZhidaoError, OSError):
            continue  # Told as a damaged key.
        if key is not None:
            known.append(NoteKey(origin, key, kind))
    missing = set(known) - set(note.signed_by(known))
    if missing:
        raise Refused(f"it bears no signature of the log's own key {min(k.name for k in missing)}")


def _database(folder: Path) -> Iterator[Damage]:
    cluster = folder / "cluster"
    if not cluster.is_dir():
        return
    try:
        password_in(folder)
    except Refused as error:
        yield Damage(folder / "password", str(error.args[0]), remedy_of(error))
    version, control = cluster / "PG_VERSION", cluster / "global" / "pg_control"
    said = read_kept(version) if version.is_file() else b""
    template = cluster / "base" / "1" / "PG_VERSION"
    if not said or (template.is_file() and said != read_kept(template)):
        remedy = f"cp {template} {version}"
        yield Damage(version, f"says {said[:20]!r}", remedy)
    elif seen := _control_wrong(cluster, control):
        yield Damage(control, seen, _CLUSTER_REMEDY)


def _control_wrong(cluster: Path, control: Path) -> str:
    """What is wrong with the cluster's control file, by PostgreSQL's own program; empty if well."""
    data = read_kept(control) if control.is_file() else b""
    if not data:
        return "empty or missing"
    if len(data) != _CONTROL_BYTES or any(data[_CONTROL_READ:]):
        return f"not {_CONTROL_BYTES} bytes of which the last are zero"
    done = subprocess.run(  # noqa: S603 (the database's own program, no shell)
        [str(find_binaries(cluster.parents[1]) / "pg_controldata"), str(cluster)],
        capture_output=True,
        text=True,
        timeout=_CHILD_S,
        check=False,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
    )
    wrong = done.returncode != 0 or "warning" in (done.stdout + done.stderr).lower()
    lines = (done.stderr or done.stdout).strip().splitlines()
    return lines[0] if wrong and lines else "it cannot be read" if wrong else ""


def _tls(folder: Path) -> Iterator[Damage]:
    """The node's own pair: both or none."""
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    if not folder.is_dir():
        return
    try:
        # Its own, or of the authority that stands behind it.
        certificate, *behind = x509.load_pem_x509_certificates(read_kept(certificate_file))
        certificate.verify_directly_issued_by(behind[0] if behind else certificate)
    except (OSError, ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm) as error:
        yield Damage(certificate_file, _said(error), _TLS_REMEDY)
        certificate = None
    try:
        key = load_pem_private_key(read_kept(key_file), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        yield Damage(key_file, _said(error), _TLS_REMEDY)
        return
    if certificate is not None and key.public_key() != certificate.public_key():
        yield Damage(key_file, "it is not the key of the certificate beside it", _TLS_REMEDY)


def _scenario(file: Path) -> Iterator[Damage]:
    if not file.exists():
        return
    try:
        read_time(read_kept(file), file)
    except OSError as error:
        yield Damage(file, _said(error), "zhidao doctor")
    except MalformedInput as error:
        yield Damage(file, _said(error), remedy_of(error))


def _state(file: Path) -> Iterator[Damage]:
    """What a running node says of itself; a stopped one has no such file."""
    if not file.exists():
        return
    try:
        state = parse_strict(read_kept(file))
        is_whole = isinstance(state["pid"], int) and isinstance(state["url"], str)
    except (OSError, MalformedInput, KeyError, TypeError):
        is_whole = False
    if not is_whole:
        yield Damage(file, "it does not say which node runs here", _STATE_REMEDY)


def _said(error: Exception) -> str:
    said = str(error.args[0]) if error.args and isinstance(error, ZhidaoError) else str(error)
    return said or type(error).__name__
