"""Builds what people install: `./run package deb|rpm|verify|oci|sbom|provenance [--keep FOLDER]`.

deb     one Debian package of the program with its own Python packages (Debian 13, x86-64)
rpm     RPM packages of the same, one for Fedora 42 and one for openEuler 24.03 (x86-64)
oci     an OCI image of the same, as a folder that podman, skopeo and Kubernetes' tools read (root)
verify  the wheel of the verifier alone, `zhidao-verify`
sbom    lists of what the wheel brings, CycloneDX 1.6 and SPDX 2.3
provenance  the wheel built twice and compared, those lists, and a statement of in-toto of them,
        signed with --key (Ed25519, PKCS #8 PEM); --builder names who answers for the machine

Dates are those of the commit (or SOURCE_DATE_EPOCH), so two builds are equal bit by bit. The last
line of standard output is a JSON object. Files go to build/packages unless --keep names a folder.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import deb
import oci
import provenance
import rpm
import sbom
import verifier
from common import ROOT, BuildFailed, say

from zhidao.core.errors import ZhidaoError

MAKERS: Final[dict[str, Callable[[Path], dict[str, object]]]] = {
    "deb": deb.make,
    "oci": oci.make,
    "rpm": rpm.make,
    "sbom": sbom.make,
    "verify": verifier.make,
}


def main() -> int:
    """Builds what was asked for; tells it as one line of JSON."""
    parser = argparse.ArgumentParser(
        prog="./run package",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", choices=sorted([*MAKERS, "provenance"]))
    parser.add_argument("--keep", type=Path, default=ROOT / "build" / "packages", metavar="FOLDER")
    parser.add_argument("--key", type=Path, metavar="FILE", help="signs the statement")
    parser.add_argument("--passphrase-file", type=Path, metavar="FILE", help="if it is sealed")
    parser.add_argument("--builder", default="", metavar="URI", help="who builds, in the statement")
    options = parser.parse_args()
    makers = MAKERS | {
        "provenance": partial(
            provenance.make,
            key=options.key,
            passphrase=options.passphrase_file,
            builder=options.builder,
        )
    }
    keep = options.keep.resolve()
    began = time.monotonic()
    try:
        keep.mkdir(parents=True, exist_ok=True)
        made = makers[options.what](keep)
    except (BuildFailed, OSError, subprocess.TimeoutExpired, ZhidaoError) as problem:
        say(str(problem))
        return 3
    print(json.dumps({**made, "seconds": round(time.monotonic() - began, 1)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
