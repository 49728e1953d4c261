"""How the extras of this package are installed: what is heavy and not needed by everybody."""

from __future__ import annotations

# A package that every installation has is missing: the installation is damaged.
REINSTALL = "install it again: pip install --force-reinstall zhidao; in a checkout: ./run setup"


def command_for(extra: str) -> str:
    """What brings an extra, in an environment of pip and in a checkout.

    >>> command_for("print")
    "pip install 'zhidao[print]'; in a checkout: ./run setup print"
    """
    return f"pip install 'zhidao[{extra}]'; in a checkout: ./run setup {extra}"
