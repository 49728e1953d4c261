#!/usr/bin/env python3
"""Makes the help that a node serves: the documentation's pages as JSON in one archive.

python build_steps/help_pages.py DOCS OUTPUT.zip

Sphinx builds the pages, the tables from the code among them; each becomes pages/NAME.json with its
title and body, whose links lead to the node's own /help. contents.json lists them all.
"""

from __future__ import annotations

import json
import posixpath
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any, Final

_LINK: Final = re.compile(r'\b(href|src)="([^"]*)"')
_COMMENT: Final = re.compile(r"<!--.*?-->", re.DOTALL)
_PERMALINK: Final = re.compile(r'<a class="headerlink"[^>]*>.*?</a>')
_HEADING: Final = re.compile(r"<h[23]>(.*?)</h[23]>", re.DOTALL)
_TAG: Final = re.compile(r"<[^>]+>")
_LEFT_OUT: Final = ("genindex", "search")
# A fixed time, so that the same documentation makes the same archive.
_TIME: Final = (2020, 1, 1, 0, 0, 0)


def main() -> int:
    """Builds and packs."""
    docs, out = Path(sys.argv[1]), Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as scratch:
        built = Path(scratch)
        command = [sys.executable, "-m", "sphinx", "-q", "-b", "json", str(docs), scratch]
        subprocess.run(command, check=True)  # noqa: S603 (our own interpreter)
        pack(built, out)
    sys.stdout.write(f"help: {out.stat().st_size // 1024} KiB\n")
    return 0


def pack(built: Path, out: Path) -> None:
    """Writes the archive of a finished build."""
    pages = {
        name: json.loads(file.read_text(encoding="utf-8"))
        for file in sorted(built.rglob("*.fjson"))
        if (name := file.relative_to(built).with_suffix("").as_posix()) not in _LEFT_OUT
    }
    files: set[str] = set()
    members: dict[str, bytes] = {}
    contents = []
    for name, page in pages.items():
        body = _body(page["body"], name, set(pages), built, files)
        title = _plain(page["title"])
        members[f"pages/{name}.json"] = _json({"title": title, "body": body})
        headings = [_plain(each) for each in _HEADING.findall(body)]
        contents.append({"name": name, "title": title, "headings": headings})
    members["contents.json"] = _json(contents)
    for file in sorted(files):
        members[f"files/{file}"] = (built / file).read_bytes()
    out.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in sorted(members.items()):
            info = zipfile.ZipInfo(name, _TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)


def _body(body: str, name: str, pages: set[str], built: Path, files: set[str]) -> str:
    body = _PERMALINK.sub("", _COMMENT.sub("", body))

    def turned(found: re.Match[str]) -> str:
        return f'{found[1]}="{_target(found[2], name, pages, built, files)}"'

    return _LINK.sub(turned, body)


def _target(href: str, name: str, pages: set[str], built: Path, files: set[str]) -> str:
    """Where a link of a page leads at a node; what it does not know stays as it is."""
    path, mark, anchor = href.partition("#")
    if not path or "://" in path or path.startswith(("mailto:", "/")):
        return href
    # A page NAME is served as NAME/, an index as its folder.
    base = name.removesuffix("index") if posixpath.basename(name) == "index" else f"{name}/"
    here = posixpath.normpath(posixpath.join("/", base, path)).strip("/")
    for page in (here, f"{here}/index".strip("/")):
        if page in pages:
            return f"/help/{_address(page)}".rstrip("/") + mark + anchor
    if posixpath.basename(here) == "openapi.json":
        return "/schema/openapi.json"
    if (built / here).is_file():
        files.add(here)
        return f"/help-files/files/{here}"
    # Images are named from where they lie in the sources.
    if (built / "_images" / posixpath.basename(here)).is_file():
        files.add(f"_images/{posixpath.basename(here)}")
        return f"/help-files/files/_images/{posixpath.basename(here)}"
    return href


def _address(page: str) -> str:
    """The page's address without its language, which the reader's own decides."""
    page = page.removeprefix("zh/")
    return "" if page == "index" else page.removesuffix("/index")


def _plain(title: str) -> str:
    return _TAG.sub("", title).replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


if __name__ == "__main__":
    sys.exit(main())
