from __future__ import annotations

import io
import json
import stat
import tarfile
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql

from zhidao.core.errors import MalformedInput, Refused, Unavailable, ZhidaoError
from zhidao.store.backup import backup, inspect, restore
from zhidao.store.backup_format import DIGEST, HEAD, Member, Writer, read
from zhidao.store.database import Database
from zhidao.store.migrate import migrate

service = pytest.mark.service
META = {"node": "corridor.test", "head": {"size": 3, "root": "ab"}}


def tables(url: str) -> dict[str, list[Any]]:
    """Every table's rows, in one order."""
    with psycopg.connect(url) as link:
        names = link.execute(
            "select schemaname, tablename from pg_tables"
            " where schemaname not in ('pg_catalog', 'information_schema') order by 1, 2"
        ).fetchall()
        return {
            f"{schema}.{table}": sorted(
                link.execute(
                    sql.SQL("select t::text from {} t").format(sql.Identifier(schema, table))
                ).fetchall()
            )
            for schema, table in names
        }


def fill(url: str) -> None:
    with psycopg.connect(url) as link:
        link.execute(
            "insert into trade.event select 'consignment/' || n, 1, gen_random_uuid(), 'a.B.v1',"
            " 'exporter', '{importer,bank}', decode(md5(n::text), 'hex'),"
            " convert_to(repeat('道' || n, 200), 'UTF8') from generate_series(1, 20000) n"
        )
        link.execute(
            "insert into trade.outbox (aggregate, event_id, version, leaf)"
            " select aggregate, id, version, salt from trade.event"
        )
        link.execute("insert into store.blob values (sha256(''), '')")
        link.execute("insert into devices.secret values ('token', 'hush-hush-hush')")


@pytest.fixture
def kept(database_url: str, tmp_path: Path) -> Path:
    """A backup of a database with rows in it."""
    fill(database_url)
    out = tmp_path / "node.zdbackup"
    backup(database_url, out, META)
    return out


def as_one_file(members: list[Member]) -> bytes:
    out = io.BytesIO()
    writer = Writer(out)
    for member in members:
        writer.add(member.name, member.data)
    writer.finish()
    return out.getvalue()


@service
async def test_a_restored_database_is_the_one_that_was_backed_up(
    database_url: str, empty_database_url: str, kept: Path
):
    told: list[str] = []
    summary = restore(kept, empty_database_url, told.append)
    before, after = tables(database_url), tables(empty_database_url)
    assert after.pop("devices.secret") == []
    assert len(before.pop("devices.secret")) == 1
    assert after == before
    assert summary.rows["trade.event"] == 20_000
    assert summary.meta == META
    assert "trade.event" in told
    database = await Database.open(empty_database_url)
    try:
        assert await migrate(database) == ()
    finally:
        await database.close()


@service
def test_a_backup_is_private_complete_and_bears_no_secret(kept: Path):
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert [path.name for path in kept.parent.iterdir() if "zdbackup" in path.name] == [kept.name]
    assert b"hush-hush" not in kept.read_bytes()
    assert inspect(kept).rows["store.blob"] == 1


@service
def test_any_tar_reads_a_backup(kept: Path):
    with tarfile.open(kept) as archive:
        names = archive.getnames()
        head = archive.extractfile(HEAD)
        assert head is not None
        assert json.loads(head.read())["format"] == "zhidao-backup"
    assert names[0] == HEAD
    assert names[-2:] == ["manifest.json", DIGEST]
    assert sum(name.startswith("tables/trade.event/") for name in names) >= 2


@service
def test_a_target_with_tables_is_refused_and_left_alone(database_url: str, kept: Path):
    before = tables(database_url)
    with pytest.raises(Refused) as caught:
        restore(kept, database_url)
    assert caught.value.code == "target_not_empty"
    assert tables(database_url) == before


