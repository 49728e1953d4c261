"""What files say of the licence: texts, statements beside them, scopes, and which are open."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from zhidao.insight.domain.licence_comparison import KnownTexts, compare
from zhidao.insight.domain.spdx import base_of, parse_expression

# A name of a licence or a pointer to others is short; a text longer than this is neither.
_SHORT: Final = 600
_STATEMENT: Final = 700

# Approved by the registry of digital public goods, without the ids for content and data: its schema
# of nominations (DPGAlliance/publicgoods-candidates at a1d99f08b175) lists them by SPDX id. Three
# are added that the OSI approves too: Artistic-1.0-Perl, LGPL-2.0 and the base names of the GNU
# family. What is in neither list is read by a person.
OPEN_FOR_CODE: Final = frozenset(
    (
        *("0BSD", "AAL", "AFL-3.0", "AGPL-3.0", "Apache-1.1", "Apache-2.0", "APL-1.0", "APSL-2.0"),
        *("Artistic-1.0", "Artistic-1.0-Perl", "Artistic-2.0", "BSD-1-Clause", "BSD-2-Clause"),
        *("BSD-2-Clause-Patent", "BSD-3-Clause", "BSD-3-Clause-LBNL", "BSL-1.0", "CAL-1.0"),
        *("CATOSL-1.1", "CDDL-1.0", "CECILL-2.1", "CNRI-Python", "CPAL-1.0", "CPL-1.0", "ECL-2.0"),
        *("EFL-2.0", "Entessa", "EPL-1.0", "EPL-2.0", "EUDatagrid", "EUPL-1.2", "Fair"),
        *("Frameworx-1.0", "GPL-2.0", "GPL-3.0", "HPND", "IPA", "IPL-1.0", "ISC", "LGPL-2.0"),
        *("LGPL-2.1", "LGPL-3.0", "LiLiQ-P-1.1", "LiLiQ-R-1.1", "LPL-1.02", "LPPL-1.3c", "MirOS"),
        *("MIT", "MIT-0", "Motosoto", "MPL-1.0", "MPL-1.1", "MPL-2.0", "MS-PL", "MS-RL"),
        *("MulanPSL-2.0", "Multics", "NASA-1.3", "Naumen", "NCSA", "NGPL", "Nokia", "NTP"),
        *("OFL-1.1", "OLDAP-2.8", "OSET-PL-2.1", "OSL-3.0", "PHP-3.01", "PostgreSQL"),
        *("Python-2.0", "QPL-1.0", "RPL-1.5", "RPSL-1.0", "SimPL-2.0", "Sleepycat", "SPL-1.0"),
        *("UCL-1.0", "Unlicense", "UPL-1.0", "VSL-1.0", "W3C", "Watcom-1.0", "Xnet", "Zlib"),
        *("ZPL-2.0",),
    )
)
# Licences that forbid changes, sale or competition: no definition of open source admits them.
_CLOSED: Final = re.compile(
    r"(?:.*-)?(?:NC|ND)(?:-.*)?|BUSL-1\.1|SSPL-1\.0|Elastic-2\.0|PolyForm-.*|"
    r"JSON|Commons-Clause"
)
_NAMED_CC: Final = re.compile(
    r"\b(?:creative commons\s+)?cc[- ]by((?:[- ](?:nc|nd|sa))*)\b(?:[- ](\d\.\d))?", re.IGNORECASE
)
_FILE_NAME: Final = re.compile(r"[\w][\w.\-/]*")
_ONLY: Final = re.compile(r"\bv(?:ersion )?([23](?:\.[01])?) only\b")
_LATER: Final = re.compile(r"or (?:\(at your option\) )?any later version")
_NOT_LATER: Final = re.compile(r"\bnot\b[^.]{0,80}or any later version")
# A note that only says which version holds has none of these.
_CONDITION: Final = re.compile(
    r"\b(?:non|commercial\w*|military|except\w*|fee|additional\w*|restrict\w*|provided|unless|"
    r"prohibit\w*|forbid\w*|may|must|shall|ethic\w*|evil|condition\w*)\b"
)
_GNU: Final = re.compile(r"(?:A|L)?GPL-\d\.\d")


class Reading(StrEnum):
    """How a licence was read out of a file."""

    EXACT = "exact"
    NAMED = "named"
    POINTER = "pointer"
    NEAR = "near"
    MORE = "more_words"
    SEVERAL = "several"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class LicenceText:
    """A file that speaks of a licence, and what was read. extra: characters that nobody knows.

    expression: empty where a person must read it. versions: `only`, `later`, `not stated`, or empty
    where the licence asks for none of them. resembles: what it is nearly, or with more words.
    """

    reading: Reading
    expression: str
    versions: str
    extra: tuple[int, int] | None = None
    resembles: str = ""

    @property
    def is_settled(self) -> bool:
        """Whether it says, without a person, which licence it is."""
        return bool(self.expression) and self.reading in (
            Reading.EXACT,
            Reading.POINTER,
            Reading.NAMED,
        )


def read_licence(text: str, known: KnownTexts, others: Mapping[str, str]) -> LicenceText:
    """What a licence file says. others: file name -> settled expression, for pointers to them."""
    told = compare(text, known)
    ids = tuple(dict.fromkeys(told.exact))
    if len(ids) == 1:
        return _one(text, ids[0], told.extra)
    if len(ids) > 1:
        return LicenceText(Reading.SEVERAL, "", "", told.extra[0] if told.extra else None)
    if told.near:
        extra = told.extra[0] if told.extra else None
        return LicenceText(Reading.NEAR, "", "", extra, told.near)
    if len(text) <= _SHORT:
        return _short(text, others)
    return LicenceText(Reading.UNKNOWN, "", "", told.extra[0] if told.extra else None)


def _one(text: str, licence: str, extra: Sequence[tuple[int, int]]) -> LicenceText:
    gnu = bool(_GNU.fullmatch(licence))
    if not extra:
        return LicenceText(Reading.EXACT, licence, "not stated" if gnu else "")
    beside = " ".join(" ".join(text[first:last].split()) for first, last in extra).lower()
    if gnu and _says_only(beside, licence):
        return LicenceText(Reading.EXACT, f"{licence}-only", "only", extra[0])
    return LicenceText(Reading.MORE, "", "", extra[0], licence)


def _says_only(beside: str, licence: str) -> bool:
    """Whether a note says that this version alone holds, and sets no condition."""
    if len(beside) > _STATEMENT or _CONDITION.search(beside):
        return False
    plain = re.sub('["“”]', "", beside)
    only = _ONLY.search(plain)
    if only is None or licence.rpartition("-")[2] not in {only[1], f"{only[1]}.0"}:
        return False
    return not _LATER.search(plain) or bool(_NOT_LATER.search(plain))


def _short(text: str, others: Mapping[str, str]) -> LicenceText:
    named = dict.fromkeys(word.rstrip(".") for word in _FILE_NAME.findall(text))
    pointed = [others[name] for name in named if name in others]
    if pointed:
        return _pointer(text, pointed)
    commons = _NAMED_CC.findall(text)
    if len(commons) == 1 and len(text.split()) <= 12:
        kinds, version = commons[0]
        name = "CC-BY" + kinds.upper().replace(" ", "-")
        if version:
            return LicenceText(Reading.NAMED, f"{name}-{version}", "")
        return LicenceText(Reading.NAMED, name, "not stated")
    return LicenceText(Reading.UNKNOWN, "", "", (0, len(text)))


def _pointer(text: str, pointed: Sequence[str]) -> LicenceText:
    """One file named is that licence; of two, `either` must be said."""
    if len(pointed) == 1:
        return LicenceText(Reading.POINTER, pointed[0], "")
    if len(pointed) == 2 and "either" in text.lower():
        return LicenceText(Reading.POINTER, " OR ".join(pointed), "")
    return LicenceText(Reading.UNKNOWN, "", "", (0, len(text)))


def openness(expression: str) -> str:
    """`open` for code, `closed`, or `` where a person must say: by all that an expression allows.

    >>> openness("MIT OR GPL-2.0-only"), openness("CC-BY-ND"), openness("CC-BY-SA-4.0")
    ('open', 'closed', '')
    """
    told = parse_expression(expression)
    if told is None:
        return ""
    bases = [{base_of(name) for name in choice} for choice in told.choices]
    if any(choice <= OPEN_FOR_CODE for choice in bases):
        return "open"
    if all(any(_CLOSED.fullmatch(name) for name in choice) for choice in bases):
        return "closed"
    return ""


def agree(expressions: Iterable[str]) -> bool:
    """Whether statements of one scope name the same licences, only and later aside."""
    seen = [parse_expression(each) for each in expressions]
    bases = {frozenset(base_of(name) for name in each.ids) for each in seen if each}
    return len(bases) < 2
