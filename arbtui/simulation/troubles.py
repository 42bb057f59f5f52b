"""The troubles of scenario ``crash``: a seeded schedule with each kind once a round.

It acts on the market only: on frames sent, on the venues' answers to orders, on prices.
"""

import logging
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from random import Random

from arbtui.simulation.event_scheduler import EventScheduler
from arbtui.simulation.frame_sink import VenueLine
from arbtui.simulation.paths import VenuePrice
from arbtui.simulation.simulated_market import SimulatedMarket

log = logging.getLogger("arbtui")

FIRST_TICK = 1_500  #: the first round begins after 15 s, when every book has come and routes trade
SLOT_TICKS = 2_000  #: one trouble every 20 s, over before the next one
_STEP_TICKS = 5  #: a spike moves every 50 ms
_SPIKE_TICKS = 100  #: up within a second, and down again within another
_KEPT = 1_000


class Trouble(StrEnum):
    """The kinds of trouble."""

    GAP = "gap"  #: depth events of several markets are lost, at a venue that numbers them
    VENUE_FROZEN = "venue frozen"  #: a venue's streams stay connected and send nothing; it trades, and answers
    MARKET_FROZEN = "market frozen"  #: one market's streams send nothing, while it trades
    VENUE_DEAD = "venue dead"  #: a venue sends nothing and answers nothing; what arrives there is lost
    HALT = "halt"  #: a venue accepts no orders in one market; its book stays unchanged, or is empty
    LAG = "lag"  #: a venue's streams come late, at once or more and more; it trades, and answers
    SPIKE = "spike"  #: one asset's price jumps a few per cent on one venue, and returns


@dataclass(frozen=True, slots=True)
class Incident:
    """One trouble that happened. Ticks of 10 ms since the simulator's start; ``code`` is empty where it concerns the whole venue."""

    kind: Trouble
    exchange: str
    code: str
    start: int
    end: int
    detail: str = ""


