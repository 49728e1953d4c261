"""The pages install under the node's own authority, and say offline in the reader's words that they are."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Error, expect, sync_playwright

from zhidao.cli.main import main

pytestmark = [pytest.mark.service, pytest.mark.browser, pytest.mark.long, pytest.mark.timeout(600)]
TITLES = {"zh-CN": "信任本节点", "kk": "Осы түйінге сену"}


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What a node that has an authority tells of itself."""
    folder = tmp_path_factory.mktemp("n")
    data, passphrase = folder / "d", folder / "passphrase"
    assert main(["tls", "make", "--data", str(data)]) == 0
    passphrase.touch(0o600)
    passphrase.write_text("correct horse battery")
    environment = os.environ | {
        "ZHIDAO_HTTP_PORT": "0",
        "ZHIDAO_KEYS_PASSPHRASE_FILE": str(passphrase),
    }
    words = [sys.executable, "-m", "zhidao.cli", "serve", "--json", "--data", str(data)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(words, env=environment, stdout=log, stderr=log)
    try:
        for _ in range(900):
            if (data / "node.json").exists() or process.poll() is not None:
                break
            time.sleep(0.1)
        told: dict[str, Any] = json.loads((data / "node.json").read_bytes())
        yield told | {"authority": str(data / "tls" / "authority.pem")}
    finally:
        process.terminate()
        process.wait(60)


def _home(folder: Path, authority: str) -> Path:
    """The home of somebody whose Chromium trusts an authority."""
    certutil = shutil.which("certutil")
    if certutil is None:
        pytest.skip("no certutil here (libnss3-tools): no Chromium can be told whom to trust")
    store = folder / ".pki" / "nssdb"
    store.mkdir(parents=True)
    for words in (["-N", "--empty-password"], ["-A", "-t", "C,,", "-n", "z", "-i", authority]):
        subprocess.run([certutil, "-d", f"sql:{store}", *words], check=True, timeout=60)
    return folder


def _opened(playwright: Any, home: Path, language: str) -> BrowserContext:
    found = next((p for p in map(shutil.which, ("chromium", "google-chrome")) if p), None)
    if found is None:
        pytest.skip("no Chromium on this machine")
    context: BrowserContext = playwright.chromium.launch_persistent_context(
        str(home / "profile"),
        executable_path=found,
        args=["--no-sandbox", "--disable-gpu"],
        env=os.environ | {"HOME": str(home)},
        locale=language,
        viewport={"width": 360, "height": 800},
    )
    return context


@pytest.mark.parametrize("language", sorted(TITLES))
def test_a_browser_that_trusts_the_authority_installs_the_pages(
    state: dict[str, Any], tmp_path: Path, language: str
) -> None:
    home = _home(tmp_path, state["authority"])
    with sync_playwright() as playwright:
        context = _opened(playwright, home, language)
        page = context.new_page()
        page.goto(f"{state['url']}/certificate")
        expect(page.get_by_role("heading", level=1)).to_have_text(TITLES[language])
        page.wait_for_function("navigator.serviceWorker.ready.then(() => true)")
        page.reload()
        page.wait_for_function("navigator.serviceWorker.controller !== null")
        devtools = context.new_cdp_session(page)
        manifest = devtools.send("Page.getAppManifest")
        assert manifest["errors"] == []
        purposes = {each.get("purpose", "any") for each in json.loads(manifest["data"])["icons"]}
        assert purposes == {"any", "maskable"}
        wrong = devtools.send("Page.getInstallabilityErrors")["installabilityErrors"]
        # Nobody installs from a window that leaves no trace, and a test's profile may be one.
        assert [each for each in wrong if each["errorId"] != "in-incognito"] == []
        context.set_offline(offline=True)
        page.goto(f"{state['url']}/money")
        words = page.locator("main").inner_text()
        assert "Failed to fetch" not in words
        assert any(ord(letter) > 0x400 for letter in words), words
        context.close()


def test_a_browser_that_was_told_nothing_refuses(state: dict[str, Any], tmp_path: Path) -> None:
    with sync_playwright() as playwright:
        context = _opened(playwright, tmp_path, "en-GB")
        page = context.new_page()
        with pytest.raises(Error, match="ERR_CERT"):
            page.goto(f"{state['url']}/certificate")
        context.close()
