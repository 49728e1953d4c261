from __future__ import annotations

from pathlib import Path

import pytest

from zhidao.core.errors import MalformedInput
from zhidao.node.config import SETTINGS, load


def write(folder: Path, text: str) -> Path:
    file = folder / "zhidao.toml"
    file.write_text(text)
    return file


def test_each_source_overrides_the_one_before_and_says_where_it_came_from(tmp_path: Path) -> None:
    file = write(tmp_path, "[http]\nport = 1000\nhost = '127.0.0.2'\n[log]\nlevel = 'debug'\n")
    environment = {"ZHIDAO_HTTP_PORT": "2000", "ZHIDAO_HTTP_HOST": "127.0.0.3"}
    config = load(file, environment, {"http.host": "127.0.0.4"})
    found = {each.setting.name: (each.value, each.source) for each in config.every()}
    assert found["log.level"] == ("debug", str(file))
    assert found["http.port"] == (2000, "ZHIDAO_HTTP_PORT")
    assert found["http.host"] == ("127.0.0.4", "command line")
    assert found["node.name"] == ("node", "default")


def test_every_setting_has_a_variable_and_a_sentence() -> None:
    assert len({each.variable for each in SETTINGS}) == len(SETTINGS)
    assert all(each.text for each in SETTINGS)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[http]\nprot = 1\n", "no setting 'http.prot'"),
        ("[http]\nport = '1'\n", "http.port wants int"),
        ("[http]\nport = true\n", "http.port wants int"),
        ("[node]\ndemo = 1\n", "node.demo wants bool"),
        ("port = 1\n", "outside a"),
        ("[http\n", "not TOML"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(MalformedInput, match=says):
        load(write(tmp_path, text), {})


@pytest.mark.parametrize(
    ("name", "text"),
    [("ZHIDAO_HTTP_PORT", "1e3"), ("ZHIDAO_HTTP_PORT", "-1"), ("ZHIDAO_NODE_DEMO", "maybe")],
)
def test_a_wrong_variable_is_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(MalformedInput, match=name):
        load(None, {name: text})


def test_a_secret_is_not_shown() -> None:
    config = load(None, {"ZHIDAO_DATABASE_URL": "postgresql://u:p@h/d"})
    [shown] = [each.shown for each in config.every() if each.setting.name == "database.url"]
    assert "p@h" not in str(shown)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MalformedInput, match="no settings file"):
        load(tmp_path / "none.toml", {})


def test_a_table_inside_a_section_is_a_longer_name(tmp_path: Path) -> None:
    for text in ("[node]\nprocesses.api = 2\n", "[node.processes]\napi = 2\n"):
        assert load(write(tmp_path, text), {}).number("node.processes.api") == 2
    assert load(None, {"ZHIDAO_NODE_PROCESSES_API": "3"}).number("node.processes.api") == 3
    with pytest.raises(MalformedInput, match=r"node\.processes\.cook"):
        load(write(tmp_path, "[node.processes]\ncook = 2\n"), {})
