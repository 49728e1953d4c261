from __future__ import annotations

import socket
from pathlib import Path

import pytest
from cryptography import x509

from zhidao.core.errors import Unavailable
from zhidao.node.adapters.tls.certificate import own_certificate
from zhidao.node.config import load
from zhidao.node.http.server import listening, own_url, page_url

HERE = socket.gethostname()


@pytest.mark.parametrize(
    ("host", "public", "own", "page"),
    [
        ("127.0.0.1", "", "https://127.0.0.1:8443", "https://127.0.0.1:8443"),
        ("0.0.0.0", "", "https://127.0.0.1:8443", f"https://{HERE}:8443"),
        ("::", "", "https://[::1]:8443", f"https://{HERE}:8443"),
        ("::1", "", "https://[::1]:8443", "https://[::1]:8443"),
        ("0.0.0.0", "node.example", "https://127.0.0.1:8443", "https://node.example"),
        ("192.0.2.1", "n.example:444", "https://192.0.2.1:8443", "https://n.example:444"),
    ],
)
def test_people_get_a_name_that_they_can_reach(host: str, public: str, own: str, page: str) -> None:
    config = load(None, {"ZHIDAO_HTTP_HOST": host, "ZHIDAO_HTTP_PUBLIC_HOST": public})
    assert (own_url(config, 8443), page_url(config, 8443)) == (own, page)


def test_the_own_certificate_names_this_machine_if_the_node_listens_everywhere(
    tmp_path: Path,
) -> None:
    for _ in range(2):  # The second time it is found and kept.
        certificate, _ = own_certificate(tmp_path, "0.0.0.0")
    found = x509.load_pem_x509_certificate(Path(certificate).read_bytes())
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {HERE, "localhost"} <= set(names.get_values_for_type(x509.DNSName))


def test_a_shared_port_is_one_that_all_processes_share() -> None:
    with listening("127.0.0.1", 0, shared=True) as first:
        port = first.getsockname()[1]
        listening("127.0.0.1", port, shared=True).close()
        with pytest.raises(Unavailable) as refused:
            listening("127.0.0.1", port, setting="node.process_port")
        assert refused.value.code == "port_unavailable"
        assert "set node.process_port" in refused.value.remedy
