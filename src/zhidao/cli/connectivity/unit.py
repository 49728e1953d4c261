"""`zhidao shortmessage send`, `listen` and `outbox`: by a BeiDou unit on its line."""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from zhidao.cli.console.outputs import noted, tell
from zhidao.core.errors import MalformedInput, Unavailable

if TYPE_CHECKING:
    from zhidao.connectivity.domain.message import Message
    from zhidao.connectivity.library import Unit
    from zhidao.connectivity.service.outbox import Waiting
    from zhidao.connectivity.service.terminal_session import Happening, TerminalSession

SECONDS_MAX: Final = 7 * 24 * 3600
_WAIT_S: Final = 900
_CARD_S: Final = 20.0
_SPEED: Final = 115_200


def add_actions(actions: Any) -> None:
    """Adds the three to the actions of `zhidao shortmessage`."""
    sending = actions.add_parser("send", help="send by a unit, and wait until it is acknowledged")
    sending.add_argument(
        "text", nargs="?", metavar="TEXT", help="what to say; without: what waits already"
    )
    add_unit(sending)
    sending.add_argument("--to", metavar="CARD", default="", help="the receiver's card")
    what = sending.add_mutually_exclusive_group()
    what.add_argument(
        "--plain", action="store_true", help="as it is, for any unit; nobody acknowledges it"
    )
    what.add_argument("--order", action="store_true", help="TEXT is an order, such as a code")
    what.add_argument("--alarm", metavar="KIND", help="an alarm, such as seal_cut, at --place")
    what.add_argument("--gate", choices=("in", "out"), help="a gate was passed, at --place")
    what.add_argument(
        "--positions", metavar="FILE", type=Path, help="lines of UTC,LATITUDE,LONGITUDE"
    )
    sending.add_argument("--place", metavar="LAT,LON", help="with --alarm and --gate: where")
    sending.add_argument("--at", metavar="UTC", help="with --alarm and --gate: when (now)")
    sending.add_argument(
        "--temperature", metavar="CELSIUS", type=float, help="with --alarm, --gate"
    )
    sending.add_argument("--simulated", action="store_true", help="nothing of it was measured")
    sending.add_argument(
        "--wait", type=seconds, default=_WAIT_S, metavar="S", help="give up after (900 s)"
    )
    sending.set_defaults(run=_send)
    listening = actions.add_parser("listen", help="show what comes to a unit, and acknowledge it")
    add_unit(listening)
    listening.add_argument(
        "--from", dest="senders", action="append", default=[], metavar="CARD", help="only from it"
    )
    listening.add_argument("--count", type=int, default=0, help="end after so many messages")
    listening.add_argument(
        "--wait", type=seconds, default=0, metavar="S", help="end after so long (never)"
    )
    listening.set_defaults(run=_listen)
    owed = actions.add_parser("outbox", help="what waits to be sent by a unit")
    add_unit(owed)
    owed.add_argument("--remove", metavar="NAME", default="", help="do not send this one any more")
    owed.set_defaults(run=_outbox)


def add_unit(action: argparse.ArgumentParser) -> None:
    """What names a unit, and what its operator says of its card."""
    action.add_argument(
        "--device", required=True, metavar="DEVICE", help="/dev/ttyX or tcp://host:port"
    )
    action.add_argument("--speed", type=int, default=_SPEED, help="of a serial port (115200)")
    action.add_argument(
        "--interval", type=seconds, default=0, metavar="S", help="longer than the card's own"
    )
    action.add_argument(
        "--bytes",
        type=int,
        default=0,
        metavar="N",
        help="that the card sends at once (by its level)",
    )
    action.add_argument("--outbox", type=Path, metavar="FILE", help="where messages wait")
    action.add_argument("--json", action="store_true", help="answer in JSON")


def seconds(text: str) -> int:
    """A number of seconds among the options."""
    if not re.fullmatch(r"[0-9]{1,6}", text) or int(text) > SECONDS_MAX:
        raise argparse.ArgumentTypeError(f"{text!r}: a whole number of seconds to {SECONDS_MAX}")
    return int(text)


