"""Compiled rules answer as Saxon does: by kind of node, by guard, by what is said twice."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from lxml import etree

from zhidao.rules.safe_xml import parse_xml, xml_text
from zhidao.rules.schematron.guards import Value, needed, needed_to_match
from zhidao.rules.schematron.judging import Answer, sorted_answers
from zhidao.rules.schematron.ruleset import Assert, Pattern, Rule, RuleSet
from zhidao.rules.schematron.running import CompiledRules
from zhidao.rules.xpath.nodes import Kinds
from zhidao.rules.xpath.parser import parse
from zhidao.rules.xpath.rewriting import repeated
from zhidao.rules.xpath.snapshot import snapshot
from zhidao.rules.xpath.syntax import Literal, Step
from zhidao.trade.adapters.saxon_rules import Saxon, SaxonRules

TESTS = (
    ("/p:r", "not(p:sub/p:tax/p:rate)"),
    ("/p:r", "not(p:line/@k)"),
    ("/p:r", "not(//p:tax[normalize-space(p:id) = 'K'])"),
    (
        "/p:r",
        "(count(//p:line/p:tax[p:id = 'L']) + count(//p:sub/p:tax[p:id = 'L']) = 0) or exists(//p:due)",
    ),
    ("p:line[not(ancestor::p:sub/p:extra)]", "xs:decimal(p:amount) >= 0"),
    ("p:line/p:tax[normalize-space(p:id) = 'E'][p:rate = '0']", "p:id/@k"),
    ("p:line[p:amount]/p:tax[p:id and p:rate = '-1']", "false()"),
    ("p:line/p:tax[normalize-space(p:id) = 'S']", "not(p:id/@k) and p:rate > 0"),
    ("p:line/p:tax", "normalize-space(p:id) != ''"),
    (
        "p:sub",
        (
            "every $r in xs:decimal(p:rate) satisfies (exists(//p:line[p:tax/xs:decimal(p:rate) = $r]) "
            "and (abs(sum(../p:line[p:tax/xs:decimal(p:rate) = $r]/xs:decimal(p:amount))) - 1 < "
            "abs(xs:decimal(p:amount))) and (abs(sum(../p:line[p:tax/xs:decimal(p:rate) = $r]/"
            "xs:decimal(p:amount))) + 1 > abs(xs:decimal(p:amount))))"
        ),
    ),
    ("p:extra", "@k = 'a' or not(p:deep)"),
    ("//p:*[ends-with(name(), 'amount')]", "string-length(substring-after(., '.')) <= 2"),
)
SEED = """<p:r xmlns:p="urn:p">
 <p:line><p:amount>10.00</p:amount><p:tax><p:id>S</p:id><p:rate>19</p:rate></p:tax></p:line>
 <p:line><p:amount>5.5</p:amount><p:tax><p:id>E</p:id><p:rate>0</p:rate></p:tax></p:line>
 <p:sub><p:rate>19</p:rate><p:amount>10.00</p:amount><p:tax><p:id>S</p:id></p:tax></p:sub>
 <p:extra k="a"><p:deep/></p:extra>
