r"""What a stranger said, as a terminal may show it: what would move, hide or turn it is escaped.

Controls start sequences that rename a window, clear a screen or type for the reader; signs of
direction (Unicode Standard Annex #9, section 2) make other words of those that stand there.
"""

from __future__ import annotations

import re
from typing import Final

# C0 without tab and line feed, DEL and C1; soft hyphen; Arabic letter mark; Mongolian vowel
# separator; zero width space; marks, embeddings, overrides and isolates of direction; separators
# of lines and paragraphs; deprecated format characters; halves of surrogate pairs, which no
# terminal takes; byte order mark; interlinear annotation; tags.
_ODD: Final = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    r"\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_BREAKS: Final = str.maketrans({"\n": r"\n", "\t": r"\t"})


def escaped(text: str, *, one_line: bool = False) -> str:
    r"""The text with `\u202e` for U+202E and so on, as JSON writes it: JSON stays what it says.

    Without `one_line`, tabs and line feeds stand.

    >>> escaped("Almaty \u202edrop"), escaped("a\x1b[2J"), escaped("a\nb", one_line=True)
    ('Almaty \\u202edrop', 'a\\u001b[2J', 'a\\nb')
    """
    safe = _ODD.sub(_escape, text)
    return safe.translate(_BREAKS) if one_line else safe


def _escape(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(rf"\u{units[k : k + 2].hex()}" for k in range(0, len(units), 2))
