"""The line to a BeiDou unit: a serial port, or a TCP connection to a converter that has one."""

from __future__ import annotations

import errno
import os
import re
import select
import socket
import stat
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

from zhidao.core.errors import MalformedInput, Unavailable

CONNECT_S: Final = 10.0
# How long a unit may not take what is written to it.
WRITE_S: Final = 10.0
_READ_BYTES: Final = 4096
_TCP: Final = re.compile(r"tcp://(\[[0-9A-Fa-f:.%]+\]|[^\[\]:/@]+):([0-9]{1,5})\Z")
_REMEDY: Final = "see that the unit has power and its cable, then try again"


class UnitLine(Protocol):
    """Bytes to and from a unit."""

    def write(self, data: bytes) -> None:
        """Writes all of it. Raises Unavailable if the unit takes nothing for some seconds."""
        ...

    def read(self, within_s: float) -> bytes:
        """What came, as soon as something does; empty if nothing does. Raises Unavailable."""
        ...

    def close(self) -> None:
        """Lets go of the line."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def open_line(device: str, *, speed: int) -> UnitLine:
    """The line of `/dev/ttyX` or `tcp://host:port`. Raises MalformedInput, Unavailable."""
    if "://" in device:
        match = _TCP.match(device)
        if not match or not 1 <= int(match[2]) <= 65_535:
            raise MalformedInput(
                f"not the address of a unit: {device[:60]!r}",
                code="unit_address",
                remedy="name a serial port, such as /dev/ttyUSB0, or tcp://host:port",
            )
        return _tcp(match[1].strip("[]"), int(match[2]), device)
    return _serial(Path(device), speed)


class _Descriptor:
    """A line over a file descriptor that does not block."""

    def __init__(self, handle: int, name: str) -> None:
        self._handle = handle
        self._name = name

    def write(self, data: bytes) -> None:
        """Writes all of it, or raises Unavailable."""
        until_s = time.monotonic() + WRITE_S
        while data:
            left_s = until_s - time.monotonic()
            if left_s <= 0 or not select.select([], [self._handle], [], left_s)[1]:
                raise Unavailable(
                    f"{self._name}: the unit takes nothing for {WRITE_S:g} s",
                    code="unit_unavailable",
                    remedy=_REMEDY,
                )
            try:
                data = data[os.write(self._handle, data) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise self._gone(error) from error

    def read(self, within_s: float) -> bytes:
        """What came within so many seconds."""
        if not select.select([self._handle], [], [], max(0.0, within_s))[0]:
            return b""
        try:
            data = os.read(self._handle, _READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise self._gone(error) from error
        if not data:
            raise self._gone(None)
        return data

    def close(self) -> None:
        """Lets go of the line; a second time changes nothing."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _gone(self, error: OSError | None) -> Unavailable:
        why = error.strerror if error else "it ended"
        return Unavailable(
            f"{self._name}: the line to the unit is gone: {why}",
            code="unit_unavailable",
            remedy=_REMEDY,
        )


def _tcp(host: str, port: int, name: str) -> _Descriptor:
    try:
        link = socket.create_connection((host, port), timeout=CONNECT_S)
    except (OSError, UnicodeError) as error:
        raise Unavailable(
            f"{name}: nobody answers: {error}",
            code="unit_unavailable",
            remedy="see that the converter runs and that its address and port are right",
        ) from error
    link.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    link.setblocking(False)
    return _Descriptor(link.detach(), name)


def _serial(port: Path, speed: int) -> _Descriptor:
    """Eight bits, no parity, one stop bit, and nobody else on the port meanwhile."""
    import fcntl
    import termios
    import tty

    named = getattr(termios, f"B{speed}", None)
    if named is None or speed <= 0:
        raise MalformedInput(
            f"no serial port has a speed of {speed}",
            code="unit_address",
            remedy="give 9600, 19200, 38400, 57600 or 115200, as the unit's manual says",
        )
    try:
        handle = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError as error:
        raise _unusable(port, error) from error
    try:
        _check_serial(handle, port)
        fcntl.ioctl(handle, termios.TIOCEXCL)
        tty.setraw(handle, termios.TCSANOW)
        attributes = termios.tcgetattr(handle)
        attributes[2] &= ~(termios.PARENB | termios.CSTOPB | termios.CSIZE)
        attributes[2] |= termios.CS8 | termios.CREAD | termios.CLOCAL
        attributes[4] = attributes[5] = named
        termios.tcsetattr(handle, termios.TCSANOW, attributes)
    except termios.error as error:
        os.close(handle)
        raise _unusable(port, OSError(*error.args)) from error
    except BaseException:
        os.close(handle)
        raise
    return _Descriptor(handle, str(port))


def _check_serial(handle: int, port: Path) -> None:
    if not stat.S_ISCHR(os.fstat(handle).st_mode) or not os.isatty(handle):
        raise MalformedInput(
            f"{port} is no serial port",
            code="unit_address",
            remedy="name a serial port, such as /dev/ttyUSB0, or tcp://host:port",
        )


def _unusable(port: Path, error: OSError) -> Unavailable | MalformedInput:
    if error.errno in (errno.ENOENT, errno.EISDIR):
        return MalformedInput(
            f"no serial port {port}",
            code="unit_address",
            remedy="list them: ls /dev/serial/by-id, or name tcp://host:port",
        )
    remedy = "end the other program that uses it"
    if error.errno in (errno.EACCES, errno.EPERM):
        remedy = "join the group that may use it, often dialout"
    return Unavailable(
        f"{port} cannot be used: {error.strerror}", code="unit_unavailable", remedy=remedy
    )
