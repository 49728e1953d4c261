"""Where the node's own keys are: in sealed files, or in a token."""

from __future__ import annotations

from pathlib import Path

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.keys import Algorithm
from zhidao.node.adapters.keys.files import KeyFiles
from zhidao.node.config import Config
from zhidao.node.identity.own_keys import FIRST, KeySource
from zhidao.node.security.private_files import read_passphrase


def key_source(config: Config, files: KeyFiles) -> KeySource:
    """Where the node's own keys are: in a token if `keys.token_module` names one, else in files.

    Raises Refused and Unavailable as the token does; Refused (`two_identities`) if files hold
    another identity already, which a token would silently replace.
    """
    module = config.text("keys.token_module")
    if not module:
        return files
    if files.get(FIRST, Algorithm.ED25519) is not None:
        raise Refused(
            "this data folder has a node key in a file already",
            code="two_identities",
            remedy="leave keys.token_module empty, or begin with an empty data folder",
        )
    from zhidao.node.adapters.keys.pkcs11 import Token

    label, pin_file = config.text("keys.token_label"), config.text("keys.token_pin_file")
    pin = read_passphrase(pin_file, config.data, "") if pin_file else None
    if not label or pin is None:
        raise MalformedInput(
            "a token needs its label and its PIN",
            where="keys.token_label, keys.token_pin_file",
            remedy="name the token, and a file of mode 0600 outside the data folder",
        )
    return Token(Path(module), label, pin)
