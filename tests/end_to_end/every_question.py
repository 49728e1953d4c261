"""Everything that can be asked of a node after a road, asked by the people who walked it.

What came from another node is half there: its title is executed elsewhere, its window of signals
stayed there. Whoever asks for the other half gets an answer, not a fault of the node.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from tests.end_to_end.walker import Walker

DESCRIPTION = "/schema/openapi.json"
QUESTIONS_MIN = 150
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
    request, node = walker.page.context.request, walker.page.evaluate("location.origin")
    paths: dict[str, Any] = request.get(node + DESCRIPTION).json()["paths"]
    for path, operations in paths.items():
        if "get" not in operations or STREAMS.search(path):
            continue
        asked = re.sub(r"{([^}:]+)[^}]*}", lambda name: names.get(name.group(1), "0"), path)
        answer = request.get(node + asked, timeout=20_000)
        yield asked, answer.status, answer.text()
