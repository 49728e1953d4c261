"""One tree of refusals: each says what was wrong, where, and what to do about it."""

from __future__ import annotations

from typing import ClassVar, Final

_OWN_INFRASTRUCTURE: Final = frozenset(
    (
        *("database_unavailable", "database_read_only", "contended", "bus_unavailable"),
        *("disk_full", "recovering", "lease_lost", "lease_unsure"),
    )
)


class ZhidaoError(Exception):
    """Anything this system refuses on purpose.

    `code` is stable and machine-readable (snake_case); the message is for a person. `where` names
    the place (`invoice.xml:14`, `byte 512`), `remedy` the next step.
    """

    exit_status: ClassVar[int] = 2
    http_status: ClassVar[int] = 400
    default_code: ClassVar[str] = "error"

    def __init__(
        self, message: str, *, code: str | None = None, where: str = "", remedy: str = ""
    ) -> None:
        super().__init__(message)
        self.code = code or self.default_code
        self.where = where
        self.remedy = remedy

    @property
    def finding(self) -> str:
        """What was wrong and where, without the remedy: for an error that brings its own."""
        return f"{self.args[0]} ({self.where})" if self.where else str(self.args[0])

    def __str__(self) -> str:
        return f"{self.finding}; {self.remedy}" if self.remedy else self.finding


class MalformedInput(ZhidaoError):
    """The bytes are not what their format says."""

    default_code = "malformed_input"


class Refused(ZhidaoError):
    """Well-formed, but a rule forbids it."""

    exit_status = 1
    http_status = 422
    default_code = "refused"


class NotFound(Refused):
    """No such thing, or it is not the asking party's to see: the answer is the same."""

    http_status = 404
    default_code = "not_found"


class Conflict(Refused):
    """Somebody else wrote first, or the same name already stands for other content."""

    http_status = 409
    default_code = "conflict"


class WrittenMeanwhile(Conflict):
    """Somebody else wrote between reading and writing: nothing was written; read again."""


class Forbidden(Refused):
    """The actor's role does not allow this."""

    http_status = 403
    default_code = "forbidden"


class Unauthenticated(Refused):
    """Nobody proved who is asking."""

    http_status = 401
    default_code = "unauthenticated"


class Unavailable(ZhidaoError):
    """The outside world did not answer; trying again may help."""

    exit_status = 3
    http_status = 503
    default_code = "unavailable"

    @property
    def is_own_infrastructure(self) -> bool:
        """Whether the node's own database or bus is away, and not somebody outside.

        Nothing may be concluded from it: neither an answer nor a missing one.
        """
        return self.code in _OWN_INFRASTRUCTURE
