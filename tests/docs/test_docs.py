"""The documentation says what is so: tables are complete, examples run, links lead somewhere."""

from __future__ import annotations

import doctest
import html
import importlib
import importlib.util
import inspect
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from zhidao import __version__
from zhidao.cli.console.parsing import UsageError
from zhidao.cli.main import COMMANDS
from zhidao.node.config import SETTINGS, load

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "zhidao"
DOCS = ROOT / "docs"
ROOT_PAGES = sorted(ROOT.glob("*.md"))
PAGES = sorted(p for p in DOCS.rglob("*.md") if "_build" not in p.parts)
_FENCE = re.compile(r"^```(\{?[a-z-]*\}?)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
# Files of other rooms' making that a page may name before they stand in the tree.
_MADE_ELSEWHERE = {"docs/images/consignment.png"}


@dataclass(frozen=True)
class Fence:
    """A fenced example: its language, its text, and where it stands."""

    page: Path
    line: int
    language: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def _fences(language: str) -> list[Fence]:
    found = []
    for page in [*PAGES, *ROOT_PAGES]:
        text = page.read_text(encoding="utf-8")
        for match in _FENCE.finditer(text):
            if match[1] == language:
                line = text.count("\n", 0, match.start()) + 1
                found.append(Fence(page, line, language, match[2]))
    return found


def _commands_in(fence: Fence) -> Iterator[str]:
    """Command lines of a fence, continued lines joined, prompts and comments removed."""
    text = fence.text.replace("\\\n", " ")
    for line in text.splitlines():
        if fence.language == "console":
            if line.startswith("$ "):
                yield line[2:]
        elif line.strip() and not line.lstrip().startswith("#"):
            yield line.split("    #")[0]


@pytest.fixture(scope="module")
def from_code() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_from_code", DOCS / "from_code.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["docs_from_code"] = module
    spec.loader.exec_module(module)
    return module


def _page(name: str, from_code: ModuleType) -> str:
    return str(from_code.filled((DOCS / "reference" / name).read_text(encoding="utf-8")))


# --- complete -----------------------------------------------------------------------------------


def test_every_setting_is_documented(from_code: ModuleType) -> None:
    page = _page("settings.md", from_code)
    missing = [s.name for s in SETTINGS if f"`{s.name}`" not in page or s.variable not in page]
    assert not missing
    assert all(setting.text for setting in SETTINGS)


def test_every_command_is_documented(from_code: ModuleType) -> None:
    page = _page("commands.md", from_code)
    missing = [name for name, *_ in COMMANDS if f"## zhidao {name}\n" not in page]
    assert not missing


def test_every_fact_is_documented(from_code: ModuleType) -> None:
    page = _page("events.md", from_code)
    facts = from_code.facts()
    assert len(facts) > 30
    assert all(f"### {fact.TYPE}\n" in page for fact in facts)
    assert "published whole" in page


def test_every_route_is_documented_with_a_sentence(from_code: ModuleType) -> None:
    page = _page("http-api.md", from_code)
    paths = from_code.openapi()["paths"]
    assert len(paths) > 40
    assert not [path for path in paths if f" {path}`" not in page]
    assert "|  |" not in page, "a route without a docstring"


def test_every_schema_has_a_name_of_its_own_that_no_module_lends_it(
    from_code: ModuleType,
) -> None:
    """Two classes of one name would be told apart by where they stand, and a move rename both."""
    document = from_code.openapi()
    schemas = document["components"]["schemas"]
    assert len(schemas) > 250
    assert not [name for name in schemas if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name)]
    told = json.dumps(document)
    wanted = set(re.findall(r'"#/components/schemas/([^"]+)"', told))
    assert wanted == set(schemas), "each is used, and what is used is there"


API_NAMES = Path(__file__).with_name("api_names.txt")


