"""Bounds of an exchange."""

from __future__ import annotations

from typing import Final

# A bundle of one document fits a request body of a node with standard settings (8 MiB).
CONTENT_BYTES_MAX: Final = 4 * 1024 * 1024
BUNDLE_BYTES_MAX: Final = 6 * 1024 * 1024
BUNDLE_ITEMS_MAX: Final = 64
# A file on a stick has no request to fit into.
FILE_BYTES_MAX: Final = 1024 * 1024 * 1024
FILE_ITEMS_MAX: Final = 100_000
# An export is put together in memory.
EXPORT_BYTES_MAX: Final = 256 * 1024 * 1024
# So many documents of one party may wait for its peers; another party's are not held up by them.
WAITING_MAX: Final = 20_000
REASON_CHARACTERS_MAX: Final = 500
# So far may a document be ahead of its predecessor before it is turned away for later.
AHEAD_MAX: Final = 1000