class TroubleMaker:
    """Schedules troubles once :meth:`start` was called.

    Args:
        lines: the venues' connections.
        markets: every market, by exchange and code.
        prices: fair prices by exchange and symbol.
        codes: of the markets of those.
        cash: of each venue that trades one currency for another, that market's code; it is frozen at times, never halted.
    """

    def __init__(
        self,
        scheduler: EventScheduler,
        stream: Random,
        lines: Mapping[str, VenueLine],
        markets: Mapping[str, Mapping[str, SimulatedMarket]],
        prices: Mapping[tuple[str, str], VenuePrice],
        codes: Mapping[tuple[str, str], str],
        cash: Mapping[str, str],
    ) -> None:
        self.history: deque[Incident] = deque(maxlen=_KEPT)
        self._scheduler = scheduler
        self._random = stream
        self._lines = lines
        self._markets = markets
        self._prices = prices
        self._codes_by_symbol = codes
        self._symbols = list(dict.fromkeys(symbol for _, symbol in prices))
        self._cash = cash
        self._round: list[Trouble] = []

    def start(self) -> None:
        """Schedule the first trouble; each schedules the next."""
        self._scheduler.at(self._scheduler.tick + FIRST_TICK, self._next)

    def _next(self) -> None:
        self._scheduler.at(self._scheduler.tick + SLOT_TICKS, self._next)
        if not self._round:
            self._round = list(Trouble)
            self._random.shuffle(self._round)
        self._scheduler.at(self._scheduler.tick + self._random.randint(1, 500), self._make)

    def _make(self) -> None:
        kind = self._round.pop()
        venue = self._random.choice(list(self._lines))
        match kind:
            case Trouble.GAP:
                self._lose_depths()
            case Trouble.VENUE_FROZEN:
                self._silence(venue, self._random.randint(300, 800), dead=False)
            case Trouble.VENUE_DEAD:
                self._silence(venue, self._random.randint(500, 1_200), dead=True)
            case Trouble.MARKET_FROZEN:
                self._freeze(venue, self._random.randint(700, 1_200))
            case Trouble.HALT:
                self._halt(venue, self._random.randint(500, 1_200))
            case Trouble.LAG:
                self._lag(venue, self._random.randint(400, 1_000))
            case Trouble.SPIKE:
                self._spike(venue)

    def _log(self, kind: Trouble, exchange: str, code: str, ticks: int, detail: str = "") -> None:
        now = self._scheduler.tick
        self.history.append(Incident(kind, exchange, code, now, now + ticks, detail))
        log.info("simulator: %s at %s %s for %.1f s %s", kind, exchange, code or "(all)", ticks / 100, detail)

    def _codes(self, venue: str) -> Sequence[str]:
        return [code for code in self._markets[venue] if code != self._cash.get(venue)]

    def _one_of(self, names: Sequence[str]) -> str:
        """One at random; where there is but one, chance is not asked."""
        return names[0] if len(names) == 1 else self._random.choice(names)

    def _lose_depths(self) -> None:
        numbered = [venue for venue in self._lines if all(market.numbered for market in self._markets[venue].values())]
        if not numbered:
            return
        venue = self._one_of(numbered)
        codes = self._codes(venue)
        for code in self._random.sample(codes, min(len(codes), self._random.randint(1, 5))):
            self._markets[venue][code].sink.drop += (lost := self._random.randint(1, 3))
            self._log(Trouble.GAP, venue, code, 0, f"{lost} depth events lost")

    def _silence(self, venue: str, ticks: int, *, dead: bool) -> None:
        line = self._lines[venue]
        line.silent, line.dead = True, dead
        if dead:
            self._scheduler.listeners[venue].on_outage(True)

        def back() -> None:
            line.silent = line.dead = False
            if dead:
                self._scheduler.listeners[venue].on_outage(False)

        self._scheduler.at(self._scheduler.tick + ticks, back)
        self._log(Trouble.VENUE_DEAD if dead else Trouble.VENUE_FROZEN, venue, "", ticks)

    def _lag(self, venue: str, ticks: int) -> None:
        line, most, grows = self._lines[venue], self._random.randint(60, 200), self._random.random() < 0.5

        def put(lag: int) -> None:
            line.lag = lag

        for step in range(0, ticks, _STEP_TICKS):
            self._scheduler.at(self._scheduler.tick + 1 + step, partial(put, most * step // ticks if grows else most))
        self._scheduler.at(self._scheduler.tick + 1 + ticks, partial(put, 0))
        self._log(Trouble.LAG, venue, "", ticks, f"{'up to ' if grows else ''}{most * 10} ms late")

    def _freeze(self, venue: str, ticks: int) -> None:
        code = self._random.choice(self._codes(venue))
        if self._random.random() < 0.25 and self._cash:
            venue = self._one_of(list(self._cash))
            code = self._cash[venue]
        sink = self._markets[venue][code].sink
        sink.frozen = True

        def thaw() -> None:
            sink.frozen = False

        self._scheduler.at(self._scheduler.tick + ticks, thaw)
        self._log(Trouble.MARKET_FROZEN, venue, code, ticks)

    def _halt(self, venue: str, ticks: int) -> None:
        code, empty = self._random.choice(self._codes(venue)), self._random.random() < 0.5
        market, listener = self._markets[venue][code], self._scheduler.listeners[venue]
        listener.on_halt(code, True)
        market.halt(empty=empty)

        def resume() -> None:
            market.resume()
            listener.on_halt(code, False)

        self._scheduler.at(self._scheduler.tick + ticks, resume)
        self._log(Trouble.HALT, venue, code, ticks, "its book is empty" if empty else "its book stands still")

    def _spike(self, venue: str) -> None:
        symbol = self._random.choice(self._symbols)
        price, peak = self._prices[venue, symbol], 1.0 + self._random.choice((-1, 1)) * self._random.uniform(0.02, 0.06)
        hold = self._random.randint(50, 200)
        rise = _SPIKE_TICKS // _STEP_TICKS
        shares = [(i + 1) / rise for i in range(rise)]
        steps = [*shares, *[1.0] * (hold // _STEP_TICKS), *reversed(shares[:-1]), 0.0]

        def put(share: float) -> None:
            price.spike = 1.0 + (peak - 1.0) * share

        for i, share in enumerate(steps):
            self._scheduler.at(self._scheduler.tick + (i + 1) * _STEP_TICKS, partial(put, share))
        self._log(Trouble.SPIKE, venue, self._codes_by_symbol[venue, symbol], len(steps) * _STEP_TICKS, f"{(peak - 1) * 100:+.1f} %")
