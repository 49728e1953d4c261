"""Sentences of BeiDou short-message units: protocol 2.1 (BDS-2) and the BDS-3 family.

Field meanings are those of public implementations and differ between vendors; no copy of a
standard was at hand (not checked).
"""

from zhidao.connectivity.wire.rdss.frame import (
    SENTENCE_CHARACTERS_MAX,
    SentenceReader,
    checksum,
    take_apart,
)
from zhidao.connectivity.wire.rdss.reading import parse
from zhidao.connectivity.wire.rdss.sentence import (
    Beam,
    BeamPowers,
    BeamStatus,
    CardInfo,
    CardInfo3,
    CardQuery,
    Feedback,
    Levels,
    Other,
    OutputSetting,
    PositionAnswer,
    PositionReport,
    PositionRequest,
    Received3,
    Received21,
    Send3,
    Send21,
    Sentence,
    SettingAnswer,
)
from zhidao.connectivity.wire.rdss.writing import as_received, build

__all__ = [
    "SENTENCE_CHARACTERS_MAX",
    "Beam",
    "BeamPowers",
    "BeamStatus",
    "CardInfo",
    "CardInfo3",
    "CardQuery",
    "Feedback",
    "Levels",
    "Other",
    "OutputSetting",
    "PositionAnswer",
    "PositionReport",
    "PositionRequest",
    "Received3",
    "Received21",
    "Send3",
    "Send21",
    "Sentence",
    "SentenceReader",
    "SettingAnswer",
    "as_received",
    "build",
    "checksum",
    "parse",
    "take_apart",
]