</p:r>"""
VALUES = ("K", "L", "S", " K ", "19", "0", "-1", "1.234", "x", "")


def _rules() -> RuleSet:
    # Each context is a pattern of its own, but for those that compete for one node.
    made: dict[str, list[tuple[str, str]]] = {}
    for context, test in TESTS:
        key = "line-tax" if "/p:tax" in context and context.startswith("p:line") else context
        made.setdefault(key, []).append((context, test))
    patterns = []
    for name, several in made.items():
        rules = {context: [t for c, t in several if c == context] for context, _ in several}
        patterns.append(
            Pattern(
                name,
                tuple(
                    Rule(c, tuple(Assert(f"{c} {t}", "fatal", t, (f"{t}",)) for t in tests))
                    for c, tests in rules.items()
                ),
            )
        )
    spaces = {"p": "urn:p", "xs": "http://www.w3.org/2001/XMLSchema"}
    return RuleSet("t", spaces, tuple(patterns))


def _mutants(count: int) -> Iterator[etree._Element]:
    choose = random.Random(7)
    for _ in range(count):
        root = parse_xml(SEED.encode())
        for _ in range(choose.randint(1, 4)):
            nodes = [e for e in root.iter() if e is not root]
            one, other = choose.choice(nodes), choose.choice(nodes)
            what = choose.randrange(4)
            parent = one.getparent()
            assert parent is not None
            if what == 0:
                parent.remove(one)
            elif what == 1:
                parent.append(etree.fromstring(etree.tostring(one)))
            elif what == 2:
                one.append(etree.fromstring(etree.tostring(other)))
            elif not len(one):
                one.text = choose.choice(VALUES)
            else:
                one.set("k", choose.choice(VALUES))
        yield root


def test_rules_by_kind_and_guard_answer_as_saxon_does() -> None:
    rules = _rules()
    compiled, kinds = CompiledRules(rules), Kinds()
    assert not compiled.outside
    saxon = Saxon()
    theirs = SaxonRules(saxon, rules, None)
    fired: set[int] = set()
    for root in _mutants(120):
        found = compiled.run(snapshot(root, kinds))
        wanted = sorted_answers(theirs.run(saxon.document(xml_text(root))), rules)
        ours = [a for a in found.given if a.number not in found.left]
        assert ours == [a for a in wanted if a.number not in found.left], xml_text(root)
        fired.update(answer.number for answer in ours)
    assert fired == set(range(len(TESTS)))


def test_an_element_with_another_prefix_is_another_kind_of_one_name() -> None:
    kinds = Kinds()
    root = parse_xml(b"<r xmlns='urn:p' xmlns:q='urn:p'><a/><q:a/><a/><q:b><a/></q:b></r>")
    document = snapshot(root, kinds)
    assert [len(nodes) for nodes in document.by_kind.values()] == [1, 2, 1, 1, 1]
    assert [node.prefix for node in document.by_tag["{urn:p}a"]] == [None, "q", None, None]
    assert [node.order for node in document.by_tag["{urn:p}a"]] == [1, 2, 3, 5]
    again = snapshot(root, kinds)
    assert list(again.by_kind) == list(document.by_kind)
    assert (again.elements[4].end, again.elements[0].end, again.end) == (5, 5, 5)


def test_names_of_strangers_do_not_fill_the_memory() -> None:
    kinds = Kinds()
    many = "".join(f"<n{i}/>" for i in range(20_001))
    document = snapshot(parse_xml(f"<r>{many}</r>".encode()), kinds)
    assert len(document.by_kind) == 20_002
    assert (kinds.count, kinds.top.below) == (0, {})


def test_a_guard_asks_for_a_value_only_where_no_error_can_be_missed() -> None:
    def of(text: str) -> set[str]:
        spaces = {"p": "urn:p"}
        return {v.text for v in needed(parse(text, spaces)) if isinstance(v, Value)}

    assert of("not(//p:a[normalize-space(p:b) = 'K']/p:c)") == {"K"}
    assert of("not(//p:a[p:s/normalize-space(upper-case(p:b)) = 'VAT'][p:b = 'K'])") == {"K"}
    # A cast may be in error before the value is asked.
    assert of("not(//p:a[p:flag = true()]/p:t[p:b = 'K'])") == set()
    # Two tags: twins of the other are not looked for.
    assert of("not(//p:a[normalize-space(p:x) = 'V'][normalize-space(p:b) = 'K'])") == set()
    assert of("not(//p:a[p:b = ' K'])") == set()


def test_a_context_fits_nothing_where_its_values_and_names_are_missing() -> None:
    def wanted(text: str) -> set[str]:
        step = parse(text, {"p": "urn:p"})
        assert isinstance(step, Step)
        return {v.text if isinstance(v, Value) else v for v in needed_to_match(step)}

    assert wanted("p:tax[normalize-space(p:id) = 'K'][p:rate = '0']") == {"{urn:p}rate"}
    assert wanted("p:tax[normalize-space(p:id) = 'K'][p:id != 'L']") == {"{urn:p}id"}
    assert wanted("p:tax[normalize-space(p:id) = 'K']") == {"K"}
    assert wanted("p:tax[p:rate]") == {"{urn:p}rate"}
    # Either may be there, and what is not there may be asked for.
    assert wanted("p:tax[p:rate or p:id]") == set()
    assert wanted("p:tax[not(p:rate)]") == set()


def test_twins_of_a_guarded_tag_leave_the_rule_undecided_as_before() -> None:
    test = "not(//p:tax[normalize-space(p:id) = 'K'])"
    rule = Rule("/p:r", (Assert("t", "fatal", test, ("",)),))
    rules = RuleSet("t", {"p": "urn:p"}, (Pattern("p", (rule,)),))
    root = parse_xml(b"<r xmlns='urn:p'><tax><id>S</id><id>S</id></tax></r>")
    assert CompiledRules(rules).run(snapshot(root)).given == [Answer(0, 0, "", "XPTY0004")]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("sum(a/b) > 1 and sum(a/b) < 3", 1),
        ("a/b = 1 and c[a/b = 2]", 0),
        ("f/g = 1 or (every $x in f/g satisfies f/g = $x)", 0),
        ("round(1.0 * a) = round(1 * a)", 0),
    ],
)
def test_only_what_has_one_focus_is_shared(text: str, found: int) -> None:
    assert len(repeated(parse(text, {}))) == found


def test_literals_of_two_types_are_two() -> None:
    assert Literal(1) != Literal(1.0)
    assert Literal(1) == Literal(1)
