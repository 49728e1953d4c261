"""Numbers on the command line, refused in the words of the option."""

from __future__ import annotations

import argparse
from typing import Final

_SEED_MAX: Final = 2**63 - 1


def seed(text: str) -> int:
    """A seed of simulated randomness: a whole number from 0."""
    try:
        number = int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"a seed is a whole number, not {text!r}") from error
    if not 0 <= number <= _SEED_MAX:
        raise argparse.ArgumentTypeError(f"a seed is from 0 to {_SEED_MAX}, not {number}")
    return number
