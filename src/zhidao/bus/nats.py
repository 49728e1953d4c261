"""The bus on NATS JetStream: one stream in log order, durable pull consumers, no message twice.

Each message of a batch names the one before it (`Nats-Expected-Last-Msg-Id`), so that a loss in
the middle makes the rest fail instead of leaving a gap; the batch is then published again and the
stream's duplicate window drops what it has.
Source: NATS ADR-8 and ADR-13 are not checked; headers and API subjects as nats-server 2.15 answers.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, Self

import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)

from zhidao.bus.delivery import PAUSES, Handle, OnDead, deliver
from zhidao.bus.port import ROOT, Message
from zhidao.core.errors import MalformedInput, Refused, Unavailable
from zhidao.core.retry_policy import RetryPolicy

if TYPE_CHECKING:
    from nats.aio.msg import Msg
    from nats.aio.subscription import Subscription

_OWNER: Final = "zhidao-owner"
_READY_S: Final = 1.0
TIMEOUT_S: Final = 5.0
DUPLICATE_WINDOW_S: Final = 600.0
# A crashed consumer's message comes back after this; a slow handler says that it is at work.
ACK_WAIT_S: Final = 2.0
_AT_WORK_S: Final = 0.5
_PULL_S: Final = 20.0
_IN_FLIGHT_MAX: Final = 1000
_IN_FLIGHT_BYTES_MAX: Final = 8 * 1024 * 1024
_ID: Final = "Nats-Msg-Id"
_BEFORE: Final = "Nats-Expected-Last-Msg-Id"
_AFTER: Final = "Nats-Expected-Last-Sequence"
_WRONG_LAST_SEQUENCE: Final = 10071
_LOG: Final = logging.getLogger("zhidao.bus")


class NatsBus:
    """Implements `bus.port.Bus`.

    A stream carries the events of one node, and says whose: message ids count that node's leaves,
    so two nodes in one stream would take each other's events for repetitions.
    """

    def __init__(
        self, client: Client, pauses: RetryPolicy, replicas: int, *, prefix: str, owner: str
    ) -> None:
        self._prefix = prefix
        self._owner = owner
        self._name = prefix.upper()
        self._client = client
        self._stream = client.jetstream(timeout=TIMEOUT_S)
        self._pauses = pauses
        self._replicas = replicas
        self._acks: dict[str, asyncio.Future[Msg]] = {}
        self._inbox = client.new_inbox()
        self._counter = 0
        self._publishing = asyncio.Lock()
        self._reconnected = asyncio.Event()
        self._generation = 0
        # The stream's last message as far as is known here; nobody else publishes on it.
        self._sequence: int | None = None

    @classmethod
    async def connect(
        cls,
        url: str,
        *,
        pauses: RetryPolicy = PAUSES,
        replicas: int = 1,
        prefix: str = ROOT,
        owner: str = "",
        authority: str = "",
    ) -> Self:
        """Connects, and makes the stream if it is not there.

        url: one, or several of one cluster by commas. authority: PEM file of who vouches for their
        certificates, if the system does not know it. replicas: how many servers hold the stream; of
        one that is there already the number is raised, and never lowered.
        prefix: first word of all subjects, and name of the stream. owner: whose stream it is; a
        stream without owner becomes this one's, and with none here nothing is asked.
        Afterwards it reconnects for ever, to any of them. Raises Unavailable if no server answers,
        Refused (`bus_of_another_node`), MalformedInput for an authority that cannot be read.
        """
        client = Client()
        bus = cls(client, pauses, replicas, prefix=prefix, owner=owner)
        servers = [each for each in (one.strip() for one in url.split(",")) if each]
        trust = _trusting(authority) if authority else None
        try:
            async with asyncio.timeout(TIMEOUT_S * len(servers)):
                await client.connect(
                    servers,
                    name="zhidao-node",
                    error_cb=_note,
                    disconnected_cb=bus._on_disconnect,
                    reconnected_cb=bus._on_reconnect,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=0.1,  # type: ignore[arg-type]
                    connect_timeout=2,
                    ping_interval=10,
                    tls=trust,
                )
                # One inbox for all acknowledgements, so that a window of messages is in flight at
                # once: JetStream's own publish waits for each before the next.
                await client.subscribe(f"{bus._inbox}.*", cb=bus._on_ack)
                await bus._make_stream()
        except (OSError, TimeoutError, nats.errors.Error) as error:
            await bus.close()
            raise _unavailable(error) from error
        except Refused:
            await bus.close()
            raise
        return bus

    async def publish(self, messages: Sequence[Message]) -> None:
        """Stores in order; see the port. Raises Refused for what is too large for the server."""
        async with self._publishing:
            start = size = 0
            before = ""
            for end, message in enumerate(messages, 1):
                size += len(message.data)
                full = end - start >= _IN_FLIGHT_MAX or size >= _IN_FLIGHT_BYTES_MAX
                if full or end == len(messages):
                    await self._publish_window(messages[start:end], before)
                    start, size, before = end, 0, message.id

    async def consume(
        self, *, name: str, subjects: Sequence[str], handle: Handle, on_dead: OnDead
    ) -> None:
        """Runs until cancelled, through any loss of the server; see the port."""
        durable = durable_name(name)
        while True:
            try:
                await self._make_consumer(durable, subjects)
                _end_if_asked()
                await self._pull(durable, handle, on_dead)
            except (OSError, TimeoutError, nats.errors.Error) as error:
                _LOG.info("consumer %s waits for the bus: %s", name, error)
                _end_if_asked()
                await asyncio.sleep(self._pauses.first_s)

    async def newest_id(self) -> str | None:
        """The id of the stream's last message, or None if it is empty.

        The relay compares it with what it had published: a bus that lost its folder, or the last
        second before a power cut, gets the missing messages again.
        """
        try:
            await self._make_stream()
            state = (await self._stream.stream_info(self._name)).state
            self._sequence = state.last_seq
            if state.messages == 0:
                return None
            last = await self._stream.get_msg(self._name, seq=state.last_seq)
        except (OSError, TimeoutError, nats.errors.Error) as error:
            raise _unavailable(error) from error
        headers: dict[str, str] = last.headers or {}
        return headers.get(_ID)

    @property
    def generation(self) -> int:
        """How often the connection was made anew, or the stream was not as it was left."""
        return self._generation

    async def ready(self) -> bool:
        """Whether the server answers now, and the stream takes what is published.

        A server of a cluster may answer while the stream has no leader: such a one takes nothing.
        """
        if not self._client.is_connected:
            return False
        try:
            async with asyncio.timeout(_READY_S):
                info = await self._stream.stream_info(self._name)
        except nats.js.errors.NotFoundError:
            return True  # an empty server: the stream is made again with the next message
        except (OSError, TimeoutError, nats.errors.Error):
            return False
        return info.cluster is None or bool(info.cluster.leader)

    async def lacking(self) -> int:
        """How many of the wanted replicas of the stream are absent or behind.

        Raises Unavailable if the stream gives no answer.
        """
        try:
            async with asyncio.timeout(_READY_S):
                info = await self._stream.stream_info(self._name)
        except (OSError, TimeoutError, nats.errors.Error) as error:
            raise _unavailable(error) from error
        others = (info.cluster.replicas if info.cluster else None) or []
        current = sum(bool(each.current) and not each.offline for each in others)
        leads = info.cluster is None or bool(info.cluster.leader)
        return max(0, self._replicas - current - int(leads))

    async def close(self) -> None:
        """Lets go of the connection, of one whose server reads nothing any more after a while."""
        with suppress(TimeoutError):
            async with asyncio.timeout(TIMEOUT_S):
                await self._client.close()

    async def _publish_window(self, messages: Sequence[Message], before: str) -> None:
        """Sends all, then waits for all: one round trip for many messages."""
        # The client would buffer what is published while it reconnects and send it later, behind
        # what the relay publishes again by then.
        if not self._client.is_connected:
            raise _unavailable("not connected")
        replies: list[str] = []
        try:
            for message in messages:
                headers = {_ID: message.id} | self._behind(before)
                reply = self._expect_ack()
                replies.append(reply)
                await self._client.publish(
                    self._there(message.subject), message.data, reply, headers
                )
                before = message.id
            # Taken only after the last one is sent: a disconnect meanwhile has failed the earlier
            # ones, and gather then says so at once.
            acks = [self._acks[reply] for reply in replies]
            async with asyncio.timeout(TIMEOUT_S):
                answers = await asyncio.gather(*acks)
        except nats.errors.MaxPayloadError as error:
            raise Refused(
                f"a message on {messages[len(replies) - 1].subject} is larger than the bus takes",
                code="message_too_large",
                remedy=f"set the NATS server's max_payload to at least {8 * 1024 * 1024}",
            ) from error
        except (OSError, TimeoutError, nats.errors.Error) as error:
            raise _unavailable(error) from error
        finally:
            for reply in replies:
                ack = self._acks.pop(reply)
                if not ack.cancel() and not ack.cancelled():
                    ack.exception()  # Looked at, so that asyncio does not complain.
        await self._check(answers)

    def _behind(self, before: str) -> dict[str, str]:
        """What the server holds a message against: it stores none where one is missing before it.

        Without this a stream that was made anew, by a consumer, a moment after its folder was
        lost would begin with the newest messages, and nobody could see that the others are gone.
        Messages whose acknowledgements were lost show here, too: who publishes looks again.
        """
        if before:
            return {_BEFORE: before}
        return {} if self._sequence is None else {_AFTER: str(self._sequence)}

    async def _check(self, answers: Sequence[Msg]) -> None:
        for answer in answers:
            if not answer.data:
                # Nobody stores these subjects: the server lost its stream, so make it anew.
                with suppress(OSError, TimeoutError, nats.errors.Error):
                    await self._make_stream()
                raise _unavailable("the stream was gone")
            verdict = json.loads(answer.data)
            if "error" in verdict:
                if verdict["error"].get("err_code") == _WRONG_LAST_SEQUENCE:
                    self._generation += 1
                    self._sequence = None
                raise _unavailable(verdict["error"].get("description", "refused"))
            # A message that the server had already is acknowledged with its old number, which must
            # not move the expected one back.
            self._sequence = max(self._sequence or 0, verdict["seq"])

    def _expect_ack(self) -> str:
        self._counter += 1
        reply = f"{self._inbox}.{self._counter}"
        self._acks[reply] = asyncio.get_running_loop().create_future()
        return reply

    async def _on_ack(self, answer: Msg) -> None:
        waiting = self._acks.get(answer.subject)
        if waiting and not waiting.done():
            waiting.set_result(answer)

    async def _on_disconnect(self) -> None:
        # Acknowledgements on their way are lost with the connection; nobody shall wait for them.
        for waiting in self._acks.values():
            if not waiting.done():
                waiting.set_exception(nats.errors.StaleConnectionError())

    async def _on_reconnect(self) -> None:
        # Pull requests died with the old connection; wake those who wait for an answer.
        self._reconnected.set()
        self._reconnected = asyncio.Event()
        self._generation += 1

    async def _make_stream(self) -> None:
        config = StreamConfig(
            name=self._name,
            subjects=[f"{self._prefix}.>"],
            retention=RetentionPolicy.LIMITS,
            storage=StorageType.FILE,
            num_replicas=self._replicas,
            duplicate_window=DUPLICATE_WINDOW_S,
            allow_direct=True,
            metadata={_OWNER: self._owner} if self._owner else None,
        )
        try:
            await self._stream.add_stream(config)
        except nats.js.errors.BadRequestError:
            # It is there with other settings, which an operator may have chosen.
            found = (await self._stream.stream_info(self._name)).config
            await self._check_owner(found)
            if (found.num_replicas or 1) < self._replicas:
                await self._raise_replicas()

    async def _raise_replicas(self) -> None:
        """A stream from before the cluster is spread; where that fails it goes on as it is."""
        config = (await self._stream.stream_info(self._name)).config
        try:
            await self._stream.update_stream(config.evolve(num_replicas=self._replicas))
        except nats.js.errors.APIError as error:
            _LOG.warning("the stream keeps %s replicas: %s", config.num_replicas, error)

    async def _check_owner(self, config: StreamConfig) -> None:
        if not self._owner:
            return
        owner = (config.metadata or {}).get(_OWNER)
        if owner is None:
            marked = {**(config.metadata or {}), _OWNER: self._owner}
            await self._stream.update_stream(config.evolve(metadata=marked))
        elif owner != self._owner:
            raise Refused(
                f"the stream {self._name} on this NATS carries the events of {owner}",
                code="bus_of_another_node",
                remedy="set bus.prefix to a word of this node's own, or give it its own account",
            )

    def _there(self, subject: str) -> str:
        """A subject as it stands on the server."""
        return self._prefix + subject.removeprefix(ROOT)

    def _here(self, subject: str) -> str:
        return ROOT + subject.removeprefix(self._prefix)

    async def _make_consumer(self, durable: str, subjects: Sequence[str]) -> None:
        await self._make_stream()
        config = ConsumerConfig(
            name=durable,
            durable_name=durable,
            deliver_policy=DeliverPolicy.ALL,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=ACK_WAIT_S,
            # One at a time keeps the order even when a message comes again.
            max_ack_pending=1,
            # Giving up is decided here, after so many failures, and seen by a person; the server
            # would only stop to bring it.
            max_deliver=-1,
            filter_subjects=[self._there(subject) for subject in subjects],
        )
        await self._stream.add_consumer(self._name, config)

    async def _pull(self, durable: str, handle: Handle, on_dead: OnDead) -> None:
        """Asks for one message after the other on an inbox of its own."""
        inbox = self._client.new_inbox()
        subscription = await self._client.subscribe(inbox)
        try:
            while True:
                # Held before the request goes out: a reconnection between the two then counts as
                # lost.
                reconnected = self._reconnected
                await self._ask(durable, inbox)
                answer = await self._next(subscription, reconnected)
                if answer is None:
                    continue
                if not answer.reply or "Status" in (answer.headers or {}):
                    if _is_over(answer):
                        return
                    continue
                async with _at_work(answer):
                    await deliver(self._message(answer), handle, on_dead, self._pauses)
                # After the handler's transaction: a crash between the two brings the message again,
                # and the consumer's inbox makes that harmless. The other order would lose it.
                await answer.ack()
        finally:
            with suppress(OSError, nats.errors.Error):
                await subscription.unsubscribe()

    def _message(self, answer: Msg) -> Message:
        headers: dict[str, Any] = answer.headers or {}
        return Message(self._here(answer.subject), headers.get(_ID, ""), answer.data)

    async def _ask(self, durable: str, inbox: str) -> None:
        request = {"batch": 1, "expires": int(_PULL_S * 1e9)}
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self._name}.{durable}"
        await self._client.publish(subject, json.dumps(request).encode(), inbox)

    async def _next(self, subscription: Subscription, reconnected: asyncio.Event) -> Msg | None:
        """The answer to a pull, or None if there will be none."""
        arriving = asyncio.ensure_future(subscription.next_msg(timeout=_PULL_S + 2.0))
        lost = asyncio.ensure_future(reconnected.wait())
        try:
            await asyncio.wait((arriving, lost), return_when=asyncio.FIRST_COMPLETED)
            return arriving.result() if arriving.done() else None
        except (TimeoutError, nats.errors.TimeoutError):
            return None
        finally:
            for task in (arriving, lost):
                task.cancel()
            await asyncio.gather(arriving, lost, return_exceptions=True)


def durable_name(name: str) -> str:
    """A consumer's name as JetStream takes it: other characters become `=` and their code.

    >>> durable_name("finance.release")
    'finance=2Erelease'
    """
    return "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in "-_") else f"={ord(letter):X}"
        for letter in name
    )


def _is_over(status: Msg) -> bool:
    """Whether a status means that the consumer is gone, and not that no message came in time."""
    headers: dict[str, Any] = status.headers or {}
    # 404: no message there; 408: the request ran out. Both are the normal end of a quiet pull.
    return headers.get("Status") not in ("404", "408")


@asynccontextmanager
async def _at_work(answer: Msg) -> AsyncIterator[None]:
    """Tells the server while a handler runs that the message is in good hands."""

    async def tell() -> None:
        while True:
            await asyncio.sleep(_AT_WORK_S)
            with suppress(OSError, nats.errors.Error):
                await answer.in_progress()

    telling = asyncio.create_task(tell())
    try:
        yield
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)


def _end_if_asked() -> None:
    """Ends a task whose end the client's `wait_for` did not pass on (Python 3.11)."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _trusting(authority: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=authority)
    except (OSError, ssl.SSLError) as error:
        raise MalformedInput(
            f"bus.authority cannot be read: {error}",
            where=authority,
            remedy="name the PEM file of the authority that signed the NATS servers' certificates",
        ) from error


def _unavailable(error: object) -> Unavailable:
    why = str(error) or type(error).__name__
    full = "insufficient" in why.lower() or "no space" in why.lower()
    return Unavailable(
        f"the bus did not answer: {why}",
        code="disk_full" if full else "bus_unavailable",
        remedy="free space on the bus's disk" if full else "try again",
    )


async def _note(error: Exception) -> None:
    _LOG.debug("bus connection: %s", str(error) or type(error).__name__)
