"""Fields of bodies that name a party: which they are, and that a party nobody knows is refused."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import msgspec
import pytest
from msgspec import inspect

from zhidao.core.errors import MalformedInput, Refused
from zhidao.core.ids import PartyId
from zhidao.finance.domain.deals.condition import (
    All,
    AnyOf,
    Attestation,
    By,
    Condition,
    Happened,
)
from zhidao.node import api
from zhidao.node.api.finance.escrow import NewEscrow
from zhidao.node.http.known_parties import check_parties, fields_naming

# What a field is called that names who owns, holds, owes, is paid, keeps the account or decides.
NAMING = {
    *("owner", "holder", "payer", "payee", "payer_bank", "payee_bank", "bank", "obligor_party"),
    *("beneficiary", "applicant", "adviser", "confirmer", "arbiter", "client", "to", "customs"),
    *("agencies", "creditor", "participants", "dealer", "party", "to_party", "readers", "peer"),
}
# Those that are asked for otherwise, or may be of nobody yet, and why.
OTHERWISE = {
    ("NewDeposit", "holder"): "an account of theirs must be open (no_account)",
    ("NewCycle", "participants"): "an account of each must be open (no_account)",
    ("Owed", "creditor"): "they take part in the cycle",
    ("NewPvp", "dealer"): "the quote's own, which is asked for by name",
    ("PaidBy", "bank"): "a bank that is admitted (not_a_bank)",
    ("WantedLine", "peer"): "a node, which is asked for by name",
    ("NewCreditLine", "peer"): "a node, which is asked for by name",
    ("NewDispatch", "to_party"): "the receiving node says whether it knows them",
    ("NewParty", "party"): "this is where they become known",
    ("NewToken", "party"): "of this node, by role: must_be_here",
    ("NewPerson", "party"): "of this node, by role: must_be_here",
    ("NewInvitation", "party"): "of this node, by role: must_be_here",
}


def bodies() -> Iterator[type[msgspec.Struct]]:
    """Every body that a route of people and programs reads: those that refuse unknown fields."""
    for found in pkgutil.walk_packages(api.__path__, f"{api.__name__}."):
        module = importlib.import_module(found.name)
        for value in vars(module).values():
            own = isinstance(value, type) and value.__module__ == found.name
            struct = own and issubclass(value, msgspec.Struct)
            if struct and value.__struct_config__.forbid_unknown_fields:
                yield value


def test_every_field_that_names_a_party_says_so_or_tells_why_not() -> None:
    named: set[tuple[str, str]] = set()
    otherwise: set[tuple[str, str]] = set()
    for body in bodies():
        told = inspect.type_info(body)
        assert isinstance(told, inspect.StructType)
        marked = {name for name, _ in fields_naming(body)}
        for field in told.fields:
            if field.name not in NAMING and field.name not in marked:
                continue
            place = (body.__name__, field.name)
            (named if field.name in marked else otherwise).add(place)
    assert otherwise == set(OTHERWISE)
    assert len(named) > 20, sorted(named)
    assert {("NewAccount", "holder"), ("NewTerminal", "readers")} <= named


async def _known(*parties: PartyId) -> None:
    for party in parties:
        if party not in ("maker", "bank"):
            raise Refused(f"this node knows no party {party}", code="party_unknown")


def _filled(body: type[msgspec.Struct], field: str, party: str) -> msgspec.Struct:
    """A body of which all parties are known but in one field."""
    told = inspect.type_info(body)
    assert isinstance(told, inspect.StructType)
    values: dict[str, object] = {each.name: None for each in told.fields}
    if "condition" in values:
        values["condition"] = _waits_for(party if field == "condition" else "maker")
    listed = {each.name for each in told.fields if isinstance(_plain(each.type), inspect.ListType)}
    for name, _ in fields_naming(body):
        one = party if name == field else "maker"
        values[name] = ["bank", one] if name in listed else one  # type: ignore[assignment]
    return body(**values)


def _waits_for(party: str) -> Condition:
    """A condition that names a party deep within."""
    word = Attestation(by=party, word="goods_ok")
    return All(of=[By(until="2026-12-01T00:00:00Z", of=AnyOf(of=[word]))])


async def test_a_condition_waits_for_the_word_of_no_party_that_nobody_knows() -> None:
    for asserted_by, at_home in (("", True), ("maker", True), ("nobody", False)):
        body = _filled(NewEscrow, "", "")
        body.condition = Happened(fact="x", consignment="c", asserted_by=asserted_by)
        found = await _refused(body)
        assert (found == "") == at_home, asserted_by
    assert await _refused(_filled(NewEscrow, "condition", "maker")) == ""
    assert await _refused(_filled(NewEscrow, "condition", "nobody")) == "party_unknown"


async def _refused(body: object) -> str:
    try:
        await check_parties(body, _known)
    except Refused as refused:
        return refused.code
    return ""


def _plain(kind: inspect.Type) -> inspect.Type:
    return _plain(kind.type) if isinstance(kind, inspect.Metadata) else kind


@pytest.mark.parametrize(
    ("body", "field"),
    [(body, name) for body in bodies() for name, _ in fields_naming(body)],
    ids=lambda each: each if isinstance(each, str) else each.__name__,
)
async def test_a_party_that_nobody_knows_is_refused_in_every_such_field(body, field) -> None:
    await check_parties(_filled(body, field, "maker"), _known)
    await check_parties(_filled(body, field, ""), _known)
    with pytest.raises(Refused) as refused:
        await check_parties(_filled(body, field, "nobody"), _known)
    assert refused.value.code == "party_unknown"
    with pytest.raises(MalformedInput):
        await check_parties(_filled(body, field, "Not a name"), _known)
