"""`zhidao shortmessage`: what a BeiDou unit wrote, and messages sent and received by one."""

from __future__ import annotations

import argparse

from zhidao.cli.connectivity import sentences


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    sentences.add_actions(actions)
    parser.epilog = sentences.EPILOG
