"""Routes for who runs the node: settings with sources, jobs, certificates, growth, backups."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import msgspec
from litestar import Router, get

from zhidao.core.access import access
from zhidao.core.actor import Actor, Role
from zhidao.node.events import DeadLetter
from zhidao.node.http.access import ACCESS
from zhidao.node.operations.growth import Growth
from zhidao.node.runtime.jobs import JobState

MAY_RUN: Final = access(Role.ADMIN, Role.OPERATOR, Role.AUDITOR)
LETTERS_SHOWN: Final = 500


class SettingView(msgspec.Struct, kw_only=True):
    """One setting. `source`: default, a file, a variable or the command line; secrets are dots."""

    name: str
    value: str | int | bool
    source: str
    text: str


class CertificateView(msgspec.Struct, kw_only=True):
    """A certificate that this node shows. `own`: made by itself, and made anew by itself."""

    purpose: str
    names: list[str]
    issuer: str
    fingerprint: str
    begins_at: str
    ends_at: str
    days_left: int
    own: bool


class BackupView(msgspec.Struct, kw_only=True):
    """A backup that was begun, by its act in the log."""

    number: int
    file: str
    sealed: bool
    at: str


class DrillView(msgspec.Struct, kw_only=True):
    """A backup that was restored for trial, by its fact in the log.

    `id`: of the signed event; `leaf`: its place in the log, once it is logged. `holds`: all of it
    came back and fits; else `wrong` says what does not.
    """

    id: str
    at: str
    leaf: int | None
    backup: int
    made_at: str
    sha256: str
    rows: int
    log_size: int
    ledgers: int
    transfers: int
    holds: bool
    wrong: list[str]
    lost_s: int
    lost_leaves: int
    restored_ms: int
    ready_ms: int


class GrowthView(msgspec.Struct, kw_only=True):
    """How large things were at one moment."""

    at: str
    database_bytes: int
    free_bytes: int
    leaves: int


class ProcessView(msgspec.Struct, kw_only=True):
    """A process of this node that was alive within a minute. `seen_s`: how long ago."""

    name: str
    roles: list[str]
    url: str
    started_at: str
    seen_s: int


class LeaseView(msgspec.Struct, kw_only=True):
    """Who does what only one may: since when, under which epoch. No holder: nobody does."""

    role: str
    holder: str
    epoch: int
    since: str
    vacant: bool


class RolesView(msgspec.Struct, kw_only=True):
    """The processes of this node, and the leases of its roles."""

    processes: list[ProcessView]
    leases: list[LeaseView]


def routes(
    *,
    settings: Callable[[], Sequence[SettingView]],
    jobs: Callable[[], Sequence[JobState]],
    certificates: Callable[[], Awaitable[Sequence[CertificateView]]],
    backups: Callable[[], Awaitable[Sequence[BackupView]]],
    drills: Callable[[], Awaitable[Sequence[DrillView]]],
    letters: Callable[[int], Awaitable[Sequence[DeadLetter]]],
    growth: Growth,
    roles: Callable[[], Awaitable[RolesView]],
) -> Router:
    """Routes under /v1/node."""

    @get("/settings", opt={ACCESS: MAY_RUN})
    async def list_settings(actor: Actor) -> list[SettingView]:
        """Every setting, its value, and where that comes from."""
        MAY_RUN.admit(actor)
        return list(settings())

    @get("/jobs", opt={ACCESS: MAY_RUN})
    async def list_jobs(actor: Actor) -> list[JobState]:
        """The node's own work: since when each runs, and how often it failed."""
        MAY_RUN.admit(actor)
        return list(jobs())

    @get("/certificates", opt={ACCESS: MAY_RUN})
    async def list_certificates(actor: Actor) -> list[CertificateView]:
        """Certificates that the node shows, and when they run out."""
        MAY_RUN.admit(actor)
        return list(await certificates())

    @get("/backups", opt={ACCESS: MAY_RUN})
    async def list_backups(actor: Actor) -> list[BackupView]:
        """Backups, newest first, as the log tells of them; the archives lie where they were put."""
        MAY_RUN.admit(actor)
        return list(await backups())

    @get("/drills", opt={ACCESS: MAY_RUN})
    async def list_drills(actor: Actor) -> list[DrillView]:
        """Backups that were restored for trial, newest first, and what came back."""
        MAY_RUN.admit(actor)
        return list(await drills())

    @get("/dead-letters", opt={ACCESS: MAY_RUN})
    async def list_dead_letters(actor: Actor) -> list[DeadLetter]:
        """Events that could not be dealt with, newest first, without what stands in them."""
        MAY_RUN.admit(actor)
        return list(await letters(LETTERS_SHOWN))

    @get("/growth", opt={ACCESS: MAY_RUN})
    async def told_growth(actor: Actor) -> list[GrowthView]:
        """Database, log and free disk over the last 90 days."""
        MAY_RUN.admit(actor)
        return [
            GrowthView(
                at=str(each.at),
                database_bytes=each.database_bytes,
                free_bytes=each.free_bytes,
                leaves=each.leaves,
            )
            for each in await growth.told()
        ]

    @get("/roles", opt={ACCESS: MAY_RUN})
    async def list_roles(actor: Actor) -> RolesView:
        """Processes of this node, and which of them does what of one writer, since when."""
        MAY_RUN.admit(actor)
        return await roles()

    handlers: list[Any] = [
        list_roles,
        *(list_settings, list_jobs, list_certificates, list_backups, list_drills),
        *(list_dead_letters, told_growth),
    ]
    return Router("/v1/node", route_handlers=handlers, tags=["node"])
