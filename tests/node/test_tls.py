from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from zhidao.core.errors import Refused
from zhidao.node.config import load
from zhidao.node.serve import check_http


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "node.example"])
def test_plain_http_is_refused_outside_loopback(host: str) -> None:
    with pytest.raises(Refused, match="would show tokens"):
        check_http(load(None, {"ZHIDAO_HTTP_TLS": "off", "ZHIDAO_HTTP_HOST": host}))
    check_http(load(None, {"ZHIDAO_HTTP_TLS": "auto", "ZHIDAO_HTTP_HOST": host}))


@pytest.mark.service
def test_the_first_start_serves_https_with_a_certificate_of_its_own(tmp_path: Path) -> None:
    passphrase = tmp_path / "passphrase"
    passphrase.touch(0o600)
    passphrase.write_text("correct horse battery")
    environment = os.environ | {
        "ZHIDAO_HTTP_PORT": "0",
        "ZHIDAO_KEYS_PASSPHRASE_FILE": str(passphrase),
    }
    data = tmp_path / "d"
    serve = [sys.executable, "-m", "zhidao.cli", "serve", "--json", "--data", str(data)]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(serve, env=environment, stdout=log, stderr=log)
    try:
        state_file = data / "node.json"
        for _ in range(900):
            if state_file.exists() or process.poll() is not None:
                break
            time.sleep(0.1)
        state = json.loads(state_file.read_bytes())
        assert state["url"].startswith("https://127.0.0.1:")
        trusted = ssl.create_default_context(cafile=data / "tls" / "certificate.pem")
        with httpx.Client(base_url=state["url"], verify=trusted) as client:
            assert client.get("/healthz").status_code == 200
            _becomes_admin(client, state["first_admin_code"])
            assert client.get("/v1/session").json()["organisation"] == "Corridor authority"
        assert load(None, {}, {"node.data": str(data)}).text("node.organisation") == (
            "Corridor authority"
        )
        with pytest.raises(httpx.ConnectError):
            httpx.get(state["url"] + "/healthz")
        assert (data / "tls" / "key.pem").stat().st_mode & 0o077 == 0
    finally:
        process.terminate()
        process.wait(30)


def _becomes_admin(client: httpx.Client, code: str) -> None:
    body = {"code": code, "name": "Aigerim", "password": "correct horse battery"}
    body["organisation"] = "Corridor authority"
    answer = client.post("/v1/first-admin", json=body)
    assert answer.status_code == 200
    cookies = answer.headers.get_list("set-cookie")
    session = next(text for text in cookies if text.startswith("zhidao_session="))
    assert {"Secure", "HttpOnly", "SameSite=strict"} <= set(session.split("; "))
    assert client.post("/v1/first-admin", json=body).status_code in (401, 409)
    token = {"party": "office", "role": "auditor"}
    assert client.post("/v1/tokens", json=token).json()["code"] == "csrf"
    csrf = {"x-csrf-token": client.cookies["zhidao_csrf"]}
    nobody = {"party": "p", "role": "party"}
    unknown = client.post("/v1/tokens", json=nobody, headers=csrf)
    assert (unknown.status_code, unknown.json()["code"]) == (422, "party_unknown")
    party = {"party": "p", "name": "P", "trade_role": "exporter", "country": "CN"}
    assert client.post("/v1/parties", json=party, headers=csrf).status_code == 201
    made = client.post("/v1/tokens", json=token, headers=csrf)
    assert made.status_code == 201
    told = {name: made.headers[name] for name in ("cache-control", "x-content-type-options")}
    assert told == {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    assert made.headers["strict-transport-security"]
