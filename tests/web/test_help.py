"""Help: every page has a chapter, every chapter is there, and links of the archive lead somewhere."""

from __future__ import annotations

import importlib.util
import json
import re
import zipfile
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from zhidao.node.web import help as help_pages
from zhidao.node.web import pages

ROOT = Path(__file__).resolve().parents[2]
TABLE = re.findall(
    r"^  \[/(.+)/, \"([^\"]+)\"\],$", (ROOT / "web/src/help.ts").read_text(), re.MULTILINE
)
TERMS = re.findall(
    r'"(\w+)"', (ROOT / "web/src/parts/term.tsx").read_text().split("TermName =")[1].split(";")[0]
)


def addresses() -> list[str]:
    (page, *_) = pages.routes(Path("/nowhere"))
    return sorted(re.sub(r"\{[^}]*\}", "x", path) for path in page.paths)


def test_every_page_of_the_node_has_a_chapter() -> None:
    found = addresses()
    assert len(found) > 20
    without = [
        path
        for path in found
        if not path.startswith("/help")
        and not any(re.search(each.replace("\\/", "/"), path) for each, _ in TABLE)
    ]
    assert without == [], "give the page a chapter: web/src/help.ts"


def test_every_chapter_of_the_table_is_in_the_documentation() -> None:
    assert len(TABLE) > 15
    for _, chapter in TABLE:
        assert (ROOT / "docs" / f"{chapter}.md").is_file(), chapter


def test_every_chapter_of_a_page_is_there_in_chinese_but_what_is_newer() -> None:
    lacking = {
        chapter for _, chapter in TABLE if not (ROOT / "docs/zh" / f"{chapter}.md").is_file()
    }
    # The reference of the API is made from the code, in the words of its docstrings.
    assert lacking <= {"how-to/notifications", "reference/http-api"}


@pytest.mark.parametrize("language", ["en", "zh", "ru", "kk"])
def test_every_term_is_explained_in_each_whole_language(language: str) -> None:
    words = json.loads((ROOT / "web/src/i18n" / f"{language}.json").read_text(encoding="utf-8"))
    assert len(TERMS) == 6
    for name in TERMS:
        assert len(words[f"term_means.{name}"]) > 20
        assert words[f"term.{name}"]
    used = "".join(file.read_text() for file in (ROOT / "web/src").rglob("*.tsx"))
    assert {name for name in TERMS if f'<Term name="{name}" />' not in used} == set()
    assert (ROOT / "docs/reference/glossary.md").is_file()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An archive packed from two pages in two languages and a picture."""
    built = tmp_path / "built"
    for name, body in {
        "index": '<a href="how-to/">x</a>',
        "how-to/index": '<a href="monitor/#logs">x</a><!-- from x -->',
        "how-to/monitor": '<h2>Logs<a class="headerlink" href="#logs">¶</a></h2>'
        '<a href="../">up</a><a href="../../">top</a><a href="#logs">here</a>'
        '<a href="https://example.org/">out</a><a href="openapi.json">api</a>'
        '<img src="../../_images/road.png">',
        "zh/how-to/monitor": '<a href="../../../how-to/">x</a><a href="../monitor/">y</a>',
    }.items():
        file = built / f"{name}.fjson"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"title": f"A &amp; <b>{name}</b>", "body": body}))
    (built / "_images").mkdir()
    (built / "_images/road.png").write_bytes(b"\x89PNG")
    spec = importlib.util.spec_from_file_location("help_pages", ROOT / "build_steps/help_pages.py")
    assert spec
    assert spec.loader
    step = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(step)
    step.pack(built, tmp_path / "help.zip")
    first = (tmp_path / "help.zip").read_bytes()
    step.pack(built, tmp_path / "help.zip")
    assert (tmp_path / "help.zip").read_bytes() == first
    return tmp_path / "help.zip"


def body(archive: Path, name: str) -> str:
    with zipfile.ZipFile(archive) as opened:
        return str(json.loads(opened.read(f"pages/{name}.json"))["body"])


def test_links_of_the_archive_lead_to_the_nodes_own_help(archive: Path) -> None:
    assert body(archive, "index") == '<a href="/help/how-to">x</a>'
    assert body(archive, "how-to/index") == '<a href="/help/how-to/monitor#logs">x</a>'
    page = body(archive, "how-to/monitor")
    assert re.findall(r'(?:href|src)="([^"]*)"', page) == [
        *("/help/how-to", "/help", "#logs", "https://example.org/", "/schema/openapi.json"),
        "/help-files/files/_images/road.png",
    ]
    assert "headerlink" not in page
    # The reader's language is no part of an address.
    assert body(archive, "zh/how-to/monitor") == (
        '<a href="/help/how-to">x</a><a href="/help/how-to/monitor">y</a>'
    )


def test_a_node_serves_its_help_to_anybody_and_nothing_else(archive: Path) -> None:
    app = Litestar(help_pages.routes(help_pages.Help(archive)))
    with TestClient(app) as client:
        contents = client.get("/help-files/contents.json").json()
        assert [each["name"] for each in contents][:2] == ["how-to/index", "how-to/monitor"]
        assert contents[1]["headings"] == ["Logs"]
        assert contents[0]["title"] == "A & how-to/index"
        for each in contents:
            assert client.get(f"/help-files/pages/{each['name']}.json").status_code == 200
        picture = client.get("/help-files/files/_images/road.png")
        assert picture.headers["content-type"] == "image/png"
        assert picture.headers["content-security-policy"] == pages.CONTENT_SECURITY_POLICY
        for wrong in ("pages/none.json", "../pages.py", "%2e%2e/pages.py", "pages/", "/etc/passwd"):
            assert client.get(f"/help-files/{wrong}").status_code == 404, wrong


def test_an_installation_without_help_says_so() -> None:
    app = Litestar(help_pages.routes(help_pages.Help(Path("/nowhere/help.zip"))))
    with TestClient(app) as client:
        assert client.get("/help-files/contents.json").status_code == 404
