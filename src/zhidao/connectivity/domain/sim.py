"""A SIM whose holder agreed that parties may ask where it is, as the operator wrote it down."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from zhidao.connectivity.domain.subscriber_location import Holding, check_phone
from zhidao.core.actor import NOBODY
from zhidao.core.errors import MalformedInput
from zhidao.core.ids import PartyId

# TS 23.003 section 2.2: an IMSI has at most 15 digits, six of them or more before the subscriber's.
_IMSI: Final = re.compile(r"(?:imsi-)?([0-9]{6,15})\Z", re.ASCII)

# With or without the prefix of a permanent equipment identifier (TS 29.571, Pei).
_IMEI: Final = re.compile(r"(?:imei-|imeisv-)?([0-9]{14})[0-9]{0,2}\Z", re.ASCII)
# As terminals are named here.
_TERMINAL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,29}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Sim:
    """A SIM: its number, the network that is asked about it, who may ask.

    supi: its permanent identity in that network, `imsi-` and digits; empty where the network is
    asked by number. It is told to nobody. holder: the party whose SIM it is, who reads what was
    asked about it; nobody where the table does not say. terminal: in which of this node's terminals
    it is; empty where its network is asked without that. device: the first 14 digits of the IMEI of
    the modem that it belongs into, told to nobody; empty where any will do.
    """

    phone: str
    network: str
    readers: tuple[PartyId, ...] = ()
    supi: str = field(default="", repr=False)
    holder: PartyId = NOBODY
    terminal: str = ""
    device: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        check_phone(self.phone)
        if self.terminal and not _TERMINAL.match(self.terminal):
            raise MalformedInput(
                f"not a terminal's id: {self.terminal[:40]!r}",
                remedy="write the id under which it is registered, such as LORRY-7",
            )

    @property
    def holding(self) -> Holding:
        """Whose it is, and who may ask."""
        return Holding(self.holder, self.readers)


def check_supi(text: str) -> str:
    """Returns a SUPI of the IMSI kind as `imsi-…` (TS 29.571, Supi). Raises MalformedInput."""
    found = _IMSI.match(text)
    if found is None:
        raise MalformedInput("supi is no IMSI", remedy="write it as imsi-001010123456789")
    return f"imsi-{found[1]}"


def device_of(text: str) -> str:
    """The 14 digits that name a modem, of an IMEI of 15 or an IMEISV of 16 (TS 23.003 section 6.2).

    What follows them is a check digit or the version of its software. Raises MalformedInput.
    """
    found = _IMEI.match(text)
    if found is None:
        raise MalformedInput("imei is no IMEI", remedy="write its 15 digits")
    return found[1]
