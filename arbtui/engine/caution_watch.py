"""What venues warn of at their own markets, as flags in their lists: a market that is flagged is entered no more until a person lifts that.

A flag is the structured form of a notice, so it goes the way of one: it is journaled as a notice that is read (one of each market, whose
words are its flags), its halt has the same source, and it is shown among the notices. It confirms a notice, and where none was told or
heard it reduces by itself: ``symbol.VENUE:COIN`` REDUCING, since the flag says something of one venue's market. What has ended lifts
nothing. A halt that a person has lifted comes back only with a flag that was not there then.
"""

from collections.abc import Mapping, Sequence

from arbtui.engine.breaches import BreachBook
from arbtui.engine.components import EngineComponents
from arbtui.engine.notice_watch import NoticeWatch, planned
from arbtui.exchanges.market_flags import Flags, MarketFlag
from arbtui.journal.events import NoticeRead, NoticeStep
from arbtui.model.market import Market
from arbtui.model.scoped_halts import NOTICE, Depth
from arbtui.portfolio.notices import NoticeRecord
from arbtui.risk.breach import Severity
from arbtui.risk.notices.kinds import NoticeKind
from arbtui.risk.notices.reading import HOLD

#: Breach: a market is flagged, or is no more.
KIND = "MARKET_FLAGGED"


class CautionWatch:
    """Compares the flags that venues tell once a minute with those that the journal knows."""

    def __init__(self, components: EngineComponents, breaches: BreachBook, notices: NoticeWatch) -> None:
        self._components = components
        self._breaches = breaches
        self._notices = notices
        self._now: dict[str, Mapping[str, Flags]] = {}  # by venue, what it told last of each market

    def look(self, exchange: str, markets: Sequence[Market], told: Mapping[str, Flags]) -> None:
        """``exchange`` has told its flags. A market that is not among them, or whose flags are not told, keeps those that it had."""
        self._now[exchange] = told
        if self._components.journal.failure is not None:
            return
        changed = [market for market in markets if self._take(market, told.get(market.code))]
        if changed:
            self._notices.look()

    def _take(self, market: Market, flags: Flags) -> bool:
        """Whether the flags of ``market`` have changed; that is journaled, and told where one is new or none is left."""
        known = self._notices.notices.by_id.get(_id_of(market))
        before = "" if known is None else known.read.digest
        if flags is None or before == _digest(flags):
            return False
        raised = frozenset(flag for flag in flags if flag.word not in before.split())
        read = self._read(market, flags, raised, () if known is None else known.read.steps)
        self._notices.take_up(read)
        if raised or not flags:
            severity = Severity.CRIT if any(flag.is_grave for flag in raised) else Severity.WARN
            action = planned(read) if raised else "nothing is lifted by itself: arbtui rearm --scope, once you have looked"
            self._breaches.record(severity, KIND, market.key, read.title, action, every_time=True)
        return True

    def _read(self, market: Market, flags: frozenset[MarketFlag], raised: frozenset[MarketFlag], steps: Sequence[NoticeStep]) -> NoticeRead:
        words = ", ".join(_words(flags))
        now_ms = self._components.clock.time_ms()
        if raised and self._holds(market, raised):
            # A step to come is one that is to be done again, however often it was done for flags of before.
            steps = [NoticeStep(HOLD, self._scope(market), now_ms + 1, Depth.REDUCING.value)]
        return NoticeRead(
            notice_id=_id_of(market),
            exchange=market.exchange,
            title=f"{market.code} is {f'flagged by {market.exchange}: {words}' if words else f'no longer flagged by {market.exchange}'}",
            url="",
            digest=_digest(flags),
            published_ms=now_ms,
            kinds=((NoticeKind.CAUTION if words else NoticeKind.OVER).value,),
            coins=(market.base,),
            steps=tuple(steps),
        )

    def _holds(self, market: Market, raised: frozenset[MarketFlag]) -> bool:
        """Whether entries stop. An alarm by figures over a settlement currency is told only: everything is priced in it."""
        return any(flag.is_grave for flag in raised) or market.base not in self._components.portfolio.state.settlement

    def _scope(self, market: Market) -> str:
        """That of the coin at its venue; of the coin everywhere where a notice holds that already, which this one then confirms."""
        everywhere = f"symbol.{market.base}"
        standing = self._components.risk.halts.standing
        holds = any(halt.scope == everywhere and halt.source == NOTICE and halt.depth.rank >= Depth.REDUCING.rank for halt in standing)
        return everywhere if holds else f"symbol.{market.exchange}:{market.base}"

    def told(self, record: NoticeRecord) -> str:
        """What the venue's list says now of the coins that a notice of caution names; empty where it says nothing of them."""
        read = record.read
        if NoticeKind.CAUTION not in read.kinds:
            return ""
        words = []
        for market in self._components.universe.markets:
            flags = self._now.get(read.exchange, {}).get(market.code)
            if market.exchange == read.exchange and market.base in read.coins and flags is not None:
                words.append(f"{market.code}: {', '.join(_words(flags)) or 'no flag'}")
        return "; ".join(words)


def _id_of(market: Market) -> str:
    """The id of the one notice that stands for the flags of ``market``: no venue's own has two colons."""
    return f"{market.exchange}:flags:{market.code}"


def _words(flags: frozenset[MarketFlag]) -> list[str]:
    return sorted(flag.word for flag in flags)


def _digest(flags: frozenset[MarketFlag]) -> str:
    return " ".join(_words(flags))
