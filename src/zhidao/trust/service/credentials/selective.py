"""Tokens with claims that their holder shows one by one, issued by this node about its parties.

The node says what it knows, so its own key signs; the party that the token is about holds it and
signs, for one audience and one nonce, what it shows of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from zhidao.core.ambient import Clock, Randomness
from zhidao.core.encoding import base64url
from zhidao.core.errors import MalformedInput, Refused, Unavailable
from zhidao.core.ids import PartyId
from zhidao.core.journal import KeyRing
from zhidao.core.judging import CREDENTIAL, IN_PLACE, Judges
from zhidao.core.keys import PublicKey, Signer
from zhidao.core.timescale import NS
from zhidao.trust.events import Presented
from zhidao.trust.wire.credentials import sd_jwt
from zhidao.trust.wire.credentials.jwk import jwk_of
from zhidao.trust.wire.identifiers.did import did_key, key_method, parse_key_method

VALID_S: Final = 90 * 86_400
"""Ours: what is claimed is a summary of a year, and there is no way to take a token back."""
_SALT_BYTES: Final = 16


class SelectiveCredentialService:
    """Implements `trust.commands.SelectiveCredentials`."""

    def __init__(
        self,
        *,
        ring: KeyRing,
        node_key: Signer,
        own: Callable[[PublicKey], bool],
        clock: Clock,
        randomness: Randomness,
        judges: Judges = IN_PLACE,
    ) -> None:
        """`own`: whether a key is this node's and not revoked."""
        self._ring = ring
        self._node_key = node_key
        self._own = own
        self._clock = clock
        self._randomness = randomness
        self._judges = judges

    def issue(
        self, *, kind: str, holder: PartyId, claims: Mapping[str, Any], hidden: Sequence[str]
    ) -> str:
        """A token of this node about a party, good for 90 days."""
        now_s = self._clock.now().unix_ns // NS
        key = self._node_key.public
        whole = {
            **claims,
            "iss": did_key(key),
            "sub": str(holder),
            "vct": f"urn:zhidao:{kind}:1",
            "iat": now_s,
            "nbf": now_s,
            "exp": now_s + VALID_S,
            "cnf": {"jwk": jwk_of(self._signer(holder).public)},
        }
        salts = {name: base64url(self._randomness.token(_SALT_BYTES)) for name in hidden}
        return sd_jwt.issue(whole, hidden=salts, signer=self._node_key, key_id=key_method(key))

    def present(
        self, token: str, *, holder: PartyId, names: Sequence[str], audience: str, nonce: str
    ) -> str:
        """The token with only these hidden claims, signed by its holder."""
        now_s = self._clock.now().unix_ns // NS
        return sd_jwt.present(
            token,
            names=names,
            holder=self._signer(holder),
            audience=audience,
            nonce=nonce,
            issued_at_s=now_s,
        )

    async def verify(self, presentation: str, *, audience: str, nonce: str) -> Presented:
        """Checks issuer's and holder's signatures and the times, and tells what is shown.

        Only tokens of did:key issuers; that the issuer deserves trust is for the caller to say.
        """
        now_s = self._clock.now().unix_ns // NS
        key, claims = await self._judges.run(
            CREDENTIAL, checked, presentation, now_s=now_s, audience=audience, nonce=nonce
        )
        return Presented(did_key(key), self._own(key), claims)

    def _signer(self, holder: PartyId) -> Signer:
        signer = self._ring.signer(holder)
        if signer is None:
            raise Unavailable(f"this node holds no key of {holder}", code="no_key")
        return signer


def checked(
    presentation: str, *, now_s: int, audience: str, nonce: str
) -> tuple[PublicKey, Mapping[str, Any]]:
    """The issuer's key and the claims that are shown. Raises MalformedInput or Refused."""
    token = sd_jwt.parse(presentation)
    issuer = token.issuer
    if token.key_id and token.key_id.partition("#")[0] != issuer:
        raise Refused("the token's key is not its issuer's", code="issuer_mismatch")
    if not issuer.startswith("did:key:"):
        raise MalformedInput("its issuer is no did:key", code="bad_token")
    _, key = parse_key_method(f"{issuer}#{issuer.removeprefix('did:key:')}")
    claims = sd_jwt.verify(token, key_of=lambda _: key, now_s=now_s, audience=audience, nonce=nonce)
    return key, claims
