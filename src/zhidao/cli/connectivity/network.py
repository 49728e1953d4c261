"""`zhidao network`: what mobile networks tell of a SIM, and what they give along a route."""

from __future__ import annotations

import argparse
from typing import Final

from zhidao.cli.connectivity import coverage, networks, track

EPILOG: Final = (
    "coverage says for each stretch of a route whether a terminal is served, borderline, silent\n"
    "or beyond what the models judge, by 3GPP TR 38.901 (RMa, UMa, UMi) and a link budget, and\n"
    "for how long silence is no alarm there. It and mark need no node; the others ask one.\n"
    "questions lists who asked where SIMs of yours are, when, by which API and with what kind of\n"
    "answer; an auditor sees those about all SIMs. track compares a way with what the network of\n"
    "its SIM says at each time, mark with a file of what networks said.\n"
    "examples:\n"
    "  zhidao network status --url https://localhost:8443 --as aida\n"
    "  zhidao network locate +77010000001\n"
    "  zhidao network questions --phone +77010000001 --limit 20\n"
    "  zhidao network track way.csv +77010000001 --url https://localhost:8443 --as dana\n"
    "  zhidao network mark way.csv seen.json --json\n"
    "  zhidao network coverage route.geojson --sites cells.csv\n"
    "  zhidao network coverage drive.csv --sites cells.json --geojson coverage.geojson\n"
    "  zhidao network coverage route.geojson --sites cells.csv --sight worst --inside car --json\n"
    "status: 0 done, 2 bad input; status: 3 a network does not answer; locate: 1 not located;\n"
    "  track, mark: 1 the network says elsewhere, 4 it confirms less than half of the time;\n"
    "  coverage: 4 a part of the route lies beyond what the models judge"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    networks.add_actions(actions)
    track.add_actions(actions)
    coverage.add_actions(actions)
    parser.epilog = EPILOG
