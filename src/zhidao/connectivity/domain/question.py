"""A question where a SIM is: by which API it came, and what kind of answer it got."""

from __future__ import annotations

from enum import StrEnum

from zhidao.core.ids import PartyId


class AskedBy(StrEnum):
    """By what a SIM was asked about.

    `CHECK`: the node compared a terminal's fix with it; `TRACK`: somebody a whole way.
    """

    LOCATIONS = "locations"
    RETRIEVAL = "location-retrieval"
    VERIFICATION = "location-verification"
    CHECK = "network-check"
    TRACK = "track-checks"


class AnswerKind(StrEnum):
    """What whoever asked learned; never where.

    `NOTHING`: nobody got an answer, since the asking ended before there was one.
    """

    LOCATED = "located"
    COMPARED = "compared"
    NOT_LOCATED = "not_located"
    WITHHELD = "withheld"
    DECLINED = "declined"
    UNAVAILABLE = "unavailable"
    REFUSED = "refused"
    NOTHING = "nothing"


def owner_of(holder: PartyId, *, node: PartyId) -> PartyId:
    """Who reads what was asked about a SIM: its holder, or the node where it knows none."""
    return holder or node
