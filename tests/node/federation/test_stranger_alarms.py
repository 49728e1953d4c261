"""An operator hears that a peer no longer knows this node, until it does again."""

from __future__ import annotations

from tests.exchange.two_nodes import OPERATOR, Line, carry, make_pair

from zhidao.core.errors import Unavailable
from zhidao.exchange.domain.peer import Peer
from zhidao.node.federation.stranger_alarms import StrangerAlarms
from zhidao.node.operations.alarms import Alarms


class Refusing:
    """A peer's end that answers with a code, or takes bundles once that is empty."""

    def __init__(self, line: Line, sender: str, code: str) -> None:
        self.code, self._end = code, line.to(sender)

    async def get_ready(self, peer: Peer) -> None:
        pass

    async def post(self, peer: Peer, bundle: bytes) -> bytes:
        if self.code:
            raise Unavailable(
                f"{peer.node} answers 401: the signing key is no peer's", code=self.code
            )
        return await self._end.post(peer, bundle)


async def test_a_peer_that_admitted_another_in_this_nodes_place_sounds_until_it_takes_again() -> (
    None
):
    line, alarms = Line(), Alarms()
    one, two = await make_pair(line)
    watch = StrangerAlarms(alarms, lambda: [peer.node for peer in one.peers.every()])
    end = Refusing(line, one.name, "no_answer")
    one.dispatcher._transport = end
    one.dispatcher.ended = watch.ended
    await one.send(1, two)
    await one.dispatcher.step(two.name)
    assert alarms.standing() == [], "who only does not answer is away"
    end.code = "peer_unknown_peer"
    await one.dispatcher.step(two.name)
    (alarm,) = alarms.standing()
    assert (alarm.code, alarm.args) == ("peer_refuses:importer", {"node": "importer"})
    assert "no peer's" in alarm.sentence
    assert "zhidao peer show importer" in alarm.remedy
    end.code = ""
    await carry(one, two)
    assert alarms.standing() == []
    end.code = "peer_unknown_peer"
    await one.send(2, two)
    await one.dispatcher.step(two.name)
    assert alarms.stands("peer_refuses:importer")
    one.peers.changed = watch.peers_changed
    await one.peers.dismiss(OPERATOR, two.name)
    assert alarms.standing() == []
