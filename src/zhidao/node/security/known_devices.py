"""Devices that signed in before: a cookie that the node's key signed, for one name each.

It opens nothing. It only gives its owner tries of his own, which no stranger can use up (the
"device cookie" of OWASP's page on online guessing).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from zhidao.core.ambient import Clock, Randomness
from zhidao.core.encoding import base64url, parse_base64url
from zhidao.core.errors import MalformedInput
from zhidao.core.keys import PublicKey, Signer
from zhidao.core.timescale import NS

DEVICE_SECONDS: Final = 180 * 24 * 3600
_CONTEXT: Final = b"zhidao device cookie v1\n"
_CHARACTERS_MAX: Final = 512


class KnownDevices:
    """Makes device cookies and reads them."""

    def __init__(
        self, signer: Signer, keys: Sequence[PublicKey], clock: Clock, randomness: Randomness
    ) -> None:
        """`keys`: those by which a cookie still counts, the signer's own among them."""
        self._signer = signer
        self._keys = tuple(keys)
        self._clock = clock
        self._randomness = randomness

    def cookie(self, name: str) -> str:
        """A cookie for the device at which this name signed in now."""
        made_s = self._clock.now().unix_ns // NS
        device = self._randomness.token(12).hex()
        signature = self._signer.sign(_message(name, device, made_s))
        return f"1.{device}.{made_s}.{base64url(signature)}"

    def device(self, name: str, cookie: str) -> str:
        """The device of a cookie that this node made for this name, or empty."""
        parts = cookie.split(".") if len(cookie) <= _CHARACTERS_MAX and cookie.isascii() else []
        if len(parts) != 4 or parts[0] != "1" or not parts[2].isdigit():
            return ""
        _, device, made, signed = parts
        age_s = self._clock.now().unix_ns // NS - int(made)
        if not 0 <= age_s <= DEVICE_SECONDS:
            return ""
        try:
            signature = parse_base64url(signed)
        except MalformedInput:
            return ""
        message = _message(name, device, int(made))
        return device if any(key.verifies(signature, message) for key in self._keys) else ""


def _message(name: str, device: str, made_s: int) -> bytes:
    said = f"{device}\n{made_s}\n{name}"
    return _CONTEXT + said.encode("utf-8", "surrogatepass")