@service
def test_a_bad_archive_is_named_and_nothing_is_written(
    empty_database_url: str, kept: Path, tmp_path: Path
):
    whole = kept.read_bytes()
    members = list(read(io.BytesIO(whole)))
    head = json.loads(members[0].data)
    newer = Member(HEAD, json.dumps(head | {"v": 2, "unheard": 1}).encode())
    unknown = {"room": "trade", "name": "9999_later", "sha256": "00"}
    later = Member(HEAD, json.dumps(head | {"migrations": [unknown]}).encode())
    other = head["migrations"][0] | {"sha256": "00"}
    changed = Member(HEAD, json.dumps(head | {"migrations": [other]}).encode())
    middle = len(whole) // 2
    cases = [
        (b"", "backup_truncated"),
        (b"PK\x03\x04" + bytes(2000), "backup_foreign"),
        (b"hello", "backup_foreign"),
        (whole[:middle], "backup_truncated"),
        (whole[:-1024], "backup_truncated"),
        (whole[:-1], "backup_truncated"),
        (whole + b"x", "backup_damaged"),
        (whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :], "backup_damaged"),
        (as_one_file([newer, *members[1:]]), "backup_newer"),
        (as_one_file([later, *members[1:]]), "backup_newer"),
        (as_one_file([changed, *members[1:]]), "migration_changed"),
        (as_one_file(members[:-1]), "backup_damaged"),
        (as_one_file([members[0], members[-1]]), "backup_damaged"),
        (as_one_file([*members, members[-1]]), "backup_damaged"),
        (as_one_file([*members, Member("extra", b"x")]), "backup_damaged"),
    ]
    bad = tmp_path / "bad"
    for data, code in cases:
        bad.write_bytes(data)
        with pytest.raises(ZhidaoError) as caught:
            restore(bad, empty_database_url)
        assert caught.value.code == code, (code, str(caught.value))
        assert tables(empty_database_url) == {}


@service
def test_a_backup_holds_one_state_while_others_write(
    database_url: str, empty_database_url: str, tmp_path: Path
):
    fill(database_url)
    out = tmp_path / "node.zdbackup"

    def write_meanwhile(table: str) -> None:
        if table.startswith("devices."):  # Early: trade comes later in the alphabet.
            with psycopg.connect(database_url) as link:
                link.execute("insert into trade.inbox values (gen_random_uuid(), 'finance')")

    assert backup(database_url, out, META, write_meanwhile).rows["trade.inbox"] == 0
    restore(out, empty_database_url)
    assert tables(empty_database_url)["trade.inbox"] == []


@service
def test_a_standing_file_is_not_overwritten_and_a_failure_leaves_no_file(
    database_url: str, tmp_path: Path
):
    out = tmp_path / "there"
    out.write_text("precious")
    with pytest.raises(Refused, match="stands already"):
        backup(database_url, out, META)
    assert out.read_text() == "precious"
    with pytest.raises(Unavailable):
        backup("postgresql://nobody@127.0.0.1:1/none", tmp_path / "new", META)
    with pytest.raises(Refused, match="No such file"):
        backup(database_url, tmp_path / "nowhere" / "new", META)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["there"]


@service
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_said_and_leaves_no_file(database_url: str, tmp_path: Path):
    # The aside file is a link to a device on which every write fails with ENOSPC.
    (tmp_path / ".out.part").symlink_to("/dev/full")
    with pytest.raises(Unavailable) as caught:
        backup(database_url, tmp_path / "out", META)
    assert caught.value.code == "disk_full"
    assert sorted(path.name for path in tmp_path.iterdir()) == []


def test_an_absent_file_is_refused(tmp_path: Path):
    with pytest.raises(Refused, match="No such file"):
        inspect(tmp_path / "none")


@given(st.lists(st.tuples(st.text("abc/.", min_size=1, max_size=20), st.binary(max_size=1500))))
def test_what_was_written_is_read(pieces: list[tuple[str, bytes]]):
    members = [
        Member(HEAD, b"{}"),
        *(Member(name.strip("/") or "x", data) for name, data in pieces),
    ]
    assert list(read(io.BytesIO(as_one_file(members)))) == members


@given(st.binary(max_size=3000))
def test_no_bytes_do_worse_than_malformed(data: bytes):
    with pytest.raises(MalformedInput):
        list(read(io.BytesIO(data)))


@given(st.data())
def test_a_change_of_any_bit_is_noticed(data: st.DataObject):
    whole = bytearray(as_one_file([Member(HEAD, b'{"v":1}'), Member("tables/a.b/00", b"x" * 700)]))
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[bit // 8] ^= 1 << bit % 8
    with pytest.raises(MalformedInput):
        list(read(io.BytesIO(bytes(whole))))
