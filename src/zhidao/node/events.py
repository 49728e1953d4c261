"""Facts of the node itself: who runs it, what parties state with own keys, and who read what."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from zhidao.core.events import Fact
from zhidao.core.timescale import Utc


class Stated(Fact, frozen=True, kw_only=True):
    """A party says something and signs it with its own key, which no node holds.

    `kind` names what it is about (`damage-report`, `temperature`), `values` its particulars as
    text. `consignment` is empty if it concerns none.
    """

    TYPE = "node.Stated.v1"

    kind: str
    consignment: str
    text: str
    values: dict[str, str]


class OrganisationNamed(Fact, frozen=True, kw_only=True):
    """Who runs this node, in words, as its first admin said; the newest one counts."""

    TYPE = "node.OrganisationNamed.v1"

    name: str


class DataRead(Fact, frozen=True, kw_only=True):
    """Somebody read a consignment's data who is none of its parties.

    At most one a reader, consignment and hour, so that a page that stays open says it once.
    """

    TYPE = "node.DataRead.v1"

    consignment: str
    reader: str
    role: str
    hour: str


class RecordRead(Fact, frozen=True, kw_only=True):
    """Somebody read records of others that belong to no one consignment: a list, an account.

    `what` is the route with its names in braces (`/v1/finance/accounts`), or one record
    (`finance account/…`). At most one a reader, record and hour.
    """

    TYPE = "node.RecordRead.v1"

    what: str
    reader: str
    role: str
    hour: str


class Administered(Fact, frozen=True, kw_only=True):
    """Somebody administered this node: who did what to whom or what.

    `act` is one of `node.security.administration.Act`; `subject` names the token, person or thing;
    `party` is whom it concerns, who may read it. `person`, `role` and `credential` tell who acted
    (no person behind a token or link); `values` are particulars as text, and never a secret.
    """

    TYPE = "node.Administered.v1"

    act: str
    subject: str
    party: str
    person: str
    role: str
    credential: str
    values: dict[str, str]


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """An event that a consumer gave up after its tries; a person decides."""

    consumer: str
    message: str
    subject: str
    reason: str
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """How large things were at one moment."""

    at: Utc
    database_bytes: int
    free_bytes: int
    leaves: int


class DayArchived(Fact, frozen=True, kw_only=True):
    """The rows of one day of a table were archived. Aggregate `archived-day/<table>/<day>`.

    The newest counts. `root`: of the hash tree over all rows; `sha256`: of the file; both hex.
    Open: whoever has the file can show by it that these were the rows, and nobody is named.
    """

    TYPE = "node.DayArchived.v1"
    OPEN = True

    table: str
    day: str
    rows: int
    root: str
    sha256: str
    bytes: int


class DrillDone(Fact, frozen=True, kw_only=True):
    """A backup was restored into a scratch place and examined. Aggregate `drill/<id>`.

    Open: it names nobody, and whoever has the archive can restore it and find the same.

    `backup`, `made_at`, `sha256` (hex, of the file), `signed_by` (fingerprint) tell which it was;
    `rows` came back, under a log of `log_size` leaves and the root `log_root` (hex). `ledgers`
    were replayed from their first transfer, `transfers` in all. `wrong` says what does not fit, at
    most ten sentences; empty: all of it came back and fits.
    `lost_s`: seconds between the backup and the drill, which is what a loss at that moment would
    have cost, and `lost_leaves` of the log. `restored_ms`: until the rows were back; `ready_ms`:
    until all was examined, both from the start of the drill.
    """

    TYPE = "node.DrillDone.v1"
    OPEN = True

    backup: int
    made_at: str
    sha256: str
    signed_by: str
    rows: int
    log_size: int
    log_root: str
    ledgers: int
    transfers: int
    wrong: list[str]
    lost_s: int
    lost_leaves: int
    restored_ms: int
    ready_ms: int
