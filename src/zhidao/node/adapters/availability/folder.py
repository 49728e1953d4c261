"""A plan as a folder: written whole or not at all, read back for those who ask its machines."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from zhidao.core.ambient import Randomness
from zhidao.core.canonical import parse_strict
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.files.bounded import open_given
from zhidao.core.files.output import unwritable
from zhidao.node.adapters.availability.machine_certificates import MachineAuthority
from zhidao.node.availability.files import machine_files
from zhidao.node.availability.machines import Machine
from zhidao.node.availability.plan import (
    PLAN_FILE,
    SECRETS_FILE,
    Plan,
    Planned,
    Secrets,
    planned_in,
)
from zhidao.node.availability.steps import check_list
from zhidao.node.availability.units import machine_units

AUTHORITY: Final = "authority.pem"
CHECK_LIST: Final = "CHECKLIST.md"
_OPERATOR: Final = "operator"
_PARTS: Final = ("etcd", "patroni", "bus")
_SALT_BYTES: Final = 16
FILE_BYTES_MAX: Final = 65_536


@dataclass(frozen=True, slots=True)
class Opened:
    """A plan that was read back. `trust`: knows its machines, and shows who asks them."""

    planned: Planned
    secrets: Secrets
    authority: Path
    trust: ssl.SSLContext


def write_plan(plan: Plan, folder: Path, randomness: Randomness) -> list[str]:
    """Writes all files, with new secrets and certificates; their paths below the folder.

    Every file is of mode 0600, or 0700 if it is run. Raises Refused (`file_exists`) where anything
    stands already: the secrets of a cluster that runs are nowhere else. Raises Unavailable.
    """
    if folder.exists() or folder.is_symlink():
        raise Refused(
            f"{folder} is there already; nothing was written",
            code="file_exists",
            remedy="name a folder that is not there; a plan is never written over another",
        )
    files = _files(plan, Secrets.drawn(randomness), randomness)
    try:
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise unwritable(folder, error) from error
    try:
        for name, data in files.items():
            _write(beside / name, data, runs=name.endswith("/prepare"))
        beside.rename(folder)
    except OSError as error:
        raise unwritable(folder, error) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return sorted(files)


def open_plan(folder: Path) -> Opened:
    """Reads a plan back. Raises MalformedInput that names the file that is wrong."""
    planned = planned_in(_document(folder / PLAN_FILE))
    secrets = Secrets.of(_document(folder / SECRETS_FILE))
    authority, own = folder / AUTHORITY, folder / _OPERATOR
    try:
        trust = ssl.create_default_context(cafile=str(authority))
        trust.load_cert_chain(str(own / "certificate.pem"), str(own / "key.pem"))
    except (OSError, ssl.SSLError) as error:
        raise MalformedInput(
            f"the plan's certificates cannot be read: {error}",
            where=str(folder),
            remedy="name the folder that zhidao ha plan wrote, whole, as who may read it",
        ) from error
    return Opened(planned, secrets, authority.absolute(), trust)


def _files(plan: Plan, secrets: Secrets, randomness: Randomness) -> dict[str, bytes]:
    authority = MachineAuthority(plan.node)
    certificate, key = authority.issue("operator", [])
    files = {
        PLAN_FILE: _json(plan.document()),
        SECRETS_FILE: _json(secrets.document()),
        CHECK_LIST: check_list(plan),
        AUTHORITY: authority.pem,
        "authority.key.pem": authority.key_pem,
        f"{_OPERATOR}/certificate.pem": certificate,
        f"{_OPERATOR}/key.pem": key,
    }
    for machine in plan.machines:
        salt = randomness.token(_SALT_BYTES)
        own = machine_files(plan, secrets, machine, salt)
        own |= {f"units/{name}": text for name, text in machine_units(plan, machine).items()}
        own |= _certificates(authority, machine)
        own["node/authority.pem"] = authority.pem
        files |= {f"{machine.name}/{name}": data for name, data in own.items()}
    return files


def _certificates(authority: MachineAuthority, machine: Machine) -> dict[str, bytes]:
    files = dict[str, bytes]()
    # What runs on the machine itself may come by loopback.
    names = list(dict.fromkeys((machine.address, "127.0.0.1", "localhost")))
    for part in _PARTS:
        certificate, key = authority.issue(f"{part} of {machine.name}", names)
        files[f"{part}/certificate.pem"] = certificate
        files[f"{part}/key.pem"] = key
        files[f"{part}/authority.pem"] = authority.pem
    return files


def _write(file: Path, data: bytes, *, runs: bool) -> None:
    for each in (file.parent.parent, file.parent):
        each.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o700 if runs else 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(data)
        opened.flush()
        os.fsync(opened.fileno())


def _document(file: Path) -> Any:
    try:
        with open_given(file) as opened:
            text = opened.read(FILE_BYTES_MAX + 1)
        document = parse_strict(text) if len(text) <= FILE_BYTES_MAX else None
    except (OSError, MalformedInput) as error:
        raise MalformedInput(
            f"{file} cannot be read: {getattr(error, 'strerror', None) or error}",
            code="no_plan",
            remedy="name the folder that zhidao ha plan wrote, as who may read it",
        ) from error
    if not isinstance(document, dict):
        raise MalformedInput(f"{file} is no file of a plan", code="no_plan")
    return document


def _json(document: Any) -> bytes:
    return json.dumps(document, indent=1, ensure_ascii=False).encode() + b"\n"
