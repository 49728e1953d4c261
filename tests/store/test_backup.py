from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import stat
import subprocess
import tarfile
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql
from tests.store.altered_backups import (
    NAMES,
    InMemory,
    altered,
    as_one_file,
    recounted,
    refusal,
)
from tests.store.test_age import IDENTITY, OTHER, RECIPIENT

from zhidao.core.ambient import SeededRandomness
from zhidao.core.canonical import jcs
from zhidao.core.errors import MalformedInput, Refused, Unavailable, ZhidaoError
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.store import backup as archives
from zhidao.store.age import identities_in, recipient_of
from zhidao.store.backup import Archive, Recovery, Summary
from zhidao.store.backup_contents import Seal, Table, check
from zhidao.store.backup_format import DIGEST, HEAD, SIGNATURE, Member, Writer, read
from zhidao.store.database import Database
from zhidao.store.families import by_table
from zhidao.store.families.partitions import making, start_of
from zhidao.store.migrate import migrate

service = pytest.mark.service
POSITIONS = by_table()["devices.position"]
META = {"node": "corridor.test", "head": {"size": 3, "root": "ab"}}
KEY = SoftwareKey(Algorithm.ED25519, b"node" * 8)
THIEF = SoftwareKey(Algorithm.ED25519, b"else" * 8)
# `./run conformance backups --long` alters 10,000.
# Ten thousand by `./run conformance backups --long`.
ALTERED = 100
GOLDEN = Path(__file__).parents[1] / "golden"


def backup(url: str, out: Path, progress: Any = lambda _: None, **options: Any) -> Summary:
    return archives.backup(url, out, META, key=KEY, progress=progress, **options)


def by_the_node(summary: Summary) -> None:
    if summary.signer != KEY.public:
        raise Refused("another signer", code="backup_of_another")


def restore(file: Path, url: str, progress: Any = lambda _: None, **options: Any) -> Summary:
    return archives.restore(Archive(file, **options), url, judge=by_the_node, progress=progress)


def inspect(file: Path, **options: Any) -> Summary:
    return archives.inspect(Archive(file, **options))


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
        # On two days, which a restored database must have too.
        for day in (date(2026, 11, 29), date(2026, 12, 3)):
            link.execute(making(POSITIONS, day).encode())
            link.execute(
                "insert into devices.position select n, n, n, %s + n, n, 0, 0, 0, 0, 0, 0"
                " from generate_series(0, 99) n",
                (start_of(day).tai_ns,),
            )
        link.execute("insert into devices.secret values ('token', 'hush-hush-hush')")


@pytest.fixture
def kept(database_url: str, tmp_path: Path) -> Path:
    """A backup of a database with rows in it."""
    fill(database_url)
    out = tmp_path / "node.zdbackup"
    assert backup(database_url, out).sha256 == hashlib.sha256(out.read_bytes()).hexdigest()
    return out


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
    assert names[-3:] == ["manifest.json", "signature.json", DIGEST]
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
    members = list(read(InMemory(whole)))
    head = json.loads(members[0].data)
    newer = Member(HEAD, json.dumps(head | {"v": 3, "unheard": 1}).encode())
    unknown = {"room": "trade", "name": "9999_later", "sha256": "00"}
    later = Member(HEAD, jcs(head | {"migrations": [unknown]}))
    other = head["migrations"][0] | {"sha256": "00"}
    changed = Member(HEAD, jcs(head | {"migrations": [other]}))
    middle = len(whole) // 2
    thief_s = [Member(m.name, m.data.replace(b"corridor.test", b"thief.example")) for m in members]
    body, at_end = members[:-2], members[-2:]
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
        (resigned([later, *members[1:]]), "backup_newer"),
        (resigned([changed, *members[1:]]), "migration_changed"),
        (resigned(members, THIEF), "backup_of_another"),
        # Digests that fit, and a signature that does not.
        (as_one_file([later, *members[1:]]), "backup_damaged"),
        (as_one_file(members[:-1]), "backup_damaged"),
        (as_one_file(members[:-2]), "backup_damaged"),
        (as_one_file([members[0], *at_end]), "backup_damaged"),
        (as_one_file([*members, members[-1]]), "backup_damaged"),
        (as_one_file([*members, Member("extra", b"x")]), "backup_damaged"),
        (as_one_file([*members, members[1]]), "backup_damaged"),
        (as_one_file([*body, at_end[1], at_end[0]]), "backup_damaged"),
        (as_one_file([members[0], members[2], members[1], *members[3:]]), "backup_damaged"),
        (as_one_file([*body[:-1], *at_end]), "backup_damaged"),
        (as_one_file([*body[:3], body[2], *body[3:], *at_end]), "backup_damaged"),
        (recounted(thief_s), "backup_forged"),
    ]
    bad = tmp_path / "bad"
    for place, (data, code) in enumerate(cases):
        bad.write_bytes(data)
        with pytest.raises(ZhidaoError) as caught:
            restore(bad, empty_database_url)
        assert caught.value.code == code, (place, code, str(caught.value))
        assert tables(empty_database_url) == {}


