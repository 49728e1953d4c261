"""`zhidao positioning stream`: corrections of a caster, kept in a file as they come."""

from __future__ import annotations

import argparse
import json
import math
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack, aclosing
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from zhidao.cli.console.certificates import trusting
from zhidao.cli.console.outputs import check_private, take
from zhidao.cli.positioning.reading import warn
from zhidao.core.errors import MalformedInput, Refused

if TYPE_CHECKING:
    from zhidao.positioning.library import Client, Received
    from zhidao.positioning.wire.receivers.ntrip import Address

_LOGIN_BYTES_MAX: Final = 4_096
_TOLD_S: Final = 10.0
_EXAMPLES: Final = (
    "Name and password stand in a file of one line, NAME:PASSWORD, that nobody else may read.\n"
    "A broken connection is made again. Ctrl-C, --seconds or --messages end it; what came by then\n"
    "is kept, frame by frame, each with a good checksum.\n"
    "examples:\n"
    "  zhidao positioning stream ntrips://caster.example:443/MOUNT --login caster.login \\\n"
    "    -o base.rtcm3\n"
    "  zhidao positioning stream ntrip://caster.example/MOUNT --seconds 60\n"
    "  zhidao positioning stream ntrip://caster.example/ --json\n"
    "Without a mount point the caster's table of sources is listed.\n"
    "status: 0 done, 1 refused or no message came, 2 bad input, 3 the caster cannot be reached"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of this action."""
    parser.epilog = _EXAMPLES
    parser.add_argument("caster", metavar="ADDRESS", help="ntrips://HOST:PORT/MOUNT (TLS) or ntrip")
    parser.add_argument("--login", type=Path, metavar="FILE", help="a file with NAME:PASSWORD")
    parser.add_argument("--ca", type=Path, metavar="FILE", help="certificate of the caster's own")
    parser.add_argument(
        "--at",
        type=float,
        nargs=3,
        metavar=("LAT", "LON", "H"),
        help="your place, for casters that compute a station near it",
    )
    parser.add_argument("--seconds", type=float, metavar="S", help="end after so long")
    parser.add_argument("--messages", type=int, metavar="N", help="end after so many messages")
    parser.add_argument("--append", action="store_true", help="go on in a file that is there")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="RTCM 3 frames as they come"
    )


def run(options: argparse.Namespace) -> int:
    """Receives until it is told to stop."""
    import asyncio

    from zhidao.positioning.wire.receivers.ntrip import address_of

    address = address_of(options.caster)
    for name in ("seconds", "messages"):
        chosen = getattr(options, name)
        if chosen is not None and not 0 < chosen < 1e9:
            raise MalformedInput(f"--{name} {chosen}: a number above 0")
    client = _client(options, address)
    if not address.mount:
        return _list(client, as_json=options.json)
    with ExitStack() as stack:
        file = stack.enter_context(_opened(options)) if options.output else None
        return asyncio.run(_receive(client, address.mount, options, file))


def _client(options: argparse.Namespace, address: Address) -> Client:
    from zhidao.node.library import system_randomness
    from zhidao.positioning.library import ntrip_client
    from zhidao.positioning.wire.receivers.ntrip import login_of

    login = None
    if options.login:
        data = take(options.login, bytes_max=_LOGIN_BYTES_MAX)
        check_private(options.login)
        login = login_of(data)
        if not address.tls:
            warn("without TLS (ntrips://) the password goes in clear")
    authority = trusting(options.ca) if options.ca else None
    return ntrip_client(address, system_randomness(), login=login, authority=authority)


def _list(client: Client, *, as_json: bool) -> int:
    import asyncio
    from dataclasses import asdict

    sources = asyncio.run(client.sources())
    if as_json:
        rows = [asdict(source) for source in sources]
        # JSON has no word for a place that is not told.
        plain = [{name: _told(value) for name, value in row.items()} for row in rows]
        print(json.dumps(plain, ensure_ascii=False))
    else:
        for source in sources:
            place = f"{source.latitude_deg:8.2f} {source.longitude_deg:8.2f}"
            print(f"{source.mount:20} {place}  {source.form:12} {source.details}")
    return 0 if sources else 1


def _told(value: object) -> object:
    return None if isinstance(value, float) and math.isnan(value) else value


def _opened(options: argparse.Namespace) -> IO[bytes]:
    """The file that is written as data come: a new one, unless it is a device or a pipe."""
    output: Path = options.output
    mode = "ab" if options.append else "xb"
    if output.exists() and not output.is_file():
        mode = "wb"
    try:
        return output.open(mode, buffering=0)
    except FileExistsError as error:
        raise Refused(
            f"{output} is there already",
            code="file_exists",
            remedy="take another name, or --append",
        ) from error
    except OSError as error:
        raise MalformedInput(f"{output} cannot be written: {error.strerror}") from error


async def _receive(
    client: Client, mount: str, options: argparse.Namespace, file: IO[bytes] | None
) -> int:
    import asyncio

    from zhidao.positioning.library import Received

    received = Received()
    task = asyncio.create_task(_copy(client, mount, options, file, received))
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, task.cancel)
    try:
        async with asyncio.timeout(options.seconds):
            await task
    except (asyncio.CancelledError, TimeoutError):
        # Asked for, by a key or by --seconds: what came is in the file.
        task.cancel()
    finally:
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(name)
        _tell(received, options)
    return 0 if received.messages else 1


async def _copy(
    client: Client,
    mount: str,
    options: argparse.Namespace,
    file: IO[bytes] | None,
    received: Received,
) -> None:
    from zhidao.positioning.library import receive

    said = _every(_TOLD_S)
    frames = receive(client, mount, received, gga=_place(options))
    async with aclosing(frames):
        async for data in frames:
            if file is not None:
                file.write(data)
            if said():
                print(_line(received), file=sys.stderr)
            if options.messages and received.messages.total() >= options.messages:
                return


def _every(seconds: float) -> Callable[[], bool]:
    """A function that is true at most once in so many seconds, and not at once."""
    import asyncio

    loop = asyncio.get_running_loop()
    last = loop.time()

    def due() -> bool:
        nonlocal last
        if loop.time() - last < seconds:
            return False
        last = loop.time()
        return True

    return due


def _place(options: argparse.Namespace) -> str:
    """The place told by --at as a sentence of this minute; empty without one."""
    from datetime import UTC, datetime

    from zhidao.positioning.wire.receivers.nmea import gga

    if not options.at:
        return ""
    latitude, longitude, height_m = options.at
    if not (abs(latitude) <= 90 and abs(longitude) <= 180 and abs(height_m) < 1e5):
        raise MalformedInput("--at: latitude, longitude in degrees, height in metres")
    now = datetime.now(UTC)
    sentence = gga(
        "GP",
        latitude_deg=latitude,
        longitude_deg=longitude,
        height_m=height_m,
        second_of_day=now.hour * 3600 + now.minute * 60 + now.second,
        quality=1,
        satellites=12,
        hdop=1.0,
    )
    return sentence.encode().decode().strip()


def _line(received: Received) -> str:
    counts = " ".join(f"{number}:{count}" for number, count in sorted(received.messages.items()))
    return f"{received.messages.total()} messages ({counts or 'none'})"


def _tell(received: Received, options: argparse.Namespace) -> None:
    facts: dict[str, Any] = {
        "messages": {str(number): count for number, count in sorted(received.messages.items())},
        "bytes_of_no_frame": received.bytes_of_no_frame,
        "reconnected": received.reconnected,
    }
    if options.json:
        print(json.dumps(facts))
        return
    print(_line(received))
    if received.reconnected:
        print(f"{received.reconnected} connections made again", file=sys.stderr)
