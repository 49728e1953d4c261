"""Every sentence of the report on digital public goods, out of `texts.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files


@cache
def texts() -> dict[str, tuple[str, str]]:
    """Key: (English, Chinese); placeholders are the same in both."""
    here = files("zhidao.insight.wire.publication").joinpath("texts.toml")
    read = tomllib.loads(here.read_text("utf-8"))["text"]
    return {key: (english, chinese) for key, (english, chinese) in read.items()}
