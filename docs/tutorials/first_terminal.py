"""A first terminal: keeps a key of its own, registers once, reports one position."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.node.adapters.ambient import SystemRandomness
from zhidao.simulation.terminal import Identity, TerminalClient, position_report

randomness = SystemRandomness()
kept = Path("terminal.secret")
if not kept.exists():
    kept.touch(mode=0o600)
    kept.write_bytes(randomness.token(32))
key = SoftwareKey(Algorithm.ED25519, kept.read_bytes())
kept_token = Path("terminal.token")
token = kept_token.read_text() if kept_token.exists() else ""


def keep(given: str) -> None:
    """The node gives the token once: whoever loses it needs another window."""
    kept_token.touch(mode=0o600)
    kept_token.write_text(given)


async def main(port: int) -> None:
    """Connects to a node on this machine and reports where it is."""
    identity = Identity("BDT-0001", "8613800000001", key)
    terminal = TerminalClient(
        identity,
        host="127.0.0.1",
        port=port,
        randomness=randomness,
        token=token,
        keep=keep,
    )
    await terminal.connect()
    now = Utc.parse(datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    here = position_report(at=now, latitude_deg=43.3540, longitude_deg=77.0120, satellites=18)
    await terminal.send([here])
    await terminal.close()


if len(sys.argv) == 1:
    sys.stdout.write(f"{key.public.multikey}\n")
else:
    asyncio.run(main(int(sys.argv[1])))
