"""Memory twins of the journal and the archive, for unit tests and simulation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from zhidao.core.archive import check_digest, digest_of
from zhidao.core.errors import NotFound
from zhidao.core.ids import PartyId
from zhidao.core.journal import Entry, Handled, outgoing
from zhidao.store.journal import check_entries, version_taken


class MemoryJournal:
    """Implements `core.journal.Journal` in this process; `written` holds every entry in order."""

    def __init__(self, wake: Callable[[], None] = lambda: None) -> None:
        self.written: list[Entry] = []
        self._histories: dict[str, list[Entry]] = {}
        self._handled: set[Handled] = set()
        self._wake = wake

    async def load(
        self, aggregate: str, *, viewer: PartyId | None, after: int = 0
    ) -> tuple[Entry, ...]:
        """The history after a version, oldest first, as far as `viewer` may see it."""
        entries = self._histories.get(aggregate, [])[after:]
        return tuple(entry for entry in entries if _sees(viewer, entry))

    async def load_many(
        self, aggregates: Sequence[str], *, viewer: PartyId | None
    ) -> dict[str, tuple[Entry, ...]]:
        """Several histories, as far as `viewer` may see them."""
        found = {name: await self.load(name, viewer=viewer) for name in aggregates}
        return {name: entries for name, entries in found.items() if entries}

    async def append(self, entries: Sequence[Entry], *, handled: Handled | None = None) -> bool:
        """Writes all or nothing; see the port."""
        if handled in self._handled:
            return False
        if entries:
            for entry in entries:
                outgoing(entry)
            aggregate, version = check_entries(entries)
            history = self._histories.get(aggregate, [])
            if version != len(history) + 1:
                raise version_taken(aggregate, version)
            self._histories[aggregate] = [*history, *entries]
            self.written.extend(entries)
        if handled:
            self._handled.add(handled)
        self._wake()
        return True

    async def open_all(self, entries: Sequence[Entry]) -> frozenset[UUID]:
        """Writes the first events of many aggregates; see the port."""
        opened = set()
        for entry in entries:
            outgoing(entry)
            if entry.event.aggregate not in self._histories:
                self._histories[entry.event.aggregate] = [entry]
                self.written.append(entry)
                opened.add(entry.event.id)
        self._wake()
        return frozenset(opened)

    async def is_handled(self, handled: Handled) -> bool:
        """Whether this event was dealt with before."""
        return handled in self._handled

    async def aggregates(
        self, prefix: str, *, viewer: PartyId | None, limit: int, after: str = ""
    ) -> tuple[str, ...]:
        """Names of aggregates that the viewer may see, in code point order, after `after`."""
        names = (
            name
            for name, entries in sorted(self._histories.items())
            if name > after
            and name.startswith(prefix)
            and any(_sees(viewer, entry) for entry in entries)
        )
        return tuple(names)[:limit]


class MemoryArchive:
    """Implements `core.archive.Archive` in this process."""

    def __init__(self) -> None:
        self._blobs: dict[str, bytes] = {}

    async def put(self, data: bytes) -> str:
        """Keeps the bytes and returns their digest."""
        digest = digest_of(data)
        self._blobs[digest] = data
        return digest

    async def put_many(self, many: Sequence[bytes]) -> Sequence[str]:
        """The same for several."""
        return [await self.put(data) for data in many]

    async def get(self, digest: str) -> bytes:
        """The bytes of a digest. Raises NotFound."""
        data = self._blobs.get(check_digest(digest))
        if data is None:
            raise NotFound("the archive holds no bytes of that digest")
        return data


def _sees(viewer: PartyId | None, entry: Entry) -> bool:
    return viewer is None or viewer == entry.event.owner or viewer in entry.event.visible
