"""One sheet with a picture of every page in every look, for eyes: `./run pages`.

Writes FOLDER/index.html and a JPEG of each; prints what axe found besides.
"""

from __future__ import annotations

import argparse
import html
import sys
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.web.conftest import FLAGS, Readers, chromium, serving
from tests.web.looks.every_page import LANGUAGES, LOOKS, PAGES, THEMES, WIDTHS

_HIGH_PX_MAX = 2400
_SHOWN_PX = {360: 180, 768: 260, 1440: 360}


def main() -> int:
    """Takes the pictures; 1 if axe found anything."""
    parser = argparse.ArgumentParser(prog="./run pages", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("build/pages"))
    parser.add_argument("--languages", nargs="*", default=LANGUAGES)
    parser.add_argument("--themes", nargs="*", default=THEMES, choices=THEMES)
    parser.add_argument("--widths", nargs="*", type=int, default=WIDTHS)
    parser.add_argument("--pages", nargs="*", default=list(PAGES), help="addresses; all of them")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    wanted = [
        look
        for look in LOOKS
        if look[0] in options.languages and look[1] in options.themes and look[2] in options.widths
    ]
    pictures: dict[str, list[tuple[str, int]]] = {path: [] for path in options.pages}
    findings: list[str] = []
    program = chromium()
    if program is None:
        _say("no Chromium on this machine")
        return 3
    with serving() as node, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        readers = Readers(browser, node)
        for language, theme, width in wanted:
            reader = readers(language=language, theme=theme, width=width)
            for path in options.pages:
                node.turn(**PAGES[path])
                page = reader.open(path)
                page.wait_for_timeout(700)
                found = Axe().run(page).response["violations"]
                where = f"{path} {language} {theme} {width}"
                findings += [f"{where}: {v['id']} {v['nodes'][0]['html'][:120]}" for v in found]
                name = (
                    f"{path.strip('/').replace('/', '-') or 'home'}-{language}-{theme}-{width}.jpg"
                )
                high = int(page.evaluate("document.documentElement.scrollHeight"))
                page.screenshot(
                    path=options.output / name,
                    type="jpeg",
                    quality=60,
                    full_page=True,
                    clip={"x": 0, "y": 0, "width": width, "height": min(high, _HIGH_PX_MAX)},
                )
                pictures[path].append((name, width))
                page.close()
            reader.context.close()
            _say(f"{language} {theme} {width}: {len(options.pages)} pages")
        browser.close()
    (options.output / "index.html").write_text(_sheet(pictures, findings), encoding="utf-8")
    for finding in findings:
        _say(finding)
    _say(f"{sum(map(len, pictures.values()))} pictures, {len(findings)} findings of axe: {options.output / 'index.html'}")  # fmt: skip
    return 1 if findings else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _sheet(pictures: dict[str, list[tuple[str, int]]], findings: list[str]) -> str:
    rows = "".join(
        f"<h2>{html.escape(path)}</h2><p>"
        + "".join(
            f'<a href="{name}"><img src="{name}" width="{_SHOWN_PX.get(width, 240)}" '
            f'alt="{html.escape(name)}" title="{html.escape(name)}" loading="lazy"></a> '
            for name, width in row
        )
        + "</p>"
        for path, row in pictures.items()
    )
    told = "".join(f"<li>{html.escape(each)}</li>" for each in findings) or "<li>none</li>"
    style = (
        "body{font:14px sans-serif;margin:16px;background:#888}img{vertical-align:top;margin:2px}"
    )
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Pages</title><style>{style}</style>"
        f"<h1>Every page in every look</h1><p>Findings of axe:</p><ul>{told}</ul>{rows}</html>"
    )


if __name__ == "__main__":
    sys.exit(main())
