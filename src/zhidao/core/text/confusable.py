"""Names that a reader takes for one another: the same but for case, marks or letters alike.

Whoever agrees to "Wei" must not have agreed to another "wei", nor to one that is written with a
letter of another script. Two names are confusable if they have a skeleton in common.

Source: Unicode Technical Standard 39, section 4: names are compared by a skeleton, in which each
class of letters that look the same has one exemplar. Of its table only those letters of Cyrillic,
Greek, Armenian and Latin stand here that common Latin letters are taken for, and the two digits.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# By their small letters: a capital is one with its small letter, so it is alike too.
_ALIKE: Final = "авеѕіјкмнорстухѵһԁԛԝпгьꙇ" + "αβεζηικμνορτυχγ" + "օոսհցզ" + "ıɑɡɩȷ" + "01|"
_LATIN: Final = "abesijkmhopctyxvhdqwnrbi" + "abezhikmvoptyxy" + "onuhgq" + "iagij" + "oll"
_TO_LATIN: Final = str.maketrans(_ALIKE, _LATIN)
_CAPITALS: Final = str.maketrans("IІΙӀӏ", "lllll")
_DASHES: Final = re.compile("[\u2010-\u2015\u2212\u30fc]")


def skeletons(name: str) -> frozenset[str]:
    """How a name is read: by its case, and by the shape of a capital I, which is a small l's.

    >>> skeletons("BO1") == skeletons("b\\u043e1"), sorted(skeletons("Ian"))
    (True, ['ian', 'lan'])
    """
    whole = unicodedata.normalize("NFKC", name)
    return frozenset(_folded(each) for each in (whole, whole.translate(_CAPITALS)))


def confusable(name: str, other: str) -> bool:
    """Whether a reader takes the one for the other; a name is confusable with itself.

    >>> confusable("bolat", "Bo1at"), confusable("bolat", "bulat")
    (True, False)
    """
    return not skeletons(name).isdisjoint(skeletons(other))


def _folded(name: str) -> str:
    folded = unicodedata.normalize("NFKC", name.casefold()).translate(_TO_LATIN)
    bare = "".join(each for each in folded if not unicodedata.combining(each))
    return " ".join(_DASHES.sub("-", bare).split())
