"""A vehicle's terminal: keeps a key of its own, reports its way, sends raw signals of its place.

The signals are simulated, and say so: nobody drives. Without a place it writes the satellites'
orbits for the operator and prints its public key.
"""

import argparse
import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import NS, Gpst, Utc
from zhidao.node.adapters.ambient import SystemRandomness
from zhidao.positioning.domain.synthesis.constellation import constellation
from zhidao.positioning.domain.synthesis.receiver import Receiver, synthesize
from zhidao.positioning.domain.synthesis.routes import rest
from zhidao.positioning.wire.rinex.navigation import read_navigation
from zhidao.positioning.wire.rinex.writing import write_navigation, write_observations
from zhidao.simulation.terminal import Identity, TerminalClient, position_report

SYSTEMS = "CEG"  # BeiDou, Galileo, GPS.
EPOCHS, STEP_S = 25, 5
HOURS = 6
randomness = SystemRandomness()


def now(ahead_s: int = 0) -> Utc:
    """The time of day, on the second."""
    return Utc.parse(datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")).plus_ns(ahead_s * NS)


def own_key() -> SoftwareKey:
    """Kept in a file of its own; nobody else ever has it."""
    kept = Path("terminal.secret")
    if not kept.exists():
        kept.touch(mode=0o600)
        kept.write_bytes(randomness.token(32))
    return SoftwareKey(Algorithm.ED25519, kept.read_bytes())


def window(latitude_deg: float, longitude_deg: float) -> bytes:
    """What an antenna at rest heard in the last two minutes, as RINEX."""
    first_ns = Gpst.from_utc(now(-EPOCHS * STEP_S)).ns
    place = rest(
        (latitude_deg, longitude_deg, 0.0), first_gpst_ns=first_ns, step_s=STEP_S, epochs=EPOCHS
    )
    receiver = Receiver(place.gpst_ns, place.ecef_m, systems=SYSTEMS)
    orbits = read_navigation(Path("orbits.rnx").read_bytes())
    return write_observations(synthesize(receiver, orbits, seed=417))


async def drive(terminal: TerminalClient, latitude_deg: float, longitude_deg: float) -> None:
    """Reports where it is, then proves it."""
    await terminal.connect()
    for away in range(5, -1, -1):
        point = position_report(
            at=now(-away),
            latitude_deg=latitude_deg - away / 1000,
            longitude_deg=longitude_deg,
            satellites=18,
        )
        await terminal.send([point])
    await terminal.send_window(window(latitude_deg, longitude_deg), simulated=True)
    await terminal.close()


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("place", type=float, nargs="*", help="latitude and longitude, in degrees")
parser.add_argument("--port", type=int, default=7611, help="where the node hears terminals")
parser.add_argument("--name", default="BDT-0417")
parser.add_argument("--number", default="8613800000417", help="digits of its card")
options = parser.parse_args()
key = own_key()
if options.place:
    identity = Identity(options.name, options.number, key)
    kept = Path("terminal.token")
    client = TerminalClient(
        identity,
        host="127.0.0.1",
        port=options.port,
        randomness=randomness,
        token=kept.read_text() if kept.exists() else "",
        keep=lambda given: print(given, end="", file=kept.open("w")),
    )
    asyncio.run(drive(client, *options.place))
else:
    orbits = constellation(now(), now(HOURS * 3600), seed=417, systems=SYSTEMS)
    Path("orbits.rnx").write_bytes(write_navigation(orbits))
    sys.stdout.write(f"{key.public.multikey}\n")
