# ruff: noqa: INP001 (a script of the build, not part of a package)
"""Prints this machine's own package sources of one Debian release, for building the image.

`python3 build_steps/image_sources.py SUITE` reads /etc/apt and writes deb822 stanzas. Kept are
network sources of the suite, its updates and its security updates; folders of this machine and
other suites are left out, and so is everything that is not `main`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

_APT: Final = Path("/etc/apt")
_ONE_LINE: Final = re.compile(r"deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)")
_KEYRING: Final = "/usr/share/keyrings/debian-archive-keyring.gpg"


def stanzas_of(text: str) -> list[dict[str, str]]:
    """The stanzas of a deb822 file, names in lower case; comments are dropped."""
    stanzas: list[dict[str, str]] = []
    for block in re.split(r"\n\s*\n", text):
        fields: dict[str, str] = {}
        name = ""
        for line in block.splitlines():
            if line.startswith("#"):
                continue
            if line[:1].isspace() and name:
                fields[name] += " " + line.strip()
            elif ":" in line:
                name, _, value = line.partition(":")
                name = name.strip().lower()
                fields[name] = value.strip()
        if fields:
            stanzas.append(fields)
    return stanzas


def one_line_stanzas(text: str) -> list[dict[str, str]]:
    """The `deb` lines of an old sources.list, as stanzas."""
    found = (_ONE_LINE.match(line.strip()) for line in text.splitlines())
    return [{"types": "deb", "uris": m["uri"], "suites": m["suite"]} for m in found if m]


def usable(stanza: dict[str, str], suite: str) -> str | None:
    """The stanza for the image, or None if it is not a network source of this suite."""
    if "deb" not in stanza.get("types", "").split() or stanza.get("enabled", "yes") == "no":
        return None
    uris = [uri for uri in stanza.get("uris", "").split() if re.match(r"https?://", uri)]
    wanted = {suite, f"{suite}-updates", f"{suite}-security"}
    suites = [name for name in stanza.get("suites", "").split() if name in wanted]
    if not uris or not suites:
        return None
    return (
        f"Types: deb\nURIs: {' '.join(uris)}\nSuites: {' '.join(suites)}\n"
        f"Components: main\nSigned-By: {_KEYRING}\n"
    )


def main(suite: str, apt: Path = _APT) -> int:
    """Writes the usable stanzas to standard output; 1 if the suite itself is not among them."""
    stanzas: list[dict[str, str]] = []
    for file in sorted((apt / "sources.list.d").glob("*.sources")):
        stanzas += stanzas_of(file.read_text(encoding="utf-8"))
    for file in [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*.list"))]:
        if file.is_file():
            stanzas += one_line_stanzas(file.read_text(encoding="utf-8"))
    texts = list(dict.fromkeys(filter(None, (usable(stanza, suite) for stanza in stanzas))))
    sys.stdout.write("\n".join(texts))
    return 0 if any(re.search(rf"^Suites:.*\b{suite}(\s|$)", t, re.MULTILINE) for t in texts) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1] if len(sys.argv) > 1 else "trixie"))
