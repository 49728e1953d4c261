"""Profiles: which node a person works with and as whom, kept in files that nobody else reads.

`zhidao login` writes one, every command that asks a node goes by the current one unless told
otherwise, and `zhidao logout` ends the session and removes it. One file each under
`$XDG_CONFIG_HOME/zhidao/profiles`, of mode 0600; the name of the current one lies beside them.
"""

from __future__ import annotations

import argparse
import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from zhidao.cli.console.outputs import check_private, take, taken_as
from zhidao.core.errors import MalformedInput
from zhidao.core.files.output import write_whole

VERSION: Final = 1
DEFAULT: Final = "default"
VARIABLE: Final = "ZHIDAO_PROFILE"
# The cookie by which a node knows who signed in.
SESSION: Final = "zhidao_session"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_CURRENT: Final = "current"
_SUFFIX: Final = ".json"
_FILE_BYTES_MAX: Final = 16 * 1024
_LOGIN: Final = "sign in anew: zhidao login URL"


@dataclass(frozen=True, slots=True)
class Profile:
    """A node, and by what it knows the caller: a token, or the session of a person."""

    name: str
    url: str
    person: str = ""
    ca: str = ""
    token: str = field(default="", repr=False)
    session: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """What a request bears."""
        if self.token:
            return {"Authorization": f"Bearer {self.token}"}
        return session_headers(self.session)


def session_headers(cookies: Mapping[str, str]) -> dict[str, str]:
    """What a request bears that belongs to a session."""
    if not cookies:
        return {}
    return {
        "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
        "X-CSRF-Token": str(cookies.get("zhidao_csrf", "")),
    }


def add_profile(parser: argparse.ArgumentParser) -> None:
    """Adds --profile."""
    parser.add_argument(
        "--profile",
        default="",
        metavar="PROFILE",
        help="whom `zhidao login` signed in under this name; default: the current one",
    )


def folder() -> Path:
    """Where profiles lie (XDG Base Directory Specification 0.8: a relative path is ignored)."""
    home = os.environ.get("XDG_CONFIG_HOME", "")
    base = Path(home) if Path(home).is_absolute() else Path.home() / ".config"
    return base / "zhidao" / "profiles"


def chosen(options: argparse.Namespace) -> Profile | None:
    """The profile that a call goes by, or None: the named one, or the current one if it fits.

    Another address than the profile's is another node, which gets neither token nor session.
    """
    named = getattr(options, "profile", "") or os.environ.get(VARIABLE, "")
    found = read(named) if named else current()
    url = str(options.url or "").rstrip("/")
    if found is None or not url or url == found.url:
        return found
    if getattr(options, "profile", ""):
        raise MalformedInput(
            f"the profile {found.name} is for {found.url}, not for {url}",
            remedy="name --profile or --url, not both",
        )
    return None


def current() -> Profile | None:
    """The profile that counts where none is named."""
    name = current_name()
    return read(name) if name else None


def current_name() -> str:
    """Its name, or ``."""
    place = folder() / _CURRENT
    if not place.exists():
        return ""
    return take(place, bytes_max=64, beside=True).decode("ascii", errors="replace").strip()


def read(name: str) -> Profile:
    """Raises MalformedInput if it is not there or damaged, or others may read it."""
    place = _place(name)
    if not place.exists():
        raise MalformedInput(f"there is no profile {name}", code="no_profile", remedy=_LOGIN)
    check_private(place)
    return parsed(place)


def parsed(place: Path) -> Profile:
    """The profile of a file. Raises MalformedInput."""
    from zhidao.core.canonical import parse_strict
    from zhidao.core.versions import check_version_in

    told = taken_as(parse_strict, place, bytes_max=_FILE_BYTES_MAX, beside=True)
    check_version_in(told, form="profile", known=(VERSION,))
    fields = set(asdict(Profile("", "")))
    if not isinstance(told, dict) or told.pop("v", None) != VERSION or set(told) != fields:
        raise MalformedInput(f"{place} is no profile of this version", remedy=_LOGIN)
    session = told["session"]
    texts = [*(value for key, value in told.items() if key != "session")]
    if not isinstance(session, dict) or not all(
        isinstance(each, str) for each in (*texts, *session.values())
    ):
        raise MalformedInput(f"{place} is no profile of this version", remedy=_LOGIN)
    return Profile(**told)


def keep(profile: Profile) -> Path:
    """Writes a profile, readable for its owner alone, and makes it the current one."""
    place = _place(profile.name)
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    document: dict[str, Any] = {"v": VERSION, **asdict(profile)}
    write_whole(place, json.dumps(document, indent=1).encode(), mode=0o600)
    use(profile.name)
    return place


def use(name: str) -> None:
    """Makes a profile the current one."""
    write_whole(folder() / _CURRENT, f"{name}\n".encode(), mode=0o600)


def forget(name: str) -> None:
    """Removes a profile."""
    _place(name).unlink(missing_ok=True)
    if current_name() == name:
        (folder() / _CURRENT).unlink(missing_ok=True)


def names() -> list[str]:
    """The profiles that there are, by name."""
    return sorted(each.stem for each in folder().glob(f"*{_SUFFIX}"))


def _place(name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise MalformedInput(
            f"no name for a profile: {name[:40]!r}",
            remedy="use at most 32 of a-z, 0-9, - and _, beginning with a letter or digit",
        )
    return folder() / f"{name}{_SUFFIX}"
