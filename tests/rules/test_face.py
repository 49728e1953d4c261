"""The face of the room: each name loads, and nothing heavy does before it is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

from zhidao import rules


@pytest.mark.parametrize("name", rules.__all__)
def test_each_name_of_the_face_loads(name: str) -> None:
    assert getattr(rules, name) is not None


def test_another_name_is_none_of_its() -> None:
    with pytest.raises(AttributeError, match="rules has no parse"):
        rules.parse  # noqa: B018


def test_lxml_waits_until_somebody_reads_xml() -> None:
    code = "import sys, zhidao.rules; sys.exit('lxml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
