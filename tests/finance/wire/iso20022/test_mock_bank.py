"""Messages to and from a bank that others wrote: mock-bank 0.9.0 (PyPI, MIT), on loopback.

It reads pain.001.001.09, writes pain.002.001.10, camt.053 and camt.054.001.08 and pacs.004.001.09,
and decides each payment by its own rules.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest
from mockbank.server import Config, make_server

from zhidao.core.errors import MalformedInput
from zhidao.finance.domain.payments.message import (
    CreditTransfer,
    Notice,
    Returns,
    StatusReport,
    Transfers,
)
from zhidao.finance.wire.iso20022.messages import camt053
from zhidao.finance.wire.iso20022.messages.credit_transfers import INITIATION
from zhidao.finance.wire.iso20022.messages.messages import decode, encode
from zhidao.finance.wire.iso20022.syntax.envelope import read_envelope
from zhidao.finance.wire.iso20022.syntax.trees import account, person

# A server of others, which takes half a second to end.
pytestmark = pytest.mark.slow

ACME = "NL41MOCK0000000001"
CLOSED, NO_BANK = "NL84MOCK0000000003", "NL57MOCK0000000004"
GOOD = "DE89370400440532013000"
Ask = Callable[..., httpx.Response]


@pytest.fixture
def ask() -> Iterator[Ask]:
    """A fresh bank in memory, listening on loopback only."""
    server = make_server(Config(host="127.0.0.1", port=0, quiet=True))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with httpx.Client(base_url=f"http://127.0.0.1:{server.server_address[1]}") as client:
        yield client.request
    server.shutdown()
    server.server_close()
    thread.join(timeout=10)


def _file(ask: Ask, *payees: tuple[str, int], message: str = "M1") -> Transfers:
    """A pain.001 of ACME's for today, as the bank counts days."""
    day = parsedate_to_datetime(ask("GET", "/_mock/health").headers["date"]).date()
    payments = tuple(
        CreditTransfer(
            group="P1",
            instruction=f"I{place}",
            end_to_end=f"E{place}",
            uetr=f"0f0e0d0c-0b0a-4f0e-8d0c-{place:012d}",
            amount_minor=minor,
            currency="EUR",
            day=day.isoformat(),
            charges="SHAR",
            payer=person("ACME Corporation", "Delft", "NL"),
            payer_account=account(ACME),
            payer_bank=(("BICFI", "MOCKNL2A"),),
            payee=person(f"Payee {place}", "Delft", "NL"),
            payee_account=account(number),
            payee_bank=(("BICFI", "DEUTDEFF" if number == GOOD else "MOCKNL2A"),),
            remittance=(("Ustrd", f"INV-{place}"),),
        )
        for place, (number, minor) in enumerate(payees, start=1)
    )
    return Transfers(INITIATION, message, f"{day}T08:00:00+00:00", "", "MOCKNL2A", payments)


def _sent(ask: Ask, file: Transfers) -> httpx.Response:
    data = encode(file)
    checked = ask("POST", "/_mock/validate", content=data)
    assert "0 findings" in checked.text, checked.text  # another implementation's reading of ours
    return ask("POST", "/payments", content=data)


def _told(ask: Ask, kind: str) -> list[bytes]:
    """The messages of a kind that came since the last look."""
    found: list[Any] = json.loads(ask("GET", f"/_mock/mailbox?type={kind}").content)
    return [one["body"].encode() for one in found]


def test_a_file_of_ours_is_judged_payment_by_payment_and_its_report_read(ask: Ask) -> None:
    file = _file(ask, (GOOD, 10_000), (CLOSED, 20_001), (NO_BANK, 1))
    assert _sent(ask, file).status_code == 202
    (data,) = _told(ask, "pain.002.001.10")
    report = decode(read_envelope(data))
    assert isinstance(report, StatusReport)
    assert (report.original, report.original_definition, report.status) == (
        "M1",
        INITIATION,
        "PART",
    )
    found = [(one.end_to_end, one.status, one.reason) for one in report.statuses]
    assert found == [("E1", "ACCP", ""), ("E2", "RJCT", "AC04"), ("E3", "RJCT", "RC01")]


def test_what_it_books_is_read_from_its_notice_to_the_cent(ask: Ask) -> None:
    _sent(ask, _file(ask, (GOOD, 10_000), (GOOD, 3)))
    ask("POST", "/_mock/advance?days=5")
    notices = [decode(read_envelope(data)) for data in _told(ask, "camt.054.001.08")]
    entries = [entry for one in notices if isinstance(one, Notice) for entry in one.entries]
    assert sorted((one.end_to_end, one.amount_minor) for one in entries) == [
        ("E1", -10_000),
        ("E2", -3),
    ]
    balance = json.loads(ask("GET", "/_mock/accounts/ACME").content)["balance"]
    assert balance == 12_500_000 - 10_003


def test_statements_of_quiet_days_are_read_and_foreign_references_refused_by_name(
    ask: Ask,
) -> None:
    _sent(ask, _file(ask, (GOOD, 10_000)))
    ask("POST", "/_mock/advance?days=5")
    read, refused = [], []
    for data in _told(ask, "camt.053.001.08"):
        try:
            read.append(camt053.decode(data))
        except MalformedInput as error:
            refused.append(str(error))
    quiet = [one for one in read if one.account == ACME]
    assert {one.opening_minor - one.closing_minor for one in quiet} == {0}
    # A statement is read as one of a ledger of this house: entries bear its transfers' ids.
    assert len(refused) == 1
    assert "AcctSvcrRef" in refused[0]


def test_the_same_file_again_and_a_return_days_later_are_read(ask: Ask) -> None:
    change = {"behaviour": "return-later"}
    assert ask("PATCH", "/_mock/accounts/ACME", json=change).status_code == 200
    file = _file(ask, (GOOD, 4_200))
    _sent(ask, file)
    ask("POST", "/_mock/advance?days=14")
    (data,) = _told(ask, "pacs.004.001.09")
    returns = decode(read_envelope(data))
    assert isinstance(returns, Returns)
    ((amount, reason),) = [(one.returned_minor, one.reason) for one in returns.returns]
    assert amount == 4_200
    assert reason in ("AC04", "MD07")
    ask("PATCH", "/_mock/accounts/ACME", json={"behaviour": "duplicate-file"})
    assert ask("POST", "/payments", content=encode(file)).status_code == 422
    report = decode(read_envelope(_told(ask, "pain.002.001.10")[-1]))
    assert isinstance(report, StatusReport)
    assert (report.status, report.reason) == ("RJCT", "DUPL")
