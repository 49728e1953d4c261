"""Which settings and files of the node are shown to who runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zhidao.node.config import Sourced


@dataclass(frozen=True, slots=True)
class ShownSettings:
    """Every setting, and the certificate's file with whether the node makes it by itself.

    Secrets are dots where they are shown.
    """

    values: Sequence[Sourced] = ()
    certificate: tuple[Path, bool] | None = None
