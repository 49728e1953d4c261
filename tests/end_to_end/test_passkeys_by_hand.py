"""A passkey as people use it: Chromium's own virtual authenticator at a node that runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.end_to_end.test_people_by_hand import ADMIN, browser, form, serving, usable
from tests.node.live_node import answer_of, zhidao

pytestmark = [pytest.mark.browser, pytest.mark.service, pytest.mark.timeout(300), pytest.mark.slow]
__all__ = ["browser"]

KEY = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def with_authenticator(page: Page) -> Any:
    """A page whose browser has an authenticator."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})
    return session, made["authenticatorId"]


def sign_in(page: Page, url: str, password: str = ADMIN) -> None:
    page.goto(f"{url}/login")
    page.get_by_label("Name", exact=True).fill("ada")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def leave(page: Page) -> None:
    page.get_by_text("Preferences").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


@pytest.mark.every_days(2)
def test_a_passkey_is_added_asked_for_used_alone_and_reset(
    tmp_path: Path, browser: Browser
) -> None:
    with serving(tmp_path, "corridor", alone=False) as served:
        port = served["url"].rpartition(":")[2]
        url = f"http://localhost:{port}"
        page = browser.new_context(locale="en").new_page()
        _, _key = with_authenticator(page)
        page.goto(f"{url}/start#{served['first_admin_code']}")
        page.get_by_label("Name of your organisation").fill("Khorgos Gate")
        page.get_by_label("Name", exact=True).fill("ada")
        page.get_by_label("Password").fill(ADMIN)
        page.get_by_role("button", name="Make the administrator").click()
        expect(page.get_by_text("The administrator exists")).to_be_visible()

        page.goto(f"{url}/access")
        box = form(page, "Add a passkey")
        box.get_by_label("What you call it").fill("my laptop")
        box.get_by_label("Password until now").fill("not the password")
        box.get_by_role("button", name="Add it").click()
        expect(box.get_by_role("alert")).to_be_visible()
        box.get_by_label("Password until now").fill(ADMIN)
        box.get_by_role("button", name="Add it").click()
        expect(box.get_by_role("status")).to_contain_text("The passkey is added")
        region = page.get_by_role("region", name="Passkeys")
        expect(region.get_by_role("listitem")).to_contain_text("my laptop at localhost")
        # The same device is not taken twice.
        box.get_by_label("What you call it").fill("my laptop again")
        box.get_by_label("Password until now").fill(ADMIN)
        box.get_by_role("button", name="Add it").click()
        expect(box.get_by_role("alert")).to_contain_text("already holds a passkey")
        usable(page)

        leave(page)
        usable(page)
        sign_in(page, url)
        expect(page.get_by_role("link", name="People")).to_be_visible()
        page.get_by_role("link", name="People").click()
        people = page.get_by_role("region", name="People")
        expect(people.get_by_role("listitem").filter(has_text="ada")).to_contain_text("passkeys: 1")
        leave(page)
        page.get_by_role("button", name="Use a passkey").click()
        expect(page.get_by_role("link", name="People")).to_be_visible()

        # Whoever has the password alone, here or under another name of the node, stays outside.
        stranger = browser.new_context(locale="en").new_page()
        _session, _other = with_authenticator(stranger)
        sign_in(stranger, url)
        expect(stranger.get_by_role("alert")).to_contain_text("No passkey was shown")
        sign_in(stranger, served["url"])
        expect(stranger.get_by_role("alert")).to_contain_text("under another name")
        password = tmp_path / "password"
        password.touch(0o600)
        password.write_text(ADMIN)
        listing = ("people", "list", "--url", url, "--as", "ada", "--password-file", password)
        refused = zhidao(*listing)
        assert refused.returncode == 1, refused.stderr
        assert "passkey" in refused.stderr

        # Locked out: the machine itself helps.
        made = answer_of(
            zhidao(
                *("people", "reset", "ada", "--json", "--data", tmp_path / "n"),
                passphrase=tmp_path / "passphrase",
            )
        )
        sign_in(stranger, url, made["password"])
        expect(stranger.get_by_role("link", name="People")).to_be_visible()
        stranger.goto(f"{url}/access")
        expect(stranger.get_by_text("your password alone signs you in")).to_be_visible()
        stranger.goto(f"{url}/people")
        journal = stranger.get_by_role("region", name="Journal of administration")
        expect(journal).to_contain_text("added a passkey")
        expect(journal).to_contain_text("removed a passkey")
        password.write_text(made["password"])
        [ada] = answer_of(zhidao(*listing, "--json"))
        assert ada["passkeys"] == 0
        told = zhidao(
            "doctor", "--data", tmp_path / "n", "--json", passphrase=tmp_path / "passphrase"
        )
        assert "passkeys are" not in told.stdout
