"""Every route that moves or binds money is judged by the limit of two persons, or says why not."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from tests.docs.test_docs import from_code
from tests.finance.service.control.test_daily_totals import EXCHANGES, KINDS

import zhidao.finance

__all__ = ["from_code"]
# Which acts of `test_daily_totals` a route comes to: each is counted, and shown to be.
COUNTED = {
    "V1FinanceBanksMessagesSend": ("pay", "return_payments"),
    "V1FinanceCreditLinesSetLine": ("set_credit_line",),
    "V1FinanceCreditsAmendmentsAmend": ("amend_credit",),
    "V1FinanceCreditsDrawingsStepsDrawingStep": (
        *("accept_draft", "honour_credit", "reimburse_credit"),
    ),
    "V1FinanceCreditsIssue": ("issue_credit",),
    "V1FinanceCreditsStepsStep": ("confirm_credit",),
    "V1FinanceDealsOpenDeal": ("open_deal",),
    "V1FinanceDepositsDeposit": ("deposit",),
    "V1FinanceEscrowsOpenEscrow": ("open_escrow",),
    "V1FinanceNettingCycleObligationsAdd": ("add_obligations",),
    "V1FinanceNettingCycleSettlementSettle": ("settle_netting",),
    "V1FinancePvpDealsAccept": ("accept_quote",),
    "V1FinancePvpQuotesGive": ("give_quote",),
    "V1FinanceRecallsSenderAnswerAnswer": ("answer_recall",),
    "V1FinanceReceivablesTokenConfirmationConfirm": ("confirm_receivable",),
    "V1FinanceReceivablesTokenSharesPledge": ("pledge_share",),
    "V1FinanceReceivablesTokenSharesStepsShareStep": ("assign_share", "release_share"),
    "V1FinanceReturnsGiveBack": ("give_back",),
    "V1FinanceTransfersCurrencyRecordsMoveRecords": ("transfers",),
    "V1FinanceTransfersMove": ("transfers",),
}
_BOUND_BEFORE = "the money was bound, and counted, when the payment was opened"
_NO_MONEY = "says or asks something, and moves and binds no money"
_WAITING = "the second person's word on an act that waits"
NOT_COUNTED = {
    "V1FederationAccountsAskAccount": _NO_MONEY,
    "V1FederationConsignmentsHandOverHandOver": _NO_MONEY,
    "V1FederationCreditLinesAskLine": "another bank is asked; whoever sets the line is judged there",
    "V1FederationDealsTitleGiveTitle": "a title, and no money",
    "V1FinanceAccountsOpenAccount": _NO_MONEY,
    "V1FinanceApprovalsDecide": _WAITING,
    "V1FinanceBanksAdmitBank": _NO_MONEY,
    "V1FinanceCreditsDrawingsPresent": "papers; who pays for them is judged",
    "V1FinanceCreditsDrawingsRecordsAskedAskRecords": _NO_MONEY,
    "V1FinanceCreditsDrawingsRecordsRePresent": "papers; who pays for them is judged",
    "V1FinanceDealsTitleReserveTitle": "a title, and no money",
    "V1FinanceEscrowsDisputesDispute": _BOUND_BEFORE,
    "V1FinanceEscrowsResolutionsResolve": _BOUND_BEFORE,
    "V1FinanceEscrowsWordsWord": _BOUND_BEFORE,
    "V1FinanceLedgersLedgerNameBalancesState": "a statement of what stands",
    "V1FinanceNettingOpenCycle": "who owes, and who settles, is judged",
    "V1FinancePassportIssue": _NO_MONEY,
    "V1FinancePassportPresentationsPresent": _NO_MONEY,
    "V1FinancePassportVerifyVerify": _NO_MONEY,
    "V1FinancePaymentOrdersPaymentOrderCancellationCancel": "frees what was bound",
    "V1FinanceRecallsRecall": "the other bank is asked; whoever agrees is judged there",
    "V1FinanceReceivablesLookUpLookUp": _NO_MONEY,
    "V1FinanceReceivablesQuestionsQuestion": _NO_MONEY,
    "V1FinanceReceivablesRegister": "binds nobody before its obligor confirms",
    "V1FinanceReceivablesTokenDisputeDispute": _NO_MONEY,
    "V1FinanceReceivablesTokenPaymentSettle": "names a payment that stands",
    "V1FinanceScreeningsScreen": _NO_MONEY,
    "V1FinanceScreeningsScreeningIdJudgementJudge": _NO_MONEY,
}


def test_every_writing_route_of_money_is_counted_or_says_why_not(from_code: ModuleType) -> None:
    writing = {
        operation["operationId"]
        for path, item in from_code.openapi()["paths"].items()
        for method, operation in item.items()
        if path.startswith(("/v1/finance", "/v1/federation")) and method != "get"
    }
    assert COUNTED.keys() & NOT_COUNTED.keys() == set()
    known = COUNTED.keys() | NOT_COUNTED.keys()
    assert sorted(writing - known) == [], "count what it moves, or say why it moves nothing"
    assert sorted(known - writing) == [], "gone"
    assert all(NOT_COUNTED.values())


def test_every_act_that_is_counted_is_shown_to_be() -> None:
    routed = {act for acts in COUNTED.values() for act in acts}
    assert sorted(routed) == sorted({*KINDS, *EXCHANGES})


def test_nothing_but_held_names_asks_two_persons_without_counting() -> None:
    root = Path(zhidao.finance.__file__).parent / "service"
    asking = [
        file.relative_to(root).as_posix()
        for file in root.rglob("*.py")
        if "approvals.ask(" in file.read_text(encoding="utf-8")
    ]
    assert asking == ["control/standing_holds.py"]
