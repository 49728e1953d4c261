"""A page that does not keep up loses notices, never memory."""

from __future__ import annotations

import pytest

from zhidao.core.ids import PartyId
from zhidao.node.runtime.live import Live


@pytest.mark.bound("node.runtime.live.QUEUE_MAX")
@pytest.mark.parametrize(("said", "told"), [(256, 256), (257, 256)])
async def test_so_many_notices_wait_for_a_page_and_no_more(said: int, told: int) -> None:
    live = Live()

    async def may_see(consignment: str) -> bool:
        return True

    page = live.listen(PartyId("exporter"), may_see, holder="session")
    assert await anext(page) == ("beat", "{}")
    for number in range(said):
        live.timeline_changed(f"C-{number}")
    [waiting] = live._queues
    assert waiting.qsize() == told
    # The first ones are those that are told.
    assert "C-0" in (await anext(page))[1]
    await page.aclose()
