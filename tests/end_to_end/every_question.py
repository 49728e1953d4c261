"""Everything that can be asked of a node after a road, asked by the people who walked it.

What came from another node is half there: its title is executed elsewhere, its window of signals
stayed there. Whoever asks for the other half gets an answer, not a fault of the node.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import httpx
from tests.end_to_end.walker import Walker

DESCRIPTION = "/schema/openapi.json"
QUESTIONS_MIN = 90
NAME = re.compile(r"{([^}:]+)[^}]*}")
# These go on for as long as somebody listens.
STREAMS = re.compile("/stream$")


def asks_everything(walker: Walker, names: dict[str, str]) -> list[str]:
    """The questions whose answers bear a text that is one party's and its bank's.

    `names` fills what stands in the addresses. Raises AssertionError at a fault of the node.
    """
    found = list(answers(walker, names))
    faults = [
        (path, status) for path, status, _ in found if status >= HTTPStatus.INTERNAL_SERVER_ERROR
    ]
    assert not faults, (walker.party, faults)
    assert len(found) > QUESTIONS_MIN
    return [path for path, _, text in found if names["secret"] in text]


def answers(walker: Walker, names: dict[str, str]) -> Iterator[tuple[str, int, str]]:
    """Each question that changes nothing, with the status and text of its answer."""
    node = walker.page.evaluate("location.origin")
    cookies = {each["name"]: each["value"] for each in walker.page.context.cookies()}
    with httpx.Client(base_url=node, cookies=cookies, verify=False, timeout=20.0) as client:
        paths: dict[str, Any] = client.get(DESCRIPTION).json()["paths"]
        for path, operations in paths.items():
            # Of what nobody knows by its name nothing is asked: who is refused often, waits.
            if "get" in operations and not STREAMS.search(path) and names.keys() >= _named(path):
                asked = re.sub(NAME, lambda name: names[name.group(1)], path)
                answer = client.get(asked)
                yield asked, answer.status_code, answer.text


def _named(path: str) -> set[str]:
    return set(NAME.findall(path))
