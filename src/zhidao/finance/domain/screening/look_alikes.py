"""Letters of other scripts that look like Latin ones, and marks that hide a name from a machine.

Whoever writes "Вadege" with a Cyrillic letter means a person to read it as Latin. A name that is
written in one script is read in that script first.

Source: UTS 39 section 4 (an exemplar for each class of letters that are confused). Only the letters
of Cyrillic and Greek that Latin names are written with stand here, by their shapes: 65 pairs, those
of capitals and of small letters apart. Of the Unicode Consortium's table (confusables.txt), as
others reprint it, the entries of Cyrillic capitals and most Cyrillic small letters were compared,
and of Greek those of eta, upsilon, zeta, rho, nu, gamma and sigma; not checked: the rest of it.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_CYRILLIC: Final = "АВЕЅІЈКМНОРСТУХѴԚԜ" + "аегѕіјкморстухѵһԁԛԝп"
_AS_LATIN: Final = "ABESIJKMHOPCTYXVQW" + "aersijkmopctyxvhdqwn"
_GREEK: Final = "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ" + "αγεικνορστυχη"
_GREEK_AS_LATIN: Final = "ABEZHIKMNOPTYX" + "ayeikvopotuxn"
_TO_LATIN: Final = str.maketrans(_CYRILLIC + _GREEK, _AS_LATIN + _GREEK_AS_LATIN)
# The other way only what Russian is written with: a Latin letter in a Cyrillic name.
_TO_CYRILLIC: Final = str.maketrans("ABEKMHOPCTYXaekopcyxi", "АВЕКМНОРСТУХаекорсухі")
_OTHERS: Final = frozenset(_CYRILLIC + _GREEK)
# Marks that no letter of these scripts is written with once it is composed, and letters without
# a shape: zero width, soft hyphens, signs of direction.
_MARKS: Final = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")
_UNSEEN: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u180b-\u180e\u200b\u2060-\u206f\ufeff]"
)
_MIXED: Final = {"LATIN", "CYRILLIC", "GREEK"}


def without_hidden(name: str) -> str:
    """A name without what stands over its letters or between them and is no letter.

    >>> without_hidden("B\\u0336a\\u200bdege"), without_hidden("Ёлка")
    ('Badege', 'Ёлка')
    """
    return _MARKS.sub("", _UNSEEN.sub("", unicodedata.normalize("NFKC", name)))


def look_alikes(name: str, scripts: set[str]) -> list[str]:
    """How else a name can be read by its letters' shapes; nothing for one that is plainly written.

    >>> look_alikes("Еriс Ваdеgе", {"LATIN", "CYRILLIC"})[0]
    'Eric Badege'
    """
    mixed = scripts & _MIXED
    if len(mixed) > 1:
        told = [name.translate(_TO_LATIN)]
        if "CYRILLIC" in mixed:
            told.append(name.translate(_TO_CYRILLIC))
        return told
    if mixed and "LATIN" not in mixed and _only_look_alikes(name):
        return [name.translate(_TO_LATIN)]
    return []


def _only_look_alikes(name: str) -> bool:
    return all(letter in _OTHERS for letter in name if letter.isalpha())
