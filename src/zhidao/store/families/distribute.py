"""Spreads the growing families over the machines of a Citus database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import psycopg

from zhidao.core.errors import Refused
from zhidao.store.database import translated
from zhidao.store.families import FAMILIES, LOCAL, distribution

_HAS_CITUS: Final = b"select 1 from pg_extension where extname = 'citus'"
# What was spread before, by the text of its name.
_SPREAD: Final = b"select logicalrel::text from pg_dist_partition"


def distribute(url: str, *, told: Callable[[str], None] = lambda _: None) -> list[str]:
    """Runs what `families.distribution` says of tables that still lie on one machine.

    Each table is a step of its own; interrupted anywhere, the next call goes on. Stop the node
    first: rows move. Raises Refused (`no_citus`), Unavailable.
    """
    done = []
    with translated(), psycopg.connect(url, autocommit=True, connect_timeout=10) as link:
        if link.execute(_HAS_CITUS).fetchone() is None:
            raise Refused("this database has no extension citus", code="no_citus")
        before = {str(name) for (name,) in link.execute(_SPREAD).fetchall()}
        wanted = [family.table for family in FAMILIES if family.kind != LOCAL]
        for table, statement in zip(wanted, distribution(), strict=True):
            if table not in before:
                told(table)
                link.execute(statement.encode())
                done.append(statement)
    return done
