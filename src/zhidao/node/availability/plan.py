"""What a plan for three machines is made of: places, programs, users and secrets."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import PurePath, PurePosixPath
from typing import Any, Final, Self

from zhidao.core.ambient import Randomness
from zhidao.core.errors import MalformedInput
from zhidao.core.versions import check_tag
from zhidao.node.availability.machines import Machine, machine_entry, machines_in

FORMAT: Final = "zhidao.ha-plan.v1"
PLAN_FILE: Final = "plan.json"
SECRETS_FILE: Final = "secrets.json"
SCOPE: Final = "zhidao"
DATABASE: Final = "zhidao"
ROLE: Final = "zhidao"
BUS_USER: Final = "zhidao"
_SECRET_BYTES: Final = 24
# As PostgreSQL 17 makes them itself (scram_iterations).
_SCRAM_ROUNDS: Final = 4096
_USER: Final = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
# In units, shell and YAML nothing of these has to be quoted.
_PATH: Final = re.compile(r"/[A-Za-z0-9._/-]{1,200}")


@dataclass(frozen=True, slots=True)
class Places:
    """Folders on each machine: its files, and what its servers keep."""

    root: PurePosixPath
    state: PurePosixPath


@dataclass(frozen=True, slots=True)
class Programs:
    """The programs on each machine; `postgres` is the folder of PostgreSQL's."""

    zhidao: str
    nats: str
    etcd: str = "/usr/bin/etcd"
    patroni: str = "/opt/patroni/venv/bin/patroni"
    postgres: str = "/usr/lib/postgresql/17/bin"


@dataclass(frozen=True, slots=True)
class Users:
    """As whom they run. `node` runs the bus, too."""

    etcd: str = "etcd"
    postgres: str = "postgres"
    node: str = "zhidao"


@dataclass(frozen=True, slots=True)
class Secrets:
    """Passwords that the parts know each other by, and the passphrase of the node's keys."""

    superuser: str
    replication: str
    node: str
    patroni: str
    bus: str
    bus_cluster: str
    passphrase: str
    cluster_token: str

    @classmethod
    def drawn(cls, randomness: Randomness) -> Self:
        """New ones."""
        return cls(*(_token(randomness) for _ in fields(cls)))

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Those of a plan's own file. Raises MalformedInput."""
        names = [each.name for each in fields(cls)]
        if any(type(document.get(name)) is not str for name in names):
            raise MalformedInput(f"{SECRETS_FILE} does not hold a plan's secrets", code="no_plan")
        return cls(**{name: document[name] for name in names})

    def document(self) -> dict[str, str]:
        """As `of` reads it."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that is decided before a file is written. `strict`: as the setting `ha.strict`."""

    node: str
    machines: tuple[Machine, ...]
    programs: Programs
    places: Places
    users: Users = Users()
    strict: bool = False

    def __post_init__(self) -> None:
        for each in (self.places.root, self.places.state, *asdict(self.programs).values()):
            if not _PATH.fullmatch(str(each)):
                raise MalformedInput(
                    f"{str(each)[:80]!r} is no place that can stand in a unit and a shell",
                    code="bad_place",
                    remedy="name an absolute path of letters, digits, dots, hyphens, underscores",
                )
        for user in asdict(self.users).values():
            if not _USER.fullmatch(user):
                raise MalformedInput(
                    f"{user[:60]!r} is no name of a user",
                    code="bad_user",
                    remedy="see getent passwd",
                )

    def root(self, machine: Machine) -> PurePosixPath:
        """The folder of a machine's files."""
        return self.places.root / machine.name

    def state(self, machine: Machine) -> PurePosixPath:
        """The folder of what its servers keep."""
        return self.places.state / machine.name

    def document(self) -> dict[str, Any]:
        """As `plan_in` reads it: no secret is in it."""
        return {
            "format": FORMAT,
            "node": self.node,
            "strict": self.strict,
            "machines": [machine_entry(each) for each in self.machines],
        }


@dataclass(frozen=True, slots=True)
class Planned:
    """What is read back of a plan: who is asked, and by what node's name."""

    node: str
    strict: bool
    machines: tuple[Machine, ...]


def planned_in(document: object) -> Planned:
    """A plan's own file. Raises MalformedInput (`no_plan`, `unknown_version`)."""
    told = document.get("format") if isinstance(document, dict) else ""
    if isinstance(told, str):
        check_tag(told, (FORMAT,), form="a plan of machines")
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise MalformedInput(
            f"this is no plan of machines ({FORMAT})",
            code="no_plan",
            where=PLAN_FILE,
            remedy="name the folder that zhidao ha plan wrote",
        )
    machines = document.get("machines")
    entries = machines if isinstance(machines, list) else []
    return Planned(str(document.get("node")), document.get("strict") is True, machines_in(entries))


def database_url(
    machines: tuple[Machine, ...], password: str, authority: PurePath, *, wanted: str
) -> str:
    """A URL of PostgreSQL at all of these. `wanted`: target_session_attrs.

    A machine that is lost without a word is given up after seconds, not after the system's hours.
    """
    hosts = ",".join(f"{each.host}:{each.ports.database}" for each in machines)
    return (
        f"postgresql://{ROLE}:{password}@{hosts}/{DATABASE}?target_session_attrs={wanted}"
        f"&sslmode=verify-full&sslrootcert={authority}&connect_timeout=2&keepalives_idle=2"
        "&keepalives_interval=2&keepalives_count=3&tcp_user_timeout=8000"
    )


def bus_urls(machines: tuple[Machine, ...], password: str) -> str:
    """URLs of NATS at all of these, by commas."""
    return ",".join(
        f"tls://{BUS_USER}:{password}@{each.host}:{each.ports.bus}" for each in machines
    )


def scram_verifier(password: str, salt: bytes) -> str:
    """What PostgreSQL keeps of a password (RFC 5803; pg_authid of its manual).

    A file with it, or a server's log of the statement, tells nobody the password.
    """
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, _SCRAM_ROUNDS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    shown = [base64.b64encode(each).decode() for each in (salt, stored, server)]
    return f"SCRAM-SHA-256${_SCRAM_ROUNDS}:{shown[0]}${shown[1]}:{shown[2]}"


def _token(randomness: Randomness) -> str:
    return base64.urlsafe_b64encode(randomness.token(_SECRET_BYTES)).decode()
