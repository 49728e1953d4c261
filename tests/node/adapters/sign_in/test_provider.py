"""What a provider may answer, and what of it counts: a provider in memory that lies as it likes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwk, jwt

from zhidao.core.ambient import HandClock
from zhidao.core.errors import MalformedInput, Refused, Unauthenticated, Unavailable
from zhidao.core.timescale import Utc
from zhidao.node.adapters.sign_in import provider as module
from zhidao.node.adapters.sign_in.provider import (
    AGAIN_AFTER_S,
    ANSWER_BYTES_MAX,
    ASKED_AT_ONCE_MAX,
    CLOCKS_APART_S,
    KEPT_S,
    OpenIdProvider,
)
from zhidao.node.adapters.sign_in.provider_settings import ProviderSettings, provider_settings
from zhidao.node.security.openid.identities import Named
from zhidao.node.security.openid.provider_sign_in import Question

ISSUER = "https://id.example.org"
NOW_S = 1_772_352_000
# The verifier of RFC 7636 appendix B.
QUESTION = Question(
    *("state", "nonce", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
    "https://node.example.org/login/back",
)
KEYS = {name: jwk.RSAKey.generate_key(2048, {"kid": name}) for name in ("one", "two")}
Said = dict[str, Any]


class Faked:
    """The provider. `claims` and `lies` change what it says; `asked` counts, by path."""

    def __init__(self, **lies: Any) -> None:
        self.lies = lies
        self.keys = ["one"]
        self.signs = "one"
        self.claims: Said = {}
        self.asked: list[str] = []
        self.posted: Said = {}
        self.before: Callable[[], Awaitable[None]] | None = None
        self.clock = HandClock(Utc.parse("2026-03-01T08:00:00Z"))
        settings = {"issuer": ISSUER, "client_id": "zhidao", "client_secret": "s"}
        self.provider = OpenIdProvider(
            ProviderSettings(**settings | lies.pop("settings", {})),
            self.clock,
            httpx.MockTransport(self.answer),
        )

    async def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.asked.append(path)
        if self.before:
            await self.before()
        if path in self.lies:
            told = self.lies[path]
            return told if isinstance(told, httpx.Response) else httpx.Response(200, json=told)
        if path == "/.well-known/openid-configuration":
            return httpx.Response(200, json=description())
        if path == "/keys":
            keys = [KEYS[each].as_dict(private=False) for each in self.keys]
            return httpx.Response(200, json={"keys": keys})
        if path == "/token":
            self.posted = {
                name: each[0] for name, each in parse_qs(request.content.decode()).items()
            }
            self.posted["authorization"] = request.headers.get("authorization", "")
            return httpx.Response(200, json={"access_token": "a", "id_token": self.token()})
        return httpx.Response(200, json={"sub": "a-1", "email": "a@example.org"})

    def token(self) -> str:
        claims = {
            "iss": ISSUER,
            "sub": "a-1",
            "aud": "zhidao",
            "exp": NOW_S + 300,
            "iat": NOW_S,
            "nonce": "nonce",
        } | self.claims
        told = {name: each for name, each in claims.items() if each is not None}
        return jwt.encode({"alg": "RS256", "kid": self.signs}, told, KEYS[self.signs])

    async def named(self) -> Named:
        return await self.provider.identity("code", QUESTION)


def description(**more: Any) -> Said:
    return {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/auth?tenant=1",
        "token_endpoint": f"{ISSUER}/token",
        "jwks_uri": f"{ISSUER}/keys",
        "userinfo_endpoint": f"{ISSUER}/me",
    } | more


async def test_a_browser_is_sent_with_the_question_and_its_proof_key() -> None:
    address = urlsplit(await Faked().provider.address(QUESTION))
    asked = {name: each[0] for name, each in parse_qs(address.query).items()}
    assert f"{address.scheme}://{address.netloc}{address.path}" == f"{ISSUER}/auth"
    assert asked == {
        "tenant": "1",
        "response_type": "code",
        "client_id": "zhidao",
        "scope": "openid",
        "redirect_uri": QUESTION.back,
        "state": "state",
        "nonce": "nonce",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }


async def test_a_code_stands_for_whom_the_signed_answer_names() -> None:
    faked = Faked()
    assert await faked.named() == Named(ISSUER, "sub", "a-1")
    assert faked.posted == {
        "grant_type": "authorization_code",
        "code": "code",
        "redirect_uri": QUESTION.back,
        "code_verifier": QUESTION.verifier,
        "authorization": "Basic emhpZGFvOnM=",
    }
    posting = Faked(
        **{
            "/.well-known/openid-configuration": description(
                token_endpoint_auth_methods_supported=["client_secret_post"]
            )
        }
    )
    await posting.named()
    assert (posting.posted["client_secret"], posting.posted["authorization"]) == ("s", "")
    public = Faked(settings={"client_secret": ""})
    await public.named()
    assert public.posted["client_id"] == "zhidao"


LIES: dict[str, Said] = {
    "another issuer": {"iss": "https://id.example.net"},
    "another audience": {"aud": "somebody else"},
    "an audience of several without its party": {"aud": ["zhidao", "somebody else"]},
    "another party": {"aud": ["zhidao", "x"], "azp": "x"},
    "ran out": {"exp": NOW_S - CLOCKS_APART_S - 1},
    "of the future": {"iat": NOW_S + CLOCKS_APART_S + 1},
    "another nonce": {"nonce": "of another way"},
    "no nonce": {"nonce": None},
    "no subject": {"sub": None},
    "no end": {"exp": None},
    "a subject that is no word": {"sub": 7},
    "an empty subject": {"sub": ""},
    "a subject without end": {"sub": "a" * 256},
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_token_that_is_not_for_this_question_lets_nobody_in(lie: str) -> None:
    faked = Faked()
    faked.claims = LIES[lie]
    with pytest.raises(Unauthenticated) as refused:
        await faked.named()
    assert refused.value.code == "provider_refused"


async def test_a_token_signed_by_nobody_or_by_the_shared_secret_lets_nobody_in() -> None:
    claims = json.dumps({"sub": "a-1"}).encode()
    secret = jwk.OctKey.import_key("s" * 32)
    for token in (
        jwt.encode({"alg": "HS256"}, {"sub": "a-1"}, secret),
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhLTEifQ.",
        "no token",
        "..",
        claims.decode(),
        None,
        7,
    ):
        faked = Faked(**{"/token": {"access_token": "a", "id_token": token}})
        with pytest.raises(Unauthenticated):
            await faked.named()


async def test_new_keys_are_looked_for_once_and_no_more_often_than_is_allowed() -> None:
    faked = Faked()
    await faked.named()
    faked.signs, faked.keys = "two", ["two"]
    with pytest.raises(Unauthenticated):
        await faked.named()
    assert faked.asked.count("/keys") == 1, "the keys are fresh: somebody lies"
    faked.clock.advance(AGAIN_AFTER_S)
    await faked.named()
    assert faked.asked.count("/keys") == 2
    await faked.named()
    assert faked.asked.count("/keys") == 2
    faked.clock.advance(KEPT_S - AGAIN_AFTER_S)
    faked.claims = {"exp": NOW_S + 2 * KEPT_S}
    await faked.named()
    assert faked.asked.count("/keys") == 2
    assert faked.asked.count("/.well-known/openid-configuration") == 2
    faked.clock.advance(AGAIN_AFTER_S)
    await faked.named()
    assert faked.asked.count("/keys") == 3


BROKEN: dict[str, Any] = {
    "an error": httpx.Response(500, text="no"),
    "a redirect": httpx.Response(302, headers={"location": "https://evil.example.org"}),
    "no JSON": httpx.Response(200, text="<html>"),
    "a list": [],
    "without end": httpx.Response(200, text=" " * (ANSWER_BYTES_MAX + 1)),
    "deep": httpx.Response(200, text="[" * 5000),
    "another issuer": description(issuer="https://id.example.net"),
    "keys over plain HTTP": description(jwks_uri="http://id.example.org/keys"),
    "no token endpoint": description(token_endpoint=None),
    "a file": description(userinfo_endpoint="file:///etc/passwd"),
}


@pytest.mark.bound("node.adapters.sign_in.provider.ANSWER_BYTES_MAX")
@pytest.mark.parametrize("how", BROKEN)
async def test_a_provider_that_is_broken_is_away_and_asked_again_later(how: str) -> None:
    faked = Faked(**{"/.well-known/openid-configuration": BROKEN[how]})
    for _ in range(3):
        with pytest.raises(Unavailable) as refused:
            await faked.provider.address(QUESTION)
        assert refused.value.code == "provider_away"
        assert "password" in refused.value.remedy
    assert len(faked.asked) == 1, "who knows that it is away does not ask at once again"
    faked.lies.clear()
    faked.clock.advance(KEPT_S)
    await faked.provider.address(QUESTION)


async def test_as_much_as_is_allowed_is_read() -> None:
    told = json.dumps(description()).encode().ljust(ANSWER_BYTES_MAX)
    faked = Faked(**{"/.well-known/openid-configuration": httpx.Response(200, content=told)})
    await faked.provider.address(QUESTION)


async def test_a_provider_that_hangs_is_left_after_seconds_by_all_who_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.2)
    faked = Faked()

    async def hang() -> None:
        await asyncio.Event().wait()

    faked.before = hang
    ways = [faked.provider.address(QUESTION) for _ in range(20)]
    async with asyncio.timeout(5):
        told = await asyncio.gather(*ways, return_exceptions=True)
    assert {getattr(each, "code", "") for each in told} == {"provider_away"}
    assert len(faked.asked) == 1


@pytest.mark.bound("node.adapters.sign_in.provider.ASKED_AT_ONCE_MAX")
async def test_only_so_many_wait_for_it_at_once() -> None:
    faked = Faked()
    await faked.named()
    gone = asyncio.Event()

    async def wait() -> None:
        await gone.wait()

    faked.before = wait
    waiting = [asyncio.create_task(faked.named()) for _ in range(ASKED_AT_ONCE_MAX)]
    await asyncio.sleep(0.05)
    with pytest.raises(Unavailable, match="others wait"):
        await faked.named()
    gone.set()
    assert len(await asyncio.gather(*waiting)) == ASKED_AT_ONCE_MAX


async def test_mail_counts_only_once_the_provider_has_verified_it() -> None:
    mail = {"settings": {"claim": "email"}}
    told = {"email": "a@example.org", "email_verified": True}
    faked = Faked(**mail)
    faked.claims = told
    assert await faked.named() == Named(ISSUER, "email", "a@example.org")
    for verified in (False, None, "true"):
        faked = Faked(**mail)
        faked.claims = told | {"email_verified": verified}
        with pytest.raises(Unauthenticated):
            await faked.named()
    # What the token does not tell, the provider is asked for, about the same person only.
    faked = Faked(**mail, **{"/me": {"sub": "a-1", **told}})
    assert (await faked.named()).value == "a@example.org"
    with pytest.raises(Unauthenticated, match="somebody else"):
        await Faked(**mail, **{"/me": {"sub": "b-2", **told}}).named()


async def test_a_code_that_the_provider_does_not_know_lets_nobody_in() -> None:
    faked = Faked(**{"/token": httpx.Response(400, json={"error": "invalid_grant"})})
    with pytest.raises(Unauthenticated, match="let nobody in"):
        await faked.named()


def test_settings_name_an_address_over_tls_and_a_private_secret(tmp_path: Any) -> None:
    def of(issuer: str, client: str = "zhidao", file: str = "") -> ProviderSettings | None:
        return provider_settings(issuer, client, file, claim="sub", name="")

    assert of("") is None
    for issuer in ("http://id.example.org", "id.example.org", "https://", "https://a:b@c", "x"):
        with pytest.raises(MalformedInput):
            of(issuer)
    with pytest.raises(MalformedInput):
        of(ISSUER, client="")
    file = tmp_path / "secret"
    file.write_text("words\n")
    file.chmod(0o644)
    with pytest.raises(Refused, match="others may read"):
        of(ISSUER, file=str(file))
    file.chmod(0o600)
    found = of(ISSUER, file=str(file))
    assert found is not None
    assert found.client_secret == "words"
    assert "words" not in repr(found)
    with pytest.raises(MalformedInput):
        of(ISSUER, file=str(tmp_path / "none"))
    assert of("http://localhost:3000") is not None
