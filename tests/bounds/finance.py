"""Bounds of finance."""

from __future__ import annotations

import dataclasses

import msgspec
import numpy as np
from tests.bounds.case import Case

from zhidao.finance.domain.credit import credit_terms
from zhidao.finance.domain.ledger import snapshot
from zhidao.finance.domain.pvp import fx
from zhidao.finance.domain.receivables import liquidity, netting
from zhidao.finance.domain.screening import names, screening
from zhidao.finance.wire import replay, screening_lists
from zhidao.node.api.finance import netting as netting_api
from zhidao.node.api.finance import passports as passports_api
from zhidao.node.api.finance import payments as payments_api

NONE = netting.Obligations(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.int64), 1)


def remainders(count: int) -> object:
    return fx.carry({}, (fx.Conversion(1, 1, 2 + n) for n in range(count)))


CASES = (
    Case(
        "finance.domain.credit.credit_terms.LINES_MAX",
        lambda n: msgspec.convert([{}] * n, credit_terms.Lines),
    ),
    Case(
        "finance.domain.ledger.snapshot._HEADER_MAX",
        lambda n: snapshot.decode(snapshot._MAGIC + n.to_bytes(4)),
    ),
    Case("finance.domain.pvp.fx.DENOMINATORS_MAX", remainders),
    Case("finance.domain.pvp.fx.TERM_MAX", lambda n: fx.Rate(n, 1)),
    Case("finance.domain.receivables.liquidity.CYCLES_MAX", lambda n: liquidity.needed_in(NONE, n)),
    Case(
        "finance.domain.receivables.netting.PARTIES_MAX",
        lambda n: dataclasses.replace(NONE, parties=n),
    ),
    Case("finance.domain.screening.names.NAME_CHARACTERS_MAX", lambda n: names.readings("a" * n)),
    Case(
        "finance.domain.screening.screening.ENTRIES_MAX",
        lambda n: screening.Index([screening.ListedName("a", str(k), ("Abc",)) for k in range(n)]),
        6,
    ),
    Case(
        "finance.wire.replay.EVENTS_MAX",
        lambda n: replay.decode_line(msgspec.json.encode({"transfers": [{"id": 1}] * n}), 1),
    ),
    Case(
        "finance.wire.screening_lists.BYTES_MAX",
        lambda n: screening_lists.read_list("un", b" " * n),
        60,
    ),
    Case(
        "finance.service.receivables.netting.BATCH_MAX",
        lambda n: msgspec.convert(
            {"batch": "a", "obligations": [{}] * n}, netting_api.NewObligations
        ),
    ),
    Case(
        "finance.service.receivables.netting.PARTICIPANTS_MAX",
        lambda n: msgspec.convert(
            {"cycle": "a", "currency": "CNY", "participants": ["a"] * n}, netting_api.NewCycle
        ),
    ),
    Case(
        "finance.service.receivables.passports.PRESENTATION_CHARACTERS_MAX",
        lambda n: msgspec.convert(
            {"presentation": "a" * n, "audience": "a", "nonce": "a"}, passports_api.Shown
        ),
    ),
    Case(
        "node.api.finance.payments.TRANSFERS_MAX",
        lambda n: msgspec.convert(
            {"currency": "CNY", "transfers": [{}] * n}, payments_api.NewTransfers
        ),
    ),
)
