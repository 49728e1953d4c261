"""A statement on paper: the sheet that the printing extra makes a PDF/A of."""

from __future__ import annotations

from typing import Final

from zhidao.core.archive import digest_of
from zhidao.core.errors import Refused
from zhidao.finance.domain.payments.statement import AccountStatement
from zhidao.finance.events import AccountOpened
from zhidao.finance.wire.iso20022.messages import camt053
from zhidao.finance.wire.iso20022.syntax.trees import decimal_of
from zhidao.trade.domain.printing.labels import Label
from zhidao.trade.domain.printing.sheet import Cell, Said, Section, Sheet, Table

ENTRIES_MAX: Final = 20_000
_TITLE: Final[Label] = ("Account statement", "账户对账单")
_ACCOUNT: Final[Label] = ("Account", "账户")
_COLUMNS: Final[tuple[Label, ...]] = (
    ("Day (UTC)", "日期（UTC）"),
    ("Transfer", "转账编号"),
    ("Amount", "金额"),
    ("Balance", "余额"),
)


def printed(statement: AccountStatement, opened: AccountOpened) -> bytes:
    """The statement as PDF/A. Raises Unavailable without the extra, Refused if too long."""
    from zhidao.trade.library.printing import sheet_printed

    if len(statement.entries) > ENTRIES_MAX:
        raise Refused(
            f"a PDF has at most {ENTRIES_MAX} entries, this statement {len(statement.entries)}",
            code="too_many",
            remedy="ask for fewer days with --from and --to",
        )
    digest = digest_of(camt053.encode(statement))
    return sheet_printed(sheet_of(statement, opened, digest=digest))


def sheet_of(statement: AccountStatement, opened: AccountOpened, *, digest: str) -> Sheet:
    """The statement's sheet. `digest`: SHA-256 of its camt.053, the form for machines."""
    code = statement.currency.code
    balance, rows = statement.opening_minor, []
    for one in statement.entries:
        balance += one.amount_minor
        rows.append(
            (
                Cell(one.booked.isoformat()),
                Cell(str(one.transfer), below=_uetr(one.uetr)),
                Cell(_amount(one.amount_minor, code)),
                Cell(_amount(balance, code)),
            )
        )
    said = (
        Said(("Holder", "户名"), opened.name),
        Said(("Bank", "银行"), opened.bank),
        Said(("Number", "账号"), statement.account),
        Said(("Currency", "币种"), code),
        Said(("From", "起"), statement.first_day.isoformat()),
        Said(("To", "止"), statement.last_day.isoformat()),
    )
    totals = (
        Said(("Opening balance", "期初余额"), _amount(statement.opening_minor, code)),
        Said(("Closing balance", "期末余额"), _amount(statement.closing_minor, code)),
    )
    table = Table(("Movements", "明细"), _COLUMNS, (False, False, True, True), tuple(rows), wide=1)
    return Sheet(
        kind="account_statement",
        title=_TITLE,
        number=statement.message,
        day=statement.created.date().isoformat(),
        digest=digest,
        sections=(Section(_ACCOUNT, said),),
        tables=(table,),
        totals=totals,
        statements=(),
        signatures=(),
    )


def _uetr(uetr: str) -> tuple[Said, ...]:
    return (Said(("UETR", "UETR"), uetr),) if uetr else ()


def _amount(minor: int, currency: str) -> str:
    text = decimal_of(abs(minor), currency)
    return f"-{text}" if minor < 0 else text
