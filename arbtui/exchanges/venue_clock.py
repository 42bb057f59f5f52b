"""VenueClock: how far our clock is ahead of a venue's; the client subtracts it from the time of every signed request."""

from collections.abc import Awaitable, Callable

from arbtui.exchanges.ccxt_client import CcxtClient
from arbtui.model.clock import Clock

#: The venue's clock is read this many times; the reading with the shortest round trip is used.
_READINGS = 3


class VenueClock:
    """The difference between our clock and one venue's.

    Args:
        client: is set to what was measured.
        clock: ours.
        read: asks for the venue's time, in ms since the epoch; None where its requests carry no time.
    """

    def __init__(self, client: CcxtClient, clock: Clock, read: Callable[[], Awaitable[int | None]]) -> None:
        self._client = client
        self._clock = clock
        self._read = read
        self._is_doubted = False

    def doubt(self) -> None:
        """An answer has shown that the clocks differ: :meth:`settle` measures again."""
        self._is_doubted = True

    async def measure(self) -> None:
        """Measure it; does nothing where requests carry no time.

        Raises:
            VenueFailed, RateLimited: no usable answer.
        """
        best_s, skew = float("inf"), 0
        for _ in range(_READINGS):
            started, ours = self._clock.monotonic(), self._clock.time_ms()
            theirs = await self._read()
            if theirs is None:
                return
            took_s = self._clock.monotonic() - started
            if took_s < best_s:
                best_s, skew = took_s, round(ours + took_s * 500 - theirs)
        self._client.set_clock_skew(skew, best_s * 1000)
        self._is_doubted = False

    async def settle(self) -> None:
        """Measure it again where it is doubted; raises as :meth:`measure`."""
        if self._is_doubted:
            await self.measure()