def test_names_of_schemas_and_operations_change_on_purpose_only(from_code: ModuleType) -> None:
    """Programs of others are generated from these names: a rename breaks every one of them."""
    document = from_code.openapi()
    now = {f"schema {name}" for name in document["components"]["schemas"]} | {
        f"operation {operation['operationId']}: {method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if isinstance(operation, dict) and "operationId" in operation
    }
    known = set(API_NAMES.read_text(encoding="utf-8").splitlines())
    assert sorted(known - now) == [], "gone or renamed: say so in changes/, then strike it out here"
    assert sorted(now - known) == [], f"new: add it to {API_NAMES.name}, from where it stays"


def test_every_route_that_is_not_open_asks_who_calls(from_code: ModuleType) -> None:
    """A handler without an actor answers strangers, whatever its documentation says."""
    paths, unlisted = from_code.openapi()["paths"], {"security": [{}]}
    strangers = [
        f"{method} {route.path_format}"
        for route in from_code._application().routes
        for method, (handler, _) in getattr(route, "route_handler_map", {}).items()
        if {}
        not in paths.get(route.path_format, {}).get(method.lower(), unlisted).get("security", [])
        and not {"actor", "request"} & set(inspect.signature(handler.fn).parameters)
    ]
    assert not sorted(set(strangers))


def test_error_codes_bear_the_status_of_their_class(from_code: ModuleType) -> None:
    page = _page("error-codes.md", from_code)
    assert re.search(r"\| `bad_signature` \| 422 \| 1 \| [^|]*devices", page)
    assert re.search(r"\| `malformed_input` \| 400 \| 2 \|", page)
    assert re.search(r"\| `csrf` .*\| reload the page and do it again \|", page)
    assert re.search(r"\| `disk_full` \| 503 \| 3 \| [^|]*store", page)


def test_every_reason_of_an_arrival_is_explained(from_code: ModuleType) -> None:
    page = (DOCS / "reference" / "reasons.md").read_text(encoding="utf-8")
    facts = {fact.TYPE: fact for fact in from_code.facts()}
    for kind in ("positioning.ArrivalNotProven.v2", "devices.SubmissionRefused.v1"):
        listed = (facts[kind].__doc__ or "").split("`reason`:")[1].partition(".")[0]
        reasons = [word.strip() for word in listed.replace("\n", " ").split(",")]
        assert len(reasons) > 5
        assert not [reason for reason in reasons if f"`{reason}`" not in page], kind


def test_markers_name_tables_that_exist(from_code: ModuleType) -> None:
    used = {m[1] for page in PAGES for m in from_code.MARKER.finditer(page.read_text("utf-8"))}
    assert used == set(from_code.TABLES)


def test_the_pictures_of_state_machines_show_every_row_that_the_code_decides_by(
    from_code: ModuleType,
) -> None:
    page = _page("state-machines.md", from_code)
    machines = from_code.state_machines.MACHINES
    for name, machine in machines.items():
        drawn = from_code.state_machines.described(machine)
        assert drawn in page, name
        for state in machine.states:
            assert all(word in drawn for word in state.split()), (name, state)
        for row in machine.rows:
            assert f"| {row.state} | {row.act} | {row.who} | {row.then} |" in drawn
            assert html.escape(row.act.replace("_", " ")) in drawn
    defined = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        if re.search(r"^[A-Z]+: Final = Machine\[", path.read_text("utf-8"), re.MULTILINE)
    }
    count = sum(
        len(
            re.findall(
                r"^[A-Z]+: Final = Machine\[", (SOURCE / path).read_text("utf-8"), re.MULTILINE
            )
        )
        for path in defined
    )
    assert count == len(machines), "a machine that the page does not show"


def test_the_readme_shows_both_commands_and_every_room() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = "".join(fence.text for fence in _fences("sh") if fence.page.name == "README.md")
    assert "./run demo" in blocks
    assert "./run test" in blocks
    for named in ("BeiDou", "5G", "Operating systems", "Databases", "Internet of Things"):
        assert f"| {named}" in text
    for named in ("Industrial Internet", "Smart manufacturing", "Blockchain", "Digital trade"):
        assert f"| {named}" in text
    for named in ("Digital finance", "Governance", "Standards", "Talent", "Insight"):
        assert f"| {named}" in text


