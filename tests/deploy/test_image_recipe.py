"""The unit and the image's recipe say what the documentation promises, and name nobody's mirror."""

from __future__ import annotations

import configparser
import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from zhidao.node.config import load

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
EXTRA = DEPLOY / "image" / "mkosi.extra"
STEPS = ROOT / "build_steps"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def fields(file: Path) -> dict[str, dict[str, list[str]]]:
    """Sections of a unit or definition file; a name may stand many times."""
    found: dict[str, dict[str, list[str]]] = {}
    section = ""
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(section, {}).setdefault(name, []).append(value)
    return found


def recipe() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(DEPLOY / "image" / "mkosi.conf", encoding="utf-8")
    return parser


@pytest.fixture(scope="module")
def sources() -> ModuleType:
    spec = importlib.util.spec_from_file_location("image_sources", STEPS / "image_sources.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["image_sources"] = module
    spec.loader.exec_module(module)
    return module


# --- the unit -----------------------------------------------------------------------------------


def test_the_node_runs_as_its_own_user_with_no_capability_and_a_read_only_system():
    service = fields(DEPLOY / "systemd" / "zhidao.service")["Service"]
    assert service["User"] == ["zhidao"]
    assert service["CapabilityBoundingSet"] == [""]
    assert service["NoNewPrivileges"] == ["yes"]
    assert service["ProtectSystem"] == ["strict"]
    assert service["StateDirectory"] == ["zhidao"]
    assert service["StateDirectoryMode"] == ["0700"]


def test_the_passphrase_comes_as_a_credential_from_where_the_first_start_puts_it():
    node = fields(DEPLOY / "systemd" / "zhidao.service")
    maker = fields(DEPLOY / "systemd" / "zhidao-passphrase.service")
    name, _, place = node["Service"]["LoadCredentialEncrypted"][0].partition(":")
    assert name == "zhidao-passphrase"
    assert maker["Unit"]["ConditionPathExists"] == [f"!{place}"]
    assert Path(place).parent == Path("/var/lib") / maker["Service"]["StateDirectory"][0]
    assert node["Unit"]["Requires"] == ["zhidao-passphrase.service"]
    # A copy of the data folder must not open itself.
    assert not place.startswith("/var/lib/zhidao/")


def test_the_unit_waits_longer_than_the_database_may_take_and_stops_the_node_first():
    service = fields(DEPLOY / "systemd" / "zhidao.service")["Service"]
    assert service["Type"] == ["notify"]
    assert service["KillMode"] == ["mixed"]
    assert int(service["TimeoutStartSec"][0]) >= 120
    assert int(service["WatchdogSec"][0]) > 60


def test_the_node_keeps_its_keys_open_only_for_itself():
    for unit in UNITS:
        assert fields(unit)["Service"]["UMask"] == ["0077"], unit.name


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not here")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_understands_every_line(unit: Path, tmp_path: Path):
    # The programs are not installed here, so the copies name one that is.
    for file in UNITS:
        text = re.sub(
            r"^ExecStart=\S+", "ExecStart=/bin/true", file.read_text(), flags=re.MULTILINE
        )
        (tmp_path / file.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / unit.name)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    ours = [line for line in done.stderr.splitlines() if "zhidao" in line]
    assert (done.returncode, ours) == (0, []), done.stderr


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not here")
def test_systemd_calls_the_unit_closed():
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20",
         str(DEPLOY / "systemd" / "zhidao.service")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-400:] + done.stderr


# --- the image ----------------------------------------------------------------------------------


def test_the_root_is_guarded_by_verity_and_a_changed_block_stops_the_machine():
    root = fields(DEPLOY / "image" / "mkosi.repart" / "10-root.conf")["Partition"]
    tree = fields(DEPLOY / "image" / "mkosi.repart" / "20-root-verity.conf")["Partition"]
    assert (root["Verity"], tree["Verity"]) == (["data"], ["hash"])
    assert root["VerityMatchKey"] == tree["VerityMatchKey"]
    line = recipe()["Content"]["KernelCommandLine"].split()
    assert "ro" in line
    assert "systemd.verity_root_options=panic-on-corruption" in line


