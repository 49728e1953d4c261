"""Every page in every look: no finding of axe, nothing to push sideways, a title and one heading."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from tests.web.looks.every_page import PAGES, looks

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.mark.timeout(580)
@pytest.mark.parametrize(("language", "theme", "width", "paths"), looks())
def test_every_page_is_usable_in_every_look(
    readers: Any, node: Any, language: str, theme: str, width: int, paths: list[str]
) -> None:
    reader = readers(language=language, theme=theme, width=width)
    wrong: list[str] = []
    for path in paths:
        node.turn(**PAGES[path])
        page = reader.open(path)
        # Late parts (a map, a list that is read by itself) come, or say that they do not.
        page.wait_for_load_state("networkidle") if path == "/login" else page.wait_for_timeout(500)
        page.locator(".fold > details").evaluate_all("all => all.forEach(e => { e.open = true })")
        found = Axe().run(page).response["violations"]
        wrong += [f"{path}: {v['id']} {v['nodes'][0]['html'][:160]}" for v in found]
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        if page.evaluate(wide) > 0:
            wrong.append(f"{path}: wider than {width} px")
        if page.locator("main h1").count() != 1 or not page.title():
            wrong.append(f"{path}: {page.locator('main h1').count()} headings, {page.title()!r}")
        page.close()
    assert wrong == []
