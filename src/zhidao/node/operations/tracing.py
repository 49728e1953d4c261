"""One trace id from signal to payment, in every log line that concerns a consignment.

The trace of a consignment is derived from its name, so that no hop has to carry it; a request
without a consignment gets the caller's W3C `traceparent` or a fresh one.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import sys
from contextvars import ContextVar
from typing import Final

from zhidao.core.events import SignedEvent

_TRACE: ContextVar[str] = ContextVar("zhidao_trace", default="")
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}\Z")
_OWN_FIELDS: Final = (
    *("consignment", "code", "status", "method", "path", "duration_ms", "service"),
    *("own_ms", "starved_ms", "ran_ms"),
)


def current_trace() -> str:
    """The trace id of what is being done now, 32 hexadecimal digits, or empty."""
    return _TRACE.get()


def set_trace(trace: str) -> None:
    """Sets the trace id for this task and what it starts."""
    _TRACE.set(trace)


def trace_of_consignment(consignment: str) -> str:
    """The trace id of everything that concerns a consignment."""
    return hashlib.sha256(b"zhidao trace\0" + consignment.encode()).hexdigest()[:32]


def trace_of_event(event: SignedEvent) -> str:
    """The trace id of an event: its consignment's, else its own id."""
    consignment = event.payload.get("consignment")
    return trace_of_consignment(consignment) if isinstance(consignment, str) else event.id.hex


def trace_of_request(traceparent: str, fresh: str) -> str:
    """The caller's trace id (W3C Trace Context section 3.2), or the fresh one."""
    match = _TRACEPARENT.match(traceparent)
    return match[1] if match and match[1].strip("0") else fresh


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, where from, what, trace, and the named extra fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, object] = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S") + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "from": record.name,
            "say": record.getMessage(),
        }
        if trace := current_trace():
            line["trace"] = trace
        line |= {name: getattr(record, name) for name in _OWN_FIELDS if hasattr(record, name)}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configure_logs(level: str) -> None:
    """Sends log lines to standard error. Times are UTC."""
    import time

    formatter = JsonLines()
    formatter.converter = time.gmtime
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for noisy in ("asyncua", "uvicorn.access", "httpx", "httpcore", "eth", "nats"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