def test_what_changes_lives_on_a_partition_that_the_first_boot_makes():
    data = fields(EXTRA / "usr" / "lib" / "repart.d" / "50-data.conf")["Partition"]
    table = (EXTRA / "etc" / "fstab").read_text()
    assert re.search(
        rf"^PARTLABEL={data['Label'][0]} /var {data['Format'][0]} ", table, re.MULTILINE
    )
    assert "noexec" not in table.splitlines()[-1]


def test_lists_of_the_recipe_stand_one_a_line():
    # mkosi splits lists at commas and lines, not at spaces.
    for name in ("Packages", "InitrdPackages", "RemoveFiles"):
        words = recipe()["Content"][name].split("\n")
        assert not [word for word in words if " " in word.strip()], name


def test_the_image_runs_the_very_units_of_an_ordinary_machine():
    script = (STEPS / "image.sh").read_text()
    assert '"$here"/deploy/systemd/*.service' in script
    assert not list(EXTRA.rglob("zhidao.service"))
    presets = (EXTRA / "usr" / "lib" / "systemd" / "system-preset" / "10-zhidao.preset").read_text()
    assert "enable zhidao.service\n" in presets


def test_its_first_settings_are_settings_and_speak_tls():
    config = load(EXTRA / "usr" / "share" / "zhidao" / "zhidao.toml", {})
    assert config.text("http.host") == "0.0.0.0"
    assert config.text("http.tls") == "auto"
    assert not config.flag("node.demo")


def test_no_file_names_a_mirror():
    files = [p for p in [*DEPLOY.rglob("*"), *STEPS.glob("*image*")] if p.is_file()]
    assert len(files) > 15
    for file in files:
        assert not re.search(r"https?://[a-z]", file.read_text(encoding="utf-8")), file


@pytest.mark.parametrize("script", ["image.sh"])
def test_scripts_are_posix_shell(script: str):
    for file in [
        STEPS / script,
        DEPLOY / "systemd" / "make-passphrase",
        *(p for p in (DEPLOY / "image").glob("mkosi.*") if p.is_file() and p.suffix != ".conf"),
    ]:
        assert file.read_text().startswith("#!/bin/sh\n")
        subprocess.run(["sh", "-n", str(file)], check=True, timeout=10)


# --- package sources ----------------------------------------------------------------------------

MACHINE = """\
# A comment.
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: trixie trixie-updates bookworm
Components: main contrib
Signed-By: /some/key

Types: deb
URIs: file:/srv/own
Suites: ./
Trusted: yes

Types: deb
Enabled: no
URIs: http://off.example/debian
Suites: trixie
"""


def test_only_network_sources_of_the_suite_are_taken(sources: ModuleType):
    texts = [sources.usable(stanza, "trixie") for stanza in sources.stanzas_of(MACHINE)]
    assert texts[1:] == [None, None]
    assert "URIs: http://mirror.example/debian\nSuites: trixie trixie-updates\n" in texts[0]
    assert "Trusted" not in texts[0]
    assert "deb-src" not in texts[0]


def test_lines_of_the_old_form_are_understood(sources: ModuleType, tmp_path: Path, capsys):
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text(
        "# no\ndeb [arch=amd64 signed-by=/k] https://mirror.example/debian trixie main\n"
        "deb-src https://mirror.example/debian trixie main\n"
    )
    assert sources.main("trixie", tmp_path) == 0
    assert capsys.readouterr().out.count("Types: deb\n") == 1


def test_a_machine_of_another_suite_is_refused(sources: ModuleType, tmp_path: Path, capsys):
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text("deb http://mirror.example/debian trixie-updates main\n")
    assert sources.main("trixie", tmp_path) == 1
    assert "trixie-updates" in capsys.readouterr().out
