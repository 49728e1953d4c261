"""Text that shows what it holds: nothing in it is unseen, and nothing turns the rest around.

A person gives a name, another reads it and agrees. Controls, signs of direction (Unicode Standard
Annex #9, section 2) and characters without a shape make a reader see other words than stand there.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, Final

from zhidao.core.errors import MalformedInput

# C0 and C1; soft hyphen; Arabic letter mark; Mongolian vowel separator; zero width space; marks,
# embeddings, overrides and isolates of direction; word joiner to the deprecated format characters;
# byte order mark; interlinear annotation; non-characters; tags.
_UNSEEN: Final = (
    r"\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    r"\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f"
)
# The two joiners are spelling in Arabic and Persian and in the scripts of India, and there only.
_JOINED: Final = r"\u0600-\u06ff\u0750-\u077f\u0900-\u0dff"
_FOUND: Final = re.compile(rf"[{_UNSEEN}]|(?<![{_JOINED}])[\u200c\u200d]")
_BREAKS: Final = str.maketrans("\t\r\n", "   ")


def unseen_in(text: str, *, one_line: bool = True) -> str:
    """The first character that nobody sees, as `U+202E`; empty if there is none.

    Without `one_line`, tabs and line breaks may stand.

    >>> unseen_in("Almaty \\u202edrop"), unseen_in("علی\\u200cرضا"), unseen_in("a\\u200cb")
    ('U+202E', '', 'U+200C')
    """
    found = _FOUND.search(text if one_line else text.translate(_BREAKS))
    return f"U+{ord(found[0]):04X}" if found else ""


def refuse_unseen(
    value: Any, *, path: str = "$", one_line: bool = True, besides: Collection[str] = ()
) -> None:
    """Raises MalformedInput (`unprintable`) for the first text of a JSON value that has one.

    `besides`: names of members that are left out with all that stands in them.
    """
    if isinstance(value, str):
        if found := unseen_in(value, one_line=one_line):
            raise MalformedInput(
                f"a text has {found}, which nobody sees",
                code="unprintable",
                where=path,
                remedy="remove it",
            )
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in besides:
                refuse_unseen(key, path=path)
                refuse_unseen(item, path=f"{path}.{key[:40]}", one_line=one_line, besides=besides)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            refuse_unseen(item, path=f"{path}[{index}]", one_line=one_line, besides=besides)
