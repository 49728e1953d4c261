"""Further processes of the roles api and page: with which settings, how many, how often."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from zhidao.core.errors import MalformedInput
from zhidao.node.config import load
from zhidao.node.runtime import api_process
from zhidao.node.runtime.api_process import (
    API_PROCESSES_MAX,
    COUNT,
    ApiProcess,
    api_processes,
    shares_port,
)

DATABASE, BUS = "postgresql://zhidao:secret@127.0.0.1/zhidao", "nats://node:word@127.0.0.1:4222"


def settings(tmp_path: Path, **given: str) -> dict[str, str]:
    overrides = {name.replace("__", "."): value for name, value in given.items()}
    config = load(None, {}, {"node.data": str(tmp_path), "node.demo": True, **overrides})
    process = ApiProcess(config, database_url=DATABASE, bus_url=BUS, number=1)
    return process._environment


def test_it_has_the_same_settings_and_the_roles_that_need_no_lease(tmp_path: Path):
    told = settings(tmp_path, http__host="127.0.0.2")
    assert told["ZHIDAO_NODE_ROLES"] == "api,page"
    assert told["ZHIDAO_HTTP_HOST"] == "127.0.0.2"
    assert told["ZHIDAO_NODE_DEMO"] == "true"
    assert told["ZHIDAO_HTTP_PORT_SHARED"] == "true"
    assert (told["ZHIDAO_DATABASE_URL"], told["ZHIDAO_BUS_URL"]) == (DATABASE, BUS)
    # As the program reads them back.
    again = load(None, told)
    assert again.flag("node.demo")
    assert again.data == tmp_path


def test_it_is_told_nothing_that_opens_keys_and_starts_no_processes_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name in ("ZHIDAO_KEYS_PASSPHRASE_FILE", "CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET"):
        monkeypatch.setenv(name, "/run/secret")
    told = settings(tmp_path, keys__passphrase_file="/run/secret", node__process_url="https://a")
    assert "/run/secret" not in told.values()
    assert COUNT not in load(None, told).text("node.roles")
    assert load(None, told).number(COUNT) == 0
    assert load(None, told).text("node.process_url") == ""


@pytest.mark.bound("node.runtime.api_process.API_PROCESSES_MAX")
def test_there_are_as_many_as_asked_for_within_reason(tmp_path: Path):
    def asked(count: int, port: int = 8443) -> list[str]:
        config = load(None, {}, {"node.data": str(tmp_path), COUNT: count, "http.port": port})
        return list(api_processes(config, DATABASE, BUS))

    assert asked(0, port=0) == []
    assert asked(2) == ["api 1", "api 2"]
    assert len(asked(API_PROCESSES_MAX)) == API_PROCESSES_MAX
    for count in (-1, API_PROCESSES_MAX + 1):
        with pytest.raises(MalformedInput, match=COUNT):
            asked(count)
    with pytest.raises(MalformedInput) as refused:
        asked(1, port=0)
    assert refused.value.where == "http.port"


def test_the_port_is_shared_by_whoever_has_further_processes_or_is_one(tmp_path: Path):
    assert not shares_port(load(None, {}, {}))
    assert shares_port(load(None, {}, {COUNT: 1}))
    assert shares_port(load(None, {}, {"http.port_shared": True}))


@pytest.mark.service
def test_one_that_ends_at_once_is_not_started_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(api_process, "AGAIN_S", 0.5)
    config = load(None, {}, {"node.data": str(tmp_path)})
    process = ApiProcess(config, database_url=DATABASE, bus_url=BUS, number=1)
    assert not process.alive()
    # Ends at once: such a setting there is not.
    process._environment["ZHIDAO_NODE_ROLES"] = "cook"
    begun_s = time.monotonic()
    process.start()
    assert process._child is not None
    process._child.wait(60)
    assert process.alive() == (time.monotonic() - begun_s < 0.5)
    time.sleep(0.5)
    assert not process.alive()
    assert b"cook" in process.log.read_bytes()
    process.stop()
