"""Which keys of messages stand on a page where their words should."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import Page

_WORDS = json.loads((Path(__file__).parents[2] / "web/src/i18n/en.json").read_text("utf-8"))
# "none" is said as it is called: nobody can tell whether it was.
_KEYS = {key for key, words in _WORDS.items() if key != words}
_TEXTS = """() => {
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const out = [];
  while (walk.nextNode()) out.push(walk.currentNode.textContent.trim());
  return out;
}"""


def unspoken(page: Page) -> list[str]:
    """Those of the whole page, also of what is folded."""
    texts: list[str] = page.evaluate(_TEXTS)
    return [text for text in texts if text in _KEYS]
