"""Which tables grow past one machine, and how: each table is local, reference or spread.

Only the families that grow are spread over the machines of a distributed PostgreSQL (Citus), by the
key that their statements name. What the node reads across rooms or locks stays together on the
coordinator, and what spread rows are joined with is on every machine. `statements` beside this
holds each statement to this table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from zhidao.store.migrate import JOURNAL_ROOMS

LOCAL: Final = "local"
REFERENCE: Final = "reference"
SPREAD: Final = "spread"
# What becomes of rows when their time is over.
KEEP: Final = "keep"


@dataclass(frozen=True, slots=True)
class Family:
    """A table, `schema.name`. What is spread has a key, and a group whose rows lie together.

    `time`: the column by which its rows age, empty where they do not. `retention`: what becomes of
    them. `days`: they lie in a partition for each day of that column (`partitions`), which has a
    block range index over `brin`.
    """

    table: str
    kind: str
    key: str = ""
    group: str = ""
    time: str = ""
    retention: str = KEEP
    days: bool = False
    brin: tuple[str, ...] = ()


def _spread(table: str, key: str, group: str, time: str = "") -> Family:
    return Family(table, SPREAD, key, group, time)


def _all(kind: str, schema: str, names: str) -> Iterator[Family]:
    return (Family(f"{schema}.{name}", kind) for name in names.split())


FAMILIES: Final = (
    # What terminals send: by the terminal, which is in every question about it.
    _spread("devices.frame", "terminal", "terminal", "received_tai_ns"),
    _spread("devices.part", "terminal", "terminal"),
    _spread("devices.chunk", "terminal", "terminal"),
    _spread("devices.suspect", "terminal", "terminal", "received_tai_ns"),
    _spread("connectivity.observation", "terminal", "terminal", "unix_s"),
    _spread("connectivity.reported_cell", "terminal", "terminal", "unix_s"),
    Family(
        *("devices.position", SPREAD, "terminal_id", "terminal_id", "received_tai_ns"),
        days=True,
        brin=("received_tai_ns", "observed_tai_ns"),
    ),
    _spread("devices.position_latest", "terminal_id", "terminal_id"),
    # Documents and evidence, under their own digests.
    _spread("store.blob", "digest", "digest"),
    # The ledger: a shard's batches, records and ids are written in one transaction.
    _spread("finance.account", "shard", "shard"),
    _spread("finance.batch", "shard", "shard"),
    _spread("finance.records", "shard", "shard", "last_ns"),
    _spread("finance.resolution", "shard", "shard"),
    _spread("finance.snapshot", "shard", "shard"),
    _spread("finance.transfer_id", "shard", "shard"),
    # Its row is locked by the statement that writes those.
    _spread("finance.validator", "shard", "shard"),
    # Small, and joined with what is spread.
    *_all(REFERENCE, "devices", "terminal terminal_id"),
    # Small, or read across rooms, or locked: together on the coordinator.
    *_all(LOCAL, "store", "migration"),
    *(
        each
        for room in JOURNAL_ROOMS
        # Journals are read together by the relay at each turn.
        for each in _all(LOCAL, room, "event outbox inbox")
    ),
    *_all(
        LOCAL,
        "devices",
        "command enrolment nonce position_fill refusal seal secret terminal_key terminal_number"
        " terminal_phone window_digest",
    ),
    *_all(LOCAL, "connectivity", "message scenario sim_question"),
    *_all(
        LOCAL,
        "exchange",
        "incoming incoming_stream invitation outgoing outgoing_stream peer receipt_due",
    ),
    *_all(
        LOCAL,
        "finance",
        "deal escrow escrow_consignment message named payment_order pvp_channel pvp_deal",
    ),
    # They grow with the ledger; a question for each account of a set must go first (`correlated`).
    *_all(LOCAL, "finance", "written_balance written_until"),
    *_all(
        LOCAL,
        "node",
        "code dead_letter growth idempotency_key identity invitation lease notification_address"
        " notification_choice notification_item notification_message notification_told party"
        " passkey person preference preference_of_table process related search search_filled"
        " seen_request session token trust_list waiting_act waiting_drill"
        " write_probe",
    ),
    # Events of things grow; a trace joins them with what they name, which spreads by another key.
    *_all(LOCAL, "industry", "epcis_event epcis_quantity epcis_thing piece recall_flag"),
    *_all(LOCAL, "trade", "draft"),
    # One log has one writer and one origin: by that key it would lie on one machine all the same,
    # and the report joins its leaves with the outboxes of all rooms.
    *_all(
        LOCAL,
        "trust",
        "cosigned_checkpoint log_checkpoint log_head log_leaf log_tile mirror_push witness_head"
        " witness_identity",
    ),
)


def by_table(families: Iterable[Family] = FAMILIES) -> dict[str, Family]:
    """The families by their tables."""
    return {family.table: family for family in families}


def distribution(families: Iterable[Family] = FAMILIES) -> Iterator[str]:
    """The statements by which Citus spreads the families, in order, each without its semicolon.

    The first of a group is spread alone, the others beside it.
    """
    firsts: dict[str, str] = {}
    for family in families:
        if family.kind == REFERENCE:
            yield f"select create_reference_table('{family.table}')"
        elif family.kind == SPREAD:
            beside = firsts.setdefault(family.group, family.table)
            where = "none" if beside == family.table else beside
            yield (
                f"select create_distributed_table('{family.table}', '{family.key}',"
                f" colocate_with => '{where}')"
            )
