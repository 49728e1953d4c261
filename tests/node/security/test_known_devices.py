"""A device is known again by a cookie that this node made, of no more than its length."""

from __future__ import annotations

import pytest

from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.node.security.known_devices import KnownDevices

KEY = SoftwareKey(Algorithm.ED25519, b"d" * 32)


@pytest.mark.bound("node.security.known_devices._CHARACTERS_MAX")
@pytest.mark.parametrize(("size", "is_known"), [(512, True), (513, False)])
def test_a_cookie_past_its_length_is_nobodys(size: int, *, is_known: bool) -> None:
    clock = HandClock(Utc.parse("2026-03-01T08:00:00Z"))
    devices = KnownDevices(KEY, [KEY.public], clock, SeededRandomness(3))
    version, device, made, signed = devices.cookie("anna").split(".")
    # Zeros before a number change nothing of what was signed.
    fill = "0" * (size - len(f"{version}.{device}.{made}.{signed}"))
    cookie = f"{version}.{device}.{fill}{made}.{signed}"
    assert len(cookie) == size
    assert bool(devices.device("anna", cookie)) == is_known
    assert not devices.device("bert", cookie)