# --- true ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "page", [p for p in PAGES if ">>>" in p.read_text("utf-8")], ids=lambda p: p.name
)
def test_python_examples_give_what_they_show(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    # Fences of one page go on from each other, as a reader would type them.
    text = "\n".join(fence.text for fence in _fences("python") if fence.page == page)
    test = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    told: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    runner.run(test, out=told.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(told)
    assert test.examples


@pytest.mark.parametrize("fence", _fences("console"), ids=lambda f: f.name)
def test_console_examples_print_what_they_show(fence: Fence, tmp_path: Path) -> None:
    parts = re.split(r"^\$ (.*)\n", fence.text, flags=re.MULTILINE)[1:]
    for command, shown in zip(parts[::2], parts[1::2], strict=True):
        done = subprocess.run(
            command,
            shell=True,
            cwd=tmp_path,
            env=_clean_environment(tmp_path),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert _matches(shown, done.stdout + done.stderr), done.stdout + done.stderr


def _clean_environment(home: Path) -> dict[str, str]:
    keep = {k: v for k, v in os.environ.items() if not k.startswith(("ZHIDAO_", "XDG_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return keep | {"HOME": str(home), "PATH": path, "CHECKOUT": str(ROOT), "NO_COLOR": "1"}


def _matches(shown: str, printed: str) -> bool:
    """Whether the output is what is shown; a line of three dots stands for any lines."""
    pattern = "".join(
        r"(?:[^\n]*\n)*?" if line == "..." else re.escape(line) + "\n"
        for line in shown.splitlines()
    )
    return re.fullmatch(pattern, printed) is not None


def test_three_dots_stand_for_any_lines() -> None:
    assert _matches("a\n...\nz\n", "a\nb\nc\nz\n")
    assert _matches("a\n...\n", "a\n")
    assert not _matches("a\n...\nz\n", "a\nb\n")
    assert not _matches("a\n", "a\nb\n")


_ZHIDAO = re.compile(r"(?:^|[ /;(&|])zhidao ((?:demo|verify|trust|serve|doctor|config|backup|restore"
                     r"|keys|insight)\b[^|;&)>]*)")  # fmt: skip
_RUN = re.compile(r"\./run ([a-z]+)([^|;&)>]*)")


def _written_commands() -> list[tuple[str, str]]:
    found = []
    for fence in [*_fences("sh"), *_fences("console")]:
        for line in _commands_in(fence):
            plain = line.replace("…", "x")
            found += [(fence.name, m[1]) for m in _ZHIDAO.finditer(plain)]
            found += [
                (fence.name, f"{m[1]} {m[2]}")
                for m in _RUN.finditer(plain)
                if m[1] in ("demo", "serve")
            ]
    return sorted(set(found))


@pytest.mark.parametrize(("where", "command"), _written_commands(), ids=lambda text: text)
def test_commands_in_the_pages_have_these_options(
    where: str, command: str, from_code: ModuleType
) -> None:
    words = shlex.split(command)
    parser = from_code.command_parser(words[0])
    assert parser is not None, f"{where}: there is no command zhidao {words[0]}"
    try:
        parser.parse_args(words[1:])
    except UsageError as refusal:
        pytest.fail(f"{where}: zhidao {command}: {refusal}")


def test_tasks_in_the_pages_are_tasks_of_run() -> None:
    tasks = set(
        re.findall(r"^([a-z-]+)(?: \| [^)]*)?\)$", (ROOT / "run").read_text(), re.MULTILINE)
    )
    named = {m[1] for page in [*PAGES, *ROOT_PAGES] for m in _RUN.finditer(page.read_text("utf-8"))}
    assert {"demo", "test"} <= named
    assert named <= tasks


@pytest.mark.parametrize("fence", _fences("toml"), ids=lambda f: f.name)
def test_settings_in_the_pages_are_settings(fence: Fence, tmp_path: Path) -> None:
    file = tmp_path / "zhidao.toml"
    file.write_text(fence.text.replace("…", "x"), encoding="utf-8")
    assert tomllib.loads(file.read_text(encoding="utf-8"))
    load(file, {})


def test_the_first_terminal_of_the_tutorial_is_a_program_that_runs(tmp_path: Path) -> None:
    program = DOCS / "tutorials" / "first_terminal.py"
    done = subprocess.run(
        [sys.executable, str(program)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.startswith("z6Mk")
    assert (tmp_path / "terminal.secret").stat().st_mode & 0o077 == 0


# --- whole --------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [*PAGES, *ROOT_PAGES], ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(page: Path, from_code: ModuleType) -> None:
    text = _CODE.sub("", page.read_text(encoding="utf-8"))
    broken = []
    for target in _LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, heading = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists():
            if str(file.relative_to(ROOT)) not in _MADE_ELSEWHERE:
                broken.append(target)
        elif heading and heading not in _headings(from_code.filled(file.read_text("utf-8"))):
            broken.append(target)
    assert not broken


def _headings(text: str) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def test_every_page_is_reached_from_the_index() -> None:
    waiting, seen = [DOCS / "index.md"], set()
    while waiting:
        page = waiting.pop()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        text = page.read_text(encoding="utf-8")
        for fence in _FENCE.finditer(text):
            if fence[1] == "{toctree}":
                waiting += _children(page, fence[2])
    assert set(PAGES) <= seen


def _children(page: Path, toctree: str) -> Iterator[Path]:
    for line in toctree.splitlines():
        name = re.sub(r"^.*<(.*)>$", r"\1", line.strip())
        if name and not name.startswith(":"):
            yield from page.parent.glob(f"{name}.md")


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = [int(p.name[:4]) for p in sorted((DOCS / "adr").glob("0*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))
    for page in (DOCS / "adr").glob("0*.md"):
        assert "hange our mind" in page.read_text("utf-8") or "hanges our mind" in page.read_text()


def test_fragments_have_a_kind_and_one_sentence() -> None:
    for fragment in (ROOT / "changes").glob("*.md"):
        assert re.fullmatch(r"[a-z0-9-]+\.(added|changed|fixed|removed)\.md", fragment.name)
        text = fragment.read_text(encoding="utf-8").strip()
        assert text.endswith("."), fragment.name
        assert "\n" not in text, fragment.name


def test_the_changelog_tells_of_the_version_of_the_package() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    told = re.findall(r"^## (\d+\.\d+\.\d+) \(\d{4}-\d\d-\d\d\)$", text, re.MULTILINE)
    assert told[:1] == [__version__], "cut it: towncrier build --version VERSION"
    assert "<!-- newest first -->\n" in text, "where towncrier puts the next version"


@pytest.mark.slow
def test_the_pages_build_without_a_warning_and_ask_no_other_host(tmp_path: Path) -> None:
    if importlib.util.find_spec("sphinx") is None or importlib.util.find_spec("furo") is None:
        pytest.skip("requirements/docs.txt is not installed here: ./run setup")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", "-b", "html", str(DOCS), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    fetched = re.compile(
        r"<(?:script|link|img|iframe|source|object|embed)\b[^>]*?(?:src|href|data)=\"((?:[a-z]+:)?//[^\"]+)"
    )
    for page in tmp_path.rglob("*.html"):
        assert not fetched.findall(page.read_text(encoding="utf-8")), page
    for sheet in tmp_path.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        assert not re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", text), sheet
    assert (tmp_path / "reference" / "openapi.json").stat().st_size > 50_000
    found = (tmp_path / "search.html").read_text(encoding="utf-8")
    assert "<h1>" in found.partition('<article role="main"')[2], "the search has no heading"
    for page in PAGES:
        name = page.relative_to(DOCS).with_suffix(".html")
        shown = (tmp_path / name).read_text(encoding="utf-8")
        way = re.search(r'<nav class="languages".*?href="([^"]+)"', shown, re.DOTALL)
        assert way is not None, name
        assert way.start() < shown.index('<article role="main"'), "a search would quote the switch"
        assert ((tmp_path / name).parent / way[1]).exists(), name
        assert ('lang="zh-CN"' in shown.partition("<head>")[0]) == (name.parts[0] == "zh"), name
