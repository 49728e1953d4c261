"""What the node and its judging process say to each other; light enough to load at start."""

from __future__ import annotations

from typing import Final

import msgspec

from zhidao.trade.domain.verdict import Verdict

FRAME_LENGTH_BYTES: Final = 4
DOCUMENT_LIMIT_S: Final = 60


class Answer(msgspec.Struct, forbid_unknown_fields=True):
    """What the process writes back: a verdict, or why there is none.

    `malformed`: the document could not be read; `unavailable`: this machine lacks what judges it.
    """

    verdict: Verdict | None = None
    malformed: str = ""
    unavailable: str = ""
    code: str = ""
    where: str = ""
    remedy: str = ""
