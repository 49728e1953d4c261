"""What can be done by the API can be done by command, or a reason says why not."""

from __future__ import annotations

import tomllib
from types import ModuleType

from tests.cli.test_help import _leaves
from tests.docs.test_docs import from_code

from zhidao.node.http.examples import ACTS as FILE

__all__ = ["from_code"]
ACTS = tomllib.loads(FILE.read_text(encoding="utf-8"))


def test_every_writing_route_has_its_command_or_a_reason(from_code: ModuleType) -> None:
    writing = {
        operation["operationId"]
        for item in from_code.openapi()["paths"].values()
        for method, operation in item.items()
        if method in ("post", "put", "delete", "patch")
    }
    by_command, without = set(ACTS["commands"]), set(ACTS["none"])
    assert len(writing) > 120
    assert by_command & without == set()
    assert sorted(writing - by_command - without) == [], "name its command or why there is none"
    assert sorted((by_command | without) - writing) == [], "gone"
    assert all(len(reason) > 20 for reason in ACTS["none"].values())


def test_the_description_names_the_command_of_each(from_code: ModuleType) -> None:
    told = {
        operation["operationId"]: operation["x-zhidao-command"]
        for item in from_code.openapi()["paths"].values()
        for operation in item.values()
        if "x-zhidao-command" in operation
    }
    assert told == ACTS["commands"]


def test_each_named_command_is_one() -> None:
    known = {prog.removeprefix("zhidao ") for prog, _ in _leaves()}
    assert sorted(set(ACTS["commands"].values()) - known) == []


def test_the_acts_of_a_road_are_all_by_command() -> None:
    road = (
        *("V1TradeConsignmentsEnter", "V1TradeConsignmentsDocumentsAdd", "V1TrustTitlesMintTitle"),
        *("V1IndustryOrdersOpenOrder", "V1IndustryOrdersLotsFinishLot", "V1DevicesSealsClose"),
        *("V1DevicesTerminalsRegister", "V1FinanceDealsOpenDeal", "V1FinanceDepositsDeposit"),
        *("V1FinanceBanksAdmitBank", "V1FinanceAccountsOpenAccount", "V1TrustTitlesActsActOnTitle"),
        *("V1TradeConsignmentsCheckCheck", "V1TradeConsignmentsCustomsReleaseRelease"),
        *("V1FinanceDealsTitleReserveTitle", "V1FederationConsignmentsHandOverHandOver"),
        *("V1PeopleAddPerson", "V1InvitationsInvite", "V1PeopleNameWithdrawPerson"),
        *("V1TokensMakeToken", "V1TokensTokenIdRevokeToken", "V1PartiesAddParty"),
        *("V1ExchangePeersAddPeer", "V1ExchangePeersNodeRemovePeer"),
    )
    assert [each for each in road if each not in ACTS["commands"]] == []
