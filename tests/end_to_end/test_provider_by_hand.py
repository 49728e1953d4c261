"""Sign-in by a provider of identities, as people do it: oidc-provider and a node that runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.end_to_end import test_people_by_hand as people
from tests.end_to_end.test_passkeys_by_hand import leave, sign_in
from tests.end_to_end.test_people_by_hand import ADMIN, browser, form, usable
from tests.node import oidc_provider
from tests.node.live_node import answer_of, zhidao

from zhidao.core.programs.child import free_port

pytestmark = [pytest.mark.browser, pytest.mark.service, pytest.mark.timeout(300), pytest.mark.slow]
__all__ = ["browser"]
expect.set_options(timeout=30_000)


@pytest.fixture
def corridor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """A node at a name, and its provider."""
    port = free_port()
    monkeypatch.setattr(people, "free_port", iter((port, free_port())).__next__)
    url = f"http://localhost:{port}"
    secret = tmp_path / "client"
    secret.touch(0o600)
    secret.write_text(oidc_provider.SECRET)
    with oidc_provider.providing(f"{url}/login/back") as (issuer, provider):
        for name, value in (
            ("ISSUER", issuer),
            ("CLIENT_ID", "zhidao"),
            ("CLIENT_SECRET_FILE", str(secret)),
            ("CLAIM", "email"),
            ("NAME", "Corridor ID"),
        ):
            monkeypatch.setenv(f"ZHIDAO_OIDC_{name}", value)
        with people.serving(tmp_path, "corridor", alone=False) as served:
            yield served | {"url": url, "provider": provider}


def at_provider(page: Page, name: str) -> None:
    """Signs in there as whom the test likes, and comes back."""
    page.locator("input[name=login]").fill(name)
    page.locator("input[name=password]").fill("anything")
    page.get_by_role("button", name=re.compile("sign-in", re.IGNORECASE)).click()
    page.get_by_role("button", name=re.compile("continue", re.IGNORECASE)).click()


@pytest.mark.every_days(2)
def test_a_person_links_the_own_identity_and_signs_in_by_it(
    tmp_path: Path, corridor: dict[str, Any], browser: Browser
) -> None:
    url = corridor["url"]
    page = people.first_admin(browser, corridor, "Khorgos Gate")
    page.goto(f"{url}/access")
    box = form(page, "Link your identity at Corridor ID")
    box.get_by_label("Password until now").fill("not the password")
    box.get_by_role("button", name="Go there").click()
    expect(box.get_by_role("alert")).to_be_visible()
    box.get_by_label("Password until now").fill(ADMIN)
    box.get_by_role("button", name="Go there").click()
    at_provider(page, "ada")
    region = page.get_by_role("region", name="Sign-in by a provider")
    expect(region.get_by_role("listitem")).to_contain_text("ada@example.org")
    usable(page)
    leave(page)
    usable(page)

    brought: list[str] = []
    page.on("framenavigated", lambda frame: brought.append(frame.url))
    page.get_by_role("button", name="Continue with Corridor ID").click()
    expect(page.get_by_role("link", name="People")).to_be_visible()
    assert "code=" not in page.url
    # The same answer a second time, here or in another browser, opens nothing.
    [again] = {each for each in brought if "/login/back?" in each}
    leave(page)
    for where in (page, browser.new_context(locale="en").new_page()):
        where.goto(again)
        expect(where.get_by_role("alert")).to_contain_text("begin again")
        assert "code=" not in where.url

    # Whom nobody linked is nobody here, and nobody is made.
    stranger = browser.new_context(locale="en").new_page()
    stranger.goto(f"{url}/login?next=https://evil.example.org/")
    stranger.get_by_role("button", name="Continue with Corridor ID").click()
    at_provider(stranger, "stranger")
    expect(stranger.get_by_role("alert")).to_contain_text("Nobody here is linked")
    unverified = browser.new_context(locale="en").new_page()
    unverified.goto(f"{url}/login")
    unverified.get_by_role("button", name="Continue with Corridor ID").click()
    at_provider(unverified, "unverified-ada")
    expect(unverified.get_by_role("alert")).to_contain_text("let nobody in")

    # An admin links somebody of the own party by command, and unlinks.
    password = tmp_path / "password"
    password.touch(0o600)
    password.write_text(ADMIN)
    asking = ("--url", url, "--as", "ada", "--password-file", password, "--json")
    answer_of(zhidao("people", "make", "ben", "corridor", "operator", *asking))
    made = answer_of(zhidao("people", "identities", "ben", "--link", "ben@example.org", *asking))
    assert (made["claim"], made["value"]) == ("email", "ben@example.org")
    taken = zhidao("people", "identities", "ben", "--link", "ada@example.org", *asking)
    assert taken.returncode == 1
    ben = browser.new_context(locale="en").new_page()
    ben.goto(f"{url}/login")
    ben.get_by_role("button", name="Continue with Corridor ID").click()
    at_provider(ben, "ben")
    expect(ben.get_by_role("link", name="People")).to_be_visible()
    answer_of(zhidao("people", "identities", "ben", "--unlink", made["identity"], *asking))
    assert answer_of(zhidao("people", "identities", "ben", *asking)) == []

    # The provider is away: a sentence, and the password works.
    corridor["provider"].kill()
    corridor["provider"].wait()
    fresh = browser.new_context(locale="en").new_page()
    sign_in(fresh, url)
    expect(fresh.get_by_role("link", name="People")).to_be_visible()
    fresh.goto(f"{url}/people")
    journal = fresh.get_by_role("region", name="Journal of administration")
    expect(journal).to_contain_text("linked a provider's sign-in")
