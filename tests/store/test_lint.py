from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.store.lint import lint, rules
from zhidao.store.lint_text import statements
from zhidao.store.migrate import Migration, all_migrations

GOOD = """
-- A comment; with a semicolon, the word serial and a LISTEN.
create table trade.paper (
    consignment text not null,
    digest bytea not null check (length(digest) = 32),
    note text default 'references; for update',
    sequence int not null,
    serial int not null,
    primary key (consignment, digest),
    unique (consignment, note),
    foreign key (consignment) references trade.consignment (consignment)
);
/* create trigger
   bad */
create unique index paper_note on trade.paper (consignment, note) where note <> '';
create index paper_digest on trade.paper (digest);
"""
TABLE = "create table trade.a (k int, v int, primary key (k, v));\n"
BAD = [
    ("sequence", "create table trade.b (k bigserial primary key);", 1),
    (
        "sequence",
        "create table trade.b (\n k int generated always as identity,\n primary key (k));",
        2,
    ),
    ("sequence", "create sequence trade.s;", 1),
    ("sequence", TABLE + "insert into trade.a values (nextval('trade.s'), 1);", 2),
    ("listen", "listen trade;", 1),
    ("listen", "select 1;\nselect pg_notify('a', 'b');", 2),
    ("trigger", "create trigger t before insert on trade.a execute function f();", 1),
    ("trigger", "create or replace rule r as on insert to trade.a do nothing;", 1),
    ("exclusion", "create table trade.b (k int primary key,\n exclude using hash (k with =));", 2),
    ("index_method", TABLE + "create index i on trade.a using gist (v);", 2),
    ("index_method", TABLE + "create index i on trade.a\n using brin (v);", 3),
    ("inheritance", "create table trade.b (k int primary key) inherits (trade.a);", 1),
    ("lock_table", "lock table trade.a;", 1),
    (
        "stored_column",
        "create table trade.b (k int primary key, w int generated always as (k * 2) stored);",
        1,
    ),
    ("recursive", "with recursive r as (select 1) select * from r;", 1),
    ("row_lock", "select * from trade.a for update;", 1),
    (
        "nested_partition",
        "create table trade.b1 partition of trade.b for values in (1) partition by range (v);",
        1,
    ),
    ("extension", "create extension h3;", 1),
    ("database_code", "do $$ begin perform 1; end $$;", 1),
    ("database_code", "create function trade.f() returns int language sql as 'select 1';", 1),
    ("late_key", "alter table trade.a add constraint a_key primary key (k);", 1),
    ("transaction", "begin;", 1),
    ("transaction", "create index concurrently i on trade.a (v);", 1),
    ("volatile", "update trade.a set v = 1 where k = 1\n and v < random();", 2),
    ("schema", "create table b (k int primary key);", 1),
    ("schema", "create table finance.b (k int primary key);", 1),
    ("primary_key", "create table trade.b (\n k int);", 1),
    ("unique", "create table trade.b (\n k int primary key,\n v int unique);", 3),
    ("unique", "create table trade.b (k int primary key, v int, unique (v));", 1),
    ("unique", TABLE + "create unique index i on trade.a (v);", 2),
    ("unique", TABLE + "alter table trade.a add constraint u unique (v);", 2),
    ("foreign_key", "create table trade.b (k int primary key,\n v int references trade.a);", 2),
    (
        "foreign_key",
        "create table trade.b (k int primary key, v int,\n foreign key (v) references trade.a (k));",
        2,
    ),
]


def test_every_migration_of_this_program_could_be_distributed():
    findings = lint(all_migrations())
    assert not findings, "\n".join(map(str, findings))


def test_a_good_migration_is_left_in_peace():
    assert lint([Migration("trade", "0001_good", GOOD)]) == ()


@pytest.mark.parametrize(("rule", "sql", "line"), BAD)
def test_a_bad_migration_is_found_with_its_line(rule: str, sql: str, line: int):
    findings = lint([Migration("trade", "0007_bad", sql)])
    assert [(each.rule, each.line) for each in findings] == [(rule, line)], findings
    text = str(findings[0])
    assert text.startswith(f"trade/0007_bad:{line}: {rule}: ")
    assert findings[0].remedy


def test_each_rule_has_an_example_here():
    assert sorted({rule for rule, _, _ in BAD}) == rules()


def test_a_later_migration_is_judged_by_earlier_tables():
    first = Migration("trade", "0001_a", TABLE)
    second = Migration("trade", "0002_b", "create unique index i on trade.a (v);")
    assert [each.rule for each in lint([first, second])] == ["unique"]


@given(st.text("abc ;'\"$-/*\n()E\\", max_size=80))
def test_any_text_is_cut_without_a_crash(text: str):
    assert all(each.flat.strip() for each in statements(text))
    lint([Migration("trade", "0001_any", text)])
