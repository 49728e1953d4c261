"""What the connectivity room tells the others."""

from __future__ import annotations

from typing import ClassVar

from zhidao.core.events import Fact


class NetworkChecked(Fact, frozen=True, kw_only=True):
    """The mobile network was asked where a device is. Aggregate `network-check/<id>`.

    `verdict`: match, partial, mismatch or unknown (no answer: not a disagreement). Coordinates in
    nanodegrees (WGS 84), lengths in millimetres; the network's own circle is centre and radius.
    """

    TYPE: ClassVar[str] = "connectivity.NetworkChecked.v1"
    check: str
    phone: str
    verdict: str
    reason: str
    observed_at: str
    fix_latitude_ndeg: int
    fix_longitude_ndeg: int
    fix_bound_mm: int
    network_latitude_ndeg: int
    network_longitude_ndeg: int
    network_radius_mm: int
    network: str
    simulated: bool


class SimAsked(Fact, frozen=True, kw_only=True):
    """Somebody asked where a SIM is. Aggregate `sim-question/<question>`, of the SIM's holder.

    `phone`: as its holder knows it; empty where the asked number is in no table of this node.
    `asker`, `role`: whose question it was. `api`: `locations`, `location-retrieval`,
    `location-verification`, `network-check` (the node compared a fix of a terminal) or
    `track-checks` (somebody had a whole way compared). `answer`: `located`, `compared`,
    `not_located`, `withheld`, `declined` (for what was asked besides), `unavailable`, `refused`
    (the holder did not agree) or `nothing`. It never says where the SIM was, and names no cell and
    no SUPI.
    """

    TYPE: ClassVar[str] = "connectivity.SimAsked.v1"
    question: str
    phone: str
    asker: str
    role: str
    api: str
    answer: str


class TrackChecked(Fact, frozen=True, kw_only=True):
    """A way was compared with all that networks said of its SIM. Aggregate `track-check/<check>`.

    Told anew only where the answer became another. `track`: SHA-256 of its fixes. `verdict`: match,
    partial, mismatch or unknown. The mark is `corroborated_permille`: for which share of the way's
    time networks saw the SIM there; what the three shares leave is unknown. `networks`: those that
    said something of it; `reasons`: those that hold longest first.
    """

    TYPE: ClassVar[str] = "connectivity.TrackChecked.v1"
    check: str
    phone: str
    track: str
    first_at: str
    last_at: str
    fixes: int
    verdict: str
    corroborated_permille: int
    partial_permille: int
    contradicted_permille: int
    networks: list[str]
    reasons: list[str]
    simulated: bool


class ShortMessageReceived(Fact, frozen=True, kw_only=True):
    """A compact position came by BeiDou short message. Aggregate `short-message/<sender>`.

    `first`: this observation had not come over another bearer before.
    """

    TYPE: ClassVar[str] = "connectivity.ShortMessageReceived.v1"
    sender: str
    terminal: str
    observed_at: str
    latitude_ndeg: int
    longitude_ndeg: int
    digest: str
    first: bool


class CardRegistered(Fact, frozen=True, kw_only=True):
    """A BeiDou short-message card belongs to a terminal. Aggregate `card/<number>`."""

    TYPE: ClassVar[str] = "connectivity.CardRegistered.v1"
    card: str
    terminal: str
