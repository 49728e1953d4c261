"""Profiles: files of one owner, and which one a call goes by."""

from __future__ import annotations

import argparse
import json
import stat
from pathlib import Path

import pytest

from zhidao.cli.console import profiles
from zhidao.cli.console.profiles import Profile, chosen, forget, keep, names, read, use
from zhidao.cli.main import main
from zhidao.core.errors import MalformedInput

XIAN = Profile("xian", "https://xian.example", person="li", session={"zhidao_csrf": "c", "s": "1"})
ALMATY = Profile("almaty", "https://almaty.example:8443", token="zd_00_secret")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv(profiles.VARIABLE, raising=False)
    return tmp_path / "zhidao" / "profiles"


def _options(**given: str) -> argparse.Namespace:
    return argparse.Namespace(**({"url": "", "profile": ""} | given))


def test_a_profile_is_kept_for_its_owner_alone_and_read_as_it_was(home: Path) -> None:
    place = keep(XIAN)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert read("xian") == XIAN
    assert "secret" not in repr(ALMATY)
    place.chmod(0o640)
    with pytest.raises(MalformedInput, match="others may read"):
        read("xian")


def test_the_last_login_counts_until_another_is_used_or_it_is_forgotten() -> None:
    assert chosen(_options()) is None
    keep(XIAN)
    keep(ALMATY)
    assert names() == ["almaty", "xian"]
    assert chosen(_options()) == ALMATY
    use("xian")
    assert chosen(_options()) == XIAN
    assert chosen(_options(profile="almaty")) == ALMATY
    forget("xian")
    assert chosen(_options()) is None
    with pytest.raises(MalformedInput) as absent:
        read("xian")
    assert absent.value.code == "no_profile"


def test_the_environment_names_one_for_a_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    keep(ALMATY)
    keep(XIAN)
    monkeypatch.setenv(profiles.VARIABLE, "almaty")
    assert chosen(_options()) == ALMATY
    assert chosen(_options(profile="xian")) == XIAN


def test_what_belongs_to_one_node_is_never_shown_to_another() -> None:
    keep(ALMATY)
    assert chosen(_options(url="https://almaty.example:8443/")) == ALMATY
    for other in (
        *("https://almaty.example", "http://almaty.example:8443", "https://almaty.example:84433"),
        *("https://almaty.example:8443@evil.example", "https://xian.example"),
    ):
        assert chosen(_options(url=other)) is None, other
        with pytest.raises(MalformedInput, match="is for"):
            chosen(_options(url=other, profile="almaty"))


def test_headers_are_a_tokens_or_a_sessions() -> None:
    assert ALMATY.headers == {"Authorization": "Bearer zd_00_secret"}
    assert XIAN.headers == {"Cookie": "zhidao_csrf=c; s=1", "X-CSRF-Token": "c"}


@pytest.mark.parametrize(
    "text",
    [
        *("", "{}", "[]", "nothing", '{"v":1}', '{"v":true,"name":"xian","url":"u"}'),
        json.dumps({"v": 1, **dict.fromkeys(("name", "url", "person", "ca", "token"), "")}),
        json.dumps({"v": 1, "name": 1, "url": "", "person": "", "ca": "", "token": ""})[:-1]
        + ',"session":{}}',
        json.dumps({"v": 1, **dict.fromkeys(("name", "url", "person", "ca", "token"), "")})[:-1]
        + ',"session":{"a":1}}',
    ],
)
def test_a_damaged_profile_says_how_to_make_it_anew(home: Path, text: str) -> None:
    keep(XIAN).write_text(text)
    with pytest.raises(MalformedInput) as told:
        read("xian")
    assert "login" in told.value.remedy or "JSON" in str(told.value)


@pytest.mark.parametrize("name", ["", "..", "../x", "A", "a/b", "a" * 33, "-a", "ä"])
def test_a_name_is_no_path(name: str) -> None:
    with pytest.raises(MalformedInput):
        keep(Profile(name, "https://xian.example"))


def test_profiles_are_listed_without_what_they_keep_secret(
    capsys: pytest.CaptureFixture[str],
) -> None:
    keep(XIAN)
    keep(ALMATY)
    assert main(["profile", "list", "--json"]) == 0
    text = capsys.readouterr().out
    assert "secret" not in text
    assert [each["profile"] for each in json.loads(text)] == ["almaty", "xian"]
    assert main(["profile", "use", "xian"]) == 0
    assert main(["profile", "show"]) == 0
    assert "https://xian.example" in capsys.readouterr().out
    assert main(["profile", "use", "nobody"]) == 2
    assert main(["login", "xian.example", "--as", "li"]) == 2
