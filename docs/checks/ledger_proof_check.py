# ruff: noqa: B905, PTH123, T201
"""Checks a ledger's proof with Python alone: ledger_proof_check.py PROOF ANCHOR.

ANCHOR is the 64 hexadecimal digits that the log states: `head` of finance.TransfersPosted for a
transfer, `root` of finance.BalancesStated for a balance. Prints what is proven; status 0 or 1.
"""

import hashlib
import json
import struct
import sys


def sha(*parts: bytes) -> bytes:
    """SHA-256 over the parts, one after the other."""
    return hashlib.sha256(b"".join(parts)).digest()


def root(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """RFC 9162 section 2.1.3.2: the root that the path leads to."""
    last = size - 1
    for sibling in path:
        if last == 0:
            sys.exit("no: the path is too long")
        if index % 2 or index == last:
            leaf = sha(b"\1", sibling, leaf)
            while index % 2 == 0 and index:
                index, last = index >> 1, last >> 1
        else:
            leaf = sha(b"\1", leaf, sibling)
        index, last = index >> 1, last >> 1
    return leaf if last == 0 else sys.exit("no: the path is too short")


def main(file: str, anchor: str) -> None:
    """Says what the proof proves, or ends with the reason why it proves nothing."""
    with open(file, "rb") as opened:
        proof = json.load(opened)
    record = bytes.fromhex(proof["record"])
    if len(record) != 128 or not 0 <= proof["index"] < proof["count"]:
        sys.exit("no: not a record of 128 bytes at a place of the tree")
    path = [bytes.fromhex(sibling) for sibling in proof["path"]]
    found = root(sha(b"\0", record), proof["index"], proof["count"], path)
    if proof["kind"] == "transfer":
        numbers = struct.pack(">QQ", proof["batch"], proof["count"])
        found = sha(bytes.fromhex(proof["head_before"]), numbers, found)
    if found.hex() != anchor:
        sys.exit("no: this proof leads to another head or root than the log states")
    wide = [int.from_bytes(record[at : at + 16], "little") for at in range(0, 80, 16)]
    names = {
        "transfer": ("id", "debit_account_id", "credit_account_id", "amount", "pending_id"),
        "balance": ("id", "debits_pending", "debits_posted", "credits_pending", "credits_posted"),
    }[proof["kind"]]
    print(json.dumps(dict(zip(names, wide)) | {k: proof[k] for k in ("kind", "ledger", "batch")}))


if __name__ == "__main__":
    main(*sys.argv[1:])
