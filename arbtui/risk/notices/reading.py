"""One announcement, read: what it is about, which coins of ours it concerns, when, and the steps that follow. It never widens anything."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta, timezone

from arbtui.exchanges.announcements import Announcement
from arbtui.journal.events import NoticeRead, NoticeStep
from arbtui.model.scoped_halts import Depth
from arbtui.risk.notices.coins import Named, coins_in
from arbtui.risk.notices.kinds import NoticeKind
from arbtui.risk.notices.rules import NoticeRules
from arbtui.risk.notices.text import plain_text
from arbtui.risk.notices.times import Span, times_in

HOLD, OPEN, RULES = "hold", "open", "rules"
AGAIN = "again"  #: marks the second reading of the rules

#: Characters of a title and a body that are read at most: longer ones would hold up the loop, and say nothing more.
_LONGEST_TITLE, _LONGEST_BODY, _MOST_LINES = 400, 8_000, 100
#: Where a body names several times, how long after the day's begin one counts as of that day, in ms.
_DAY_MS = 86_400_000
#: A venue may change its rules a little later than it says: after so many ms they are read once more.
_AGAIN_MS = 600_000
#: Kinds of what stays until a person lifts it; of what lasts for hours, and then is over; and those that the body may warn of where the
#: title says nothing.
_LASTING = frozenset({NoticeKind.DELISTING, NoticeKind.CAUTION})
_PASSING = frozenset({NoticeKind.WALLET, NoticeKind.MAINTENANCE, NoticeKind.RULES})
_GRAVE = frozenset({NoticeKind.DELISTING, NoticeKind.CAUTION, NoticeKind.WALLET, NoticeKind.MAINTENANCE})


@dataclass(frozen=True, slots=True)
class TradedThere:
    """What of a venue concerns us. ``markets``: (base, quote) of those that are traded; ``held``: coins with a balance there."""

    markets: Collection[tuple[str, str]]
    held: Collection[str]

    @property
    def coins(self) -> frozenset[str]:
        """Everything that is traded or held there."""
        return frozenset(self.held) | frozenset(asset for market in self.markets for asset in market)


def read_notice(
    announcement: Announcement, there: TradedThere, now_ms: int, before: NoticeRead | None = None, rules: NoticeRules | None = None
) -> NoticeRead | None:
    """What ``announcement`` means for us; None where it concerns nothing of ours.

    Args:
        announcement: as the venue published it.
        there: what is traded and held at its venue.
        now_ms: ms since the epoch: what a time that cannot be read means.
        before: the same notice as it was read last, where this is an update; its steps stay unless this one says another time, but for
            the end of a maintenance: one that the update does not name again, and does not say is over, is left to a person.
        rules: None for those that come with the program.
    """
    reader = _Reader(announcement, there, now_ms, before, rules or NoticeRules.shipped())
    return reader.notice()


class _Reader:
    def __init__(self, announcement: Announcement, there: TradedThere, now_ms: int, before: NoticeRead | None, rules: NoticeRules) -> None:
        self._said = announcement
        self._there = there
        self._now_ms = now_ms
        self._before = before
        self._rules = rules
        self._ours = there.coins
        self._title = plain_text(announcement.title[:_LONGEST_TITLE]).replace("\n", " ")
        self._body = plain_text(announcement.body[:_LONGEST_BODY])
        self._categories = [category.casefold() for category in announcement.categories]
        self._named = self._named_in(self._title)
        self._more = self._named_below()
        self._is_moved = False  # to a time that cannot be read

    def notice(self) -> NoticeRead | None:
        """See :func:`read_notice`."""
        kinds = self._rules.kinds(self._title, self._categories)
        grave = tuple(kind for kind in kinds if kind is not NoticeKind.OVER)
        steps: list[NoticeStep] = []
        told: list[NoticeKind] = []
        span = self._span()
        new_coins: tuple[str, ...] = ()
        for kind in grave:
            if kind is NoticeKind.LISTING:
                new_coins = tuple(coin for coin in self._everything() if coin not in self._ours)
                if new_coins:
                    told.append(kind)
            elif self._concerns_us() and not self._has_passed(kind, span):
                told.append(kind)
                steps += self._steps(kind, span)
        if not told:
            told = self._plain_kinds(kinds)
        if not told:
            return None
        before = self._before
        due = {step.key: step for step in (*self._earlier(kinds), *(self._settled(step, span) for step in steps))}
        if not _LASTING.isdisjoint(told):  # the end of a maintenance is none of what stays
            due = {key: step for key, step in due.items() if step.verb != OPEN}
        return NoticeRead(
            notice_id=self._said.key,
            exchange=self._said.exchange,
            title=self._title,
            url=self._said.url,
            digest=self._said.digest,
            published_ms=self._said.published_ms,
            kinds=tuple(kind.value for kind in told),
            coins=self._coins(),
            at_ms=None if span is None else span.start_ms,
            until_ms=None if span is None else span.end_ms,
            steps=tuple(due.values()),
            new_coins=new_coins or (() if before is None else before.new_coins),
        )

    def _earlier(self, kinds: Sequence[NoticeKind]) -> Sequence[NoticeStep]:
        """The steps of the notice before. An end stays only where this one says that it has come: it may mean a later one, unreadably."""
        if self._before is None:
            return ()
        is_over = NoticeKind.OVER in kinds and not self._rules.moves(self._title)
        return [step for step in self._before.steps if is_over or step.verb != OPEN]

    def _settled(self, step: NoticeStep, span: Span | None) -> NoticeStep:
        """``step``; what is to be done at once is due when it first was, so that not each update does it again."""
        is_at_once = span is None or step.at_ms == self._now_ms
        if self._before is None or not is_at_once or self._is_moved:
            return step
        return next((one for one in self._before.steps if one.key == step.key and one.at_ms <= self._now_ms), step)

    # which coins

    def _named_in(self, text: str) -> Named:
        return coins_in(text, self._ours, self._rules, self._there.markets)

    def _named_below(self) -> Named | None:
        """What the body names, where the title leaves coins out."""
        if self._named.all and not self._rules.names_more_below(self._title):
            return None
        return self._named_in(self._body)

    def _everything(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*self._named.all, *(self._more.all if self._more is not None else ())]))

    def _coins(self) -> tuple[str, ...]:
        """Of ours, those whose own markets are meant: another quote of the same coin is none of ours."""
        found: dict[str, None] = {}
        for named in (self._named, self._more):
            if named is None:
                continue
            for coin in named.all:
                quotes = {quote for base, quote in self._there.markets if base == coin}
                in_pairs = coin in named.in_pairs_only
                meant = {quote for base, quote in named.pairs if base == coin} if in_pairs else self._named.quotes
                if coin in self._ours and (not meant or not quotes or not meant.isdisjoint(quotes)):
                    found[coin] = None
        return tuple(found)

    def _names_another_market(self) -> bool:
        """Whether whole markets are named, and all of quotes in which nothing of ours is priced there."""
        return bool(self._named.quotes) and self._named.quotes.isdisjoint(quote for _, quote in self._there.markets)

    def _concerns_us(self) -> bool:
        if self._everything():
            return bool(self._coins())
        return not self._names_another_market()

    # when

    def _span(self) -> Span | None:
        """The earliest time from the publication on, the title's first; None where none can be read, which is now."""
        usual = timezone(timedelta(hours=self._said.utc_hours))
        published = self._said.published_ms
        title, body = (
            [span for span in times_in(text, published, usual) if (span.end_ms or span.start_ms) >= published]
            for text in (self._title, self._body)
        )
        spans = title or body
        if title and all(span.is_day for span in title):  # the body may tell the hour
            days = {span.start_ms for span in title}
            spans = [one for one in body if not one.is_day and any(day <= one.start_ms < day + _DAY_MS for day in days)] or title
        before = self._before
        if spans:
            first = min(spans, key=lambda span: (span.start_ms, span.end_ms is None))
            return Span(first.start_ms, is_day=first.is_day) if self._still_names_the_old(first.end_ms) else first
        self._is_moved = before is not None and self._rules.moves(f"{self._title}\n{self._body}")
        if before is None or before.at_ms is None or self._is_moved:
            return None
        return Span(before.at_ms)

    def _still_names_the_old(self, end_ms: int | None) -> bool:
        """Whether an update says that a time has changed, and the end that is read in it is the one before: the new one was not read."""
        before = self._before
        return (
            before is not None
            and self._title != before.title
            and self._rules.moves(self._title)
            and any(step.verb == OPEN and step.at_ms == end_ms for step in before.steps)
        )

    def _has_passed(self, kind: NoticeKind, span: Span | None) -> bool:
        """Whether what is read for the first time has come and gone: a list that is asked for begins with notices of days ago."""
        if self._before is not None or kind not in _PASSING:
            return False
        if span is not None and span.end_ms is not None:
            return span.end_ms <= self._now_ms
        return (span is None or span.start_ms <= self._now_ms) and self._now_ms - self._said.published_ms > self._rules.old_ms

    # what follows

    def _steps(self, kind: NoticeKind, span: Span | None) -> Sequence[NoticeStep]:
        now, venue = self._now_ms, self._said.exchange
        at = now if span is None else span.start_ms
        coins = self._coins()
        symbols = [f"symbol.{coin}" for coin in coins]
        match kind:
            case NoticeKind.DELISTING:
                first = [NoticeStep(HOLD, scope, now, Depth.REDUCING.value) for scope in symbols]
                return [*first, *(NoticeStep(HOLD, scope, at - self._rules.halt_before_ms, Depth.HALTED.value) for scope in symbols)]
            case NoticeKind.CAUTION:
                return [NoticeStep(HOLD, scope, now, Depth.REDUCING.value) for scope in symbols]
            case NoticeKind.WALLET:
                scopes = [f"wallet.{venue}:{coin}" for coin in coins] or [f"wallet.{venue}"]
                return [NoticeStep(HOLD, scope, now, Depth.PAUSED.value) for scope in scopes]
            case NoticeKind.MAINTENANCE:
                return [step for scope in symbols or [f"exchange.{venue}"] for step in self._standstill(scope, at, span)]
            case NoticeKind.RULES:
                return [NoticeStep(RULES, f"exchange.{venue}", at), NoticeStep(RULES, f"exchange.{venue}", at + _AGAIN_MS, AGAIN)]
            case _:
                return []

    def _standstill(self, scope: str, at: int, span: Span | None) -> Sequence[NoticeStep]:
        steps = [
            NoticeStep(HOLD, scope, at - self._rules.drain_ms, Depth.PAUSED.value),
            NoticeStep(HOLD, scope, at, Depth.HALTED.value),
        ]
        if span is not None and span.end_ms is not None:
            steps.append(NoticeStep(OPEN, scope, span.end_ms))
        return steps

    def _plain_kinds(self, kinds: Sequence[NoticeKind]) -> list[NoticeKind]:
        """Without a step: that something is over, or that a coin of ours is named."""
        if self._before is not None and NoticeKind.OVER in kinds:
            return [NoticeKind.OVER]
        if self._before is not None and any(step.verb == OPEN for step in self._before.steps):  # whose end may be another one now
            return [NoticeKind.OTHER]
        if self._rules.is_nothing(self._title, self._categories):
            return []
        ours = [coin for coin in self._named.all if coin in self._ours]
        if ours:
            return [NoticeKind.OVER if NoticeKind.OVER in kinds else NoticeKind.OTHER]
        return [NoticeKind.OTHER] if not kinds and any(map(self._is_grave, self._body.split("\n", _MOST_LINES)[:_MOST_LINES])) else []

    def _is_grave(self, line: str) -> bool:
        """Whether a line of the body by itself says something grave of a coin of ours."""
        line = line[:_LONGEST_TITLE]
        names_ours = not self._ours.isdisjoint(self._named_in(line).all)
        return names_ours and not _GRAVE.isdisjoint(self._rules.kinds(line, ()))
