"""A report on digital public goods: made, signed, computed again, and never altered unseen."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, sync_playwright
from tests.cli.insight.test_assess import FILES, Run, run
from tests.cli.insight.test_declaration import key_file
from tests.insight.corridor_trips import as_csv, corridor, drive, reported
from tests.insight.git_sample import commit

from zhidao.cli.insight.signatories import SigningKey
from zhidao.cli.main import main
from zhidao.core.canonical import jcs
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.insight.library import publications
from zhidao.insight.wire.publication import document as wire_document
from zhidao.insight.wire.publication import order as wire_order

__all__ = ["run"]

ORDER = """title = { en = "Goods of a corridor", zh = "走廊的公共产品" }
publisher = "The centre"
paid_by = "nobody"
on = 2026-11-30

[[good]]
name = "Engine <b>"
layer = "databases"
result = "engine.json"

[[good]]
name = "Receiver"
layer = "positioning"
result = "receiver.json"

[[corridor]]
name = "Almaty road"
result = "corridor.json"
map = "corridor.geojson"
reports = "reports.csv"
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two repositories assessed, a corridor timed, an order and a key."""
    folder = tmp_path_factory.mktemp("desk")
    for name, files in (
        ("engine", FILES),
        ("receiver", {"README.md": "# R\n", "LICENSE": "No military use.\n"}),
    ):
        commit(folder / name, dict(files))
        result = str(folder / f"{name}.json")
        words = ["assess", str(folder / name), "--standard", "dpg", "--standard", "reuse"]
        assert main(["insight", *words, "-o", result]) == 0
    draw = random.Random(40)
    tracks = [
        reported(drive(draw), draw, f"c{number}", f"carrier-{number % 6}") for number in range(20)
    ]
    (folder / "corridor.geojson").write_bytes(corridor("Khorgos"))
    (folder / "reports.csv").write_bytes(b"".join(as_csv(tracks)))
    files_of = ["--map", str(folder / "corridor.geojson"), "--reports", str(folder / "reports.csv")]
    output = ["-o", str(folder / "corridor.json")]
    assert main(["insight", "corridor", *files_of, "--seed", "7", *output]) == 0
    (folder / "order.toml").write_text(ORDER)
    key_file(folder / "mine.pem")
    return folder


@pytest.fixture(scope="module")
def kept(desk: Path) -> Path:
    report = desk / "report"
    words = ["publish", str(desk / "order.toml"), "--key", str(desk / "mine.pem")]
    assert main(["insight", *words, "-o", str(report)]) == 0
    return report


@pytest.fixture
def report(kept: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(kept, tmp_path / "report"))


def signer(report: Path) -> str:
    return json.loads((report / "report.credential.json").read_text())["issuer"]["id"]


def verified(run: Run, report: Path, *words: object, key: str = "") -> tuple[int, dict[str, Any]]:
    accepted = key or signer(report)
    status, out, err = run("verify", report, "--signatory", accepted, "--json", *words)
    assert err == ""
    return status, json.loads(out)


def test_every_value_is_computed_again_from_the_folder(run: Run, report: Path, desk: Path):
    status, told = verified(run, report)
    assert (status, told["wrong"]) == (0, [])
    assert told["figures"] > 60
    assert told["not_computed"] == ["good Engine <b>", "good Receiver"]
    held = [
        f"--repository=Engine <b>={desk / 'engine'}",
        f"--repository=Receiver={desk / 'receiver'}",
    ]
    status, told = verified(run, report, *held, key=f"The centre={signer(report)}")
    assert (status, told["wrong"], told["not_computed"]) == (0, [], [])
    assert "wrong: 0" in run("verify", report, "--signatory", signer(report))[1]


def test_what_it_tells_is_what_the_results_say(report: Path, desk: Path):
    document = json.loads((report / "report.json").read_text())
    engine, receiver = document["goods"]
    assert engine["figures"]["licences"] == ["MIT"]
    assert (engine["figures"]["licence_is"], receiver["figures"]["licence_is"]) == (
        "open",
        "person",
    )
    answers = json.loads((desk / "engine.json").read_text())["answers"]
    shown = [each for each in answers if (each["standard"], each["verdict"]) == ("dpg", "shown")]
    assert engine["figures"]["verdicts"]["dpg"]["shown"] == len(shown)
    totals = json.loads((desk / "corridor.json").read_text())["totals"]
    (total,) = [each for each in totals if each["part"] == "whole"]
    assert document["corridors"][0]["crossings"] == [total]
    found = {each["key"]: each for each in document["findings"]}
    assert found["finding_licences"]["numbers"] == {"count": 1, "total": 2, "unread": 1}
    assert found["finding_licences"]["rests_on"] == ["Engine <b>"]
    assert found["finding_crossing"]["numbers"]["mean_h"] == total["mean_h"]
    assert len(found) == 5


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [name for name, _ in attrs if name in {"src", "href", "onload"}]


def test_the_page_stands_alone_in_both_languages(report: Path):
    text = (report / "report.html").read_text()
    page = Page(text)
    assert page.links == []
    assert not {"script", "link", "img", "iframe", "b"} & set(page.tags)
    assert "default-src 'none'" in text.replace("&#x27;", "'")
    assert "Engine &lt;b&gt;" in text
    for words in ("Goods of a corridor", "走廊的公共产品", "Databases", "数据库", "Khorgos"):
        assert words in text


def test_the_same_results_give_the_same_bytes(run: Run, desk: Path, kept: Path, tmp_path: Path):
    other = tmp_path / "again"
    assert run("publish", desk / "order.toml", "--key", desk / "mine.pem", "-o", other)[0] == 0
    names = [file.relative_to(kept) for file in kept.rglob("*") if file.is_file()]
    assert len(names) == 8
    for name in names:
        if name.name != "report.credential.json":
            assert (other / name).read_bytes() == (kept / name).read_bytes(), name


def test_by_no_accepted_key_it_is_nobodys(run: Run, report: Path):
    status, out, _ = run("verify", report)
    assert status == 1
    assert "WRONG signature" in out
    status, told = verified(run, report, key=f"Somebody Else={signer(report)}")
    assert (status, len(told["wrong"])) == (1, 1)


@pytest.mark.parametrize(
    "count", [40, pytest.param(200, marks=[pytest.mark.long, pytest.mark.timeout(3600)])]
)
def test_every_alteration_is_named(run: Run, kept: Path, tmp_path: Path, count: int):
    draw = random.Random(2026)
    names = sorted(str(each.relative_to(kept)) for each in kept.rglob("*") if each.is_file())
    for number in range(count):
        place = Path(shutil.copytree(kept, tmp_path / str(number)))
        name = draw.choice(names)
        data = bytearray((place / name).read_bytes())
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(7)
        (place / name).write_bytes(data)
        status, out, err = run("verify", place, "--signatory", signer(kept))
        assert status in {1, 2}, (number, name)
        assert name in out + err or "signature" in out or "credential" in err, (number, name, out)
        shutil.rmtree(place)


def resigned(report: Path, desk: Path) -> None:
    """Lets whoever holds the key sign whatever stands in the folder now."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    from zhidao.core.archive import digest_of

    private: Any = load_pem_private_key((desk / "mine.pem").read_bytes(), None)
    sign = SigningKey(SoftwareKey(Algorithm.ED25519, private.private_bytes_raw()))
    files = {
        file.relative_to(report).as_posix(): digest_of(file.read_bytes())
        for file in report.rglob("*")
        if file.is_file() and file.name != "report.credential.json"
    }
    since = Utc.parse("2026-12-01T00:00:00Z")
    unproven = wire_document.credential_document(
        files, key=sign.key, by="The centre", since=since, title=("a", "b")
    )
    (report / "report.credential.json").write_bytes(jcs(sign(unproven, since)))


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in inner:
        if isinstance(each, dict | list):
            yield from places(each, (*place, key))
        elif place[:1] != ("order",) and (place or key not in ("v", "format")):
            yield (*place, key)


