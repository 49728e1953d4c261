"""The options that say which node: its settings file, its data folder, its passphrase."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from zhidao.cli.console.prompts import ask_hidden
from zhidao.core.errors import Refused

# The settings are read where a command runs, so that help answers at once.
if TYPE_CHECKING:
    from zhidao.node.config import Config, Value


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Adds --config, --data and --json."""
    parser.add_argument("--config", type=Path, help="settings file (TOML)")
    parser.add_argument("--data", type=Path, help="data folder of the node")
    parser.add_argument("--json", action="store_true", help="answer in JSON")


def config_of(options: argparse.Namespace, **overrides: Value) -> Config:
    """The settings that these options ask for."""
    from zhidao.node.config import load

    chosen: dict[str, Value] = dict(overrides)
    if options.data is not None:
        chosen["node.data"] = str(options.data.absolute())
    return load(options.config, os.environ, chosen)


def passphrase_of(config: Config) -> bytes:
    """The passphrase from a credential, a file or, if a person is there, a prompt."""
    from zhidao.node.library import passphrase_in

    found = passphrase_in(
        config.text("keys.passphrase_file"),
        config.data,
        os.environ.get("CREDENTIALS_DIRECTORY", ""),
    )
    if found is not None:
        return found
    if not sys.stdin.isatty():
        raise Refused(
            "no passphrase for the node's keys",
            code="no_passphrase",
            remedy="set keys.passphrase_file to a 0600 file outside the data folder",
        )
    asked = ask_hidden("passphrase for the node's keys", instead="keys.passphrase_file")
    return asked.encode()
