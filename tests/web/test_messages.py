"""The compiler of the catalogues: what it refuses, and how the pages get what it takes."""

from __future__ import annotations

import json
import re
import subprocess
from functools import cache
from typing import Any

import pytest
from tests.web.test_build import ROOT, hook

_KNOWN = {
    "en": {"name": "English", "complete": True},
    "zh": {"name": "中文", "complete": True, "invariant": True},
    "ru": {"name": "Русский", "complete": True},
    "ar": {"name": "العربية", "complete": False, "rtl": True},
}
_WHOLE = {
    "en": {"a": "It is {x}", "n": "{n, plural, one {# bill} other {# bills}}", "state.on": "on"},
    "zh": {"a": "是 {x}", "n": "{n} 张提单", "state.on": "开"},
    "ru": {
        "a": "Это {x}",
        "n": "{n, plural, one {# коносамент} few {# коносамента} many {# коносаментов} "
        "other {# коносамента}}",
        "state.on": "вкл.",
    },
    "ar": {"a": "هو {x}"},
}


def _told(script: str, given: Any) -> Any:
    node = hook.find_node()
    hook.install(ROOT, node, develop=True)
    words = (
        f"import * as messages from '{(ROOT / 'web' / 'messages.mjs').as_uri()}';"
        "const given = JSON.parse(process.argv[1]);"
        f"console.log(JSON.stringify({script}));"
    )
    done = subprocess.run(
        [*node.node, "--input-type=module", "-e", words, json.dumps(given)],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return json.loads(done.stdout)


def _changed(language: str, **keys: str | None) -> dict[str, dict[str, str]]:
    book = {**_WHOLE[language], **{key.replace("__", "."): words for key, words in keys.items()}}
    kept = {key: words for key, words in sorted(book.items()) if words is not None}
    return {**_WHOLE, language: kept}


_WRONG = {
    "missing": (_changed("ru", a=None), "ru.json lacks a; add a line for: "),
    "unknown": (_changed("ar", b="x"), "ar.json, b: English does not have it"),
    "empty": (_changed("zh", a=" "), "zh.json, a: it is empty"),
    "argument lost": (_changed("ar", a="هو"), "{x} of the English message is not in it"),
    "argument hidden": (_changed("ru", a="d'{x} l'eau"), "an apostrophe before it hides it"),
    "argument added": (_changed("ru", a="{x} {y}"), "{y} is not in the English message"),
    "other kind": (_changed("ru", a="{x, number} {x, state}"), "{x} is used as state"),
    "unknown kind": (_changed("en", a="{x, odd}"), "no printer and no family of keys"),
    "category missing": (
        _changed("ru", n="{n, plural, one {#} other {#}}"),
        "has one other; this language has",
    ),
    "category strange": (
        _changed("en", n="{n, plural, one {#} few {#} other {#}}"),
        "has one few other; this language has one other",
    ),
    "not counted": (_changed("ru", n="{n} bills"), "{n} counts; write {n, plural, one {…} few"),
    "by hand": (
        _changed("en", n__one="one", n__other="more", n=None),
        "n.one: a plural by hand; write n: ",
    ),
    "old form": (_changed("zh", a="{x:state}"), "write {x, state} instead of {x:state}"),
    "brace": (_changed("en", a="{x"), "en.json, a: "),
    "unsorted": (
        {**_WHOLE, "ar": {"n": _WHOLE["zh"]["n"], "a": "{x}"}},
        "ar.json, a: stands behind n",
    ),
}


@cache
def _problems() -> dict[str, list[str]]:
    cases = {"whole": _WHOLE} | {name: books for name, (books, _) in _WRONG.items()}
    script = (
        "Object.fromEntries(Object.entries(given.cases)"
        ".map(([name, books]) => [name, messages.problems(books, given.known)]))"
    )
    found: dict[str, list[str]] = _told(script, {"cases": cases, "known": _KNOWN})
    return found


def test_whole_catalogues_pass_and_a_party_language_may_lack_keys() -> None:
    assert _problems()["whole"] == []


@pytest.mark.parametrize("name", sorted(_WRONG))
def test_what_is_wrong_is_said_with_what_to_write(name: str) -> None:
    assert any(_WRONG[name][1] in words for words in _problems()[name]), _problems()[name]


def test_a_message_is_text_until_it_depends_on_something() -> None:
    messages = ["It is {x, state}", "{n, plural, =0 {no} one {# at {x}} other {#}}!", "bank's {x}"]
    assert _told("given.map(messages.compiled)", messages) == [
        "It is {x:state}",
        [["n", 1, {"=0": "no", "one": "{n:number} at {x}", "other": "{n:number}"}], "!"],
        "bank's {x}",
    ]


def test_the_first_page_gets_what_its_sources_name_and_each_key_goes_somewhere() -> None:
    books = {
        "en": {"a.x": "{s, state}", "b": "b", "reason.code": "why", "state.on": "on"},
        "ar": {"a.x": "{s, state}!"},
    }
    texts = ["t(`a.${what}`)", "const said = 'not b';"]
    split = "messages.allCompiled(messages.namedIn(given.texts, given.books.en), given.books)"
    assert _told(split, {"books": books, "texts": texts}) == {
        "en": [{"a.x": "{s:state}", "reason.code": "why", "state.on": "on"}, {"b": "b"}],
        # What a language lacks goes with it, said to be English.
        "ar": [
            {"a.x": "{s:state}!", "reason.code": {"en": "why"}, "state.on": {"en": "on"}},
            {"b": {"en": "b"}},
        ],
    }


def test_of_a_family_that_is_not_asked_for_whole_the_first_page_gets_what_is_written_out() -> None:
    whole = ("c.x", "c.x.more", "c.y", "d", "d.z", "e.one", "f.one", "f.two", "i.one", "k.one")
    english = {key: key for key in whole}
    # A key that is put together from two words, and a message with a family of its own.
    english |= {
        "g.do.give": "give",
        "g.do.take": "take",
        "g.h": "h",
        "c.z": "{x, i} and {y, number}",
    }
    # An address is no key; a name alone is that key; `named` asks for any of its family.
    texts = ["t('c.x')", 'const way = "d";', 'named("e", what)', "t(`f.${what}`)"]
    texts += ["t(`g.do.${act}`)", "t('c.z', {x})"]
    split = "messages.allCompiled(messages.namedIn(given.texts, given.books.en), given.books)"
    first, others = _told(split, {"books": {"en": english}, "texts": texts})["en"]
    told = ["c.x", "c.x.more", "c.z", "d", "e.one", "f.one", "f.two", "g.do.give", "g.do.take"]
    assert sorted(first) == [*told, "i.one"]
    assert sorted(others) == ["c.y", "d.z", "g.h", "k.one"]


def test_code_that_comes_later_comes_with_its_words() -> None:
    """All that a page fetches by itself waits for the messages of other pages than the first."""
    # The map's words are of the first page's: its own sources name them. A code has no words.
    alone = ('import("../map/live_map")', 'import("./qr")')
    assert "/words" not in (ROOT / "web" / "src" / "parts" / "qr.tsx").read_text("utf-8")
    sources = sorted((ROOT / "web" / "src").rglob("*.ts*"))
    fetched = [
        (path.name, line.strip())
        for path in sources
        for line in path.read_text("utf-8").splitlines()
        # A name behind it: a type, which is never fetched.
        if re.search(r'import\("[^"]+"\)(?!\.[A-Z])', line) and not any(a in line for a in alone)
    ]
    assert len(fetched) > 20
    assert [
        each
        for each in fetched
        if "withWords(import(" not in each[1] and "page={() => import(" not in each[1]
    ] == []