def test_a_figure_that_its_own_publisher_signed_falsely_is_named(
    run: Run, report: Path, desk: Path
):
    whole = json.loads((report / "report.json").read_text())
    draw = random.Random(7)
    for place in draw.sample(list(places(whole)), 40):
        document = json.loads(json.dumps(whole))
        inside = document
        for key in place[:-1]:
            inside = inside[key]
        was = inside[place[-1]]
        inside[place[-1]] = (not was) if isinstance(was, bool) else 17 if was != 17 else 18
        (report / "report.json").write_bytes(jcs(document))
        resigned(report, desk)
        status, told = verified(run, report)
        name = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in place)[1:]
        assert status == 1
        assert f"figure {name}" in told["wrong"]


def test_a_page_that_says_otherwise_is_named(run: Run, report: Path, desk: Path):
    page = report / "report.html"
    page.write_text(page.read_text().replace("Khorgos", "Dostyk"))
    resigned(report, desk)
    status, told = verified(run, report)
    assert (status, told["wrong"]) == (1, ["file report.html: not the page of these figures"])


def test_an_assessment_that_its_repository_does_not_give_is_found_out(
    run: Run, desk: Path, tmp_path: Path
):
    document = json.loads((desk / "engine.json").read_text())
    answer = next(each for each in document["answers"] if each["verdict"] == "needs_person")
    answer["verdict"], answer["reason"] = "shown", "shown_content"
    place = tmp_path / "desk"
    place.mkdir()
    for name in ("receiver.json", "corridor.json", "corridor.geojson", "reports.csv", "order.toml"):
        shutil.copyfile(desk / name, place / name)
    (place / "engine.json").write_bytes(jcs(document))
    words = ("publish", place / "order.toml", "--key", desk / "mine.pem", "-o", place / "report")
    assert run(*words)[0] == 0
    # From the folder alone nobody can know, and that is said.
    status, told = verified(run, place / "report")
    assert (status, "good Engine <b>" in told["not_computed"]) == (0, True)
    held = f"--repository=Engine <b>={desk / 'engine'}"
    status, told = verified(run, place / "report", held)
    assert status == 1
    assert told["wrong"][0].startswith("good Engine <b>: the repository does not give")
    # Figures of a corridor are held to its reports before anything is signed.
    lines = (place / "reports.csv").read_bytes().splitlines(keepends=True)
    (place / "reports.csv").write_bytes(b"".join(lines[: len(lines) // 2]))
    status, _, err = run(*words[:-1], place / "other")
    assert (status, (place / "other").exists()) == (1, False)
    assert "Almaty road" in err


def test_without_reports_a_corridor_is_named_as_not_computed(run: Run, desk: Path, tmp_path: Path):
    for name in ("engine.json", "receiver.json", "corridor.json"):
        shutil.copyfile(desk / name, tmp_path / name)
    order = "\n".join(each for each in ORDER.split("\n") if not each.startswith(("map", "reports")))
    (tmp_path / "order.toml").write_text(order)
    words = ("publish", tmp_path / "order.toml", "--key", desk / "mine.pem")
    assert run(*words, "-o", tmp_path / "report")[0] == 0
    status, told = verified(run, tmp_path / "report")
    assert (status, told["not_computed"][-1]) == (0, "corridor Almaty road")
    text = (tmp_path / "report" / "report.html").read_text()
    assert "nobody can compute them again" in text


def test_a_further_file_and_a_missing_one_are_named(run: Run, report: Path):
    (report / "evidence" / "more.json").write_text("{}")
    assert verified(run, report)[1]["wrong"] == ["file evidence/more.json: not signed"]
    (report / "evidence" / "more.json").unlink()
    (report / "evidence" / "good-001.json").unlink()
    wrong = verified(run, report)[1]["wrong"]
    assert wrong[0] == "file evidence/good-001.json: another or missing"
    assert "no file evidence/good-001.json" in wrong[1]
    (report / "report.html").unlink()
    assert run("verify", report)[0] == 2


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ('layer = "databases"', 'layer = "cloud"', "no layer cloud"),
        ('paid_by = "nobody"\n', "", "paid_by"),
        ("on = 2026-11-30", 'on = "soon"', "on"),
        ('name = "Receiver"', 'name = "Engine <b>"', "two entries"),
        ('reports = "reports.csv"\n', "", "enclosed together"),
        ('result = "engine.json"', 'result = "corridor.json"', "good-001.json"),
        ('result = "corridor.json"', 'result = "engine.json"', "corridor-01.json"),
        ('result = "engine.json"', 'result = "nowhere.json"', "nowhere.json"),
        ("title", "titel", "titel"),
    ],
)
def test_a_spoiled_order_is_bad_input_and_writes_nothing(
    run: Run, desk: Path, tmp_path: Path, was: str, now: str, told: str
):
    place = Path(shutil.copytree(desk, tmp_path / "desk", ignore=shutil.ignore_patterns(".git")))
    (place / "order.toml").write_text(ORDER.replace(was, now))
    words = ("publish", place / "order.toml", "--key", desk / "mine.pem", "-o", tmp_path / "out")
    status, out, err = run(*words)
    assert (status, out) == (2, "")
    assert told in err
    assert sorted(file.name for file in tmp_path.iterdir()) == ["desk"]


def test_a_folder_that_is_there_is_not_written_over(run: Run, desk: Path, kept: Path):
    words = ("publish", desk / "order.toml", "--key", desk / "mine.pem", "-o")
    assert run(*words, kept)[0] == 2
    assert run(*words, desk / "no" / "report")[0] == 2


def test_what_cannot_be_finished_leaves_nothing(
    run: Run, desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", full)
    words = ("publish", desk / "order.toml", "--key", desk / "mine.pem", "-o", tmp_path / "out")
    assert run(*words)[0] == 3
    assert list(tmp_path.iterdir()) == []


@pytest.mark.bound("insight.wire.publication.order.GOODS_MAX")
@pytest.mark.bound("insight.wire.publication.order.CORRIDORS_MAX")
@pytest.mark.bound("insight.wire.publication.order.ORDER_BYTES_MAX")
@pytest.mark.bound("insight.library.publications.EVIDENCE_BYTES_MAX")
def test_what_is_ordered_is_bounded(
    run: Run, desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    words = ("publish", desk / "order.toml", "--key", desk / "mine.pem", "-o")
    largest = max(
        file.stat().st_size for file in desk.iterdir() if file.suffix in {".json", ".csv"}
    )
    bounds: list[tuple[Any, str, int]] = [
        (wire_order, "GOODS_MAX", 2),
        (wire_order, "CORRIDORS_MAX", 1),
        (publications, "ORDER_BYTES_MAX", len(ORDER.encode())),
        (publications, "EVIDENCE_BYTES_MAX", largest),
    ]
    for module, name, most in bounds:
        with monkeypatch.context() as patched:
            patched.setattr(module, name, most)
            assert run(*words, tmp_path / name)[0] == 0
            patched.setattr(module, name, most - 1)
            assert run(*words, tmp_path / f"{name}-1")[0] == 2


@pytest.mark.bound("insight.library.publications.FILES_MAX")
@pytest.mark.bound("insight.wire.publication.document.REPORT_BYTES_MAX")
def test_what_is_verified_is_bounded(run: Run, report: Path, monkeypatch: pytest.MonkeyPatch):
    largest = max(
        (report / name).stat().st_size for name in ("report.json", "report.credential.json")
    )
    bounds: list[tuple[Any, str, int]] = [
        (publications, "FILES_MAX", 8),
        (wire_document, "REPORT_BYTES_MAX", largest),
    ]
    for module, name, most in bounds:
        with monkeypatch.context() as patched:
            for bound, expected in ((most, 0), (most - 1, 2)):
                patched.setattr(module, name, bound)
                assert run("verify", report, "--signatory", signer(report))[0] == expected


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if found is None:
        pytest.skip("no Chromium on this machine: nobody opened the page")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 768, 1440])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_axe_finds_nothing_in_it(browser: Browser, kept: Path, width: int, language: str):
    size: Any = {"width": width, "height": 900}
    page = browser.new_context(offline=True, viewport=size).new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto((kept / "report.html").as_uri())
    if language == "zh":
        page.locator("label[for=language-zh]").click()
    shown = page.locator("h2").first.inner_text()
    assert shown == {"en": "Findings", "zh": "结论"}[language]
    found = Axe().run(page)
    assert found.response["violations"] == []
    assert complaints == []
