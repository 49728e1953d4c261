"""Ends hand-overs that a process began and did not live to end."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from zhidao.core.errors import ZhidaoError
from zhidao.node.federation.sharing import Sharing

# Another process of this node may die too; the exporter who presses again is quicker.
_LOOK_S: Final = 600.0
_PAUSE_S: Final = 5.0
_LOG: Final = logging.getLogger("zhidao.federation")


class HandOverResumption:
    """Looks after the start, and from time to time."""

    def __init__(self, sharing: Sharing) -> None:
        self._sharing = sharing

    async def run(self) -> None:
        """Runs until cancelled."""
        while True:
            try:
                await self._sharing.resume()
            except ZhidaoError as error:
                _LOG.warning("hand-overs wait: %s", error, extra={"code": error.code})
                await asyncio.sleep(_PAUSE_S)
                continue
            await asyncio.sleep(_LOOK_S)
