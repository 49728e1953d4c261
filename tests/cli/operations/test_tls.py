"""`zhidao tls`: made once, shown, explained, renewed; refused where the node has other TLS files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from zhidao.cli.main import main


def _run(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str]:
    status = main([str(word) for word in words])
    said = capsys.readouterr()
    return status, said.out + said.err


def test_an_authority_is_made_shown_explained_and_renewed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ("--data", tmp_path)
    status, said = _run(capsys, "tls", "show", *data)
    assert (status, "zhidao tls make" in said) == (1, True)
    status, said = _run(capsys, "tls", "make", "--name", "Node.Example", *data, "--json")
    made = json.loads(said)
    assert status == 0
    assert made["names"] == ["127.0.0.1", "localhost", "::1", "node.example"]
    status, said = _run(capsys, "tls", "make", *data)
    assert (status, "devices trust it already" in said) == (1, True)
    assert json.loads(_run(capsys, "tls", "show", *data, "--json")[1]) == made
    status, said = _run(capsys, "tls", "trust", *data)
    assert status == 0
    assert made["fingerprint"] in said
    assert f"-i {made['file']}" in said
    before = (tmp_path / "tls" / "certificate.pem").read_bytes()
    assert _run(capsys, "tls", "renew", *data)[0] == 0
    assert (tmp_path / "tls" / "certificate.pem").read_bytes() != before
    assert json.loads(_run(capsys, "tls", "show", *data, "--json")[1]) == made


@pytest.mark.parametrize("name", ["", "https://node.example", "node.example:8443", "a b", "-x.y."])
def test_what_is_no_name_of_a_host_is_malformed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    status, said = _run(capsys, "tls", "make", f"--name={name}", "--data", tmp_path)
    assert (status, "is no name of a host" in said) == (2, True)
    assert not (tmp_path / "tls").exists()


def test_a_node_with_other_certificates_makes_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZHIDAO_HTTP_TLS", "files")
    status, said = _run(capsys, "tls", "make", "--data", tmp_path)
    assert (status, "http.tls is files" in said) == (1, True)
