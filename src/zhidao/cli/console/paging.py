"""Lists of a node that come page by page, read whole."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from zhidao.cli.console.remote import RemoteNode

_PAGE: Final = 100


def every(node: RemoteNode, path: str, *, key: str) -> list[dict[str, Any]]:
    """All rows of a list in order; `key` names the field that asks for the next page."""
    found: list[dict[str, Any]] = []
    after = ""
    while True:
        page = node.get(f"{path}?limit={_PAGE}&after={quote(after, safe='')}")
        found += page
        if len(page) < _PAGE:
            return found
        after = page[-1][key]
