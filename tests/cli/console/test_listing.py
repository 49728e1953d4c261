"""Lists by command: the node is asked for order, filter and page, and no column is guessed."""

from __future__ import annotations

import argparse
import asyncio
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from tests.cli.test_help import _leaves

from zhidao.cli.console.listing import add_listing, rows_of
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import SeededRandomness
from zhidao.core.errors import MalformedInput
from zhidao.core.ids import party_id
from zhidao.node.lists.cursor import Cursors
from zhidao.node.lists.listing import Listing, wanted
from zhidao.node.lists.reading import Lists, Source

# What lists nothing that a node keeps page by page, each with its reason.
OTHERWISE = {
    "shortmessage outbox": "what waits on this machine, a few dozen messages at most",
    "archive list": "archived days of a folder of this machine",
    "deposit list": "the newest movements of one account, not a list of the node",
    "finance calendars list": "files of this machine",
    "keys list": "keys of this machine",
    "notifications list": "one person's own wishes and addresses, a handful",
    "profile list": "profiles of this machine's user",
    "trade codes list": "code lists of this machine",
    "trade packs list": "rule packs of this machine",
    "trust list": "trust lists of this machine",
}


class Row(msgspec.Struct):
    """A row of the test's list."""

    name: str
    state: str


class Node:
    """The node's own reading of a list, asked by its address."""

    listing = Listing("rows", ("name",), ("name", "state"))

    def __init__(self, count: int) -> None:
        self.rows = [Row(f"r{i:04}", ("open", "opened")[i % 2]) for i in range(count)]
        self.lists = Lists(Cursors(SeededRandomness(1)))
        self.sizes: list[int] = []

    def get(self, path: str) -> dict[str, Any]:
        split = urlsplit(path)
        assert split.path == "/v1/lists/rows"
        query = parse_qs(split.query)
        asked = wanted(
            self.listing,
            sort=query.get("sort", [""])[0],
            filters=query.get("filter", []),
            where=query.get("where", []),
        )
        limit, after = int(query["limit"][0]), query.get("after", [""])[0]
        self.sizes.append(limit)
        alice = Actor(party_id("alice"), Role.PARTY)
        source = Source(self.listing, self._read, is_paged=True)
        page = self.lists.page(source, alice, asked, limit=limit, after=after)
        rows, behind = asyncio.run(page)
        return {"rows": msgspec.to_builtins(rows), "next": behind}

    async def _read(self, *, actor: Actor, limit: int, after: str = "") -> list[Row]:
        del actor
        return [row for row in self.rows if row.name > after][:limit]


def _options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_listing(parser, "rows")
    return parser.parse_args(words)


def _names(node: Node, *words: str) -> list[str]:
    return [row["name"] for row in rows_of(_options(*words), node)]  # type: ignore[arg-type]


def test_without_options_the_whole_list_comes() -> None:
    assert _names(Node(250)) == [f"r{i:04}" for i in range(250)]


def test_an_order_and_a_filter_are_the_nodes() -> None:
    assert _names(Node(9), "--sort=-name", "--filter", "state:pene")[:2] == ["r0007", "r0005"]


def test_a_whole_value_is_not_a_part_of_another() -> None:
    assert _names(Node(4), "--filter", "state=open") == ["r0000", "r0002"]
    assert _names(Node(4), "--filter", "state:open") == ["r0000", "r0001", "r0002", "r0003"]


def test_a_text_with_a_colon_is_looked_for_where_it_is_no_column() -> None:
    assert _names(Node(4), "--filter", ":https://x") == []
    assert _names(Node(4), "--filter", "12:03") == []


@pytest.mark.parametrize(
    "words", [("--sort", "nmae"), ("--filter", "nmae:r1"), ("--filter", "a=b")]
)
def test_a_wrong_column_is_told_with_the_right_ones(words: tuple[str, str]) -> None:
    with pytest.raises(MalformedInput) as refused:
        _names(Node(4), *words)
    assert refused.value.code == "unknown_column"
    assert "name, state" in str(refused.value.remedy)


def test_pages_join_into_the_whole_list(capsys: pytest.CaptureFixture[str]) -> None:
    node = Node(250)
    found: list[str] = []
    after: tuple[str, ...] = ()
    while True:
        found += _names(node, "--limit", "120", "--sort=-name", *after)
        told = capsys.readouterr().err
        if not told:
            break
        assert told.startswith("more: --after ")
        after = tuple(told.split()[1:])
    assert found == [f"r{i:04}" for i in range(249, -1, -1)]
    assert node.sizes[:2] == [100, 20]


@pytest.mark.parametrize("number", ["0", "-1", "many", "1.5", "9999999999"])
def test_a_limit_is_a_number_of_rows(number: str) -> None:
    with pytest.raises(argparse.ArgumentError):
        _options("--limit", number)


def test_every_list_of_a_node_can_be_ordered_filtered_and_paged() -> None:
    lists = {
        prog.removeprefix("zhidao "): {
            word for each in leaf._actions for word in each.option_strings
        }
        for prog, leaf in _leaves()
        if prog.endswith((" list", " inbox", " outbox", "trust title"))
    }
    shared = {"--sort", "--filter", "--limit", "--after"}
    assert {name for name, words in lists.items() if not shared <= words} == set(OTHERWISE)
