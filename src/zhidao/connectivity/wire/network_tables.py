"""Tables that a network's operator writes: its cells with their sites, and the SIMs that are asked.

Both are CSV with a header; what is wrong is told with its line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, TypeVar

from zhidao.connectivity.domain.served_cell import CellId, ServedCell
from zhidao.connectivity.domain.sim import Sim, check_supi, device_of
from zhidao.connectivity.domain.subscriber_location import check_phone
from zhidao.connectivity.wire.csv_rows import Columns, number_in, rows
from zhidao.core.actor import NOBODY
from zhidao.core.errors import MalformedInput
from zhidao.core.geo import Geodetic
from zhidao.core.ids import party_id

TABLE_BYTES_MAX: Final = 16 * 1024 * 1024
SERVED_CELLS_MAX: Final = 100_000
SIMS_MAX: Final = 100_000
READERS_MAX: Final = 32
SITE_COLUMNS: Final = Columns(
    "cells",
    ("nci", "latitude_deg", "longitude_deg", "range_m"),
    ("plmn", "name", "azimuth_deg", "beamwidth_deg", "behind_m"),
)
SIM_COLUMNS: Final = Columns(
    "SIMs", ("phone", "network"), ("supi", "readers", "holder", "terminal", "imei")
)
_NCI: Final = re.compile(r"[0-9]{1,11}\Z|0x[0-9a-fA-F]{1,9}\Z", re.ASCII)
_NAME_CHARACTERS: Final = 120
_SUCH: Final = {"supi": "imsi-001010123456789", "terminal": "LORRY-7"}
Key = TypeVar("Key")


def read_sites(data: bytes, plmn: str) -> dict[CellId, ServedCell]:
    """The cells of a table of sites, by identity; `plmn`: of those that name none.

    Raises MalformedInput that names the line.
    """
    _check_size(data)
    cells: dict[CellId, ServedCell] = {}
    places: dict[CellId, str] = {}
    for where, row in rows(data, SITE_COLUMNS):
        if len(cells) == SERVED_CELLS_MAX:
            raise MalformedInput(
                f"more than {SERVED_CELLS_MAX} cells", remedy="give those of the corridor only"
            )
        try:
            cell = _cell(row, plmn)
            _check_new(cell.cell, places, "this cell")
        except MalformedInput as error:
            raise _at(error, where) from error
        cells[cell.cell] = cell
        places[cell.cell] = where
    if not cells:
        raise MalformedInput("no cell", remedy=f"give rows of {', '.join(SITE_COLUMNS.required)}")
    return cells


def read_sims(data: bytes, networks: Mapping[str, str]) -> dict[str, Sim]:
    """The SIMs of a table, by number.

    networks: the names that there are, and the column by which each knows a SIM, `supi` or
    `terminal`; empty where the number does. Raises MalformedInput that names the line.
    """
    _check_size(data)
    sims: dict[str, Sim] = {}
    phones: dict[str, str] = {}
    others: dict[tuple[str, str, str], str] = {}
    for where, row in rows(data, SIM_COLUMNS):
        if len(sims) == SIMS_MAX:
            raise MalformedInput(f"more than {SIMS_MAX} SIMs", remedy="give those that are asked")
        try:
            sim = _sim(row, networks)
            _check_new(sim.phone, phones, "this number")
            if sim.supi:
                _check_new((sim.network, "supi", sim.supi), others, "this SUPI")
            if sim.terminal:
                _check_new((sim.network, "terminal", sim.terminal), others, "this terminal")
        except MalformedInput as error:
            raise _at(error, where) from error
        sims[sim.phone] = sim
        phones[sim.phone] = where
        others |= {
            (sim.network, "supi", sim.supi): where,
            (sim.network, "terminal", sim.terminal): where,
        }
    return sims


def _cell(row: Mapping[str, str], plmn: str) -> ServedCell:
    SITE_COLUMNS.check_whole(row)
    text = row["nci"]
    if not _NCI.match(text):
        raise MalformedInput(
            f"nci is no number: {text[:24]!r}", remedy="write 1638401, or 0x190001 in hexadecimal"
        )
    name = row.get("name", "")
    if len(name) > _NAME_CHARACTERS or not name.isprintable():
        raise MalformedInput(f"a name has at most {_NAME_CHARACTERS} characters that can be shown")
    return ServedCell(
        CellId(row.get("plmn", plmn), int(text, 16 if text.startswith("0x") else 10)),
        Geodetic(number_in(row, "latitude_deg"), number_in(row, "longitude_deg")),
        number_in(row, "range_m"),
        number_in(row, "azimuth_deg"),
        number_in(row, "beamwidth_deg"),
        number_in(row, "behind_m"),
        name,
    )


def _sim(row: Mapping[str, str], networks: Mapping[str, str]) -> Sim:
    SIM_COLUMNS.check_whole(row)
    network = row["network"]
    if network not in networks:
        raise MalformedInput(
            f"no network {network[:40]!r}", remedy=f"there are {', '.join(networks)[:200]}"
        )
    supi, needed = row.get("supi", ""), networks[network]
    if needed and needed not in row:
        raise MalformedInput(
            f"no {needed}, and {network} is asked by it", remedy=f"write it as {_SUCH[needed]}"
        )
    readers = row.get("readers", "").split()
    if len(readers) > READERS_MAX:
        raise MalformedInput(
            f"{len(readers)} readers; at most {READERS_MAX}", remedy="name a party fewer"
        )
    return Sim(
        check_phone(row["phone"]),
        network,
        tuple(party_id(each) for each in dict.fromkeys(readers)),
        check_supi(supi) if supi else "",
        party_id(row["holder"]) if "holder" in row else NOBODY,
        row.get("terminal", ""),
        device_of(row["imei"]) if "imei" in row else "",
    )


def _check_new(key: Key, places: Mapping[Key, str], what: str) -> None:
    if key in places:
        raise MalformedInput(f"{what} stands in {places[key]} already", remedy="keep one of them")


def _check_size(data: bytes) -> None:
    if len(data) > TABLE_BYTES_MAX:
        raise MalformedInput(f"{len(data)} bytes of a table; at most {TABLE_BYTES_MAX} are read")


def _at(error: MalformedInput, where: str) -> MalformedInput:
    error.where = where
    error.remedy = error.remedy or "mend the value, or take the row out"
    return error
