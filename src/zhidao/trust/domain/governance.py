"""A trust list that nobody can change alone: what a verified version of it is good for.

Its metadata are those of The Update Framework, roles root and targets only. There is no timestamp
and no snapshot role, which one party would have to hold: instead each version is an open leaf of
a log, and fresh when a quorum of witnesses has cosigned a head over it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from zhidao.core.errors import Refused
from zhidao.core.timescale import NS, Utc
from zhidao.trust.domain.policy import Witnessed
from zhidao.trust.domain.trust_list import TrustList

DAY_NS: Final = 24 * 3600 * NS
# Long enough that a list outlives holidays, unrest and a slow ministry.
LIFETIME_DAYS_MIN: Final = 90
WARNING_DAYS: Final = 30
LEAF_PREFIX: Final = "zhidao.trust-list.v1"


class Standing(StrEnum):
    """How a list stands at a time."""

    CURRENT = "current"
    EXPIRING = "expiring"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class GovernedList:
    """A version of a list whose signatures held.

    `root` is the fingerprint of the first root, by which a person came to trust it; `signers` of
    `governors` signed this version, `threshold` of them were needed. `fresh` tells by whom and
    when the version was seen in a log, None if nobody vouches for that.
    """

    trust: TrustList
    version: int
    root: str
    root_version: int
    governors: tuple[str, ...]
    threshold: int
    signers: tuple[str, ...]
    expires: Utc
    digest: str
    fresh: Witnessed | None

    def standing(self, at: Utc) -> Standing:
        """Whether it is good, ends within 30 days, or has ended."""
        left_ns = self.expires.unix_ns - at.unix_ns
        if left_ns <= 0:
            return Standing.EXPIRED
        return Standing.EXPIRING if left_ns <= WARNING_DAYS * DAY_NS else Standing.CURRENT

    def check_admits(self, at: Utc) -> None:
        """Raises Refused (`list_expired`) if it may admit nobody new any more."""
        if self.standing(at) is Standing.EXPIRED:
            raise Refused(
                f"the trust list {self.trust.name} expired at {self.expires}: it admits nobody",
                code="list_expired",
                remedy="get the next version from its governors",
            )

    def check_speaks(self, fact_at: Utc | None) -> None:
        """Raises Refused (`list_expired`) unless a fact is witnessed before the list's end."""
        if fact_at is None or fact_at.unix_ns > self.expires.unix_ns:
            raise Refused(
                f"the trust list {self.trust.name} expired at {self.expires}, and nobody vouches"
                " that the facts are older",
                code="list_expired",
                remedy="get the next version from its governors",
            )

    def check_follows(self, before: GovernedList) -> None:
        """Raises Refused if it turns back (`rolled_back`) or forks (`forked_list`) the list."""
        if self.version < before.version or self.root_version < before.root_version:
            raise Refused(
                f"version {self.version} is older than version {before.version}, known already",
                code="rolled_back",
            )
        if self.version == before.version and self.digest != before.digest:
            raise Refused(f"there are two versions {self.version}", code="forked_list")


def version_leaf(name: str, version: int, digest: str) -> bytes:
    """The open leaf of a version: its name, number, and SHA-256 of its signed metadata."""
    return f"{LEAF_PREFIX}\n{name}\n{version}\n{digest}\n".encode()


def check_lifetime(created: Utc, expires: Utc) -> None:
    """Raises Refused (`short_lifetime`) for a list that ends sooner than 90 days after it began."""
    if expires.unix_ns - created.unix_ns < LIFETIME_DAYS_MIN * DAY_NS:
        raise Refused(
            f"a trust list lives at least {LIFETIME_DAYS_MIN} days: {created} to {expires}",
            code="short_lifetime",
        )
