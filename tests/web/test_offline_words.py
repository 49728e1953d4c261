"""Without a line every page says so in the reader's language, also one that was never opened before."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SOURCES = Path(__file__).parents[2] / "web" / "src"
# By address: the pages whose code is fetched when somebody opens them.
LATE = re.findall(
    r'case "(/[^"]+)":\s+(?:[^\n]*\n\s+)?return [^\n]*<Later page',
    (SOURCES / "main.tsx").read_text(),
)


@pytest.mark.parametrize("language", ["en", "zh", "ru", "kk", "ar"])
def test_a_page_that_cannot_be_fetched_says_so_in_words(readers: Any, language: str) -> None:
    assert len(LATE) > 15
    words = json.loads((SOURCES / "i18n" / f"{language}.json").read_text(encoding="utf-8"))
    reader = readers(language=language)
    start = reader.open("/")
    for address in LATE:
        if address in ("/login/back", "/join", "/meet", "/peers", "/start"):
            continue  # By a link that somebody just got; not a party's.
        reader.context.route("**/assets/*.js", lambda route: route.abort())
        start.evaluate(
            "(to) => { history.pushState(null, '', to); dispatchEvent(new PopStateEvent('popstate')); }",
            address,
        )
        expect(start.locator("main")).to_contain_text(words["page.offline"])
        assert "module" not in start.locator("main").inner_text()
    reader.complaints.clear()  # The browser tells its console of each file that did not come.
