"""What every `zhidao … list` shares: order, what rows must contain, and pages of a list.

The node sorts and filters (`/v1/lists/NAME`), so that a list of any length is asked for alike.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode

from zhidao.cli.console.remote import RemoteNode
from zhidao.core.hosts.shown import escaped

_PAGE: Final = 100
# Told at once; who wants more goes on behind them.
_ROWS_MAX: Final = 100_000
# What looks like the name of a column is taken for one, so that a wrong one is told.
_COLUMN: Final = re.compile(r"[a-z][a-z_.]*[:=]")


def add_listing(parser: argparse.ArgumentParser, name: str) -> None:
    """Adds --sort, --filter, --limit and --after for the node's list of this name."""
    options = parser.add_argument_group("rows")
    options.add_argument(
        "--sort", default="", metavar="COLUMN", help="in its order; --sort=-COLUMN: from the end"
    )
    options.add_argument(
        "--filter",
        action="append",
        default=[],
        metavar="TEXT",
        help="rows that contain TEXT, or COLUMN:TEXT in that column, or COLUMN=VALUE exactly; "
        "several times: all of them",
    )
    options.add_argument("--limit", type=_count, default=0, metavar="N", help="so many at most")
    options.add_argument("--after", default="", metavar="CURSOR", help="behind those shown before")
    parser.set_defaults(list_name=name)


def rows_of(options: argparse.Namespace, node: RemoteNode, *more: str) -> list[dict[str, Any]]:
    """The rows that were asked for; where there are more, the cursor behind them is told.

    more: filters of the command's own. Raises MalformedInput for a column that the list lacks,
    Unavailable (`bad_answer`) for what is no page of a list.
    """
    from zhidao.core.hosts.answers import bad_answer

    asked = _asked(options, more)
    found: list[dict[str, Any]] = []
    after = options.after
    # A list that came back to where it was would not end.
    seen = {after} - {""}
    while not options.limit or len(found) < options.limit:
        size = min(_PAGE, options.limit - len(found)) if options.limit else _PAGE
        query = urlencode([("limit", str(size)), *asked], quote_via=quote)
        behind = f"&after={quote(after, safe='')}" if after else ""
        path = f"/v1/lists/{options.list_name}?{query}{behind}"
        rows, after = _page_of(node.get(path), size)
        if rows is None or after in seen:
            raise bad_answer(f"{getattr(options, 'url', '')}{path}", "what is no page of a list")
        seen.add(after)
        found += rows
        if not after:
            return found
        if len(found) >= _ROWS_MAX or len(seen) >= _ROWS_MAX:
            break
    print(escaped(f"more: --after {after}", one_line=True), file=sys.stderr)
    return found


def _asked(options: argparse.Namespace, more: Sequence[str]) -> list[tuple[str, str]]:
    """Order and filters as the node takes them."""
    order = [("sort", options.sort)] if options.sort else []
    return order + [
        ("where" if _COLUMN.match(each) else "filter", each.removeprefix(":"))
        for each in (*more, *options.filter)
    ]


def _page_of(said: Any, rows_max: int) -> tuple[list[dict[str, Any]] | None, str]:
    """Rows of a page and the cursor behind them; None for what is no page."""
    rows, after = (said.get("rows"), said.get("next")) if isinstance(said, dict) else (None, None)
    if not isinstance(rows, list) or not isinstance(after, str) or len(rows) > rows_max:
        return None, ""
    return (rows if all(isinstance(row, dict) for row in rows) else None), after


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not int(text[:9]) > 0 or len(text) > 9:
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is no number of rows, such as 50")
    return int(text)
