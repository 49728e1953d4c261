"""RFC 9421 appendix B.2.6 is the vector that fits: Ed25519 over a request."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.encoding import parse_base64url
from zhidao.core.errors import MalformedInput, Unauthenticated, Unavailable
from zhidao.core.keys import Algorithm, PublicKey, SoftwareKey
from zhidao.node.security.http_signatures import (
    Message,
    Remembered,
    Signed,
    check_coverage,
    check_digest,
    check_times,
    content_digest,
    parse_signature,
)

# RFC 9421 sections B.1.4 and B.2.
KEY = PublicKey(Algorithm.ED25519, parse_base64url("JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs"))
SECRET = SoftwareKey(
    Algorithm.ED25519, parse_base64url("n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU")
)
BODY = b'{"hello": "world"}'
DIGEST = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"
REQUEST = Message(
    method="POST",
    scheme="https",
    authority="example.com",
    path="/foo",
    query="param=Value&Pet=dog",
    headers={
        "host": ["example.com"],
        "date": ["Tue, 20 Apr 2021 02:07:55 GMT"],
        "content-type": ["application/json"],
        "content-digest": [DIGEST],
        "content-length": ["18"],
    },
)
INPUT = (
    'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length")'
    ';created=1618884473;keyid="test-key-ed25519"'
)
SIGNATURE = "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:"


def signed(components: str, parameters: str = ';created=1000;keyid="k"') -> Signed:
    return parse_signature(f"a=({components}){parameters}", "a=:AAAA:")


def test_the_vector_of_the_specification_verifies() -> None:
    found = parse_signature(INPUT, SIGNATURE)
    assert found.created == 1618884473
    assert found.key_id == "test-key-ed25519"
    assert SECRET.public == KEY
    assert KEY.verifies(found.signature, found.base(REQUEST))
    assert SECRET.sign(found.base(REQUEST)) == found.signature


def test_the_digest_of_the_specification_holds_for_its_body_only() -> None:
    check_digest(DIGEST, BODY)
    check_digest(f"{content_digest(BODY)}, unknown=:AAAA:", BODY)
    with pytest.raises(Unauthenticated):
        check_digest(DIGEST, BODY + b" ")
    with pytest.raises(MalformedInput):
        check_digest("md5=:AAAA:", BODY)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("@method", "POST"),
        ("@target-uri", "https://example.com/foo?param=Value&Pet=dog"),
        ("@authority", "example.com"),
        ("@scheme", "https"),
        ("@request-target", "/foo?param=Value&Pet=dog"),
        ("@path", "/foo"),
        ("@query", "?param=Value&Pet=dog"),
        ("content-length", "18"),
    ],
)
def test_each_component_has_the_value_of_section_2(name: str, value: str) -> None:
    assert REQUEST.component(name) == value


def test_the_authority_is_lower_case_without_the_port_of_its_scheme() -> None:
    def host(scheme: str, text: str) -> str:
        return Message("GET", scheme, text, "/", "", {}).component("@authority")

    assert host("https", "Example.COM:443") == "example.com"
    assert host("http", "example.com:443") == "example.com:443"


@pytest.mark.parametrize(
    "components",
    ['"@path" "@authority"', '"@method" "@path" "@authority"', '"@method" "@authority"'],
)
def test_a_signature_that_leaves_open_what_is_asked_is_refused(components: str) -> None:
    with pytest.raises(Unauthenticated, match="what is asked"):
        check_coverage(signed(components), REQUEST, has_body=False)


def test_a_body_needs_its_digest_under_the_signature() -> None:
    with pytest.raises(Unauthenticated, match="body"):
        check_coverage(signed('"@method" "@target-uri"'), REQUEST, has_body=True)
    check_coverage(signed('"@method" "@target-uri" "content-digest"'), REQUEST, has_body=True)
    check_coverage(signed('"@method" "@authority" "@path" "@query"'), REQUEST, has_body=False)


def test_a_refusal_says_by_how_much_the_clock_is_off() -> None:
    check_times(signed('"@method"'), 1300)
    check_times(signed('"@method"'), 700)
    with pytest.raises(Unauthenticated, match="signed 301 s ago"):
        check_times(signed('"@method"'), 1301)
    with pytest.raises(Unauthenticated, match="signed 301 s in the future"):
        check_times(signed('"@method"'), 699)
    late = signed('"@method"', ';created=1000;expires=1010;keyid="k"')
    check_times(late, 1009)
    with pytest.raises(Unauthenticated, match="expired 0 s ago"):
        check_times(late, 1010)


def test_a_signature_opens_one_request() -> None:
    used = Remembered()
    used.use(signed('"@method"'), 1000)
    with pytest.raises(Unauthenticated, match="used before"):
        used.use(signed('"@method"'), 1299)


def test_a_full_memory_refuses_and_forgets_only_what_is_too_old_to_pass() -> None:
    used = Remembered(size_max=1)
    used.use(signed('"@method"'), 1000)
    later = signed('"@method"', ';created=1200;keyid="k"')
    with pytest.raises(Unavailable):
        used.use(later, 1200)
    used.use(signed('"@method"', ';created=1500;keyid="k"'), 1500)


@pytest.mark.parametrize(
    ("given_input", "given_signature"),
    [
        ("", ""),
        ('a=("@method");created=1', "a=:AAAA:"),
        ('a=("@method");keyid="k"', "a=:AAAA:"),
        ('a=("@method" "@method");created=1;keyid="k"', "a=:AAAA:"),
        ('a=("@method";req);created=1;keyid="k"', "a=:AAAA:"),
        ('a=("@method");created=1;created=2;keyid="k"', "a=:AAAA:"),
        ('a=("@method");created="1";keyid="k"', "a=:AAAA:"),
        ('a=("@method");created=1;keyid="k", b=();created=1;keyid="k"', "a=:AAAA:, b=:AAAA:"),
        ('a=("@method");created=1;keyid="k"', "b=:AAAA:"),
        ('a=("@method");created=1;keyid="k"', "a=:AAB:"),
        ('a=( "@method");created=1;keyid="k"', "a=:AAAA:"),
    ],
)
def test_another_form_of_the_headers_is_refused(given_input: str, given_signature: str) -> None:
    with pytest.raises(MalformedInput):
        parse_signature(given_input, given_signature)


@given(st.text(max_size=200), st.text(max_size=100))
def test_any_text_is_read_or_refused_by_name(first: str, second: str) -> None:
    with contextlib.suppress(MalformedInput):
        parse_signature(first, second)


names = st.sampled_from(["@method", "@target-uri", "@path", "@query", "content-digest", "date"])
quoted = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=40)


@given(
    st.lists(names, unique=True, min_size=1),
    st.integers(0, 10**12),
    quoted,
    st.binary(min_size=1, max_size=64),
)
def test_what_is_written_is_read_back_and_verifies(
    components: list[str], created: int, key_id: str, nonce: bytes
) -> None:
    listed = " ".join(f'"{name}"' for name in components)
    escaped = key_id.replace("\\", "\\\\").replace('"', '\\"')
    text = f'({listed});created={created};keyid="{escaped}";nonce="{nonce.hex()}"'
    draft = parse_signature(f"z={text}", "z=:AAAA:")
    assert (draft.components, draft.created, draft.key_id, draft.nonce) == (
        tuple(components),
        created,
        key_id,
        nonce.hex(),
    )
    assert KEY.verifies(SECRET.sign(draft.base(REQUEST)), draft.base(REQUEST))
