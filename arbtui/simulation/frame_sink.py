"""The output of one simulated market, and the connection state of its venue."""

from functools import partial

from arbtui.exchanges.feed import Frame
from arbtui.simulation.event_scheduler import EventScheduler


class VenueLine:
    """The connection to one venue. ``silent``: its streams send nothing; ``dead``: its REST interface does not answer either.

    ``lag``: ticks of 10 ms that its streams come late by, in order; answers do not.
    """

    __slots__ = ("_last", "dead", "lag", "silent")

    def __init__(self) -> None:
        self.silent = False
        self.dead = False
        self.lag = 0
        self._last = 0  # the tick at which the newest frame so far arrives: none overtakes it

    def put(self, scheduler: EventScheduler, frame: Frame) -> None:
        """Deliver a frame of a stream, now or as late as the streams are."""
        arrives = max(scheduler.tick + self.lag, self._last)
        if arrives <= scheduler.tick:
            scheduler.frames.append(frame)
            return
        self._last = arrives
        scheduler.at(arrives, partial(_arrive, scheduler, frame))


def _arrive(scheduler: EventScheduler, frame: Frame) -> None:
    scheduler.frames.append(frame)  # of the delivery at hand: each one begins a new list


class FrameSink:
    """Takes a market's frames. A dropped frame has happened at the venue all the same: ids and books move on."""

    __slots__ = ("_exchange", "_line", "_scheduler", "drop", "frozen")

    def __init__(self, scheduler: EventScheduler, exchange: str, line: VenueLine) -> None:
        self._scheduler = scheduler
        self._exchange = exchange
        self._line = line
        self.frozen = False  #: this market's streams send nothing, while those of others continue
        self.drop = 0  #: how many of the next numbered frames are lost

    def send(self, raw: bytes) -> None:
        """A frame of the stream."""
        if not (self.frozen or self._line.silent):
            self._line.put(self._scheduler, Frame(self._exchange, raw))

    def send_numbered(self, raw: bytes) -> None:
        """A frame whose loss the receiver can see."""
        if self.drop:
            self.drop -= 1
        else:
            self.send(raw)

    def answer(self, raw: bytes, code: str) -> bool:
        """A REST answer; False when the venue is dead; the request must be repeated then."""
        if not self._line.dead:
            self._scheduler.frames.append(Frame(self._exchange, raw, code))
        return not self._line.dead
