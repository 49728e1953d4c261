"""How the extras of this package are installed: what is heavy and not needed by everybody."""

from __future__ import annotations

import sys
from pathlib import Path

# A package that every installation has is missing: the installation is damaged.
REINSTALL = "install it again: pip install --force-reinstall zhidao; in a checkout: ./run setup"


def command_for(extra: str) -> str:
    """What brings an extra, in an environment of pip and in a checkout.

    >>> command_for("print")
    "pip install 'zhidao[print]'; in a checkout: ./run setup print"
    """
    if packaged_as(Path(sys.prefix)):
        # Their folders belong to the system, and pip is not in there.
        return (
            "this package leaves it out; in an environment of your own, made by "
            f"python3 -m venv FOLDER: FOLDER/bin/pip install 'zhidao[{extra}]'"
        )
    return f"pip install 'zhidao[{extra}]'; in a checkout: ./run setup {extra}"


def packaged_as(prefix: Path) -> str:
    """How the program came here if not by pip: `deb`, `rpm`, `oci`, else nothing."""
    told = prefix / "share" / "zhidao" / "packaged"
    return told.read_text(encoding="utf-8").strip() if told.is_file() else ""
