"""No text of a body has a character that nobody sees, however the body writes it."""

from __future__ import annotations

import json
from typing import Annotated, Any

import msgspec
import pytest
from litestar import Litestar, post
from litestar.testing import TestClient
from tests.node.http.test_known_parties import bodies

from zhidao.node.http.known_parties import fields_naming
from zhidao.node.http.problems import handlers_with
from zhidao.node.http.strict import AS_KEPT, StrictRequest


class Words(msgspec.Struct, forbid_unknown_fields=True):
    """A name, lines, a secret."""

    name: str
    notes: list[str] = []
    password: str = ""


class Looked(msgspec.Struct, forbid_unknown_fields=True):
    """Whom somebody looks for, and a text that is kept."""

    name: Annotated[str, msgspec.Meta(max_length=64), AS_KEPT]
    label: str
    within: dict[str, str] = {}


@post("/looked", status_code=200)
async def looked(data: Looked) -> str:
    """Who was looked for."""
    return data.name


@post("/said", status_code=200)
async def said(data: Words) -> str:
    """What was said."""
    return data.name


@pytest.fixture(scope="module")
def client() -> Any:
    app = Litestar(
        [said, looked], request_class=StrictRequest, exception_handlers=handlers_with({})
    )
    with TestClient(app) as client:
        yield client


@pytest.mark.parametrize(
    "letter",
    list(
        "\u202e\u2066\u200b\u200f\u061c\u00ad\ufeff\u180e\x07\x7f\x85\u3164\u2028\u115f\ufe0f\u034f\u2800\uffa0\u17b4\u180b\U0001d173\ufff0\U0001bca0\U000e0080"
    ),
)
@pytest.mark.parametrize("escaped", [True, False])
def test_a_text_that_hides_something_is_refused_with_its_place(client, letter, escaped) -> None:
    body = {"name": "Almaty", "notes": ["one\ntwo", f"drop{letter}ped"]}
    text = json.dumps(body, ensure_ascii=escaped)
    headers = {"content-type": "application/json"}
    answer = client.post("/said", content=text.encode(), headers=headers)
    told = answer.json()
    assert (answer.status_code, told["code"]) == (400, "unprintable"), told
    assert "$.notes[1]" in json.dumps(told)


def test_what_every_script_needs_is_taken_and_a_secret_is_as_it_is(client) -> None:
    for name in ("Chang'an “Pump”", "长安泵业（西安）", "علی\u200cرضا", "Ж. О’Коннор 🚚"):
        answer = client.post("/said", json={"name": name, "password": "\u200bsecret"})
        assert answer.status_code == 200, answer.text


HIDING = "\ufe0f\u3164\u200b\u202e\x07\u2028\U000e0041"


@pytest.mark.parametrize("letter", HIDING)
def test_what_looks_for_something_kept_is_taken_as_it_is_and_nothing_beside_it(
    client, letter
) -> None:
    name = f"Aida{letter}"
    answer = client.post("/looked", json={"name": name, "label": "a"})
    assert (answer.status_code, answer.text) == (200, name)
    for beside in ({"label": letter}, {"label": "a", "within": {"name": letter}}):
        answer = client.post("/looked", json={"name": name} | beside)
        assert (answer.status_code, answer.json()["code"]) == (400, "unprintable")


def test_nothing_is_kept_under_a_name_with_the_letter_that_ends_texts(client) -> None:
    answer = client.post("/looked", json={"name": "Aida\x00", "label": "a"})
    assert (answer.status_code, answer.json()["code"]) == (400, "unprintable")
    assert "U+0000" in answer.text
    assert "$.name" in answer.text


def test_fields_that_are_taken_as_they_are_kept_say_so() -> None:
    """A name of somebody who signs in; names that whoever keeps them asks for tidiness if new."""
    found = {(body.__name__, name) for body in bodies() for name, _ in fields_naming(body, AS_KEPT)}
    assert found == {
        ("SignIn", "name"),
        ("NewBank", "name"),
        ("NewAccount", "name"),
        ("NewParty", "name"),
    }
