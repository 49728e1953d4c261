"""Names that a reader takes for one another: the same but for case, marks or letters alike.

Whoever agrees to "Wei" must not have agreed to another "wei" or "Wéi", nor to one that is written
with a letter of another script, or with something between its letters that has no shape. Two names
are confusable if they have a skeleton in common.

Source: Unicode Technical Standard 39, section 4: names are compared by a skeleton, in which each
class of letters that look the same has one exemplar. Of its table those letters stand here that
common Latin, Arabic and Chinese letters are taken for, digits, dots, dashes and apostrophes; of
pairs of letters rn for m, and vv for w. Unlike there, marks are dropped, since readers pass over
them: "Hà" is read as "Hạ", й as и, ё as е, آ as ا. A letter of a shape of its own that has no
decomposition stays what it is: қ is no к, ә no а, đ no d.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# By small letters, of Cherokee by capitals, as case folding leaves them. In each line Latin, then
# Cyrillic, Greek, Coptic and Armenian, then Cherokee, Lisu, Canadian syllables and runes.
_ALIKE: Final = {
    "a": "ɑᴀ" + "аα" + "Ꭺꓮᗅ",
    "b": "ʙ" + "вьβ" + "ᏏᏴꓐᖯᗷ",
    "c": "ᴄ" + "сⲥ" + "Ꮯꓚ",
    "d": "ᴅ" + "ԁ" + "ᎠᏧꓓᑯᗞᗪ",
    "e": "ᴇ℮" + "еε" + "Ꭼꓰ",
    "f": "ꜰ" + "ϝ" + "ꓝᖴ",
    "g": "ɡɢ" + "ԍց" + "ᏀᏳꓖ",
    "h": "ʜ" + "нһηⲏհ" + "ᎻᏂꓧᕼ",
    "i": "ıɩɪ" + "іꙇιⲓ" + "Ꭵ",
    "j": "ȷᴊ" + "јϳյ" + "Ꭻꓙᒍ",
    "k": "ᴋ" + "кκⲕ" + "Ꮶꓗᛕ",
    "l": "ʟǀ1|" + "ⳑ" + "Ꮮꓡꓲᒪᛁ",
    "m": "ᴍ" + "мμⲙ" + "Ꮇꓟᗰᛖ",
    "n": "ɴ" + "пⲛո" + "ꓠ",
    "o": "ᴏᴑ0" + "оοⲟօ" + "ꓳ",
    "p": "ᴘ" + "рρⲣ" + "Ꮲꓑᑭ",
    "q": "ꞯ" + "ԛզ",
    "r": "ʀ" + "гᴦⲅ" + "ᎡᏒꓣᖇ",
    "s": "ꜱ" + "ѕ" + "ᏕᏚꓢ",
    "t": "ᴛ" + "тτⲧ" + "Ꭲꓔ",
    "u": "ᴜʋ" + "ս" + "ꓴᑌ",
    "v": "ᴠ" + "ѵν" + "Ꮩꓦᐯ",
    "w": "ᴡ" + "ԝѡա" + "ᎳᏔꓪ",
    "x": "хχⲭ" + "ꓫᕁᕽ᙭ᚷ",
    "y": "ʏ" + "уүυγⲩ" + "ᎩᎽꓬ",
    "z": "ᴢ" + "ζⲍ" + "Ꮓꓜ",
    # Forms of one letter of Arabic: yeh, kaf, heh, alef, teh marbuta; digits of east and west.
    "ی": "يى",
    "ک": "كڪ",
    "ه": "ہھە",
    "ا": "ٱ",
    "ة": "ۃ",
    **dict(zip("٠١٢٣٧٨٩", "۰۱۲۳۷۸۹", strict=True)),
    # Chinese, and the syllables of Japanese that look so.
    **dict(zip("工口力二八夕卜へ", "エロカニハタトヘ", strict=True)),
    "-": "‐‒–—―−ー一",
    "'": "’‘‛ʼʻʽˈʹ′`",
    "·": "•‧∙⋅・",
    " ": "\u2800",
}
_TO_EXEMPLAR: Final = str.maketrans({like: one for one, all_ in _ALIKE.items() for like in all_})
# What decomposing makes something else of: the acute accent alone, the lunate sigma.
_WHOLE: Final = str.maketrans("´ϲϹ", "'cc")
# A capital I is a small l's shape; of Greek these letters look like no Latin one in the other case.
_CAPITAL_I: Final = str.maketrans("IІΙӀӏⲒ", "llllll")
_AS_WRITTEN: Final = str.maketrans("Νυησ", "nuno")
# Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties.txt; controls that are no blanks,
# anchors of annotations, non-characters; the line that Arabic words are drawn out by.
_SHAPELESS: Final = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u0640\u115f\u1160\u17b4\u17b5"
    r"\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    r"\ufff0-\ufffb\ufffe\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# Canonical combining classes of marks that are dropped: overlays, nuktas, points of Hebrew, Arabic
# and Syriac, and (from the last on) whatever is attached, above or below. The others are letters:
# voicing of kana, viramas, vowels and tones of Thai and Lao, vowels of Telugu and Tibetan.
_OVERLAY_AND_NUKTA: Final = (1, 7)
_POINTS: Final = range(10, 37)
_ATTACHED: Final = 200


def skeletons(name: str) -> frozenset[str]:
    """How a name is read: by its case, or by the shapes that capital I and Greek letters have.

    >>> skeletons("BO1") == skeletons("b\\u043e1"), sorted(skeletons("Ian"))
    (True, ['ian', 'lan'])
    """
    whole = _bare(name)
    written = {
        each.translate(shapes)
        for each in (whole, whole.translate(_CAPITAL_I))
        for shapes in ({}, _AS_WRITTEN)
    }
    return frozenset(map(_folded, written))


def confusable(name: str, other: str) -> bool:
    """Whether a reader takes the one for the other; a name is confusable with itself.

    >>> confusable("bolat", "Bo1at"), confusable("bolat", "bulat")
    (True, False)
    """
    return not skeletons(name).isdisjoint(skeletons(other))


def _folded(name: str) -> str:
    """Letters and pairs by their exemplars, and no blanks too many."""
    letters = " ".join(_bare(name.casefold()).translate(_TO_EXEMPLAR).split())
    return letters.replace("rn", "m").replace("vv", "w")


def _bare(name: str) -> str:
    """A name decomposed, without marks and what has no shape."""
    apart = _SHAPELESS.sub("", unicodedata.normalize("NFKD", name.translate(_WHOLE)))
    return "".join(each for each in apart if not _is_dropped(unicodedata.combining(each)))


def _is_dropped(combining: int) -> bool:
    return combining in _OVERLAY_AND_NUKTA or combining in _POINTS or combining >= _ATTACHED
