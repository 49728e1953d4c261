"""Whether two papers name one place: a country behind it adds nothing, another country does.

Data need not be identical, only free of conflict (UCP 600 article 14(d)).
"""

from __future__ import annotations

import re
from typing import Final

from zhidao.finance.domain.credit.checks import plain

# English short names, and what trade papers write for them, by ISO 3166-1 code.
_COUNTRIES: Final = """
AE united arab emirates, uae|AF afghanistan|AM armenia|AR argentina|AT austria|AU australia
AZ azerbaijan|BD bangladesh|BE belgium|BG bulgaria|BH bahrain|BR brazil|BY belarus|CA canada
CH switzerland|CL chile|CN china, pr china, p r china, people s republic of china, prc
CO colombia|CY cyprus|CZ czech republic, czechia|DE germany|DK denmark|DZ algeria|EE estonia
EG egypt|ES spain|ET ethiopia|FI finland|FR france
GB united kingdom, uk, u k, great britain, england, scotland|GE georgia|GH ghana|GR greece
HK hong kong, hong kong sar|HR croatia|HU hungary|ID indonesia|IE ireland|IL israel|IN india
IQ iraq|IR iran|IS iceland|IT italy|JO jordan|JP japan|KE kenya|KG kyrgyzstan|KH cambodia
KR korea, south korea, republic of korea|KW kuwait|KZ kazakhstan, republic of kazakhstan|LA laos
LB lebanon|LK sri lanka|LT lithuania|LU luxembourg|LV latvia|MA morocco|MD moldova|MM myanmar
MN mongolia|MO macao|MT malta|MX mexico|MY malaysia|NG nigeria|NL netherlands, the netherlands
NO norway|NP nepal|NZ new zealand|OM oman|PA panama|PE peru|PH philippines|PK pakistan|PL poland
PT portugal|QA qatar|RO romania|RS serbia|RU russia, russian federation|SA saudi arabia|SE sweden
SG singapore|SI slovenia|SK slovakia|TH thailand|TJ tajikistan|TM turkmenistan|TN tunisia
TR turkey, turkiye, türkiye|TW taiwan|TZ tanzania|UA ukraine|UG uganda
US united states, united states of america, usa, u s a|UY uruguay|UZ uzbekistan
VN viet nam, vietnam|ZA south africa
"""


def _table() -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in _COUNTRIES.replace("\n", "|").split("|"):
        code, _, names = entry.strip().partition(" ")
        for name in (code, *names.split(",")) if code else ():
            found[plain(name)] = code
    return found


_BY_NAME: Final = _table()
_CODE_CHARS: Final = 2
_BRACKETS: Final = re.compile(r"(.*\S)\s*\(([^()]+)\)")
_PORTS: Final = (
    re.compile(r"(?:the )?(?:sea ?)?port of (.+)"),
    re.compile(r"(.+) (?:sea ?)?(?:port|harbour|harbor)"),
)


def same_place(one: str, other: str) -> bool:
    """Whether two papers name one place.

    >>> same_place("Shanghai, China", "Shanghai")
    True
    >>> same_place("Port of Shanghai", "SHANGHAI PORT (CN)")
    True
    >>> same_place("London, Canada", "London, United Kingdom")
    False
    >>> same_place("Hamburg", "Bremerhaven, Germany")
    False
    """
    return any(
        name == wanted and (not country or not asked or country == asked)
        for name, country in _readings(one)
        for wanted, asked in _readings(other)
    )


def _readings(text: str) -> list[tuple[str, str]]:
    """What a text may name: a place as a whole, or one with its country behind it or nothing."""
    name, sign, behind = text.rpartition(",")
    in_brackets = _BRACKETS.fullmatch(text.strip())
    if in_brackets:
        name, sign, behind = in_brackets[1], "(", in_brackets[2]
    country = _BY_NAME.get(plain(behind), "") if sign and plain(name) else ""
    if country:
        return [(_bare(name), country)]
    words = plain(text).split()
    # A name of two letters behind a place, without a sign between, may be a word of it.
    told = ((" ".join(words[:at]), " ".join(words[at:])) for at in range(1, len(words)))
    behind_it = [
        (_bare(place), _BY_NAME[after])
        for place, after in told
        if len(after) > _CODE_CHARS and after in _BY_NAME
    ]
    return [(_bare(text), ""), *behind_it]


def _bare(text: str) -> str:
    """A place's name, without what only says that it has a port."""
    name = plain(text)
    found = next(filter(None, (form.fullmatch(name) for form in _PORTS)), None)
    return found[1] if found else name
