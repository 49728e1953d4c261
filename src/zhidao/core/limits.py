"""Bounds that several rooms share. A bound that only one room needs stands in that room."""

from __future__ import annotations

from typing import Final

# The largest integer that every JSON reader keeps exactly: RFC 7493 section 2.2.
JSON_INTEGER_MAX: Final = 2**53 - 1
# Deeper nesting than this is an attack or a mistake in every document that we know.
JSON_DEPTH_MAX: Final = 64
JSON_BYTES_MAX: Final = 16 * 1024 * 1024
# Ledger amounts fit PostgreSQL's bigint.
AMOUNT_MINOR_MAX: Final = 2**63 - 1
PAGE_ITEMS_MAX: Final = 500
