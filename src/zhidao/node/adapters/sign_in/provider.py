"""A provider of identities over HTTP: OpenID Connect Core 1.0, the code flow with PKCE.

What the provider says is bounded in bytes and time; its description and keys are kept for an hour,
and so is for seconds that it did not answer. An ID token counts only with this node's question in
it: issuer, audience, time, nonce, and a signature by a key and an algorithm that are allowed.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, quote_plus, urlencode, urlsplit, urlunsplit

import httpx

from zhidao.core.ambient import Clock
from zhidao.core.canonical import parse_strict
from zhidao.core.errors import MalformedInput, Unauthenticated, Unavailable
from zhidao.core.timescale import NS, Utc
from zhidao.node.adapters.sign_in.provider_settings import ProviderSettings, is_address
from zhidao.node.security.openid.identities import Named
from zhidao.node.security.openid.provider_sign_in import Question

SECONDS: Final = 8.0
ANSWER_BYTES_MAX: Final = 256 * 1024
KEPT_S: Final = 3600
# After a failure nobody asks for so long, and an unknown key is looked for no more often.
AGAIN_AFTER_S: Final = 10
ASKED_AT_ONCE_MAX: Final = 16
CLOCKS_APART_S: Final = 60
_ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")
_VALUE_CHARACTERS: Final = 255


class OpenIdProvider:
    """Implements `Provider`."""

    def __init__(
        self,
        settings: ProviderSettings,
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`transport`: by what is asked, if not over the network."""
        self._settings = settings
        self._clock = clock
        self._transport = transport
        self._trusted: ssl.SSLContext | None = None
        self._described = _Kept()
        self._keys = _Kept()
        self._reading = asyncio.Lock()
        self._asked = 0

    @property
    def name(self) -> str:
        """What people call it."""
        return self._settings.name or str(urlsplit(self.issuer).hostname)

    @property
    def issuer(self) -> str:
        """Its address."""
        return self._settings.issuer

    def named(self, value: str) -> Named:
        """The identity of a value of the claim that the settings name."""
        return Named(self.issuer, self._settings.claim, value)

    async def address(self, question: Question) -> str:
        """Where a browser is sent; see the port."""
        described = await self._description()
        scope = "openid" if self._settings.claim == "sub" else "openid email profile"
        asked = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "scope": scope,
            "redirect_uri": question.back,
            "state": question.state,
            "nonce": question.nonce,
            "code_challenge": await asyncio.to_thread(_challenge, question.verifier),
            "code_challenge_method": "S256",
        }
        parts = urlsplit(str(described["authorization_endpoint"]))
        query = urlencode([*parse_qsl(parts.query), *asked.items()])
        return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))

    async def identity(self, code: str, question: Question) -> Named:
        """Whom a code stands for; see the port."""
        described = await self._description()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": question.back,
            "code_verifier": question.verifier,
        }
        answer = await self._ask(
            *("POST", described["token_endpoint"]), **self._as_client(described, form)
        )
        claims = await self._claims(answer, described, question.nonce)
        return self.named(await self._value(claims, answer, described))

    def _as_client(self, described: Mapping[str, Any], form: dict[str, str]) -> dict[str, Any]:
        name, secret = self._settings.client_id, self._settings.client_secret
        ways = described.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if not secret:
            return {"data": form | {"client_id": name}}
        if "client_secret_basic" not in ways:
            return {"data": form | {"client_id": name, "client_secret": secret}}
        # RFC 6749 section 2.3.1: each is encoded like a form's before they are joined.
        pair = f"{quote_plus(name)}:{quote_plus(secret)}".encode()
        return {
            "data": form,
            "headers": {"authorization": f"Basic {base64.b64encode(pair).decode()}"},
        }

    async def _claims(
        self, answer: Mapping[str, Any], described: Mapping[str, Any], nonce: str
    ) -> Mapping[str, Any]:
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise _refused("its answer holds no ID token")
        keys = await self._key_set(described)
        try:
            return self._checked(token, keys, nonce)
        except _UnknownKey:
            # It may have changed its keys: once more with the newest.
            keys = await self._key_set(described, newest=True)
        try:
            return self._checked(token, keys, nonce)
        except _UnknownKey as error:
            raise _refused("its ID token bears an unknown key") from error

    def _checked(self, token: str, keys: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
        from authlib.oidc.core import CodeIDToken
        from joserfc import errors, jwk, jwt

        try:
            known = jwk.KeySet.import_key_set({"keys": keys["keys"]})
            read = jwt.decode(token, known, algorithms=_ALGORITHMS)
        except (
            errors.InvalidKeyIdError,
            errors.BadSignatureError,
            errors.MissingKeyError,
        ) as error:
            raise _UnknownKey from error
        except (errors.JoseError, ValueError, TypeError, LookupError) as error:
            raise _refused("its ID token is not signed as it should be") from error
        wanted = {
            "iss": {"essential": True, "value": self.issuer},
            "aud": {"essential": True, "value": self._settings.client_id},
            "exp": {"essential": True},
            "iat": {"essential": True},
        }
        told = {"nonce": nonce, "client_id": self._settings.client_id}
        claims = CodeIDToken(read.claims, read.header, wanted, told)
        try:
            claims.validate(self._clock.now().unix_ns // NS, leeway=CLOCKS_APART_S)
        except (errors.JoseError, ValueError, TypeError, LookupError) as error:
            raise _refused(f"its ID token is not for this sign-in ({error})") from error
        return dict(claims)

    async def _value(
        self, claims: Mapping[str, Any], answer: Mapping[str, Any], described: Mapping[str, Any]
    ) -> str:
        claim, told = self._settings.claim, claims
        if claim not in told and "userinfo_endpoint" in described:
            bearer = {"authorization": f"Bearer {answer.get('access_token', '')}"}
            told = await self._ask("GET", described["userinfo_endpoint"], headers=bearer)
            if told.get("sub") != claims.get("sub"):
                raise _refused("it tells of somebody else than its ID token")
        value = told.get(claim)
        if not isinstance(value, str) or not 0 < len(value) <= _VALUE_CHARACTERS:
            raise _refused(f"it does not tell {claim}")
        if claim == "email" and told.get("email_verified") is not True:
            raise _refused("it did not verify the address of mail")
        return value

    async def _description(self) -> Mapping[str, Any]:
        url = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        described = await self._read(self._described, url, _check_description)
        if described["issuer"] != self.issuer:
            raise _away(f"it calls itself {str(described['issuer'])[:100]}")
        return described

    async def _key_set(
        self, described: Mapping[str, Any], *, newest: bool = False
    ) -> Mapping[str, Any]:
        if newest and self._keys.age_s(self._clock.now()) >= AGAIN_AFTER_S:
            self._keys = _Kept()
        return await self._read(self._keys, described["jwks_uri"], _check_keys)

    async def _read(self, kept: _Kept, url: str, check: Any) -> Mapping[str, Any]:
        # One asks at a time: of many who come while the provider is slow, all wait for one answer.
        async with self._reading:
            now = self._clock.now()
            if kept.value is not None and kept.age_s(now) < KEPT_S:
                return kept.value
            if kept.failed and kept.age_s(now) < AGAIN_AFTER_S:
                raise _away(kept.failed)
            try:
                value = await self._ask("GET", url)
                check(value)
            except (Unavailable, Unauthenticated) as error:
                kept.note(now, None, str(error.args[0]))
                raise _away(str(error.args[0])) from error
            kept.note(now, value, "")
            return value

    async def _ask(self, method: str, url: str, **more: Any) -> Mapping[str, Any]:
        if self._asked >= ASKED_AT_ONCE_MAX:
            raise _away(f"{ASKED_AT_ONCE_MAX} others wait for it already")
        self._asked += 1
        try:
            async with asyncio.timeout(SECONDS):
                return await self._answer(method, url, more)
        except TimeoutError as error:
            raise _away(f"no answer within {SECONDS:.0f} s") from error
        except httpx.HTTPError as error:
            raise _away(f"{type(error).__name__} at {urlsplit(url).hostname}") from error
        except (httpx.InvalidURL, MalformedInput) as error:
            raise _away("it answers what nobody can read") from error
        finally:
            self._asked -= 1

    async def _answer(self, method: str, url: str, more: dict[str, Any]) -> Mapping[str, Any]:
        if self._trusted is None:
            # The machine's authorities, which SSL_CERT_FILE may name; loaded beside the loop.
            self._trusted = await asyncio.to_thread(ssl.create_default_context)
        client = httpx.AsyncClient(
            timeout=SECONDS,
            follow_redirects=False,
            trust_env=False,
            verify=self._trusted,
            transport=self._transport,
        )
        data = bytearray()
        async with client, client.stream(method, url, **more) as answer:
            async for piece in answer.aiter_bytes():
                data += piece
                if len(data) > ANSWER_BYTES_MAX:
                    raise _away(f"it answers more than {ANSWER_BYTES_MAX} bytes")
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise _away(f"it answers {answer.status_code}")
        if answer.status_code != httpx.codes.OK:
            raise _refused(f"it answers {answer.status_code}")
        found = parse_strict(bytes(data))
        if not isinstance(found, dict):
            raise _away("it answers what nobody can read")
        return found


class _Kept:
    """An answer with its time, or why there was none."""

    def __init__(self) -> None:
        self.value: Mapping[str, Any] | None = None
        self.failed = ""
        self._at: Utc | None = None

    def note(self, at: Utc, value: Mapping[str, Any] | None, failed: str) -> None:
        self._at, self.value, self.failed = at, value, failed

    def age_s(self, now: Utc) -> float:
        return (now.tai_ns - self._at.tai_ns) / NS if self._at else float("inf")


class _UnknownKey(Exception):
    """The key of an ID token is not among those that are known."""


def _check_description(described: Mapping[str, Any]) -> None:
    for name in ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"):
        if not isinstance(described.get(name), str) or not is_address(described[name]):
            raise _away(f"its description has no usable {name}")
    if not is_address(str(described.get("userinfo_endpoint", described["issuer"]))):
        raise _away("its description has no usable userinfo_endpoint")


def _check_keys(keys: Mapping[str, Any]) -> None:
    if not isinstance(keys.get("keys"), list):
        raise _away("its list of keys has none")


def _challenge(verifier: str) -> str:
    # Loaded beside the event loop, as is what checks an ID token later.
    import joserfc.jwt  # noqa: F401
    from authlib.oauth2.rfc7636 import create_s256_code_challenge

    return str(create_s256_code_challenge(verifier))


def _away(why: str) -> Unavailable:
    return Unavailable(
        f"the provider of identities does not answer as it should: {why}",
        code="provider_away",
        remedy="sign in with your password, or try again later",
    )


def _refused(why: str) -> Unauthenticated:
    return Unauthenticated(
        f"the provider of identities let nobody in: {why}", code="provider_refused"
    )
