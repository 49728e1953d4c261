"""The verifier as one file for a browser: made, and asked."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path
from typing import Any

from playwright.sync_api import Page
from tests.verification.test_independent import Bundle
from tests.web.test_build import ROOT, hook

from zhidao.trust.wire.governance.trust_list import encode_trust_list

# By the page's own worker, a new one for each file, as the page itself does.
_ASK = """async (cases) => {
  const source = new Blob([JSON.parse(document.getElementById("worker").textContent)]);
  const address = URL.createObjectURL(source);
  const bytes = (text) => Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
  const ask = ([file, list]) => new Promise((done) => {
    const worker = new Worker(address);
    worker.onmessage = ({ data }) => { worker.terminate(); done(data); };
    worker.onerror = (event) => done({ verdict: "broken", reason: String(event.message) });
    worker.postMessage({ file: bytes(file), lists: [bytes(list)], required: [] });
  });
  const told = [];
  for (const each of cases) told.push(await ask(each));
  return told;
}"""
_AT_ONCE = 50


def make_page(folder: Path) -> Path:
    """The page as the build makes it. Raises BuildError without node and npm."""
    node = hook.find_node()
    hook.install(ROOT, node, develop=True)
    file = folder / "zhidao-verify.html"
    words = [*node.node, str(ROOT / "web" / "verifier" / "build.mjs"), str(file)]
    subprocess.run(words, check=True, timeout=120)
    return file


def asked(page: Page, bundles: list[Bundle]) -> list[dict[str, Any]]:
    """What an opened page says of each."""
    answers: list[dict[str, Any]] = []
    for at in range(0, len(bundles), _AT_ONCE):
        cases = [
            [base64.b64encode(each).decode() for each in (data, encode_trust_list(trust))]
            for _, data, trust in bundles[at : at + _AT_ONCE]
        ]
        answers += page.evaluate(_ASK, cases)
    return answers
