"""What command lines ask of code lists: taken in, listed, shown, and what a code means by them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from zhidao.core.errors import MalformedInput
from zhidao.trade.adapters.code_store import (
    InstalledList,
    StoredCodes,
    default_file,
    drop_list,
    import_lists,
    installed_lists,
)
from zhidao.trade.domain.model.code_lists import (
    CORRIDOR_PLACES,
    HS_2017_TO_2022,
    correlate,
    import_correlation,
    import_places,
    import_stations,
)
from zhidao.trade.domain.model.forms import hs_code
from zhidao.trade.domain.model.known_codes import SHORT_CODES, KnownCodes
from zhidao.trade.wire.code_rows import ListKind

_SHOWN: Final = 50


def known_codes(store: Path | None = None) -> KnownCodes:
    """The codes of a store, by default of this installation's, before those of the house."""
    return StoredCodes(store or default_file())


def take(files: Iterable[Path], store: Path | None, *, kind: str = "") -> list[dict[str, Any]]:
    """Takes every list or none. Raises MalformedInput."""
    wanted = ListKind(kind) if kind else None
    try:
        return [_told(each) for each in import_lists(files, store or default_file(), kind=wanted)]
    except OSError as error:
        raise MalformedInput(
            f"cannot read or write: {error.strerror}",
            code="unreadable_file",
            where=str(error.filename or ""),
            remedy="look whether the file is there and the folder of the lists may be written",
        ) from error


def installed(store: Path | None) -> list[dict[str, Any]]:
    """The lists that stand."""
    return [
        {name: value for name, value in _told(each).items() if name != "changed"}
        for each in installed_lists(store or default_file())
    ]


def drop(kind: str, source: str, store: Path | None) -> None:
    """Takes a list out. Raises NotFound."""
    drop_list(store or default_file(), kind=ListKind(kind), source=source)


def shown(code: str, store: Path | None) -> list[dict[str, str]]:
    """Everything that a code is: by each list, and by the house's own."""
    found = [
        {"kind": kind, "list": source, "code": row.code, "name": row.name, "more": row.more}
        for kind, source, row in StoredCodes(store or default_file()).everywhere(code)
    ]
    name = SHORT_CODES.place(code)
    if name:
        own = {"kind": "places", "list": "own", "code": code, "name": name, "more": code[:2]}
        found.insert(0, own)
    elif not found and len(code) == 6 and SHORT_CODES.is_commodity(code):
        found.append({"kind": "hs", "list": "own", "code": code, "name": "", "more": ""})
    return found


def codes(
    what: str, sought: str, *, edition: str, to: str, listed: str | None, store: Path | None = None
) -> dict[str, Any]:
    """What a code means: `hs` in another edition, a `place` by UN/LOCODE or name, a `station`.

    listed: a full list (CSV) in the place of all others; `store`: the imported ones. At most 50
    places are told, `more` counts the others. Raises MalformedInput for a list, an edition or a
    code that is none, and for a station without a list.
    """
    standing = StoredCodes(store or default_file())
    if what == "hs":
        found = _in_other_edition(sought, edition, to, listed, standing)
    elif what == "place":
        found = _places(sought, listed, standing)
    else:
        found = _stations(sought, listed, standing)
    return {"what": what, "found": found[:_SHOWN], "more": max(0, len(found) - _SHOWN)}


def _in_other_edition(
    sought: str, edition: str, to: str, listed: str | None, standing: StoredCodes
) -> list[dict[str, str]]:
    if listed is not None:
        table = import_correlation(listed)
    else:
        table = {**HS_2017_TO_2022, **standing.correlations()}
    known = correlate(hs_code(sought), edition=edition, to=to, table=table)
    found = []
    for code in known.codes:
        name = standing.commodity(code, known.edition)
        named = {"name": name} if name else {}
        found.append({"code": code, "edition": known.edition} | named)
    return found


def _places(sought: str, listed: str | None, standing: StoredCodes) -> list[dict[str, str]]:
    own = CORRIDOR_PLACES if listed is None else tuple(import_places(listed).values())
    found = {
        place.unlocode: place.name
        for place in own
        if sought.upper() == place.unlocode or sought.casefold() in place.name.casefold()
    }
    if listed is None:
        for code, name in standing.places_with(sought):
            found.setdefault(code, name)
    return [{"code": code, "name": name} for code, name in found.items()]


def _stations(sought: str, listed: str | None, standing: StoredCodes) -> list[dict[str, str]]:
    if listed is not None:
        station = import_stations(listed).get(sought)
    elif any(each.kind is ListKind.STATIONS for each in installed_lists(standing.store)):
        station = standing.station(sought)
    else:
        raise MalformedInput(
            "no list of stations is shipped",
            code="no_list",
            remedy="import one (zhidao trade codes import) or give --list, with code, name, "
            "country and, if known, unlocode",
        )
    return [] if station is None else [asdict(station)]


def _told(each: InstalledList) -> dict[str, Any]:
    return {
        "kind": each.kind.value,
        "source": each.source,
        "digest": each.digest,
        "rows": each.rows,
        "changed": each.changed,
    }
