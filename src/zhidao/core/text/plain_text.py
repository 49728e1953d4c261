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
# byte order mark; places that are kept for such characters; interlinear annotation; non-characters;
# tags. Then what is a letter, mark, line or sign to Unicode and has no shape either: combining
# grapheme joiner; fillers of Hangul; inherent vowels of Khmer; separators of lines and paragraphs;
# selectors of variants; blank Braille pattern. Last, controls of shorthand; beams of music.
_UNSEEN: Final = (
    r"\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    r"\ufeff\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
    r"\u034f\u115f\u1160\u3164\uffa0\u17b4\u17b5\u2028\u2029\ufe00-\ufe0f\u2800"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
)
# The two joiners are spelling in Arabic and Persian and in the scripts of India, and there only.
_JOINED: Final = r"\u0600-\u06ff\u0750-\u077f\u0900-\u0dff"
# Selectors that tell forms of one letter apart: after a letter of Mongolian, after an ideograph.
_MONGOLIAN: Final = r"\u1820-\u18aa"
_IDEOGRAPHS: Final = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_FOUND: Final = re.compile(
    rf"[{_UNSEEN}]|(?<![{_JOINED}])[\u200c\u200d]|(?<![{_MONGOLIAN}])[\u180b-\u180d\u180f]"
    rf"|(?<![{_IDEOGRAPHS}])[\U000e0100-\U000e01ef]"
)
_BREAKS: Final = str.maketrans("\t\r\n", "   ")


def unseen_in(text: str, *, one_line: bool = True) -> str:
    """The first character that nobody sees, as `U+202E`; empty if there is none.

    Without `one_line`, tabs and line breaks may stand.

    >>> unseen_in("Almaty \\u202edrop"), unseen_in("علی\\u200cرضا"), unseen_in("a\\u200cb")
    ('U+202E', '', 'U+200C')
    """
    found = _FOUND.search(text if one_line else text.translate(_BREAKS))
    return f"U+{ord(found[0]):04X}" if found else ""


def says_something(text: str) -> bool:
    """Whether a letter or a digit that is seen stands in it: a reason without one is none.

    >>> says_something("ok"), says_something("假"), says_something("\\u3164"), says_something("-.")
    (True, True, False, False)
    """
    return any(sign.isalnum() and not unseen_in(sign) for sign in text)


def refuse_untidy(value: str, *, path: str = "$") -> None:
    """Raises MalformedInput (`unprintable`) for a name that is not one line with single blanks.

    They are ordinary ones (U+0020), none stands before or after it, and it is not made of them:
    whoever reads two such names, of which one has a blank more, takes them for one. An empty text
    is tidy.

    >>> refuse_untidy("Almaty Bank")
    """
    refuse_unseen(value, path=path)
    if other := next((each for each in value.strip() if each.isspace() and each != " "), ""):
        raise MalformedInput(
            f"a name has a blank that is no ordinary one, U+{ord(other):04X}: {value[:70]!r}",
            code="unprintable",
            where=path,
            remedy="use an ordinary blank",
        )
    if value != " ".join(value.split()):
        raise MalformedInput(
            f"a name has blanks before, behind or two in a row: {value[:70]!r}",
            code="unprintable",
            where=path,
            remedy="remove them",
        )


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
