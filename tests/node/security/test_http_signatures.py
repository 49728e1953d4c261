"""RFC 9421 appendix B.2.6 is the vector that fits: Ed25519 over a request."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.encoding import parse_base64url
from zhidao.core.errors import MalformedInput, Unauthenticated
from zhidao.core.keys import Algorithm, PublicKey, SoftwareKey
from zhidao.node.security.http_signatures import (
    ALGORITHM_LABELS,
    CLOCK_S_MAX,
    HEADER_CHARACTERS_MAX,
    Message,
    Signed,
    check_body_covered,
    check_coverage,
    check_digest,
    check_times,
    content_digest,
    mark_of,
    minute_of,
    parse_signature,
    replayed,
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


def test_a_request_is_known_by_what_was_signed_and_never_by_the_signatures_bytes() -> None:
    one = signed('"@method"', ';created=1000;keyid="k";nonce="n"')
    other_bytes = replace(one, signature=bytes(64))
    assert mark_of(one, REQUEST) == mark_of(other_bytes, REQUEST)
    different = [
        signed('"@method"', ';created=1000;keyid="kn"'),
        signed('"@method"', ';created=1000;keyid="k";nonce="o"'),
        signed('"@method"', ';created=1001;keyid="k";nonce="n"'),
        signed('"@method" "@path"', ';created=1000;keyid="k";nonce="n"'),
    ]
    assert len({mark_of(each, REQUEST) for each in [one, *different]}) == 5


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


# A request without path and query, as `GET http://EXAMPLE.com:80` is.
BARE = Message("GET", "http", "EXAMPLE.com:80", "", "", {"x-two": [" a", "b\t"], "x-none": []})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("@target-uri", "http://example.com/"),
        ("@request-target", "/"),
        ("@path", "/"),
        ("@query", "?"),
        ("x-two", "a, b"),
    ],
)
def test_an_empty_path_is_a_slash_and_lines_of_a_field_are_joined(name: str, value: str) -> None:
    assert BARE.component(name) == value


def test_an_unknown_scheme_has_no_port_to_leave_out() -> None:
    message = replace(BARE, scheme="coap")
    assert message.component("@authority") == "example.com:80"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("x-absent", "does not have"),
        ("x-none", "does not have"),
        ("@status", "not read here"),
        ("@query-param", "not read here"),
    ],
)
def test_a_component_that_is_not_there_is_refused_by_its_name(name: str, said: str) -> None:
    with pytest.raises(MalformedInput, match=said) as refusal:
        BARE.component(name)
    assert name in str(refusal.value)


def test_a_field_is_stripped_of_blanks_and_tabs_only() -> None:
    message = replace(BARE, headers={"x": [" \ta\x0b", "X\t"]})
    assert message.component("x") == "a\x0b, X"


def test_the_base_is_a_line_a_component_and_the_parameters_last() -> None:
    told = signed('"@method" "@path"')
    assert told.base(REQUEST) == (
        b'"@method": POST\n"@path": /foo\n'
        b'"@signature-params": ("@method" "@path");created=1000;keyid="k"'
    )
    nothing = signed("")
    assert (nothing.components, nothing.base(REQUEST)) == (
        (),
        b'"@signature-params": ();created=1000;keyid="k"',
    )


def test_what_a_signature_does_not_say_is_empty() -> None:
    told = signed('"@method"')
    assert (told.expires, told.nonce, told.algorithm) == (None, "", "")
    bare = Signed(components=(), parameters="()", created=1, key_id="k", signature=b"")
    assert (bare.expires, bare.nonce, bare.algorithm) == (None, "", "")


def test_every_parameter_is_read_and_negative_numbers_are_numbers() -> None:
    told = signed(
        '"@method"',
        r';created=-1000;expires=2000;keyid="a\"b\\c";nonce="n";alg="ed25519";tag="zhidao"',
    )
    assert (told.created, told.expires) == (-1000, 2000)
    assert (told.key_id, told.nonce, told.algorithm) == ('a"b\\c', "n", "ed25519")
    assert told.signature == bytes(3)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        (';created=1;keyid="k";created=2', "created stands twice"),
        (';created=1;keyid="k";keyid="k"', "keyid stands twice"),
        (';created="1";keyid="k"', "created is not a parameter of that form"),
        (";created=1;keyid=2", "keyid is not a parameter of that form"),
        (';created=1;keyid="k";sent=1', "sent is not a parameter of that form"),
        (';created=1;keyid="k";sent="1"', "sent is not a parameter of that form"),
        (';created=1;keyid=""', "needs created and keyid"),
        (";created=1", "needs created and keyid"),
        (';keyid="k"', "needs created and keyid"),
        (';keyid="k";expires=1', "needs created and keyid"),
        (";created=1,keyid=1", "one signature under one label"),
    ],
)
def test_parameters_of_another_form_are_refused_in_their_field(parameters: str, said: str) -> None:
    with pytest.raises(MalformedInput, match=said) as refusal:
        signed('"@method"', parameters)
    assert refusal.value.where == "Signature-Input"


def test_a_component_that_stands_twice_is_refused_in_its_field() -> None:
    with pytest.raises(MalformedInput, match="a component stands twice") as refusal:
        signed('"@method" "@method"')
    assert refusal.value.where == "Signature-Input"


def test_labels_and_names_are_as_long_as_said_and_no_longer() -> None:
    def read(label: str = "a", name: str = "date", parameter: str = "keyid") -> Signed:
        field = f'{label}=("{name}");created=1;{parameter}="k"'
        return parse_signature(field, f"{label}=:AAAA:")

    assert read(label="*" + "a" * 63)
    assert read(name="d" * 64).components == ("d" * 64,)
    for told in ({"label": "a" * 65}, {"name": "d" * 65}, {"label": "A"}, {"label": "1"}):
        with pytest.raises(MalformedInput, match="one signature under one label"):
            read(**told)
    # A parameter's name of 16 letters is read and refused by itself, of 17 with the whole field.
    for letters, said in ((16, "is not a parameter"), (17, "one signature under one label")):
        with pytest.raises(MalformedInput, match=said):
            read(parameter="p" * letters)


def test_header_fields_are_as_long_as_said_and_no_longer() -> None:
    names = " ".join(f'"{number:064d}"' for number in range(60))
    field = f'a=({names});created=1;keyid=""'
    key_id = "k" * (HEADER_CHARACTERS_MAX - len(field))
    longest = f'a=({names});created=1;keyid="{key_id}"'
    assert len(longest) == HEADER_CHARACTERS_MAX
    assert parse_signature(longest, "a=:AAAA:").key_id == key_id
    with pytest.raises(MalformedInput, match="at most 4096 characters"):
        parse_signature(f'a=({names});created=11;keyid="{key_id}"', "a=:AAAA:")
    signature = "A" * (HEADER_CHARACTERS_MAX - len("a=::"))
    short = 'a=("date");created=1;keyid="k"'
    assert len(parse_signature(short, f"a=:{signature}:").signature) == len(signature) // 4 * 3
    with pytest.raises(MalformedInput, match="at most 4096 characters"):
        parse_signature(short, f"a=:{signature}AAAA:")


COVERING = [
    '"@method" "@target-uri"',
    '"@method" "@authority" "@request-target"',
    '"@method" "@authority" "@path" "@query"',
]
NOT_COVERING = [
    '"@target-uri"',
    '"@method" "@request-target"',
    '"@method" "@path" "@query"',
    '"@method" "@authority" "@query"',
    '"@method" "@authority" "@path"',
    "",
]


@pytest.mark.parametrize("components", COVERING)
def test_method_and_target_together_say_what_is_asked(components: str) -> None:
    check_coverage(signed(components), REQUEST, has_body=False)


@pytest.mark.parametrize("components", NOT_COVERING)
def test_a_signature_that_covers_less_is_refused_with_what_to_cover(components: str) -> None:
    with pytest.raises(Unauthenticated, match="what is asked") as refusal:
        check_coverage(signed(components), REQUEST, has_body=False)
    assert (refusal.value.code, refusal.value.where) == ("signature_coverage", "Signature-Input")
    assert "@target-uri" in str(refusal.value.remedy)


def test_a_request_without_a_query_needs_no_query_covered() -> None:
    check_coverage(signed('"@method" "@authority" "@path"'), BARE, has_body=False)


def test_an_uncovered_body_is_refused_with_what_to_send() -> None:
    check_body_covered(signed('"content-digest"'))
    with pytest.raises(Unauthenticated, match="does not cover the body") as refusal:
        check_body_covered(signed('"content-type"'))
    assert (refusal.value.code, refusal.value.where) == ("signature_coverage", "Signature-Input")
    assert "Content-Digest" in str(refusal.value.remedy)


def test_a_refusal_by_time_names_its_parameter() -> None:
    assert CLOCK_S_MAX == 300
    with pytest.raises(Unauthenticated) as refusal:
        check_times(signed('"@method"'), 1301)
    assert (refusal.value.code, refusal.value.where) == ("signature_time", "created")
    assert refusal.value.remedy
    with pytest.raises(Unauthenticated) as refusal:
        check_times(signed('"@method"', ';created=1000;expires=1010;keyid="k"'), 1011)
    assert (refusal.value.code, refusal.value.where) == ("signature_time", "expires")


def test_every_digest_that_is_known_is_compared() -> None:
    sha256 = content_digest(BODY)
    assert sha256 == "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"
    wrong = content_digest(b"another body")
    check_digest(f"{sha256},\t{DIGEST} ", BODY)
    for field in (f"{sha256}, {wrong}", f"{wrong}, {DIGEST}", f"md5=:AAAA:, {wrong}", wrong):
        with pytest.raises(Unauthenticated, match="not the one") as refusal:
            check_digest(field, BODY)
        assert refusal.value.code == "content_digest"


@pytest.mark.parametrize(
    "field", ["", f"X{DIGEST}X", "md5=:AAAA:", "sha-256=AAAA", "sha-256=:" + "A" * 132 + ":"]
)
def test_a_digest_of_no_known_kind_is_refused_in_its_field(field: str) -> None:
    with pytest.raises(MalformedInput, match="neither") as refusal:
        check_digest(field, BODY)
    assert refusal.value.where == "Content-Digest"


def test_a_mark_is_of_the_key_the_nonce_and_the_digest_of_what_was_signed() -> None:
    one = signed('"@method"', ';created=1000;keyid="kid";nonce="n"')
    parts = b"\0\0\0\x03kid\0\0\0\x01n" + hashlib.sha256(one.base(REQUEST)).digest()
    assert mark_of(one, REQUEST) == hashlib.sha256(parts).digest()


def test_minutes_are_counted_from_1970() -> None:
    assert [minute_of(replace(signed(""), created=s)) for s in (59, 60, 119, 120)] == [0, 1, 1, 2]


def test_who_brings_a_request_twice_hears_what_to_do() -> None:
    assert replayed().code == "signature_replayed"
    assert "anew" in str(replayed().remedy)


def test_algorithms_bear_their_registered_names() -> None:
    assert ALGORITHM_LABELS == {"ed25519": "ed25519", "p256": "ecdsa-p256-sha256"}
    assert {Algorithm.named(label) for label in ALGORITHM_LABELS} == {
        Algorithm.ED25519,
        Algorithm.P256,
    }
