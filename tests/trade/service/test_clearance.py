"""A declaration at the single window: who may do what, when, and what the auditor finds again."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.errors import Conflict, Forbidden, MalformedInput, NotFound, Refused
from zhidao.core.ids import IdSource, party_id
from zhidao.core.journal import FixedKeyRing, Records, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.store.memory import MemoryArchive, MemoryJournal
from zhidao.trade.adapters.listing_file import ListingFile
from zhidao.trade.adapters.lodged_numbers import MemoryLodgedNumbers
from zhidao.trade.domain.clearance.facts import screened_facts
from zhidao.trade.domain.clearance.reference import REFERENCE
from zhidao.trade.domain.clearance.risk import Look, RiskRule, RuleSet, decide
from zhidao.trade.domain.clearance.screening import read_list
from zhidao.trade.domain.documents.formalities import FORMS
from zhidao.trade.domain.model.consignment import CanonicalConsignment
from zhidao.trade.service.clearance import Clearance
from zhidao.trade.service.customs_rule import CustomsRule
from zhidao.trade.service.document_set import make_set
from zhidao.trade.wire import canonical_entry

ENTRY = canonical_entry.read((Path(__file__).parents[1] / "data" / "set_entry.json").read_bytes())
KIND, NUMBER = "import_declaration", "IMP-2026-0417"
CUSTOMS, HEALTH = party_id("customs"), party_id("health")
PARTIES = ("importer", "rival", "customs", "health")
RULES = RuleSet(
    name="reference",
    version="1",
    rules=(
        RiskRule("listed", "screening.hits", Look.ABOVE, "0", 100, "listed"),
        RiskRule("many", "items.count", Look.ABOVE, "1", 40, "several lines"),
    ),
    yellow_from=50,
    red_from=90,
)


def actor(name: str) -> Actor:
    return Actor(party_id(name), Role.PARTY)


def document(**changed: str) -> bytes:
    values = {**ENTRY.values, **{name.replace("__", "."): v for name, v in changed.items()}}
    return make_set(CanonicalConsignment(values, ENTRY.sources), [FORMS[KIND]])[0].data


def clearance_of(listing: Path | None = None, rules: RuleSet = RULES) -> Clearance:
    clock, dice = HandClock(Utc.parse("2026-09-12T08:00:00Z")), SeededRandomness(7)
    keys = {party_id(p): SoftwareKey(Algorithm.ED25519, dice.token(32)) for p in PARTIES}
    scribe = Scribe(
        node=party_id("node"),
        key=SoftwareKey(Algorithm.ED25519, dice.token(32)),
        ring=FixedKeyRing(keys),
        clock=clock,
        ids=IdSource(clock, dice),
        randomness=dice,
    )
    journal = MemoryJournal()
    return Clearance(
        records=Records(journal, scribe),
        numbers=MemoryLodgedNumbers(journal),
        archive=MemoryArchive(),
        rules=rules,
        listings=ListingFile(listing),
    )


@pytest.fixture
def clearance(tmp_path: Path) -> Clearance:
    listing = tmp_path / "nobody.csv"
    listing.write_text("name,Nobody Of These\n")
    return clearance_of(listing)


async def lodged(clearance: Clearance, *, reason: str = "", **changed: str):
    return await clearance.submit(
        actor("importer"), document(**changed), kind=KIND, customs=CUSTOMS, agencies=[HEALTH],
        reason=reason,
    )  # fmt: skip


async def test_a_declaration_is_lodged_assessed_permitted_and_released(clearance):
    assert (await lodged(clearance)).status == "submitted"
    assert (await clearance.assess(NUMBER)).risk.channel == "green"
    with pytest.raises(Refused, match="no permit of health"):
        await clearance.decide(actor("customs"), NUMBER, version=1, decision="released")
    await clearance.answer(actor("health"), NUMBER, version=1, permit=True, reason="")
    released = await clearance.decide(actor("customs"), NUMBER, version=1, decision="released")
    assert released.status == "released"
    with pytest.raises(Refused, match="is released"):
        await clearance.cancel(actor("importer"), NUMBER, version=1, reason="late")


def only(customs: str) -> CustomsRule:
    """Of one party the node knows that it is customs."""

    async def must_be_customs(party: str) -> None:
        if party != customs:
            raise Refused(f"{party} is no customs", code="not_customs")

    return CustomsRule(must_be_customs)


async def test_a_declaration_goes_to_customs_alone_at_every_step(clearance):
    rule, clearance._customs = only("customs"), only("rival")
    with pytest.raises(Refused) as refused:
        await lodged(clearance)
    assert refused.value.code == "not_customs"
    with pytest.raises(NotFound):
        await clearance.declaration(actor("importer"), NUMBER)
    # Lodged before, with customs that is none any more: not amended, and not decided either way.
    clearance._customs = rule
    await lodged(clearance)
    await clearance.assess(NUMBER)
    clearance._customs = only("rival")
    for act in (
        lodged(clearance, reason="freight", customsValuation__freightAmount="950"),
        *(
            clearance.decide(actor("customs"), NUMBER, version=1, decision=word, reason="r")
            for word in ("held", "released", "refused")
        ),
    ):
        with pytest.raises(Refused) as refused:
            await act
        assert refused.value.code == "not_customs"
    assert (await clearance.declaration(actor("importer"), NUMBER)).status == "assessed"
    # Whoever lodged it takes it back, and lodges anew.
    taken = await clearance.cancel(actor("importer"), NUMBER, version=1, reason="no customs")
    assert taken.status == "cancelled"


async def test_a_number_in_other_case_is_the_number_that_was_lodged(clearance):
    await lodged(clearance)
    for by in ("importer", "rival"):
        with pytest.raises(Conflict, match=f"was lodged already, written {NUMBER}") as refused:
            await clearance.submit(
                actor(by),
                document(importDeclarationDocument__id=NUMBER.lower()),
                kind=KIND,
                customs=CUSTOMS,
            )
        assert refused.value.code == "number_lodged"
    with pytest.raises(NotFound):
        await clearance.declaration(actor("importer"), NUMBER.lower())
    found = await clearance.lodged(NUMBER.lower())
    assert found == await clearance.declaration(actor("customs"), NUMBER)
    assert await clearance.lodged(f"{NUMBER}-2") is None


async def test_nobody_decides_what_they_lodged_themselves(clearance):
    clearance._customs = only("importer")
    with pytest.raises(Refused, match="importer is the declarant of these goods") as refused:
        await clearance.submit(
            actor("importer"), document(), kind=KIND, customs=party_id("importer")
        )
    assert (refused.value.code, refused.value.where) == ("not_customs", "customs")


async def test_the_same_again_changes_nothing(clearance):
    first = await lodged(clearance)
    assert await lodged(clearance) == first
    assessed = await clearance.assess(NUMBER)
    assert await clearance.assess(NUMBER) == assessed
    permit = {"version": 1, "permit": True, "reason": ""}
    assert await clearance.answer(actor("health"), NUMBER, **permit) == await clearance.answer(
        actor("health"), NUMBER, **permit
    )


async def test_an_amendment_gives_a_reason_and_is_asked_about_again(clearance):
    await lodged(clearance)
    await clearance.assess(NUMBER)
    await clearance.answer(actor("health"), NUMBER, version=1, permit=True, reason="")
    with pytest.raises(Refused, match="reason"):
        await lodged(clearance, customsValuation__freightAmount="950")
    amended = await lodged(
        clearance, reason="freight bill came", customsValuation__freightAmount="950"
    )
    assert (amended.submitted.version, amended.status) == (2, "submitted")
    assert amended.risk is None
    assert amended.answers == {}
    with pytest.raises(Conflict, match="version 1"):
        await clearance.answer(actor("health"), NUMBER, version=1, permit=True, reason="")
    with pytest.raises(Refused, match="without a risk decision"):
        await clearance.decide(actor("customs"), NUMBER, version=2, decision="released")


async def test_only_its_own_parties_may_act_and_strangers_see_nothing(clearance):
    await lodged(clearance)
    with pytest.raises(NotFound):
        await clearance.declaration(actor("rival"), NUMBER)
    with pytest.raises(NotFound):
        await clearance.cancel(actor("rival"), NUMBER, version=1, reason="x")
    with pytest.raises(Conflict, match="another party's"):
        await clearance.submit(actor("rival"), document(), kind=KIND, customs=CUSTOMS)
    with pytest.raises(Forbidden):
        await clearance.decide(actor("importer"), NUMBER, version=1, decision="released")
    with pytest.raises(Refused, match="not asked"):
        await clearance.answer(actor("customs"), NUMBER, version=1, permit=True, reason="")
    cancelled = await clearance.cancel(
        actor("importer"), NUMBER, version=1, reason="sold elsewhere"
    )
    assert cancelled.status == "cancelled"


async def test_a_declaration_that_does_not_agree_with_itself_is_refused(clearance):
    wrong = document().replace(b'"customsValue":"1203960000"', b'"customsValue":"1203960001"')
    with pytest.raises(MalformedInput, match="own rows make it 1203960000") as refusal:
        await clearance.submit(actor("importer"), wrong, kind=KIND, customs=CUSTOMS)
    assert refusal.value.where == "customsValue"


async def test_a_listed_name_makes_it_red_and_names_the_list(tmp_path):
    listing = tmp_path / "list.csv"
    listing.write_text("name,Hai Phong Pump Trading\n")
    day = datetime(2026, 9, 1, tzinfo=UTC).timestamp()
    os.utime(listing, (day, day))
    clearance = clearance_of(listing)
    assert (await clearance._listings.current()).issued_on == date(2026, 9, 1)
    await lodged(clearance)
    state = await clearance.assess(NUMBER)
    assert state.risk.channel == "red"
    assert [m.rule for m in state.risk.matches] == ["listed", "many"]
    await clearance.answer(actor("health"), NUMBER, version=1, permit=True, reason="")
    with pytest.raises(Refused, match="with a reason"):
        await clearance.decide(actor("customs"), NUMBER, version=1, decision="released")
    told = "inspected; another firm of that name"
    await clearance.decide(actor("customs"), NUMBER, version=1, decision="released", reason=told)
    listing.unlink()
    with pytest.raises(MalformedInput, match="screening list"):
        await clearance._listings.current()


async def test_an_auditor_makes_every_risk_decision_again(clearance):
    await lodged(clearance)
    await clearance.assess(NUMBER)
    await lodged(clearance, reason="other freight", customsValuation__freightAmount="950")
    await clearance.assess(NUMBER)
    auditor = Actor(party_id("auditor"), Role.AUDITOR)
    again = await clearance.rerun(auditor, NUMBER)
    assert [same for _, same in again] == [True, True]
    assert again[0][0].facts != again[1][0].facts


@pytest.mark.parametrize(
    "path",
    [
        "consignorParty.name",
        "consigneeParty.name",
        "invoiceDocument.id",
        "transportContractDocument.id",
    ],
)
async def test_an_amendment_cannot_become_another_consignment(clearance, path):
    await lodged(clearance)
    with pytest.raises(Refused) as refused:
        await lodged(clearance, reason="correction", **{path.replace(".", "__"): "OTHER-1"})
    assert (refused.value.code, refused.value.where) == ("other_consignment", path)
    assert (await clearance.declaration(actor("importer"), NUMBER)).submitted.version == 1


async def test_an_amendment_goes_to_the_same_customs(clearance):
    await lodged(clearance)
    with pytest.raises(Refused, match="customs"):
        await clearance.submit(
            actor("importer"),
            document(customsValuation__freightAmount="950"),
            kind=KIND,
            customs=party_id("other-customs"),
            reason="correction",
        )


async def test_a_refusal_gives_its_reason(clearance):
    await lodged(clearance)
    for nothing in ("", "  "):
        with pytest.raises(Refused) as refused:
            await clearance.decide(
                actor("customs"), NUMBER, version=1, decision="refused", reason=nothing
            )
        assert refused.value.code == "no_reason"
    ended = await clearance.decide(
        actor("customs"), NUMBER, version=1, decision="refused", reason="rifles"
    )
    assert (ended.status, ended.ended_by) == ("refused", "rifles")


async def test_without_a_list_nothing_is_green_by_the_rules_that_stand_at_first():
    clearance = clearance_of(rules=REFERENCE)
    await lodged(clearance)
    risk = (await clearance.assess(NUMBER)).risk
    assert risk.channel == "yellow"
    assert "unscreened" in [match.rule for match in risk.matches]


# An operator's own rules that look at no list, and one that would outweigh any that did.
BLIND = RuleSet(
    name="blind",
    version="1",
    rules=(RiskRule("trusted", "items.count", Look.ABOVE, "0", -1000, "known"),),
    yellow_from=30,
    red_from=70,
)


@pytest.mark.parametrize(
    ("text", "because"),
    [
        (None, "floor-unscreened"),
        ("kind,value\n", "floor-unscreened"),
        ("", "floor-unscreened"),
        ("name,Nobody Of These\nhs,999999\n", ""),
        ("hs,84\n", "floor-listed"),
    ],
)
async def test_whatever_the_rules_say_nothing_is_green_that_is_listed_or_unscreened(
    tmp_path, text, because
):
    file = None if text is None else tmp_path / "list.csv"
    if file:
        file.write_text(text)
    clearance = clearance_of(file, rules=BLIND)
    await lodged(clearance)
    declared = await clearance.assess(NUMBER)
    matched = [match.rule for match in declared.risk.matches]
    assert (declared.risk.channel, matched) == (
        ("yellow", ["trusted", because]) if because else ("green", ["trusted"])
    )
    # It is decided the same again, and each rule has its reason in both languages.
    assert [same for _, same in await clearance.rerun(actor("customs"), NUMBER)] == [True]
    rules = {each.id: each for each in await clearance.rules_of(actor("customs"), NUMBER)}
    assert all(rules[each].reason for each in matched)
    assert not because or rules[because].reason_zh


def test_decisions_of_before_that_promise_are_made_again_as_they_were():
    facts = {"items.count": "1", "screening.list": "none", "screening.hits": "0"}
    assert decide(facts, BLIND).channel == "green"
    assert decide(facts, replace(BLIND, screened=True)).channel == "yellow"
    assert "screened" not in BLIND.plain()


def without(*places: str) -> bytes:
    """The declaration with some of its places left out, as its own bytes say it."""
    plain = json.loads(document())
    for place in places:
        part, *rest = place.split(".")
        within = plain["includedConsignmentItem"][0] if part == "item" else plain
        within.pop(rest[0] if part == "item" else part)
    return json.dumps(plain).encode()


@pytest.mark.parametrize(
    ("places", "where"),
    [
        (["consigneeParty"], "consigneeParty.name"),
        (["consignorParty"], "consignorParty.name"),
        (["consigneeParty", "consignorParty", "item.typeCode"], "consignorParty.name"),
        (["item.typeCode"], "includedConsignmentItem[0].typeCode"),
        (["invoiceDocument"], "invoiceDocument.id"),
        (["importDeclarationDocument"], "importDeclarationDocument.id"),
    ],
)
async def test_a_declaration_that_names_not_who_or_what_is_refused_with_the_field(
    clearance, places, where
):
    with pytest.raises(MalformedInput) as refused:
        await clearance.submit(actor("importer"), without(*places), kind=KIND, customs=CUSTOMS)
    assert (refused.value.code, refused.value.where) == ("not_whole", where)


@pytest.mark.parametrize(
    "path",
    ["consigneeParty.name", "consignorParty.name", "includedConsignmentItem[0].typeCode"],
)
def test_what_is_not_there_is_not_screened_and_never_green(path):
    listing = read_list(b"name,Nobody Of These\n", issued_on=date(2026, 9, 1))
    rules = replace(BLIND, screened=True)
    read = CanonicalConsignment({p: v for p, v in ENTRY.values.items() if p != path}, {})
    whole = CanonicalConsignment(ENTRY.values, ENTRY.sources)
    assert decide(screened_facts(whole, rules=rules, listing=listing), rules).channel == "green"
    made = decide(screened_facts(read, rules=rules, listing=listing), rules)
    assert (made.channel, [m.rule for m in made.matches][-1]) == ("yellow", "floor-unnamed")


@pytest.mark.parametrize(
    "path",
    ["carrierParty.name", "notifiedParty.name", "mainCarriageTransportMovement.meansName"],
)
def test_every_named_party_and_ship_is_screened(path):
    listing = read_list(b"name,Seven Seas Line\n", issued_on=date(2026, 9, 1))
    read = CanonicalConsignment({**ENTRY.values, path: "SEVEN SEAS LINE"}, {})
    facts = screened_facts(read, rules=BLIND, listing=listing)
    assert facts["screening.hits"] == "1"


async def test_an_agency_that_was_asked_is_asked_about_every_later_version(clearance):
    await lodged(clearance)
    await clearance.assess(NUMBER)
    await clearance.answer(actor("health"), NUMBER, version=1, permit=False, reason="spoiled")
    amended = await clearance.submit(
        actor("importer"),
        document(customsValuation__freightAmount="950"),
        kind=KIND,
        customs=CUSTOMS,
        agencies=[],
        reason="freight bill came",
    )
    assert amended.submitted.agencies == [HEALTH]
    assert {a: told.answer for a, told in amended.answers.items()} == {"health": "deny"}
    await clearance.assess(NUMBER)
    word = {"version": 2, "decision": "released", "reason": "looked at"}
    with pytest.raises(Refused, match="no permit of health"):
        await clearance.decide(actor("customs"), NUMBER, **word)
    # The agency itself decides anew, and nobody for it.
    await clearance.answer(actor("health"), NUMBER, version=2, permit=True, reason="")
    assert (await clearance.decide(actor("customs"), NUMBER, **word)).status == "released"


@pytest.mark.bound("trade.service.clearance._AGENCIES_MAX")
async def test_agencies_of_before_count_among_those_that_are_asked(clearance):
    async def lodge(names: list[str], freight: str) -> list[str]:
        told = await clearance.submit(
            actor("importer"),
            document(customsValuation__freightAmount=freight),
            kind=KIND,
            customs=CUSTOMS,
            agencies=[party_id(each) for each in names],
            reason="more",
        )
        return told.submitted.agencies

    many = [f"agency-{k:02}" for k in range(20)]
    assert len(await lodge(many[:19], "950")) == 19
    assert await lodge([many[19]], "951") == many
    with pytest.raises(MalformedInput, match="21 agencies"):
        await lodge(["agency-20"], "952")


NOTHING = ["", "   ", "\u00a0", "\u200b", "\u3164", "\u2800", " - "]


@pytest.mark.parametrize("nothing", NOTHING)
async def test_blanks_are_no_reason(tmp_path, nothing):
    clearance = clearance_of()
    await lodged(clearance)
    with pytest.raises(Refused, match="reason"):
        await lodged(clearance, reason=nothing, customsValuation__freightAmount="950")
    await clearance.assess(NUMBER)
    await clearance.answer(actor("health"), NUMBER, version=1, permit=True, reason="")
    for decision in ("released", "refused"):
        with pytest.raises(Refused) as refused:
            await clearance.decide(
                actor("customs"), NUMBER, version=1, decision=decision, reason=nothing
            )
        assert (refused.value.code, refused.value.where) == ("no_reason", "reason")
    with pytest.raises(Refused, match="reason"):
        await clearance.cancel(actor("importer"), NUMBER, version=1, reason=nothing)
    told = await clearance.declaration(actor("customs"), NUMBER)
    assert (told.status, told.submitted.version) == ("assessed", 1)


async def test_what_was_listed_since_is_not_released_without_a_reason(tmp_path):
    listing = tmp_path / "list.csv"
    listing.write_text("name,Nobody Of These\n")
    clearance = clearance_of(listing)
    await lodged(clearance)
    assert (await clearance.assess(NUMBER)).risk.channel == "green"
    await clearance.answer(actor("health"), NUMBER, version=1, permit=True, reason="")
    listing.write_text("name,Hai Phong Pump Trading\n")
    word = {"version": 1, "decision": "released"}
    # A reason that was written for green answers nothing that nobody has seen.
    with pytest.raises(Refused, match="green is red; found now: listed") as refused:
        await clearance.decide(actor("customs"), NUMBER, **word, reason="all papers in order")
    assert refused.value.code == "risk_changed"
    with pytest.raises(Refused, match="a red declaration is released with a reason"):
        await clearance.decide(actor("customs"), NUMBER, **word)
    # The officer sees why, and the auditor makes both decisions again.
    seen = await clearance.declaration(actor("customs"), NUMBER)
    assert (seen.status, seen.risk.channel) == ("assessed", "red")
    again = await clearance.rerun(actor("customs"), NUMBER)
    assert [(fact.channel, same) for fact, same in again] == [("green", True), ("red", True)]
    # Taken off the list again, it was found all the same: a person says why it goes.
    listing.write_text("name,Nobody Of These\n")
    with pytest.raises(Refused, match="red"):
        await clearance.decide(actor("customs"), NUMBER, **word)
    listing.unlink()
    with pytest.raises(MalformedInput, match="cannot read the screening list"):
        await clearance.decide(actor("customs"), NUMBER, **word, reason="why")
    listing.write_text("name,Nobody Of These\n")
    told = await clearance.decide(actor("customs"), NUMBER, **word, reason="another firm")
    assert told.status == "released"
    assert await clearance.decide(actor("customs"), NUMBER, **word, reason="another firm") == told


async def test_a_second_hit_of_the_same_channel_is_to_be_read_too(tmp_path):
    listing = tmp_path / "list.csv"
    listing.write_text("name,Hai Phong Pump Trading\n")
    clearance = clearance_of(listing)
    await lodged(clearance)
    assert (await clearance.assess(NUMBER)).risk.channel == "red"
    await clearance.answer(actor("health"), NUMBER, version=1, permit=True, reason="")
    listing.write_text("name,Hai Phong Pump Trading\nname,Suzhou Precision Pumps\n")
    word = {"version": 1, "decision": "released", "reason": "another firm"}
    with pytest.raises(Refused, match="listed") as refused:
        await clearance.decide(actor("customs"), NUMBER, **word)
    assert refused.value.code == "risk_changed"
    assert (await clearance.decide(actor("customs"), NUMBER, **word)).status == "released"


async def test_an_amendment_is_of_the_same_kind(clearance):
    await lodged(clearance)
    values = {**ENTRY.values, "exportDeclarationDocument.id": NUMBER}
    export = FORMS["export_declaration"]
    data = make_set(CanonicalConsignment(values, ENTRY.sources), [export])[0].data
    with pytest.raises(Refused) as refused:
        await clearance.submit(
            *(actor("importer"), data), kind=export.kind, customs=CUSTOMS, reason="correction"
        )
    assert (refused.value.code, refused.value.where) == ("other_consignment", "kind")


@pytest.mark.parametrize("name", [".", "-", "\u2014", "???", "...", "007", "\u2116"])
@pytest.mark.parametrize("role", ["consignor", "consignee"])
async def test_a_name_without_letters_is_nobodys(clearance, role, name):
    with pytest.raises(MalformedInput) as refused:
        await lodged(clearance, **{f"{role}Party__name": name})
    assert (refused.value.code, refused.value.where) == ("not_whole", f"{role}Party.name")


@pytest.mark.parametrize(
    "path", ["consignorParty.postalAddress.countryId", "consigneeParty.postalAddress.countryId"]
)
async def test_a_declaration_says_the_countries_of_its_parties(clearance, path):
    declared = json.loads(document())
    del declared[path.split(".")[0]]["postalAddress"]["countryId"]
    with pytest.raises(MalformedInput) as refused:
        await clearance.submit(
            *(actor("importer"), json.dumps(declared).encode()), kind=KIND, customs=CUSTOMS
        )
    assert (refused.value.code, refused.value.where) == ("not_whole", path)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("importDeclarationDocument.issueDate", "1999-01-01"),
        ("importDeclarationDocument.issueDate", "9999-01-01"),
        ("consigneeParty.name", "SUZHOU PRECISION PUMPS CO LTD"),
        ("consigneeParty.name", "Suzhou Precisi\u043en Pumps Co., Ltd."),
        ("consigneeParty.postalAddress.countryId", "QQ"),
        ("includedConsignmentItem[0].natureIdentificationCargo.description", "..."),
        ("includedConsignmentItem[0].packageQuantity", "1000000"),
        ("includedConsignmentItem[0].grossWeight", "99999000"),
    ],
)
async def test_what_cannot_be_is_not_lodged(clearance, path, value):
    with pytest.raises(Refused) as refused:
        await lodged(clearance, **{path.replace(".", "__"): value})
    assert (refused.value.code, refused.value.where) == ("implausible", path)


@pytest.mark.bound("trade.service.clearance._TOLD_MAX")
async def test_five_of_what_was_found_are_told_and_all_stand_to_be_read(tmp_path):
    listing = tmp_path / "list.csv"
    listing.write_text("name,Nobody Of These\n")
    many = tuple(
        RiskRule(f"listed-{k}", "screening.hits", Look.ABOVE, "0", 20, "listed") for k in range(7)
    )
    clearance = clearance_of(listing, replace(RULES, rules=many))
    await lodged(clearance)
    await clearance.assess(NUMBER)
    listing.write_text("name,Hai Phong Pump Trading\n")
    with pytest.raises(Refused, match="listed-4") as refused:
        await clearance.decide(actor("customs"), NUMBER, version=1, decision="released")
    assert "listed-5" not in str(refused.value)
    risk = (await clearance.declaration(actor("customs"), NUMBER)).risk
    assert [match.rule for match in risk.matches] == [f"listed-{k}" for k in range(7)]