def resigned(members: list[Member], key: SoftwareKey = KEY) -> bytes:
    """The same tables under another head or another's signature, with every digest right."""
    out = io.BytesIO()
    seal = Seal(Writer(out), key)
    for member in members[:-2]:
        seal.add(member.name, member.data)
    kept = [Table(**table) for table in json.loads(members[-2].data)["tables"]]
    seal.finish(kept)
    return out.getvalue()


@service
def test_whatever_was_altered_is_refused_by_name(kept: Path):
    whole = kept.read_bytes()
    assert refusal(whole) == ""
    taken = [
        (name, code)
        for name, data in altered(whole, count=ALTERED, seed=2026)
        if (code := refusal(data)) not in NAMES
    ]
    assert not taken


@service
def test_a_sealed_backup_opens_with_its_identity_and_with_nothing_else(
    database_url: str, empty_database_url: str, tmp_path: Path
):
    fill(database_url)
    out = tmp_path / "node.zdbackup.age"
    recovery = Recovery(recipient_of(RECIPIENT), SeededRandomness(3))
    summary = backup(database_url, out, recovery=recovery)
    assert summary.sealed
    assert summary.bytes == out.stat().st_size
    assert summary.sha256 == hashlib.sha256(out.read_bytes()).hexdigest()
    assert "道1".encode() not in out.read_bytes()
    for options, code in (
        ({}, "backup_sealed"),
        ({"identities": identities_in(OTHER)}, "not_sealed_to_you"),
    ):
        with pytest.raises(Refused) as caught:
            restore(out, empty_database_url, **options)
        assert caught.value.code == code
    again = restore(out, empty_database_url, identities=identities_in(IDENTITY))
    assert again.sealed
    after = tables(empty_database_url)
    assert after["trade.event"] == tables(database_url)["trade.event"]
    if shutil.which("age"):
        key = tmp_path / "key"
        key.write_text(IDENTITY)
        plain = subprocess.run(["age", "-d", "-i", key, out], capture_output=True, check=True)
        assert check(InMemory(plain.stdout)).signer == KEY.public


def test_archives_of_every_version_stay_readable():
    old = GOLDEN / "backup-v1.zdbackup"
    with pytest.raises(Refused) as caught:
        inspect(old)
    assert caught.value.code == "backup_unsigned"
    assert "--unsigned" in caught.value.remedy
    assert inspect(old, unsigned=True).signer is None
    assert inspect(old, unsigned=True).rows == {"node.token": 1}
    new = inspect(GOLDEN / "backup-v2.zdbackup")
    assert (new.signer, dict(new.rows)) == (KEY.public, {"node.token": 1})


def test_a_signed_archive_is_held_to_its_signature_also_where_unsigned_ones_are_read():
    whole = (GOLDEN / "backup-v2.zdbackup").read_bytes()
    members = list(read(InMemory(whole)))
    stripped = as_one_file([member for member in members if member.name != SIGNATURE])
    with pytest.raises(MalformedInput) as caught:
        check(InMemory(stripped), unsigned=True)
    assert caught.value.code == "backup_damaged"


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

    assert backup(database_url, out, write_meanwhile).rows["trade.inbox"] == 0
    restore(out, empty_database_url)
    assert tables(empty_database_url)["trade.inbox"] == []


@service
def test_a_standing_file_is_not_overwritten_and_a_failure_leaves_no_file(
    database_url: str, tmp_path: Path
):
    out = tmp_path / "there"
    out.write_text("precious")
    with pytest.raises(Refused, match="stands already"):
        backup(database_url, out)
    assert out.read_text() == "precious"
    with pytest.raises(Unavailable):
        backup("postgresql://nobody@127.0.0.1:1/none", tmp_path / "new")
    with pytest.raises(MalformedInput, match="no folder"):
        backup(database_url, tmp_path / "nowhere" / "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["there"]


@service
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_said_and_leaves_no_file(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # The file aside is a device on which every write fails with ENOSPC.
    def full(**_: object) -> tuple[int, str]:
        (tmp_path / ".aside").touch()
        return os.open("/dev/full", os.O_WRONLY), str(tmp_path / ".aside")

    monkeypatch.setattr("tempfile.mkstemp", full)
    with pytest.raises(Unavailable) as caught:
        backup(database_url, tmp_path / "out")
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
    assert list(read(InMemory(as_one_file(members)))) == members


@given(st.binary(max_size=3000))
def test_no_bytes_do_worse_than_malformed(data: bytes):
    with pytest.raises(MalformedInput):
        list(read(InMemory(data)))


@given(st.data())
def test_a_change_of_any_bit_is_noticed(data: st.DataObject):
    whole = bytearray(as_one_file([Member(HEAD, b'{"v":1}'), Member("tables/a.b/00", b"x" * 700)]))
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[bit // 8] ^= 1 << bit % 8
    with pytest.raises(MalformedInput):
        list(read(InMemory(bytes(whole))))
