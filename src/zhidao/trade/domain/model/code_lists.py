"""Short code lists as facts: units, packages, corridor places, stations and HS correlations.

They hold what a corridor between China and its neighbours writes every day; a full list comes from
the operator's file through an importer. Codes were entered from the lists' common use and not
checked against a published edition, but for places, whose UN/LOCODEs were held against the
2024-2 coordinate table.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final, TypeVar

from zhidao.core.errors import MalformedInput


def _codes(table: str) -> dict[str, str]:
    pairs = (pair.partition(" ") for pair in table.split(", "))
    return {code: name for code, _, name in pairs}


# UN/ECE Recommendation 20: code -> name.
UNITS: Final = _codes(
    "H87 piece, C62 one, SET set, PR pair, DZN dozen, NMP pack, KGM kilogram, GRM gram, TNE tonne, "
    "LBR pound, MTR metre, CMT centimetre, MTK square metre, MTQ cubic metre, LTR litre, "
    "MLT millilitre, KWH kilowatt hour, HUR hour"
)
# Units that count single things: a tolerance of quantity never applies to them (UCP 600 article
# 30(b); not checked).
COUNTED_UNITS: Final = frozenset(("H87", "C62", "SET", "PR", "DZN", "NMP"))
# UN/ECE Recommendation 21: code -> name.
PACKAGE_KINDS: Final = _codes(
    "CT carton, BX box, PX pallet, PK package, CS case, CR crate, BG bag, SA sack, DR drum, "
    "BE bundle, RL reel, RO roll, CN container, PC parcel, NE unpacked, BL bale, TB tub"
)

_Listed = TypeVar("_Listed")
# Of Recommendation 21: goods that are in no package at all.
BULK_KINDS: Final = frozenset(("VG", "VL", "VO", "VQ", "VR", "VY"))


@dataclass(frozen=True, slots=True)
class CorridorPlace:
    """A place of the corridor; `station` is a rail station's code, `` where none is known."""

    unlocode: str
    name: str
    country: str
    station: str = ""


# Names without signs that only some readers write. UN/LOCODE knows Horgos as CNHRS; RSHGO is a
# place of the same name in Serbia. CNXIY and PLMLA are in use beside CNSIA and PLMAA.
_PLACES: Final = """
AUMEL Melbourne, AUSYD Sydney, AZBAK Baku, BDCGP Chattogram, BDDAC Dhaka,
BEANR Antwerpen, BYBQT Brest, BYMSQ Minsk, CNCAN Guangzhou, CNCGO Zhengzhou, CNCKG Chongqing,
CNCTU Chengdu, CNDLC Dalian, CNHRS Horgos, CNKMG Kunming, CNLYG Lianyungang, CNMLX Manzhouli,
CNNGB Ningbo, CNNNG Nanning, CNRLC Erenhot, CNSHA Shanghai, CNSIA Xi'an, CNSZX Shenzhen,
CNTAO Qingdao, CNTSN Tianjin, CNURC Urumqi, CNWUH Wuhan, CNXIY Xi'an, CNXMN Xiamen, DEDUI Duisburg,
DEFRA Frankfurt am Main, DEHAM Hamburg, DKEBJ Esbjerg, GEBUS Batumi, GRPIR Piraeus, HKHKG Hong Kong,
HUBUD Budapest, IDJKT Jakarta, JPOSA Osaka, JPTYO Tokyo, KGFRU Bishkek, KHPNH Phnom Penh,
KRINC Incheon, KRPUS Busan, KRSEL Seoul, KZALA Almaty, KZALS Alashankou, LAVTE Vientiane,
LKCMB Colombo, MNULN Ulaanbaatar, MYKUL Kuala Lumpur, MYPKG Port Klang, NLRTM Rotterdam,
NZAKL Auckland, PHMNL Manila, PKKHI Karachi, PLGDN Gdansk, PLLOD Lodz, PLMAA Malaszewicze,
PLMLA Malaszewicze, PLWAW Warszawa, ROCND Constanta, RULED Saint Petersburg, RUMOW Moskva,
RUVVO Vladivostok, SGSIN Singapore, THBKK Bangkok, THLCH Laem Chabang, TJDYU Dushanbe,
TMASB Ashgabat, TMKRW Turkmenbashi, TRIST Istanbul, TRMER Mersin, UZSKD Samarkand, UZTAS Tashkent,
VNHAN Hanoi, VNHPH Haiphong, VNSGN Ho Chi Minh City
"""
CORRIDOR_PLACES: Final = tuple(
    CorridorPlace(code, name, code[:2]) for code, name in _codes(" ".join(_PLACES.split())).items()
)


