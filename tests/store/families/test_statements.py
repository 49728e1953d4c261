from __future__ import annotations

import re
from pathlib import Path

import pytest

from zhidao.store.families import FAMILIES, KEEP, LOCAL, REFERENCE, SPREAD, by_table, distribution
from zhidao.store.families.statements import judge, statements_in
from zhidao.store.lint_text import statements, table_in
from zhidao.store.migrate import all_migrations

SOURCE = Path(__file__).resolve().parents[3] / "src" / "zhidao"
SPREADS = [family for family in FAMILIES if family.kind == SPREAD]


def _tables_and_columns() -> dict[str, tuple[tuple[str, ...], str]]:
    """Each table that the migrations leave: its primary key, and the text of its columns."""
    found: dict[str, tuple[tuple[str, ...], str]] = {"store.migration": (("room", "name"), "")}
    for migration in all_migrations():
        for statement in statements(migration.sql):
            dropped = re.match(r"\s*drop\s+table\s+(\S+)", statement.flat, re.IGNORECASE)
            if dropped:
                del found[dropped[1].lower()]
            table = table_in(statement)
            if table and not table.is_partition:
                found[table.name] = (table.key, table.body.flat)
    return found


def test_each_table_is_of_one_family_and_each_family_is_a_table():
    named = [family.table for family in FAMILIES]
    assert len(named) == len(set(named))
    assert sorted(named) == sorted(_tables_and_columns())


@pytest.mark.parametrize("family", SPREADS, ids=lambda family: family.table)
def test_what_is_spread_has_its_key_first_and_its_time_as_a_column(family):
    key, columns = _tables_and_columns()[family.table]
    assert key[0] == family.key
    assert family.group
    assert not family.time or re.search(rf"\b{family.time}\s+bigint\b", columns, re.IGNORECASE)


def test_what_is_not_spread_has_neither_key_nor_time():
    assert {family.kind for family in FAMILIES} == {LOCAL, REFERENCE, SPREAD}
    for family in FAMILIES:
        if family.kind != SPREAD:
            assert (family.key, family.group, family.time, family.retention) == ("", "", "", KEEP)


def test_a_group_is_spread_beside_its_first():
    told = list(distribution())
    assert len(told) == len([family for family in FAMILIES if family.kind != LOCAL])
    shards = [each for each in told if "'finance." in each.partition(",")[0]]
    assert "colocate_with => 'none'" in shards[0]
    assert all("colocate_with => 'finance.account'" in each for each in shards[1:])
    assert "select create_reference_table('devices.terminal')" in told


def test_every_statement_of_the_source_runs_on_a_distributed_database():
    families, judged, against = by_table(), 0, list[str]()
    for file in sorted(SOURCE.rglob("*.py")):
        for line, statement in statements_in(file):
            judged += 1
            where = f"{file.relative_to(SOURCE)}:{line}"
            against += map(str, judge(where, statement, families))
    assert judged > 300, "the source was not read"
    assert not against, "\n".join(against)


@pytest.mark.parametrize(
    ("rule", "statement"),
    [
        # What a real Citus refused, and what asked every machine.
        (
            "key",
            (
                "select digest from devices.frame where (terminal, digest) in"
                " (select * from unnest(%s::text[], %s::bytea[])) order by 1 for update"
            ),
        ),
        ("join", "select 1 from finance.batch b join finance.records r on r.batch = b.number"),
        (
            "correlated",
            (
                "insert into devices.frame (terminal) select new.t from unnest(%s::text[]) as new (t)"
                " where not exists (select 1 from devices.frame where terminal = new.t)"
            ),
        ),
        (
            "correlated",
            (
                "select f.* from unnest(%s::text[]) as asked (name) cross join lateral (select * from"
                " devices.frame where terminal = asked.name limit 1) as f"
            ),
        ),
        ("local", "select 1 from devices.frame f join devices.outbox o on o.event_id = f.id"),
        (
            "group",
            "select 1 from devices.frame f join store.blob b on b.digest = f.digest",
        ),
        ("key", "update devices.frame set batch = %s where digest = any(%s)"),
        ("key", "delete from devices.chunk where window_id = %s"),
        ("key", "update devices.frame set batch = %s where terminal = any(%s)"),
    ],
)
def test_what_a_distributed_database_refuses_is_told(rule, statement):
    assert rule in {each.rule for each in judge("here", statement, by_table())}


@pytest.mark.parametrize(
    "statement",
    [
        "select 1 from finance.batch b join finance.records r on r.shard = b.shard",
        "select * from trust.log_head where origin = %s for update",
        "select f.id from devices.frame f join devices.terminal t on t.terminal = f.terminal",
        "update devices.frame set batch = %s where terminal = %s and batch is null",
        "select * from exchange.peer for update",
    ],
)
def test_what_it_takes_is_not_spoken_against(statement):
    assert not list(judge("here", statement, by_table()))


def test_statements_are_read_with_the_constants_that_they_are_made_of(tmp_path):
    module = tmp_path / "module.py"
    module.write_text(
        '_HEAD: Final = "select a from devices.chunk"\n'
        'def f(key):\n    g(_HEAD + " for update")\n    g(f"{_HEAD} where b = {key}")\n'
        '    g("no statement")\n'
    )
    assert [text for _, text in statements_in(module)] == [
        "select a from devices.chunk",
        "select a from devices.chunk for update",
        "select a from devices.chunk where b = {}",
    ]


def test_no_module_takes_a_constraint_by_its_name():
    """A shard's constraint has a name of its own: only SQLSTATE and table can be relied on."""
    for file in sorted(SOURCE.rglob("*.py")):
        text = file.read_text()
        assert "_pkey" not in text, file
        assert "constraint_name" not in text, file