def outbox_of(options: argparse.Namespace, environment: Mapping[str, str]) -> Path:
    """The file in which messages of this unit wait."""
    if options.outbox:
        return Path(options.outbox)
    home = environment.get("XDG_DATA_HOME", "")
    folder = Path(home) if Path(home).is_absolute() else Path.home() / ".local" / "share"
    name = re.sub(r"[^A-Za-z0-9]+", "-", options.device).strip("-")[:80]
    return folder / "zhidao" / "short-messages" / f"{name}.json"


def _send(options: argparse.Namespace) -> int:
    from zhidao.cli.connectivity.content import message_of
    from zhidao.connectivity.service.terminal_session import NotSent

    message = message_of(options, unix_s=int(time.time()))
    receiver = _receiver(options) if message else ""
    with _unit(options) as at:
        session = at.session
        own: Waiting | None = None
        refusals = 0
        for each in at.happenings(options.wait, card_s=_CARD_S):
            if own is None and message is not None:
                own = _given(session, message, receiver)
            _say(each, sys.stderr)
            refusals += isinstance(each, NotSent)
            if _is_over(session, message, own, each):
                return _sent_all(options, own)
        if not at.ready:
            raise _no_card(options.device, session)
        raise Unavailable(
            f"{len(session.outbox.waiting)} messages are not acknowledged after {options.wait} s;"
            f" the unit refused {refusals} times; they wait",
            code="not_acknowledged",
            remedy=f"go on with: zhidao shortmessage send --device {options.device}",
        )


def _receiver(options: argparse.Namespace) -> str:
    from zhidao.connectivity.domain.card_number import is_card, plain_number

    if not is_card(options.to):
        raise MalformedInput(
            f"--to wants the receiver's card, not {options.to[:20]!r}",
            code="bad_card",
        )
    return plain_number(options.to)


def _given(session: TerminalSession, message: Message, receiver: str) -> Waiting | None:
    """Puts the message among those that wait, where the card is known to be able to send it."""
    from zhidao.connectivity.domain.message import Form

    if session.card is None or session.card.absent:
        return None
    already = [
        each
        for each in session.outbox.waiting
        if each.message == message and each.receiver == receiver
    ]
    return (
        already[0]
        if already
        else session.outbox.add(
            message,
            receiver=receiver,
            room=session.card.room,
            now_s=time.time(),
            acknowledged=message.form is not Form.PLAIN,
        )
    )


def _is_over(
    session: TerminalSession, message: Message | None, own: Waiting | None, each: Happening
) -> bool:
    """Whether what was given is done; without anything given, whether nothing waits."""
    from zhidao.connectivity.service.terminal_session import Acknowledged, Sent

    if own is not None:
        return isinstance(each, Acknowledged | Sent) and own not in session.outbox.waiting
    known = session.card is not None and not session.card.absent
    return known and message is None and not session.outbox.waiting


def _sent_all(options: argparse.Namespace, own: Waiting | None) -> int:
    if options.json:
        name = own.message.name.hex() if own else ""
        sendings = own.tries if own else 0
        acknowledged = bool(own and own.acknowledged)
        tell(json.dumps({"name": name, "sendings": sendings, "acknowledged": acknowledged}))
    elif own is None:
        tell("nothing waits")
    else:
        how = "acknowledged" if own.acknowledged else "sent; nobody acknowledges it"
        tell(f"{own.message.name.hex()} to {own.receiver}: {how}, after {own.tries} sendings")
    return 0


def _listen(options: argparse.Namespace) -> int:
    from zhidao.connectivity.service.terminal_session import Arrived

    came = 0
    with _unit(options, listens=True) as at:
        for each in at.happenings(options.wait or math.inf, card_s=_CARD_S):
            if not isinstance(each, Arrived):
                _say(each, sys.stderr)
                continue
            tell(_arrived(each, as_json=options.json))
            came += 1
            if options.count and came >= options.count:
                _thank(at)
                return 0
        if not at.ready:
            raise _no_card(options.device, at.session)
    return 0


def _thank(at: Unit) -> None:
    """Acknowledges what came last, before the end; a card that is not known yet is waited for."""
    interval_s = at.session.card.interval_s if at.session.card else _CARD_S
    for each in at.happenings(_CARD_S + 2 * interval_s, card_s=_CARD_S):
        _say(each, sys.stderr)
        if not at.session.outbox.owes:
            return


