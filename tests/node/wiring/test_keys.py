"""Where the node's own keys are: in sealed files, or in a token that is named whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from zhidao.core.errors import MalformedInput, Refused, Unavailable
from zhidao.core.keys import Algorithm
from zhidao.node.adapters.ambient import SystemRandomness
from zhidao.node.adapters.keys.files import KeyFiles
from zhidao.node.config import load
from zhidao.node.identity.own_keys import own_key_name
from zhidao.node.wiring.keys import key_source


def test_a_token_needs_its_label_and_pin_and_never_replaces_an_identity(tmp_path: Path):
    files = KeyFiles(tmp_path / "keys", b"secret", SystemRandomness())
    pin = tmp_path / "pin"
    pin.write_bytes(b"1234\n")
    pin.chmod(0o600)
    named = {"ZHIDAO_KEYS_TOKEN_MODULE": "/nowhere.so", "ZHIDAO_NODE_DATA": str(tmp_path / "data")}
    assert key_source(load(None, {}), files) is files
    for environment in (
        named,
        named | {"ZHIDAO_KEYS_TOKEN_LABEL": "node"},
        named | {"ZHIDAO_KEYS_TOKEN_PIN_FILE": str(pin)},
    ):
        with pytest.raises(MalformedInput):
            key_source(load(None, environment), files)
    whole = named | {
        "ZHIDAO_KEYS_TOKEN_LABEL": "node",
        "ZHIDAO_KEYS_TOKEN_PIN_FILE": str(pin),
    }
    with pytest.raises(Unavailable):
        key_source(load(None, whole), files)
    files.make(own_key_name(1), Algorithm.ED25519)
    with pytest.raises(Refused) as caught:
        key_source(load(None, whole), files)
    assert caught.value.code == "two_identities"
