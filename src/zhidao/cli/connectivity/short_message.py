"""`zhidao shortmessage`: what a BeiDou unit wrote, and messages sent and received by one."""

from __future__ import annotations

import argparse
from typing import Final

from zhidao.cli.connectivity import sentences, unit

EPILOG: Final = (
    "decode explains sentences of protocol 2.1 and of BDS-3 units: card, messages, beams,\n"
    "positions, answers. Write a sentence in single quotes, or the shell takes $BDICI for a\n"
    "variable. send and listen keep to the interval and length of the card, whatever is asked.\n"
    "examples:\n"
    "  zhidao shortmessage decode '$BDICI,4207733,0,0,3,60,2,N,22*3A'\n"
    "  zhidao shortmessage decode unit.log --json\n"
    "  zhidao shortmessage send 'seal 4711 is on' --device /dev/ttyUSB0 --to 0179773\n"
    "  zhidao shortmessage send --device tcp://10.0.0.5:4001 --to 0179773 \\\n"
    "    --alarm seal_cut --place 43.35,77.04 --temperature -18.5\n"
    "  zhidao shortmessage listen --device /dev/ttyUSB0 --from 4207733 --json\n"
    "  zhidao shortmessage outbox --device /dev/ttyUSB0\n"
    "status: 0 done; decode: 1 some not read, 2 no sentence at all;\n"
    "  send: 3 not acknowledged in time, and then it waits in the outbox"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    sentences.add_actions(actions)
    unit.add_actions(actions)
    parser.epilog = EPILOG
