"""The notation of field formats: `16x`, `6!n`, `4*35x`, `[/34x$]`, as patterns.

n digits, a capital letters, c both, d an amount with a comma, x and z the two sets of letters that
text may have. `!` exactly so many, else up to so many; `n*` lines; `[ ]` may be left out; `$` a new
line; anything else stands for itself.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

X_LETTERS: Final = "A-Za-z0-9/\\-?:().,'+ "
Z_LETTERS: Final = X_LETTERS + '=!"%&*<>;{@#_'
_SETS: Final = {"n": "0-9", "a": "A-Z", "c": "A-Z0-9", "x": X_LETTERS, "z": Z_LETTERS}
_TOKEN: Final = re.compile(
    r"(?P<lines>\d+)\*(?P<wide>\d+)(?P<lined>[xz])"
    r"|(?P<size>\d+)(?P<exact>!?)(?P<set>[nacxzd])"
    r"|(?P<other>.)",
    re.DOTALL,
)


@lru_cache(maxsize=256)
def pattern_of(notation: str) -> re.Pattern[str]:
    """The pattern of a notation; lines are parted by a line feed."""
    return re.compile("".join(map(_piece, _TOKEN.finditer(notation))))


def _piece(token: re.Match[str]) -> str:
    if token["lined"]:
        line = f"[{_SETS[token['lined']]}]{{1,{token['wide']}}}"
        return f"{line}(?:\n{line}){{0,{int(token['lines']) - 1}}}"
    if token["set"] == "d":
        # With its comma at most so long; digits before the comma at least one.
        return rf"(?=[0-9,]{{2,{token['size']}}}(?![0-9,]))[0-9]+,[0-9]*"
    if token["set"]:
        least = token["size"] if token["exact"] else "1"
        return f"[{_SETS[token['set']]}]{{{least},{token['size']}}}"
    return {"[": "(?:", "]": ")?", "$": "\n"}.get(token["other"], re.escape(token["other"]))
