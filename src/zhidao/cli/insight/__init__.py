"""`zhidao insight`: what a log proves, a repository shows, and a corridor takes."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Final

# Action, module that adds its arguments and runs it, one line for the overview.
ACTIONS: Final = (
    ("report", "what was proven, by whom, how long it took, what is missing"),
    ("standards", "the standards whose questions are known, and how long nobody looked at them"),
    ("declaration", "sign what a person answers for, take it back, show it"),
    ("assess", "what a repository shows of a standard's questions, with evidence for each"),
    ("publish", "a signed report on digital public goods, of results that stand in files"),
    ("verify", "whether such a report is what its evidence gives, and by whose key"),
    ("provenance", "whether files are those that an accepted key says to have built"),
    ("corridor", "hours at border crossings, with bounds, of a log or of reports of vehicles"),
    ("recheck", "whether an assessment's evidence and verdicts still hold in the repository"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    parser.epilog = _EXAMPLES
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    for name, line in ACTIONS:
        action = actions.add_parser(
            name, help=line, description=line, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        import_module(f"{__name__}.{name}").add_arguments(action)


_EXAMPLES: Final = (
    "examples:\n"
    "  zhidao insight report --data ~/zhidao -o report.html\n"
    "  zhidao insight standards\n"
    "  zhidao insight assess ~/project --standard dpg -o result.json\n"
    "  zhidao insight corridor --data ~/zhidao --from 2026-01-01 --to 2026-03-31\n"
    "  zhidao insight recheck result.json ~/project\n"
    "status: 0 done, 1 refused, 2 bad input, 3 the outside world does not answer"
)
