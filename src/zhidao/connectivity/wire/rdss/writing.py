"""Values to sentences, each in its one canonical form."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from zhidao.connectivity.wire.rdss.frame import framed
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
from zhidao.core.errors import MalformedInput

MIXED_MARK: Final = 0xA4
MIXED_21: Final = 2
MIXED_3: Final = 3


def build(sentence: Sentence) -> str:
    """The line of a sentence, with its end. Raises MalformedInput for values it cannot hold."""
    name, *fields = _FIELDS[type(sentence)](sentence)
    return framed(str(name), fields)


def as_received(sent: Send21 | Send3, *, sender: str, at_hhmmss: str) -> Received21 | Received3:
    """What the other end reads when `sender` sends this."""
    if isinstance(sent, Send21):
        return Received21(1, sender, sent.coding, "", sent.data)
    return Received3(
        sender, sent.destination, sent.frequency, at_hhmmss, sent.coding, "0", sent.data
    )


def _card_info(c: CardInfo) -> list[object]:
    letter = "E" if c.encrypted else "N"
    numbers = (c.card, c.serial, c.broadcast, c.user_kind, c.interval_s, c.level)
    return ["BDICI", *numbers, letter, c.subordinates]


def _send3(s: Send3) -> list[object]:
    payload = _hex(s.data, mixed=s.coding == MIXED_3)
    if not payload:
        raise MalformedInput("CCTCQ: a message without any content", code="bad_payload")
    head = ["CCTCQ", s.destination, s.frequency, s.confirmation, s.coding]
    return [*head, "", payload] if s.spaced else [*head, payload, s.repeat_s]


def _received3(r: Received3) -> list[object]:
    head = ["BDTCI", r.sender, r.receiver, r.frequency, r.hhmmss, r.coding, r.reserved]
    return [*head, _hex(r.data, mixed=r.coding == MIXED_3)]


def _feedback(f: Feedback) -> list[object]:
    time = [f.hhmmss] if f.hhmmss else []
    setting = [f.setting] if f.setting else []
    return ["BDFKI", *time, f.request, "Y" if f.done else "N", *setting, f.reason, f.wait]


def _beam_powers(p: BeamPowers) -> list[object]:
    old = [part for beam in p.bds2 for part in _beam(beam)]
    new = [part for beam in p.bds3 for part in _beam(beam)]
    return ["BDPWI", p.hhmmss, f"{len(p.bds2):02}", *old, f"{len(p.bds3):02}", *new]


def _beam(beam: Beam) -> list[object]:
    flag = [] if beam.flag is None else [beam.flag]
    return [beam.number, beam.data_dbhz, beam.pilot_dbhz, *flag]


def _request(r: PositionRequest) -> list[object]:
    numbers = [_or_empty(n) for n in (r.height_m, r.antenna_m, r.pressure_pa, r.temperature_c)]
    urgent, high = "A" if r.urgent else "V", "H" if r.high else "L"
    return ["CCDWA", r.card, urgent, r.altimetry, high, *numbers, r.repeat_s]


def _answer(a: PositionAnswer) -> list[object]:
    place = [a.latitude[:-1], a.latitude[-1], a.longitude[:-1], a.longitude[-1]]
    heights = [_or_empty(a.height_m), "M", _or_empty(a.anomaly_m), "M"]
    flags = ["A" if a.urgent else "V", "Y" if a.ambiguous else "V", "H" if a.high else "L"]
    return ["BDDWR", a.kind, a.card, a.hhmmss, *place, *heights, a.accuracy, *flags]


def _report(r: PositionReport) -> list[object]:
    place = [r.longitude[:-1], r.longitude[-1:], r.latitude[:-1], r.latitude[-1:]]
    rest = [_or_empty(r.height_m), r.safety, r.command, _or_empty(r.length), r.state]
    return ["BDEPI", r.sender, r.receiver, r.service, r.hhmmss, *place, *rest]


def _or_empty(number: Decimal | int | None) -> str:
    return "" if number is None else str(number)


def _hex(data: bytes, *, mixed: bool) -> str:
    return (bytes((MIXED_MARK,)) * mixed + data).hex().upper()


_FIELDS: Final[dict[type, Callable[[Any], list[Any]]]] = {
    CardQuery: lambda q: [q.name, q.kind, q.frame],
    CardInfo: _card_info,
    CardInfo3: lambda c: ["BDICP", c.card, c.broadcast, *c.rest],
    Send21: lambda s: [
        "CCTXA",
        s.destination,
        s.kind,
        s.coding,
        _hex(s.data, mixed=s.coding == MIXED_21),
    ],
    Received21: lambda r: [
        *("BDTXR", r.kind, r.sender, r.coding, r.hhmm),
        _hex(r.data, mixed=r.coding == MIXED_21),
    ],
    Send3: _send3,
    Received3: _received3,
    Feedback: _feedback,
    BeamStatus: lambda b: ["BDBSI", f"{b.response:02}", f"{b.difference:02}", *b.powers],
    BeamPowers: _beam_powers,
    Levels: lambda v: ["BDSNR", *v.beams_dbhz],
    OutputSetting: lambda o: ["CCRMO", o.sentence, o.mode, _or_empty(o.interval_s)],
    PositionRequest: _request,
    PositionAnswer: _answer,
    PositionReport: _report,
    SettingAnswer: lambda a: [a.name, a.result],
    Other: lambda o: [o.name, *o.fields],
}
