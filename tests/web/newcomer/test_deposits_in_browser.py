"""The name that the page proposes for a deposit, in a real Chromium."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Route, expect

pytestmark = pytest.mark.browser


def test_the_second_deposit_of_a_day_is_proposed_another_name(readers: Any) -> None:
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    came = [
        {"at": f"{day}T08:00:00Z", "amount_minor": 500},
        # What left, and what came on another day, used no name of today.
        {"at": f"{day}T07:00:00Z", "amount_minor": -500},
        {"at": "2026-01-05T08:00:00Z", "amount_minor": 500},
    ]

    def told(route: Route) -> None:
        body = {"account": "a", "currency": "CNY", "exponent": 2, "movements": came}
        route.fulfill(body=json.dumps(body | {"complete": True, "after": ""}))

    reader = readers(language="en")
    reader.context.route(re.compile("/movements.limit=100$"), told)
    page = reader.open("/money")
    form = page.locator("details.act-form", has=page.get_by_text("Take a deposit", exact=True))
    form.locator("summary").click()
    form.get_by_label("Into the account").select_option(label="forwarder, CNY 70,000.00 now")
    account = form.get_by_label("Into the account").input_value()
    name = form.get_by_label("Your name for this deposit")
    expect(name).to_have_value(f"forwarder-{day}-2")
    form.get_by_label("Amount").fill("1")
    came.append({"at": f"{day}T09:00:00Z", "amount_minor": 100})
    form.get_by_role("button", name="Credit this amount").click()
    expect(form.get_by_role("status")).to_contain_text("70,001.00 now")
    form.get_by_label("Into the account").select_option(value=account)
    expect(name).to_have_value(f"forwarder-{day}-3")