def import_places(data: str) -> dict[str, CorridorPlace]:
    """Places by UN/LOCODE from a CSV with the columns code and name, as locode-db writes it.

    Raises MalformedInput with the line for a row that has no code of five characters.
    """
    found = {}
    for number, row in enumerate(csv.reader(io.StringIO(data)), start=1):
        if number == 1 and row and row[0].strip().casefold() == "code":
            continue
        if len(row) < 2 or len(row[0].strip()) != 5:
            raise MalformedInput("a row without code and name", where=f"line {number}")
        code = row[0].strip()
        found[code] = CorridorPlace(code, row[1].strip(), code[:2])
    return _some(found)


@dataclass(frozen=True, slots=True)
class Station:
    """A rail station; `unlocode` is the place that it serves, `` where the list has none."""

    code: str
    name: str
    country: str
    unlocode: str = ""


def import_stations(data: str) -> dict[str, Station]:
    """Stations by number from a CSV with the columns code, name, country and, if known, unlocode.

    No list is shipped: those of UIC and OSJD belong to them. Raises MalformedInput with the line.
    """
    found: dict[str, Station] = {}
    for number, row in enumerate(csv.reader(io.StringIO(data)), start=1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or (number == 1 and cells[0].casefold() == "code"):
            continue
        if not _is_station(cells):
            raise MalformedInput("a row is not code, name and country", where=f"line {number}")
        code, name, country, *more = cells
        if code in found and found[code].name != name:
            raise MalformedInput(f"the station {code} stands twice", where=f"line {number}")
        found[code] = Station(code, name, country, more[0] if more else "")
    return _some(found)


def _some(found: dict[str, _Listed]) -> dict[str, _Listed]:
    """A list is of something. Raises MalformedInput for one without a row."""
    if not found:
        raise MalformedInput("a list without a row", where="line 1")
    return found


def _is_station(cells: Sequence[str]) -> bool:
    """Whether a row begins with a code of 6 to 8 digits, a name and a country of two letters."""
    if len(cells) < 3:
        return False
    code, name, country = cells[:3]
    is_code = code.isascii() and code.isdigit() and 6 <= len(code) <= 8
    return is_code and bool(name) and len(country) == 2


@dataclass(frozen=True, slots=True)
class Correlation:
    """Where the goods of one HS code went in another edition: each of `codes` may be right."""

    code: str
    edition: str
    codes: tuple[str, ...]

    @property
    def is_certain(self) -> bool:
        """Whether exactly one code remains."""
        return len(self.codes) == 1


# HS 2017 -> HS 2022, where a subheading was split, as far as known by heart; not checked against
# the WCO's correlation table. A code without a row is assumed unchanged only if the operator's
# table says so.
HS_2017_TO_2022: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "851770": ("851771", "851779"),
        "854140": ("854141", "854142", "854143", "854149"),
        "847130": ("847130",),
        "841370": ("841370",),
        "848420": ("848420",),
    }
)


def correlate(
    code: str,
    *,
    edition: str,
    to: str,
    table: Mapping[str, tuple[str, ...]] = HS_2017_TO_2022,
) -> Correlation:
    """The codes of edition `to` that goods under `code` of `edition` may have, one or many.

    Raises MalformedInput for editions without a table, or a code that the table does not hold.
    """
    if edition == to:
        return Correlation(code, to, (code,))
    if (edition, to) == ("2017", "2022"):
        found = table.get(code, ())
    elif (edition, to) == ("2022", "2017"):
        found = tuple(sorted(old for old, new in table.items() if code in new))
    else:
        raise MalformedInput(f"no correlation from HS {edition} to HS {to}")
    if not found:
        raise MalformedInput(
            f"HS {edition} code {code} is not in the correlation to HS {to}",
            code="no_correlation",
            remedy="import the full correlation table",
        )
    return Correlation(code, to, found)


def import_correlation(data: str) -> dict[str, tuple[str, ...]]:
    """A correlation from a CSV of pairs (2017 code, 2022 code), one-to-many by repeated rows."""
    found: dict[str, list[str]] = {}
    for number, row in enumerate(csv.reader(io.StringIO(data)), start=1):
        codes = [cell.strip().replace(".", "") for cell in row[:2]]
        if number == 1 and codes and (not codes[0].isdigit() or codes == ["2017", "2022"]):
            continue
        if len(codes) != 2 or not all(c.isascii() and c.isdigit() and len(c) == 6 for c in codes):
            raise MalformedInput("a row is not two codes of six digits", where=f"line {number}")
        found.setdefault(codes[0], []).append(codes[1])
    return {old: tuple(dict.fromkeys(new)) for old, new in found.items()}


def nearest(value: str, codes: Iterable[str]) -> list[str]:
    """At most three codes that look like the value, else the first three of the list."""
    listed = list(codes)
    return get_close_matches(value.upper()[:20], listed, n=3, cutoff=0.3) or listed[:3]
