"""Says of each migration whether Citus and YugabyteDB would take it, before anybody needs them.

The rules are those of our research (Citus and Yugabyte documentation, not checked against running
servers: neither is in a package registry). The distribution key of a table is the first column of
its primary key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.store.lint_text import Statement, Table, columns_in, elements, statements, table_in
from zhidao.store.migrate import Migration


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing in a migration that a distributed PostgreSQL would refuse or do badly."""

    rule: str
    migration: str
    line: int
    why: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.migration}:{self.line}: {self.rule}: {self.why}; {self.remedy}"


@dataclass(frozen=True, slots=True)
class _Token:
    """A rule that a pattern in a statement breaks."""

    rule: str
    pattern: re.Pattern[str]
    why: str
    remedy: str


def _token(rule: str, pattern: str, why: str, remedy: str) -> _Token:
    return _Token(rule, re.compile(pattern, re.IGNORECASE), why, remedy)


_WORDS: Final = (
    _token(
        "sequence",
        # A column may be named serial; a type stands after a name and ends the column or its type.
        r"(?<=\w )\s*(small|big)?serial\s*(?=[,)]|$|not\b|null\b|primary\b|unique\b)"
        r"|\bas\s+identity\b|\b(create|alter)\s+(\w+\s+)?sequence\b|\bnextval\b",
        "a sequence is one hot spot for all shards",
        "use identifiers that we make (core.ids)",
    ),
    _token(
        "listen",
        r"^\s*(listen|notify|unlisten)\b|\bpg_notify\b",
        "LISTEN/NOTIFY does not cross nodes",
        "publish on the bus",
    ),
    _token(
        "trigger",
        r"\bcreate\s+(or\s+replace\s+)?(constraint\s+|event\s+)?(trigger|rule)\b",
        "a trigger cannot reach another shard",
        "do it in the service, in the same transaction",
    ),
    _token(
        "exclusion",
        r"\bexclude\s+(using\b|\()",
        "exclusion constraints are not distributed",
        "keep a row per taken slot with a primary key",
    ),
    _token(
        "index_method",
        r"\busing\s+(gist|spgist|brin)\b",
        "Yugabyte has no GiST, SP-GiST or BRIN",
        "use a B-tree, or ask the capability table first",
    ),
    _token(
        "inheritance",
        r"\binherits\s*\(",
        "inheritance is refused by both",
        "use one table, or declarative partitions",
    ),
    _token(
        "lock_table",
        r"^\s*lock\b",
        "LOCK TABLE locks one node only",
        "use a lease row",
    ),
    _token(
        "stored_column",
        r"\bgenerated\s+always\s+as\s*\(.*\)\s*stored\b",
        "stored generated columns are not distributed",
        "compute it before writing",
    ),
    _token(
        "recursive",
        r"\bwith\s+recursive\b",
        "recursive queries do not run across shards",
        "fold in the program",
    ),
    _token(
        "row_lock",
        r"\bfor\s+(no\s+key\s+)?update\b|\bfor\s+(key\s+)?share\b",
        "row locks across shards are refused",
        "compare a version or an epoch in the write",
    ),
    _token(
        "nested_partition",
        r"\bpartition\s+of\b.*\bpartition\s+by\b",
        "partitions of partitions cannot be distributed",
        "partition once, by time",
    ),
    _token(
        "extension",
        r"\bcreate\s+extension\b",
        "an extension may not exist elsewhere",
        "compute it in Python, or ask the capability table first",
    ),
    _token(
        "database_code",
        r"^\s*do\b|\bcreate\s+(or\s+replace\s+)?(function|procedure|aggregate)\b",
        "code inside the database hides from this lint and from shards",
        "write it in the service",
    ),
    _token(
        "late_key",
        r"\balter\s+table\b.*\badd\s+(constraint\s+\S+\s+)?primary\s+key\b",
        "Yugabyte refuses a primary key added to a partitioned table",
        "declare it in CREATE TABLE",
    ),
    _token(
        "transaction",
        r"^\s*(begin|start\s+transaction|commit|rollback|savepoint)\b|\bconcurrently\b",
        "all migrations run in one transaction",
        "leave transactions to the runner",
    ),
    _token(
        "volatile",
        r"^\s*(update|delete)\b.*\b(now|random|clock_timestamp|gen_random_uuid)\s*\(",
        "a volatile function differs on each shard",
        "pass the value",
    ),
)


