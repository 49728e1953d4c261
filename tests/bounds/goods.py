"""Bounds of trade."""

from __future__ import annotations

import msgspec
from tests.bounds.case import Case

from zhidao.node.api.trade import entry as entry_api
from zhidao.trade.domain.model import forms
from zhidao.trade.service import entering
from zhidao.trade.wire import origin_file
from zhidao.trade.wire.tracking import _Plain

CASES = (
    Case("trade.domain.model.forms.LINE_CHARACTERS_MAX", lambda n: forms.description("a" * n)),
    Case(
        "trade.domain.model.forms._DESCRIPTION_MAX",
        lambda n: forms.description("a " * (n // 2) + "a" * (n % 2)),
    ),
    Case(
        "trade.service.entering.FIELDS_MAX",
        lambda n: entering.progress({str(k): "" for k in range(n)}),
    ),
    Case("trade.service.entering.FILES_MAX", lambda n: entering.looked_at([("a", b"a")] * n)),
    Case("trade.wire.tracking.EVENTS_MAX", lambda n: _Plain({"a": [{}] * n}, "file").objects("a")),
    Case(
        "node.api.trade.entry._FILE_CHARACTERS_MAX",
        lambda n: msgspec.convert({"name": "a", "content": "a" * n}, entry_api.FileInput),
    ),
    Case(
        "trade.wire.origin_file._LIST_MAX",
        lambda n: msgspec.convert(
            {
                "type": "zhidao.DutyQuestion.v1",
                "currency": "CNY",
                "schedule": [{}] * n,
                "lines": [],
            },
            origin_file._Question,
        ),
    ),
)
