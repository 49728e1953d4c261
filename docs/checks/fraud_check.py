# ruff: noqa: ANN001, ANN201, B905, D101, D103, PLW2901, PTH123, T201
"""Checks a fraud proof (.zdfraud) with no state: python fraud_check.py FILE.

Shares no code with the node; needs the package `cryptography` for signatures only. Prints what is
proven and under which key. Status: 0 proven, 1 not proven, 2 not a fraud proof.
"""

import base64
import hashlib
import json
import struct
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey


class No(Exception):
    pass


def sha(data):
    return hashlib.sha256(data).digest()


def need(condition, why):
    if not condition:
        raise No(why)


def read_key(text):
    name, key_id, data = text.split("+", 2)
    raw = base64.b64decode(data)
    need(sha(name.encode() + b"\n" + raw)[:4].hex() == key_id, "the key id is not the key's")
    return name, key_id, raw[0], raw[1:]


def read_note(text):
    body, _, lines = text.rpartition("\n\n")
    body += "\n"
    origin, size, root = body.split("\n")[:3]
    return {
        "text": body,
        "lines": lines.splitlines(),
        "origin": origin,
        "size": int(size),
        "root": base64.b64decode(root),
    }


def verify(raw, kind, signature, message):
    key = MLDSA44PublicKey if kind == 6 else Ed25519PublicKey
    key.from_public_bytes(raw).verify(signature, message)


def signed_at(note, key):
    """The time of this key's signature (0 for an untimed one); raises if there is none."""
    name, key_id, kind, raw = key
    for line in note["lines"]:
        _, by, data = line.split(" ", 2)
        data = base64.b64decode(data)
        if by != name or data[:4].hex() != key_id:
            continue
        if kind == 1:
            verify(raw, kind, data[4:], note["text"].encode())
            return 0
        at, signature = struct.unpack(">Q", data[4:12])[0], data[12:]
        message = f"cosignature/v1\ntime {at}\n{note['text']}".encode()
        if kind == 6:
            names = [bytes([len(n.encode())]) + n.encode() for n in (name, note["origin"])]
            message = (
                b"subtree/v1\n\0"
                + names[0]
                + struct.pack(">Q", at)
                + names[1]
                + struct.pack(">QQ", 0, note["size"])
                + note["root"]
            )
        verify(raw, kind, signature, message)
        return at
    raise No(f"{name} did not sign a head of {note['size']} leaves")


def pieces(begin, end):
    """The largest perfect subtrees side by side from leaf `begin` to `end`: (level, index)."""
    while begin < end:
        level = (end - begin).bit_length() - 1
        while begin % (1 << level):
            level -= 1
        yield level, begin >> level
        begin += 1 << level


def root(nodes):
    stack = []
    for (level, index), value in nodes:
        while stack and index & 1 and stack[-1][0] == (level, index - 1):
            value = sha(b"\1" + stack.pop()[1] + value)
            level, index = level + 1, index >> 1
        stack.append(((level, index), value))
    value = stack.pop()[1]
    while stack:
        value = sha(b"\1" + stack.pop()[1] + value)
    return value


def check(file):
    need((file["v"], file["format"]) == (1, "zhidao.fraud"), "not version 1 of a fraud proof")
    key = read_key(file["key"])
    one, two = read_note(file["first"]), read_note(file["second"])
    need(one["origin"] == two["origin"], "the heads are of two logs")
    at_one, at_two = signed_at(one, key), signed_at(two, key)
    m, n = one["size"], two["size"]
    if file["kind"] == "split_view":
        need(m == n and one["root"] != two["root"], "not one size with two roots")
        return f"signed two histories of {m} leaves"
    if file["kind"] == "turned_back":
        need(m > n and 0 < at_one < at_two, "the smaller head is not dated later")
        return f"signed {m} leaves at {at_one} and, at {at_two}, only {n}"
    if file["kind"] == "rewritten":
        hashes = [base64.urlsafe_b64decode(h + "=") for h in file["hashes"]]
        places = [*pieces(0, m), *pieces(m, n)]
        need(0 < m < n and len(places) == len(hashes), "the hashes do not fit the sizes")
        nodes = list(zip(places, hashes))
        need(root(nodes) == two["root"], "the hashes are not the larger tree's")
        begun = root(nodes[: len(list(pieces(0, m)))])
        need(begun != one["root"], "the larger tree begins with the smaller one")
        return f"signed {m} leaves and then {n} that begin otherwise"
    need(file["kind"] == "stale", "an unknown kind")
    seen = file["observation"]
    observer = read_key(seen["by"])
    need(m > n and 0 < signed_at(one, observer) <= seen["at_s"], "nothing newer was cosigned")
    message = f"zhidao.observed.v1\ntime {seen['at_s']}\n{two['text']}".encode()
    pad = "=" * (-len(seen["signature"]) % 4)
    verify(observer[3], observer[2], base64.urlsafe_b64decode(seen["signature"] + pad), message)
    return f"showed {n} leaves at {seen['at_s']} after {m}: the word of {observer[0]} only"


def main(path):
    try:
        with open(path) as file:
            proof = json.load(file)
        said = check(proof)
    except (No, InvalidSignature) as error:
        print(f"NOT PROVEN: {error or 'a signature is wrong'}")
        return 1
    except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
        print(f"not a fraud proof: {error}")
        return 2
    print(f"PROVEN ({proof['kind']}): the holder of {proof['key'][:80]} {said}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
