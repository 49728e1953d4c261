"""The contexts that this house knows: each URL with the SHA-256 of the RFC 8785 form of its value.

A context decides what a signature covers, so nobody may change one under us: what the build took
from its package is compared with these digests, and no context is ever fetched.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from zhidao.core.canonical import jcs
from zhidao.core.errors import MalformedInput
from zhidao.core.programs.extras import REINSTALL

PINS: Final = {
    "https://trustvc.io/context/attachments-context.json": (
        "b01d59a7d7e2cfee54b6a8cabbc265a7e562d5bd5d13c8a1611af1e297b26c5b"
    ),
    "https://trustvc.io/context/bill-of-lading-carrier.json": (
        "75b56dd17b27bdc8d37631c003bab0848affc1107b9f4f6cd6ed2928a525936d"
    ),
    "https://trustvc.io/context/bill-of-lading.json": (
        "319d97bcac218022ed6f8365b60f49b8c4e80cf9e782d78c71630ebf74d42d6a"
    ),
    "https://trustvc.io/context/coo.json": (
        "95ee9f72bfc7680707821ae5b4a06704c17db4e04354d33701d61f8caee520a3"
    ),
    "https://trustvc.io/context/invoice.json": (
        "bfab085166a21d56295f66cbb76df7f643c91fe36b0ad1930f17ae710dd355d9"
    ),
    "https://trustvc.io/context/promissory-note.json": (
        "90da13eaeaa1d77a1d980425bb6583d0cb7632f9ae9edaa9bca32285d6c655b9"
    ),
    "https://trustvc.io/context/qrcode-context.json": (
        "6660b209068a4a93007ea3fcd9882c779f65c843fa4d528cc1c7f00edc8afd73"
    ),
    "https://trustvc.io/context/render-method-context-v2.json": (
        "bc41576e28965623a7ac0a62749bb99331a6a478475879a969fe6681bdd8557a"
    ),
    "https://trustvc.io/context/render-method-context.json": (
        "52623d177e2e943bb45891cc5491f0583903de4b82deda0ccc18355a35de06d1"
    ),
    "https://trustvc.io/context/transferable-records-context.json": (
        "baf7dce290d2f79c5d8016a889f992e9b3523a6a545d4b9ba263afa43d13381a"
    ),
    "https://trustvc.io/context/warehouse-receipt.json": (
        "c79ed201bdb4f73660863691192b15e4d288a2fa1fd9480c7b9e4e77600e6937"
    ),
    "https://w3id.org/security/bbs/v1": (
        "5ea8f9ddeab8f3164aaee226820329eca5c3ed1bc8c8f4e78d9129c399241e32"
    ),
    "https://w3id.org/security/data-integrity/v2": (
        "5c09fbd78f3e0d326ed835e3303e97d13096ac0fe3eaa98f1c87560989f24772"
    ),
    "https://w3id.org/security/multikey/v1": (
        "44127dea813debeb4d63bb1ad6d3842620ef61b7f0e92f0e880226bbb23fd025"
    ),
    "https://w3id.org/security/suites/jws-2020/v1": (
        "b8d3909847bdab6d7cee9aeb428126d71251ec898b4c7346212d62d5d51f92a7"
    ),
    "https://w3id.org/vc/status-list/2021/v1": (
        "46a61c048ead2d084c8d6f27104fe50058b17a781b3a3009838ff5183f580d87"
    ),
    "https://www.w3.org/2018/credentials/v1": (
        "b10a3265e7d2f0f846ef0cd8e121d46c3dae1b42ca7e64ca7e1ebf355774bc98"
    ),
    "https://www.w3.org/ns/credentials/v2": (
        "0763ed0212e278ad60d2e9f8771f960145f447d4b20432b1df154e20886d556c"
    ),
    "https://www.w3.org/ns/did/v1": (
        "665a2a8de9a84004c918000c7661ec6c859e09c81c24082f0f3ad48f76ea8f07"
    ),
}
# Two contexts that consist of one statement each (Verifiable Credentials Data Model 2.0,
# sections 4.3 and B.1): they give every unknown term a meaning under one name.
SHORT_CONTEXTS: Final[Mapping[str, Any]] = {
    "https://www.w3.org/ns/credentials/examples/v2": {
        "@vocab": "https://www.w3.org/ns/credentials/examples#"
    },
    "https://www.w3.org/ns/credentials/undefined-terms/v2": {
        "@vocab": "https://www.w3.org/ns/credentials/undefined-term#"
    },
}


def pinned(contexts: Mapping[str, Any]) -> dict[str, Any]:
    """The contexts of the build, each compared with its pin. Raises MalformedInput."""
    for url, value in contexts.items():
        if url not in PINS or hashlib.sha256(jcs(value)).hexdigest() != PINS[url]:
            raise MalformedInput(
                "a bundled context is not the pinned one", where=url[:80], remedy=REINSTALL
            )
    return {**SHORT_CONTEXTS, **contexts}
