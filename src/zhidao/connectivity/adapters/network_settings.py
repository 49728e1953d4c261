"""The networks that the settings name: files read and checked when the node starts."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from zhidao.connectivity.domain.reported_cell import Sites
from zhidao.connectivity.domain.served_cell import CellId, ServedCell
from zhidao.connectivity.domain.sim import Sim
from zhidao.connectivity.wire.fleet_sites import read_fleet_sites
from zhidao.connectivity.wire.network_files import (
    NETWORK_FILE_BYTES_MAX,
    CamaraPlan,
    FleetPlan,
    Open5gsPlan,
    Plan,
    read_networks,
)
from zhidao.connectivity.wire.network_tables import TABLE_BYTES_MAX, read_sims, read_sites
from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.files.bounded import read_bounded

NETWORKS: Final = "connectivity.networks"
SIMS: Final = "connectivity.sims"
SECRET_BYTES_MAX: Final = 4096
AUTHORITY_BYTES_MAX: Final = 256 * 1024
# The column of the table of SIMs by which a network knows one.
_ASKED_BY: Final = {Open5gsPlan: "supi", FleetPlan: "terminal"}
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """What an operator connected. Of each network by name: cells, secret, authority (PEM).

    sites: cells as terminals name them, of the kind `fleet`.
    """

    plans: tuple[Plan, ...] = ()
    sims: Mapping[str, Sim] = field(default_factory=dict, repr=False)
    cells: Mapping[str, Mapping[CellId, ServedCell]] = field(default_factory=dict, repr=False)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    authorities: Mapping[str, str] = field(default_factory=dict, repr=False)
    sites: Mapping[str, Sites] = field(default_factory=dict, repr=False)

    def sims_of(self, network: str) -> tuple[Sim, ...]:
        """The SIMs about which a network is asked."""
        return tuple(each for each in self.sims.values() if each.network == network)


def network_settings(networks: str, sims: str) -> NetworkSettings:
    """By the files that the two settings name; nothing where both are empty.

    Files that they name stand beside the file of networks, or have a whole path. Raises
    MalformedInput that names file and place, Refused for a secret that others may read.
    """
    if not networks and not sims:
        return NetworkSettings()
    if not networks or not sims:
        lacking = SIMS if networks else NETWORKS
        raise MalformedInput(
            f"{NETWORKS} and {SIMS} need each other",
            where=lacking,
            remedy="name both files: the networks, and the SIMs about which they are asked",
        )
    file = Path(networks).expanduser().absolute()
    plans = _read(file, read_networks, NETWORK_FILE_BYTES_MAX)
    beside = file.parent
    cells, secrets, authorities, sites = {}, {}, {}, {}
    for plan in plans:
        if isinstance(plan, Open5gsPlan):
            cells[plan.name] = _read(
                _beside(beside, plan.sites), _sites_reader(plan.plmn), TABLE_BYTES_MAX
            )
        elif isinstance(plan, FleetPlan):
            sites[plan.name] = _read(
                _beside(beside, plan.sites), _fleet_reader(plan.plmn), TABLE_BYTES_MAX
            )
        else:
            secrets[plan.name] = _secret(_beside(beside, plan.secret_file))
            authorities[plan.name] = _authority(beside, plan)
    asked_by = {plan.name: _ASKED_BY.get(type(plan), "") for plan in plans}
    table = Path(sims).expanduser().absolute()
    known = _read(table, lambda data: read_sims(data, asked_by), TABLE_BYTES_MAX)
    return NetworkSettings(plans, known, cells, secrets, authorities, sites)


def _fleet_reader(plmn: str) -> Callable[[bytes], Sites]:
    return lambda data: read_fleet_sites(data, plmn)


def _sites_reader(plmn: str) -> Callable[[bytes], dict[CellId, ServedCell]]:
    return lambda data: read_sites(data, plmn)


def _beside(folder: Path, name: str) -> Path:
    return folder / Path(name).expanduser()


def _read(file: Path, read: Callable[[bytes], T], bytes_max: int) -> T:
    data = _bytes(file, bytes_max)
    try:
        return read(data)
    except MalformedInput as error:
        error.where = ", ".join(filter(None, (str(file), error.where)))
        raise


def _bytes(file: Path, bytes_max: int) -> bytes:
    try:
        return read_bounded(file, bytes_max=bytes_max)
    except OSError as error:
        raise MalformedInput(
            f"the file cannot be read: {error.strerror}",
            where=str(file),
            remedy="name a file that the node may read",
        ) from error


def _secret(file: Path) -> str:
    try:
        if file.stat().st_mode & 0o077:
            raise Refused(f"others may read {file}", remedy=f"chmod 600 {file}")
        text = _bytes(file, SECRET_BYTES_MAX).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise MalformedInput(
            "the secret cannot be read", where=str(file), remedy="write it there as one line"
        ) from error
    if not text or not text.isprintable():
        raise MalformedInput(
            "no secret of one line", where=str(file), remedy="write it there as one line"
        )
    return text


def _authority(folder: Path, plan: CamaraPlan) -> str:
    if not plan.authority:
        return ""
    file = _beside(folder, plan.authority)
    text = _bytes(file, AUTHORITY_BYTES_MAX).decode("ascii", errors="ignore")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError) as error:
        raise MalformedInput(
            "no certificate in it", where=str(file), remedy="name a PEM file of an authority"
        ) from error
    return text
