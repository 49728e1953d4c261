from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from zhidao.node.web.pages import CONTENT_SECURITY_POLICY, built, routes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "index.html").write_text("<!doctype html><title>pages</title>")
    (tmp_path / "app-abc.js").write_text("1")
    (tmp_path / "app-abc.js.gz").write_bytes(gzip.compress(b"1"))
    (tmp_path / "map-worker-abc.mjs").write_text("2")
    (tmp_path / "favicon.svg").write_text("<svg/>")
    (tmp_path / ".stamp").write_text("secret of the build")
    return tmp_path


@pytest.fixture
def client(folder: Path) -> TestClient[Litestar]:
    return TestClient(Litestar(routes(folder), openapi_config=None))


@pytest.mark.parametrize("path", ["/", "/consignments/C-1", "/node", "/start", "/login", "/enter"])
def test_every_page_address_gives_the_one_document(client: TestClient[Litestar], path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert "pages" in answer.text


def test_every_address_that_the_pages_know_is_served_and_followed(
    client: TestClient[Litestar],
) -> None:
    source = Path(__file__).parents[3] / "web" / "src"
    known = re.findall(r'case "(/[^"]*)":', (source / "main.tsx").read_text())
    assert len(known) > 10
    # The address of a one-time link, or where a provider leads back, is opened anew.
    followed = re.search(r"OURS = /(.*)/;", (source / "route.ts").read_text())
    assert followed
    ours = re.compile(followed[1].replace("\\/", "/"))
    for path in known:
        assert client.get(path).status_code == 200, path
        anew = ("/enter", "/join", "/meet", "/login/back")
        assert path in anew or ours.match(path), path


def test_no_answer_allows_anything_inline_or_foreign(client: TestClient[Litestar]) -> None:
    opened = ("/", "/assets/absent.js", "/favicon.svg", "/worker-offline.js")
    for path in opened:
        headers = client.get(path).headers
        assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY, path
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
    # A script or a style is bound by the policy of the document that asks for it.
    part = client.get("/assets/app-abc.js").headers
    assert "content-security-policy" not in part
    assert part["x-content-type-options"] == "nosniff"
    assert part["cross-origin-resource-policy"] == "same-origin"
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY
    assert "frame-ancestors 'none'" in CONTENT_SECURITY_POLICY


def test_a_hashed_file_is_kept_for_ever_and_comes_packed(client: TestClient[Litestar]) -> None:
    packed = client.get("/assets/app-abc.js", headers={"accept-encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.text == "1"
    plain = client.get("/assets/app-abc.js", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert "immutable" in plain.headers["cache-control"]
    assert plain.headers["vary"] == "Accept-Encoding"


def test_the_worker_of_the_map_is_served_as_javascript(client: TestClient[Litestar]) -> None:
    answer = client.get("/assets/map-worker-abc.mjs")
    assert answer.headers["content-type"].startswith("text/javascript")


def test_a_page_that_did_not_change_is_not_sent_again(client: TestClient[Litestar]) -> None:
    tag = client.get("/").headers["etag"]
    assert client.get("/", headers={"if-none-match": tag}).status_code == 304


@pytest.mark.parametrize(
    "path", ["/assets/.stamp", "/assets/index.html", "/assets/..%2fpages.py", "/assets/none.js"]
)
def test_only_built_files_are_served(client: TestClient[Litestar], path: str) -> None:
    assert client.get(path).status_code == 404


def test_without_built_pages_the_node_says_how_to_build_them(tmp_path: Path) -> None:
    client = TestClient(Litestar(routes(tmp_path / "absent"), openapi_config=None))
    assert "hatch_build.py" in client.get("/").text
    assert built(tmp_path / "absent") == {}
