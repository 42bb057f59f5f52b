"""Intake: collects the frames of all sockets and delivers them in batches, dropping frames that a burst supersedes."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from arbtui.exchanges.feed import Deliver, Frame
from arbtui.exchanges.subscriptions import PublicFraming
from arbtui.model.clock import Clock

#: Frames delivered as one batch at most. The costliest one (a 30-level book, decoded and evaluated) costs about 15 us.
_BATCH = 128
#: Seconds of delivering after which the loop's other work runs.
_SLICE_S = 0.003
_DELIVERED_MOST = 4096  # delivered frames that the list may still hold
#: Frames that may wait before sockets stop reading. Books and best prices are merged long before; so many diffs and trades
#: mean that we are too slow; the venue's buffers then fill and it disconnects us, which is a detected gap.
FULL = 50_000


class Intake:
    """Frames on their way from the sockets to their decoder.

    Everything that arrives in one turn of the loop is delivered in that turn's end, in order of arrival. What cannot be
    delivered in one slice waits; of those waiting, a whole book or best price replaces the older one of the same
    market and kind. Diffs, trades and all else are never merged, dropped or reordered.

    Args:
        framings: the venues' rules, by exchange.
        clock: times the slices.
        deliver: takes the batches.
    """

    def __init__(self, framings: Mapping[str, PublicFraming], clock: Clock, deliver: Deliver) -> None:
        self._keys = {exchange: framing.merge_key for exchange, framing in framings.items()}
        self._clock = clock
        self._deliver = deliver
        self._waiting: list[Frame] = []
        self._at = 0  # the first of them that is not delivered yet
        self._looked = 0  # those before are known to `_places`
        self._places: dict[tuple[str, bytes], int] = {}
        self._scheduled = False
        self._behind = False  # frames wait since an earlier turn
        self._room = asyncio.Event()
        self._room.set()
        self.broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()  #: fails when ``deliver`` raised: a defect
        self.merged = dict.fromkeys(framings, 0)  #: frames replaced before they were decoded, by exchange
        self.most = 0  #: most frames that waited at once
        self.slices = 0  #: how often the rest had to wait for the loop's next turn

    @property
    def waiting(self) -> int:
        """Frames not yet delivered."""
        return len(self._waiting) - self._at

    def put(self, frame: Frame) -> None:
        """Take one frame; it is delivered before the loop's next turn, or as soon as its slice comes."""
        self._waiting.append(frame)
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._turn)

    def put_held(self, frames: Sequence[Frame]) -> None:
        """Take frames that were held back, oldest first, keeping only the newest of each whole book or best price."""
        for frame in newest(frames, self._keys[frames[0].exchange]) if frames else ():
            self.put(frame)

    async def room(self) -> None:
        """Wait until there is room; sockets check now and then, so the bound is soft."""
        if len(self._waiting) - self._at > FULL:
            self._room.clear()
        await self._room.wait()

    def flush(self) -> None:
        """Deliver all that waits, now: called before the loss of a connection is reported."""
        while self._at < len(self._waiting):
            self._batch()
        self._forget()

    def _turn(self) -> None:
        self._scheduled = False
        try:
            self._slice()
        except Exception as error:  # of ``deliver``; raised from a callback it would only reach the loop's log
            if not self.broken.done():
                self.broken.set_exception(error)

    def _slice(self) -> None:
        waiting = self._waiting
        self.most = max(self.most, len(waiting) - self._at)
        if self._behind:
            self._merge()
        until = self._clock.monotonic() + _SLICE_S
        while self._at < len(waiting):
            self._batch()
            if self._clock.monotonic() >= until:
                break
        if self._at == len(waiting):
            self._forget()
            return
        self.slices += 1
        if not self._behind:
            self._behind = True
            self._merge()
        if self._at > _DELIVERED_MOST:  # a backlog that never empties must not keep delivered frames
            del waiting[: self._at]
            self._places = {key: place - self._at for key, place in self._places.items() if place >= self._at}
            self._looked -= self._at
            self._at = 0
        if not self._room.is_set() and len(waiting) - self._at < FULL // 2:
            self._room.set()
        self._scheduled = True
        asyncio.get_running_loop().call_soon(self._turn)

    def _batch(self) -> None:
        at = self._at
        batch = self._waiting[at : at + _BATCH]
        self._at = at + len(batch)
        self._deliver(batch)

    def _forget(self) -> None:
        self._waiting.clear()
        self._places.clear()
        self._at = self._looked = 0
        self._behind = False
        self._room.set()

    def _merge(self) -> None:
        """Move each frame that came since the last call, and supersedes an older waiting one, to that one's place."""
        waiting, places, keys, at = self._waiting, self._places, self._keys, self._at
        start = max(self._looked, at)
        kept = start
        for place in range(start, len(waiting)):
            frame = waiting[place]
            key = None if frame.snapshot_of else keys[frame.exchange](frame.raw)
            if key is not None:
                known = (frame.exchange, key)
                older = places.get(known, -1)
                if older >= at:
                    waiting[older] = frame
                    self.merged[frame.exchange] += 1
                    continue
                places[known] = kept
            waiting[kept] = frame
            kept += 1
        del waiting[kept:]
        self._looked = kept


def newest(frames: Sequence[Frame], key_of: Callable[[bytes], bytes | None]) -> list[Frame]:
    """``frames`` without those that a later one of the same key supersedes, in unchanged order."""
    keys = [key_of(frame.raw) for frame in frames]
    last = {key: place for place, key in enumerate(keys)}
    return [frame for place, (frame, key) in enumerate(zip(frames, keys, strict=True)) if key is None or last[key] == place]
