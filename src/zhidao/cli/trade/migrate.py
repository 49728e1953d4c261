"""`zhidao trade migrate OLD`: an entry of version 1 as one of version 2."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from zhidao.cli.console.outputs import put, take
from zhidao.cli.trade.document_set import ENTRY_BYTES_MAX

_NAMED_MAX: Final = 12
_EXAMPLES: Final = (
    "the road reads the same from both; addresses of banks, carrier's registrations and customs'\n"
    "address stand in no paper and are left out; what a document set needs besides is named\n"
    "examples:\n"
    "  zhidao trade migrate entry.json -o entry2.json\n"
    "  zhidao trade migrate entry.json > entry2.json\n"
    "status: 0 done, 2 bad input"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this action."""
    parser.epilog = _EXAMPLES
    parser.add_argument("entry", type=Path, metavar="OLD", help="entry of version 1 (JSON)")
    parser.add_argument("-o", "--output", type=Path, metavar="NEW", help="write the entry here")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Writes the entry and tells what a document set needs besides."""
    from zhidao.trade.library.documents import migrated

    made, missing = migrated(take(options.entry, bytes_max=ENTRY_BYTES_MAX))
    put(made, options.output)
    if missing:
        more = f" and {len(missing) - _NAMED_MAX} more" if len(missing) > _NAMED_MAX else ""
        print(
            f"for `zhidao trade set` {len(missing)} fields are missing still: "
            f"{', '.join(missing[:_NAMED_MAX])}{more}",
            file=sys.stderr,
        )
    return 0
