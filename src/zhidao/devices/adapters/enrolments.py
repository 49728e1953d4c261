"""How terminals stand, in PostgreSQL: one row each, changed under its version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from zhidao.core.errors import Conflict, NotFound
from zhidao.core.journal import Entry
from zhidao.core.timescale import Utc
from zhidao.devices.domain.enrolment import RETIRED, Enrolment
from zhidao.store.database import Database, Session
from zhidao.store.journal import PostgresJournal

_ENROLMENT: Final = (
    "select terminal, state, version, until_tai_ns, token, given, derived, imei,"
    " protocol from devices.enrolment"
)


class EnrolmentRows:
    """The part of `service.ports.Vault` that keeps enrolments."""

    def __init__(self, database: Database, journal: PostgresJournal) -> None:
        self._database = database
        self._journal = journal

    async def add(self, s: Session, enrolment: Enrolment) -> None:
        """Adds a row in the transaction of its terminal."""
        await s.execute(
            "insert into devices.enrolment"
            " (state, version, until_tai_ns, token, given, derived, imei, terminal, protocol)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (*_values(enrolment), enrolment.terminal, enrolment.protocol),
        )

    async def one(self, terminal: str) -> Enrolment:
        """How a terminal stands. Raises NotFound."""
        found = await self.of_each([terminal])
        if terminal not in found:
            raise NotFound(f"no terminal {terminal[:40]!r}")
        return found[terminal]

    async def of_each(self, terminals: Sequence[str]) -> Mapping[str, Enrolment]:
        """The same of several."""
        rows = await self._database.read(
            f"{_ENROLMENT} where terminal = any(%s)", (list(terminals),)
        )
        return {row["terminal"]: _enrolment(row) for row in rows}

    async def change(self, after: Enrolment, entries: Sequence[Entry], since: int) -> None:
        """Writes down how it stands now. Raises Conflict if it has changed since."""

        async def work(s: Session) -> None:
            changed = await s.execute(
                "update devices.enrolment set state = %s, version = %s, until_tai_ns = %s,"
                " token = %s, given = %s, derived = %s, imei = %s"
                " where terminal = %s and version = %s",
                (*_values(after), after.terminal, since),
            )
            if not changed:
                raise Conflict(f"terminal {after.terminal} stands otherwise meanwhile")
            if after.state == RETIRED:
                for table in ("terminal_number", "terminal_phone"):
                    await s.execute(
                        f"delete from devices.{table} where terminal = %s",  # noqa: S608 (constants)
                        (after.terminal,),
                    )
            if entries:
                await self._journal.append_in(s, entries)

        await self._database.run(work)
        if entries:
            self._journal.wake()


def _values(each: Enrolment) -> tuple[Any, ...]:
    until_ns = each.until.tai_ns if each.until else 0
    return (
        *(each.state, each.version, until_ns, each.token),
        *(each.given, each.derived, each.imei),
    )


def _enrolment(row: Mapping[str, Any]) -> Enrolment:
    return Enrolment(
        terminal=row["terminal"],
        state=row["state"],
        version=row["version"],
        until=Utc(row["until_tai_ns"]) if row["until_tai_ns"] else None,
        token=bytes(row["token"]),
        given=row["given"],
        derived=row["derived"],
        imei=row["imei"],
        protocol=row["protocol"],
    )
