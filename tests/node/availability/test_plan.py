"""A plan is written whole or not at all, with secrets in files that nobody else reads."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import shutil
import stat
import subprocess
import tomllib
from pathlib import Path

import psycopg
import pytest
import yaml
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from zhidao.cli.main import main
from zhidao.core.errors import MalformedInput
from zhidao.node.adapters.availability.folder import FILE_BYTES_MAX, open_plan
from zhidao.node.availability.files import LOOP_WAIT_S, RETRY_TIMEOUT_S, TTL_S
from zhidao.node.availability.machines import parse_machines
from zhidao.node.availability.plan import scram_verifier
from zhidao.node.config import load
from zhidao.node.wiring.process import settings_of

_NAMED = "one=db1.example.org,two=10.0.0.2,three=[2001:db8::3]"


def planned(tmp_path: Path, *words: str, machines: str = _NAMED) -> Path:
    folder = tmp_path / "plan"
    assert main(["ha", "plan", "--machines", machines, "--output", str(folder), *words]) == 0
    return folder


@pytest.mark.parametrize(
    "words",
    [
        "",
        "a",
        "a,b",
        "a,b,c,d",
        "a,b,",
        "a,a,a",
        "x=a,x=b,c",
        "A=a,b,c",
        "=a,b,c",
        "a,b,c d",
        "a,b,-c",
        "a,b,999.1.1.1",
        "a,b,0.0.0.0",
        "a,b,224.0.0.1",
        "a,b,[::]",
        "a,b,[::1",
        "a,b,127.0.0.1",
        "127.0.0.1,127.0.0.1,127.0.0.1",
        "127.0.0.1:7000,127.0.0.1:7004,127.0.0.1:7020",
        "x=[fd00::1]:7000,y=[fd00:0:0::1]:7000,z=[fd00::2]:7000",
        "x=[fd00::1]:7000,y=[FD00::0001]:7004,z=[fd00::2]:7000",
        "x=10.0.0.1,y=[::ffff:10.0.0.1],z=10.0.0.3",
        "x=db1.example.org,y=DB1.Example.org,z=db3.example.org",
        "x=127.0.0.1:7000,y=localhost:7000,z=127.0.0.1:7100",
        "x=127.0.0.1:7000,y=LOCALHOST:7004,z=127.0.0.1:7100",
        "x=[::1]:7000,y=a.localhost:7000,z=127.0.0.1:7100",
        "127.0.0.1:80,127.0.0.1:7010,127.0.0.1:7020",
        "127.0.0.1:65530,127.0.0.1:7010,127.0.0.1:7020",
        "127.0.0.1:x,127.0.0.1:7010,127.0.0.1:7020",
        "a,b,c:" + "9" * 400,
        "a,b," + "c" * 300,
    ],
)
def test_machines_that_are_none_are_refused_and_nothing_is_written(
    words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "plan"
    status = main(["ha", "plan", "--machines", words, "--output", str(folder), "--json"])
    assert status == 2
    told = json.loads(capsys.readouterr().out)
    assert told["error"] == "bad_machines"
    assert told["remedy"]
    assert list(tmp_path.iterdir()) == []


@given(st.text(max_size=60))
def test_any_text_is_machines_or_is_refused_by_name(text: str) -> None:
    refused = ""
    try:
        machines = parse_machines(text)
    except MalformedInput as error:
        refused = error.code
    if refused:
        assert refused == "bad_machines"
    else:
        assert len({(each.address, each.ports.database) for each in machines}) == 3


@pytest.mark.parametrize(
    "words",
    [
        "x=127.0.0.1:7000,y=localhost:7100,z=[::1]:7200",
        "x=127.0.0.1,y=127.0.0.2,z=127.0.0.3",
        "x=[fd00::1],y=[fd00::2],z=[fd00::3]",
    ],
)
def test_what_is_apart_stays_apart(words: str) -> None:
    assert len(parse_machines(words)) == 3


def test_nothing_is_written_over_and_nothing_half(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = planned(tmp_path)
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    again = ["ha", "plan", "--machines", _NAMED, "--output", str(folder), "--json"]
    capsys.readouterr()
    assert main(again) == 1
    assert json.loads(capsys.readouterr().out)["error"] == "file_exists"
    assert {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()} == before
    assert [each.name for each in tmp_path.iterdir()] == ["plan"]
    assert main([*again[:-2], str(tmp_path / "not there" / "plan"), "--json"]) == 3


def test_secrets_stand_in_private_files_and_are_never_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = planned(tmp_path, "--json")
    shown = capsys.readouterr()
    secrets = json.loads((folder / "secrets.json").read_text())
    assert len(set(secrets.values())) == len(secrets) == 8
    assert all(len(each) >= 32 and each not in shown.out + shown.err for each in secrets.values())
    open_to_others = [
        file for file in folder.rglob("*") if stat.S_IMODE(file.stat().st_mode) & 0o077
    ]
    assert open_to_others == []
    # The authority's key can be any machine: it is on none. The database's own file has no password.
    assert not list(folder.glob("*/authority.key.pem"))
    for machine in ("one", "two", "three"):
        statements = (folder / machine / "patroni" / "first-database.sql").read_text()
        assert not any(secret in statements for secret in secrets.values())


def test_two_plans_share_no_secret(tmp_path: Path) -> None:
    one, other = tmp_path / "1", tmp_path / "2"
    for each in (one, other):
        each.mkdir()
    drawn = [
        set(json.loads((planned(each) / "secrets.json").read_text()).values())
        for each in (one, other)
    ]
    assert not drawn[0] & drawn[1]


def test_each_file_is_read_by_a_reader_of_its_kind(tmp_path: Path) -> None:
    folder = planned(tmp_path, "--node", "corridor")
    for machine in ("one", "two", "three"):
        patroni = yaml.safe_load((folder / machine / "patroni" / "patroni.yaml").read_text())
        rules = patroni["bootstrap"]["dcs"]
        assert (rules["ttl"], rules["loop_wait"], rules["retry_timeout"]) == (20, 5, 5)
        assert rules["synchronous_mode"] is True
        assert LOOP_WAIT_S + 2 * RETRY_TIMEOUT_S <= TTL_S
        etcd = yaml.safe_load((folder / machine / "etcd" / "etcd.yaml").read_text())
        assert (etcd["heartbeat-interval"], etcd["election-timeout"]) == (200, 2000)
        assert etcd["initial-cluster"].count("https://") == 3
        bus = json.loads((folder / machine / "bus" / "nats.conf").read_text())
        assert len(bus["cluster"]["routes"]) == 2


def test_the_node_takes_its_settings_and_they_say_what_is_planned(tmp_path: Path) -> None:
    folder = planned(tmp_path, "--strict", "--node", "corridor")
    file = folder / "one" / "node" / "zhidao.toml"
    config = load(file, {})
    settings = settings_of(
        config, database_url="x", bus_url="y", own_database=False, passphrase=b"z"
    )
    assert (settings.standbys, settings.strict, settings.bus_replicas) == (1, True, 3)
    url = conninfo_to_dict(config.text("database.url"))
    assert url["host"] == "db1.example.org,10.0.0.2,2001:db8::3"
    assert url["target_session_attrs"] == "read-write"
    assert url["sslmode"] == "verify-full"
    # The nearest server is asked first.
    assert config.text("bus.url").count("tls://") == 3
    assert "@db1.example.org:4222" in config.text("bus.url").split(",")[0]
    http = tomllib.loads(file.read_text())["http"]
    assert http["tls"] == "auto"
    # A standby passes on what it was asked under its own name, and whoever serves must know it.
    assert http["names"] == "db1.example.org,10.0.0.2,2001:db8::3"


def test_certificates_name_their_machine_and_come_of_the_plans_authority(tmp_path: Path) -> None:
    folder = planned(tmp_path)
    authority = x509.load_pem_x509_certificate((folder / "authority.pem").read_bytes())
    for name, address in (
        ("one", "db1.example.org"),
        ("two", "10.0.0.2"),
        ("three", "2001:db8::3"),
    ):
        for part in ("etcd", "patroni", "bus"):
            pem = (folder / name / part / "certificate.pem").read_bytes()
            own = x509.load_pem_x509_certificate(pem)
            own.verify_directly_issued_by(authority)
            names = own.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            assert address in {str(each.value) for each in names}
    assert open_plan(folder).planned.machines[2].host == "[2001:db8::3]"


def test_the_check_list_names_every_step_in_order(tmp_path: Path) -> None:
    text = (planned(tmp_path) / "CHECKLIST.md").read_text()
    steps = ["etcd-server", "prepare", "zhidao-ha-etcd", "zhidao-ha-patroni", "zhidao-ha-node"]
    places = [text.index(step, text.index("## 2") if step == "prepare" else 0) for step in steps]
    assert places[0] < places[1]
    assert places[2:] == sorted(places[2:])
    assert text.count("[ ]") >= 15


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze")
def test_units_are_units(tmp_path: Path) -> None:
    folder = planned(
        tmp_path,
        *("--zhidao", "/usr/bin/true", "--nats", "/usr/bin/true", "--etcd", "/usr/bin/true"),
        *("--patroni", "/usr/bin/true"),
    )
    units = sorted((folder / "one" / "units").glob("*.service"))
    assert len(units) == 4
    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, units)],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in told.stderr.splitlines() if "zhidao-ha" in line]
    assert (told.returncode, ours) == (0, [])


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--root", "etc"),
        ("--root", "/etc/a b"),
        ("--state", "/var/$(id)"),
        ("--patroni", "/opt/x;id"),
        ("--node-user", "Root"),
        ("--etcd-user", "a b"),
        ("--node", "Not A Name"),
    ],
)
def test_what_would_have_to_be_quoted_is_refused(
    option: str, value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["ha", "plan", "--machines", "a,b,c", "--output", str(tmp_path / "plan")]
    assert main([*words, option, value]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_prepare_says_which_user_is_missing(tmp_path: Path) -> None:
    folder = planned(
        tmp_path,
        *("--root", str(tmp_path / "plan"), "--state", str(tmp_path / "state")),
        *("--etcd-user", "nobody-of-this-name"),
    )
    told = subprocess.run(
        ["sh", str(folder / "one" / "prepare")], capture_output=True, text=True, check=False
    )
    assert told.returncode == 1
    assert "no user nobody-of-this-name here" in told.stderr


def test_a_folder_that_is_no_plan_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ha", "check", "--plan", str(tmp_path), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"] == "no_plan"
    folder = planned(tmp_path)
    for spoiled in (b"{}", b"[]", b"\xff", b"[" * 70_000):
        (folder / "plan.json").write_bytes(spoiled)
        assert main(["ha", "check", "--plan", str(folder)]) == 2
    capsys.readouterr()


@pytest.mark.parametrize("version", [0, 2])
def test_a_plan_of_another_version_is_told_as_such(version: int, tmp_path: Path) -> None:
    folder = planned(tmp_path)
    text = (folder / "plan.json").read_text()
    (folder / "plan.json").write_text(text.replace("ha-plan.v1", f"ha-plan.v{version}"))
    with pytest.raises(MalformedInput) as refused:
        open_plan(folder)
    assert refused.value.code == "unknown_version"


@pytest.mark.bound("node.adapters.availability.folder.FILE_BYTES_MAX")
def test_a_file_of_a_plan_is_read_up_to_its_bound(tmp_path: Path) -> None:
    folder = planned(tmp_path)
    plan = (folder / "plan.json").read_bytes()
    (folder / "plan.json").write_bytes(plan + b" " * (FILE_BYTES_MAX - len(plan)))
    assert len(open_plan(folder).planned.machines) == 3
    (folder / "plan.json").write_bytes(plan + b" " * (FILE_BYTES_MAX + 1 - len(plan)))
    with pytest.raises(MalformedInput):
        open_plan(folder)


@pytest.mark.service
def test_the_database_takes_the_verifier_for_the_password(postgres_url: str) -> None:
    verifier, role = scram_verifier("right", os.urandom(16)), f"ha_{os.urandom(4).hex()}"
    with psycopg.connect(postgres_url, autocommit=True) as link:
        link.execute(f"create role {role} login password '{verifier}'".encode())
        try:
            row = link.execute(b"select rolpassword from pg_authid where rolname = %s", (role,))
            kept = row.fetchone()
        finally:
            link.execute(f"drop role {role}".encode())
    # It would have hashed again what it does not know as a verifier.
    assert kept is not None
    assert kept[0] == verifier


def test_a_verifier_is_what_the_standard_says() -> None:
    verifier = scram_verifier("pencil", bytes(range(16)))
    found = re.fullmatch(r"SCRAM-SHA-256\$4096:([^$]+)\$([^:]+):(.+)", verifier)
    assert found
    # RFC 5802 section 3: SaltedPassword is Hi, which is PBKDF2 with HMAC; written out once more.
    block = previous = hmac.digest(b"pencil", bytes(range(16)) + b"\0\0\0\1", "sha256")
    for _ in range(4095):
        previous = hmac.digest(b"pencil", previous, "sha256")
        block = bytes(one ^ other for one, other in zip(block, previous, strict=True))
    import base64

    stored = hashlib.sha256(hmac.digest(block, b"Client Key", "sha256")).digest()
    assert base64.b64decode(found[2]) == stored
    assert base64.b64decode(found[3]) == hmac.digest(block, b"Server Key", "sha256")