def lint(migrations: Iterable[Migration]) -> tuple[Finding, ...]:
    """All findings in these migrations, in order; later ones know the tables of earlier ones."""
    tables: dict[str, Table] = {}
    found: list[Finding] = []
    for migration in migrations:
        for statement in statements(migration.sql):
            found += _by_word(migration, statement)
            table = table_in(statement)
            if table:
                tables[table.name] = table
                found += _of_table(migration, table)
            found += _of_unique_index(migration, statement, tables)
    return tuple(found)


def _by_word(migration: Migration, statement: Statement) -> Iterator[Finding]:
    for word in _WORDS:
        match = word.pattern.search(statement.flat)
        if match:
            line = statement.line_of(match.end() - 1)
            yield _finding(migration, word.rule, line, word.why, word.remedy)


def _of_table(migration: Migration, table: Table) -> Iterator[Finding]:
    if not table.name.startswith(f"{migration.room}."):
        yield _finding(
            migration,
            "schema",
            table.line,
            f"{table.name} is outside of the room's schema",
            f"name it {migration.room}.…",
        )
    if not table.is_partition and not table.key:
        yield _finding(
            migration,
            "primary_key",
            table.line,
            f"{table.name} declares no primary key",
            "declare it in CREATE TABLE, distribution key first",
        )
        return
    for element in elements(table.body):
        yield from _of_element(migration, table, element)


def _of_element(migration: Migration, table: Table, element: Statement) -> Iterator[Finding]:
    """A column or a constraint: unique keys and references must carry the distribution key."""
    distribution = table.key[0] if table.key else ""
    unique = re.search(r"\bunique\b", element.flat, re.IGNORECASE)
    if unique and distribution not in columns_in(element, "unique"):
        yield _finding(
            migration,
            "unique",
            element.line,
            f"a unique key of {table.name} lacks its distribution key {distribution}",
            "begin it with that column, or keep the other key in a table of its own",
        )
    reference = re.search(r"\breferences\b", element.flat, re.IGNORECASE)
    if reference and columns_in(element, "foreign key")[:1] != (distribution,):
        yield _finding(
            migration,
            "foreign_key",
            element.line,
            f"a reference of {table.name} crosses shards",
            "begin it with the distribution key on both sides, or check in the service",
        )


def _of_unique_index(
    migration: Migration, statement: Statement, tables: dict[str, Table]
) -> Iterator[Finding]:
    match = re.search(
        r"\b(?:create\s+unique\s+index\b.*?\bon\s+(?:only\s+)?(\S+?)"
        r"|alter\s+table\s+(?:only\s+)?(?:if\s+exists\s+)?(\S+)\s+add\b.*?\bunique)\s*"
        r"(?:using\s+\w+\s*)?\(([^)]*)\)",
        statement.flat,
        re.IGNORECASE,
    )
    if not match:
        return
    table = tables.get((match[1] or match[2]).lower())
    columns = [column.strip().lower().split(" ")[0] for column in match[3].split(",")]
    if table and table.key and table.key[0] not in columns:
        yield _finding(
            migration,
            "unique",
            statement.line_of(match.start()),
            f"a unique key of {table.name} lacks its distribution key {table.key[0]}",
            "begin it with that column, or keep the other key in a table of its own",
        )


def _finding(migration: Migration, rule: str, line: int, why: str, remedy: str) -> Finding:
    return Finding(rule, f"{migration.room}/{migration.name}", line, why, remedy)


def rules() -> Sequence[str]:
    """The names of all rules, sorted."""
    return sorted(
        {word.rule for word in _WORDS} | {"schema", "primary_key", "unique", "foreign_key"}
    )