def _arrived(each: Any, *, as_json: bool) -> str:
    from zhidao.connectivity.wire.message_view import line_of, said

    form = each.message.form.name.lower()
    if not as_json:
        return f"{each.sender} {form} {each.message.name.hex()}: {line_of(each.message)}"
    row = {"sender": each.sender, "form": form, "name": each.message.name.hex()}
    return json.dumps(row | {"content": said(each.message)}, ensure_ascii=False)


def _outbox(options: argparse.Namespace) -> int:
    from zhidao.connectivity.library import drop_from, waiting_in
    from zhidao.connectivity.wire.message_view import line_of, said

    file, now_s = noted(outbox_of(options, os.environ)), time.time()
    if options.remove and not drop_from(file, _name(options.remove), now_s=now_s):
        raise MalformedInput(
            f"no message {options.remove[:20]!r} waits", remedy="see zhidao shortmessage outbox"
        )
    outbox = waiting_in(file, now_s=now_s)
    rows = [
        {
            "name": each.message.name.hex(),
            "form": each.message.form.name.lower(),
            "to": each.receiver,
            "bytes": len(each.message.body),
            "sendings": each.tries,
        }
        for each in outbox.waiting
    ]
    if options.json:
        contents = [said(each.message) for each in outbox.waiting]
        pairs = zip(rows, contents, strict=True)
        tell(json.dumps([row | {"content": content} for row, content in pairs], ensure_ascii=False))
        return 0
    lines = [
        f"{row['name']} {row['form']} to {row['to']}, sent {row['sendings']} times: "
        + line_of(each.message)
        for row, each in zip(rows, outbox.waiting, strict=True)
    ]
    tell("\n".join(lines) or "nothing waits")
    return 0


def _name(text: str) -> bytes:
    return bytes.fromhex(text) if re.fullmatch(r"(?:[0-9a-f]{2})+", text) else b""


def _unit(options: argparse.Namespace, *, listens: bool = False) -> AbstractContextManager[Unit]:
    from zhidao.connectivity.domain.card_number import plain_number
    from zhidao.connectivity.library import opened_unit
    from zhidao.connectivity.service.terminal_session import Settings

    # The wall clock at the start, and one that never jumps from then on.
    ahead_s = time.time() - time.monotonic()
    senders = frozenset(map(plain_number, getattr(options, "senders", ())))
    return opened_unit(
        options.device,
        speed=options.speed,
        outbox=noted(outbox_of(options, os.environ)),
        settings=Settings(options.interval, room_of(options.bytes), senders, listens),
        now=lambda: ahead_s + time.monotonic(),
    )


def room_of(count: int) -> int:
    """Bytes that the operator says a card sends at once; 0: by its level."""
    from zhidao.connectivity.wire.datagram import DATAGRAM_BYTES_MAX

    if count and not 20 <= count <= DATAGRAM_BYTES_MAX:
        raise MalformedInput(
            f"--bytes {count}: a card sends 20 to {DATAGRAM_BYTES_MAX}",
            remedy="see the contract of the card",
        )
    return count


def _no_card(device: str, session: TerminalSession) -> Unavailable:
    what = "has no card" if session.card else f"does not tell its card for {_CARD_S:g} s"
    return Unavailable(
        f"{device}: the unit {what}",
        code="unit_unavailable",
        remedy="check the card, the cable, and --speed",
    )


def _say(each: Happening, stream: Any) -> None:
    """A line of talk about what happened."""
    from zhidao.connectivity.service import terminal_session as kinds

    match each:
        case kinds.CardKnown():
            limits = f"every {each.interval_s} s, {each.room} bytes"
            line = f"card {each.number} ({each.protocol}): {limits}"
        case kinds.Sent(offer=offer, sure=sure):
            names = _names_of(offer.of) or "acknowledgements"
            line = f"sent {names} to {offer.receiver}{'' if sure else ', not confirmed'}"
        case kinds.NotSent():
            line = f"the unit refused (reason {each.reason}); again in {each.wait_s:g} s"
        case kinds.Acknowledged(of=of):
            line = f"acknowledged {_names_of(of)}"
        case kinds.Arrived():
            line = _arrived(each, as_json=False)
        case kinds.Unread():
            line = f"not read: {each.why}"
    print(line, file=stream)


def _names_of(some: Sequence[Waiting]) -> str:
    return ", ".join(each.message.name.hex() for each in some)
