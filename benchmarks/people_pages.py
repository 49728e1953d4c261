"""A part of `people`: the first page in Chromium, what came over its line, when it was useful.

`python -m benchmarks.people_pages CHROMIUM RUNS URL CODE` prints JSON: kilobytes of the first visit
(cold), seconds of the next over 50 kbit/s with 400 ms (warm), until the page says its heading.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from playwright.sync_api import BrowserContext, Page, sync_playwright

LINE_BYTES_S = 50_000 / 8
LATENCY_MS = 400
_USEFUL = "main h1"


def main() -> int:
    """Looks so many times, each with a browser that knows nothing yet."""
    program, runs, url, code = sys.argv[1:]
    cold_kb, warm_s = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        session: Any = None
        for _ in range(int(runs)):
            context = browser.new_context(storage_state=session)
            page = context.new_page()
            if session is None:
                page.goto(f"{url}/login")
                page.evaluate(_SIGN_IN, code)
                session = context.storage_state()
                context.close()
                context = browser.new_context(storage_state=session)
                page = context.new_page()
            cold_kb.append(_cold(context, page, url) / 1e3)
            warm_s.append(_warm(context, page, url))
            context.close()
        browser.close()
    print(json.dumps({"cold_kb": cold_kb, "warm_s": warm_s}))
    return 0


# A page that answers a one-time link does this; the session is the browser's from then on.
_SIGN_IN = """async (code) => {
  await fetch("/v1/session");
  const csrf = /zhidao_csrf=([^;]*)/.exec(document.cookie)?.[1] ?? "";
  const answer = await fetch("/v1/session/link", { method: "POST", body: JSON.stringify({ code }),
    headers: { "content-type": "application/json", "x-csrf-token": csrf } });
  if (!answer.ok) throw new Error(await answer.text());
}"""


def _cold(context: BrowserContext, page: Page, url: str) -> float:
    """Bytes of everything that the first visit brought, headers and all."""
    line = context.new_cdp_session(page)
    line.send("Network.enable")
    came: list[float] = []
    line.on("Network.loadingFinished", lambda told: came.append(told["encodedDataLength"]))
    page.goto(url)
    page.wait_for_selector(_USEFUL)
    page.wait_for_function("navigator.serviceWorker.ready.then(() => true)")
    page.wait_for_timeout(1_000)
    return sum(came)


def _warm(context: BrowserContext, page: Page, url: str) -> float:
    """Seconds from the address to the heading, over a bad line, for a browser that was here."""
    page.reload()
    page.wait_for_selector(_USEFUL)
    page.close()
    again = context.new_page()
    line = context.new_cdp_session(again)
    line.send("Network.enable")
    line.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": LATENCY_MS,
            "downloadThroughput": LINE_BYTES_S,
            "uploadThroughput": LINE_BYTES_S,
        },
    )
    began_s = time.perf_counter()
    again.goto(url, wait_until="commit")
    again.wait_for_selector(_USEFUL)
    return time.perf_counter() - began_s


if __name__ == "__main__":
    sys.exit(main())
