"""When the exchange rate is doubted: deviation from the coins' median, jumps, and what lies between the limits."""

from collections.abc import Sequence
from math import exp, isnan

import pytest

from arbtui.marketdata.config import RatesConfig
from arbtui.marketdata.rate_book import RateBook
from arbtui.marketdata.rate_market import RateMarket
from arbtui.marketdata.rate_watch import RateWatch
from arbtui.model.book import BookState, OrderBook
from arbtui.model.errors import UsageError
from arbtui.model.reason import Reason
from arbtui.settings.load import load_profile

RATE = 1400.0


class _Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def time_ms(self) -> int:
        return int(self.now * 1000)


def _set(book: OrderBook, mid: float) -> None:
    book.replace([(mid * (1 - 1e-5), 1e6)], [(mid * (1 + 1e-5), 1e6)])
    book.state = BookState.LIVE


class _Market:
    """A rate and ``coins`` coins, all of which agree until they are moved. Moves are in bps."""

    def __init__(self, coins: int = 5, **limits: float) -> None:
        self.clock = _Clock()
        self.book = OrderBook("upbit", "KRW-USDT")
        self.rate_market = RateMarket(self.book, "USDT", "KRW", 5.0, 0.0005)
        self.rates = RateBook([self.rate_market], "USDT")
        self.watch = RateWatch(self.rate_market, RatesConfig(**limits), self.clock)  # type: ignore[arg-type]
        self.coins = [self.watch.add(f"C{n}", OrderBook("upbit", f"KRW-C{n}"), OrderBook("binance", f"C{n}USDT")) for n in range(coins)]
        self.move(0.0)
        self.rate(0.0)

    def move(self, bps: float, which: Sequence[int] | None = None) -> None:
        """Put the won prices of coins (all) so far from where they began."""
        for n, coin in enumerate(self.coins):
            if which is None or n in which:
                _set(coin.local, RATE * (n + 1) * exp(bps / 1e4))
                _set(coin.foreign, float(n + 1))

    def rate(self, bps: float) -> None:
        """Put the rate so far from where it began; its book tells."""
        _set(self.book, RATE * exp(bps / 1e4))
        self.book.ts_init = self.clock.now
        self.rates.refresh(now=self.clock.now)

    def wait(self, seconds: float, each: float = 0.5) -> None:
        """Let time pass, the rate's book telling the same again and again."""
        for _ in range(round(seconds / each)):
            self.clock.now += each
            self.book.ts_init = self.clock.now
            self.rates.refresh(now=self.clock.now)
            self.watch.look_at_all(self.clock.now)

    def refusal(self) -> Reason | None:
        return self.rate_market.refusal(self.clock.now)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_rate_that_leaves_the_coins_is_doubted_on_that_same_update_and_believed_after_ten_seconds(sign: int) -> None:
    m = _Market()
    m.wait(5)
    assert m.refusal() is None
    m.rate(sign * 150.0)
    assert m.refusal() is Reason.RATE_DOUBTED
    assert "moved" in m.watch.why
    m.wait(12)
    assert m.refusal() is Reason.RATE_DOUBTED
    m.rate(0.0)
    m.wait(9)
    assert m.refusal() is Reason.RATE_DOUBTED
    m.wait(2)
    assert m.refusal() is None
    assert m.watch.why == ""


def test_a_rate_that_creeps_away_is_doubted_at_the_limit() -> None:
    m = _Market()
    for step in range(43):  # 1 bps a second: no jump
        m.rate(float(step))
        m.wait(1)
        if step <= 38:
            assert m.refusal() is None, step
    assert m.refusal() is Reason.RATE_DOUBTED  # the deviation's own mean has followed by a bps or two
    assert "coins imply" in m.watch.why


def test_a_rate_that_stands_still_while_all_coins_leave_is_doubted_without_an_update_of_its_own() -> None:
    m = _Market()
    m.wait(5)
    m.move(60.0)
    m.watch.look(m.clock.now)
    assert m.refusal() is Reason.RATE_DOUBTED


def test_a_real_drift_that_the_coins_follow_is_not_doubted_and_costs_no_edge() -> None:
    m = _Market()
    for step in range(1, 601):  # 3 % in five minutes
        m.move(step * 0.5)
        m.rate(step * 0.5)
        m.wait(0.5)
        assert m.refusal() is None, step
        assert m.rates.conversion("USDT", "KRW").margin_bps < 0.1


def test_a_real_jump_that_the_coins_made_first_is_not_doubted() -> None:
    m = _Market()
    m.wait(5)
    m.move(35.0)
    m.rate(35.0)
    assert m.refusal() is None


def test_a_jump_under_the_deviation_limit_is_doubted_all_the_same() -> None:
    m = _Market()
    m.wait(5)
    m.rate(33.0)
    assert m.refusal() is Reason.RATE_DOUBTED


def test_the_same_way_in_steps_over_more_than_a_second_is_no_jump() -> None:
    m = _Market()
    m.wait(5)
    for bps in (12.0, 24.0, 36.0):
        m.rate(bps)
        m.wait(1.1, each=1.1)
    assert m.refusal() is None


@pytest.mark.parametrize(("sign", "gains", "loses"), [(1, ("USDT", "KRW"), ("KRW", "USDT")), (-1, ("KRW", "USDT"), ("USDT", "KRW"))])
def test_what_is_too_small_to_block_is_taken_off_the_edges_that_gain_by_it(
    sign: int, gains: tuple[str, str], loses: tuple[str, str]
) -> None:
    m = _Market()
    m.wait(5)
    m.rate(sign * 25.0)
    assert m.refusal() is None
    assert m.rates.conversion(*gains).margin_bps == pytest.approx(25.0, abs=0.5)
    assert m.rates.conversion(*loses).margin_bps == 0.0


def test_what_stands_for_ten_minutes_is_the_markets_price() -> None:
    m = _Market()
    m.move(-60.0)  # from the start the rate is 60 bps dearer than the coins say
    m.watch.look(m.clock.now)
    assert m.refusal() is Reason.RATE_DOUBTED
    m.wait(620)
    assert m.refusal() is None
    assert m.watch.deviation_bps == pytest.approx(0.0, abs=0.5)


def test_with_three_coins_only_a_jump_is_seen_and_blocks_for_thirty_seconds() -> None:
    m = _Market(coins=3)
    m.wait(5)
    assert m.watch.needs_coins
    assert isnan(m.watch.deviation_bps)
    m.rate(20.0)
    assert m.refusal() is None
    m.rate(60.0)
    assert m.refusal() is Reason.RATE_DOUBTED
    m.wait(29.5)
    assert m.refusal() is Reason.RATE_DOUBTED
    m.wait(1)
    assert m.refusal() is None


def test_a_coin_whose_book_is_not_live_on_both_sides_does_not_count() -> None:
    m = _Market(coins=4)
    m.wait(1)
    assert m.watch.live_coins == 4
    m.coins[0].foreign.state = BookState.STALE
    m.watch.look(m.clock.now)
    assert m.watch.live_coins == 3
    m.coins[0].foreign.state = BookState.LIVE
    m.coins[0].local.replace([], [(1400.0, 1.0)])
    m.watch.look(m.clock.now)
    assert m.watch.needs_coins


def test_a_jump_after_a_quiet_minute_is_a_jump() -> None:
    m = _Market(coins=2)
    m.clock.now += 60.0
    m.rate(80.0)
    assert m.refusal() is Reason.RATE_DOUBTED


def test_a_rate_without_one_side_is_no_rate_and_comes_back_compared() -> None:
    m = _Market()
    m.wait(5)
    m.book.replace([(1400.0, 1.0)], [])
    m.rates.refresh()
    assert m.refusal() is Reason.NO_RATE
    m.wait(3)
    m.rate(150.0)
    assert m.refusal() is Reason.RATE_DOUBTED


def test_one_coin_that_parts_is_doubted_alone_and_back_after_ten_seconds_within_half() -> None:
    m = _Market()
    m.wait(5)
    m.move(400.0, [2])
    m.wait(1)
    assert [coin.doubted for coin in m.coins] == [False, False, True, False, False]
    assert m.refusal() is None
    m.wait(1200)  # no mean of its own: a wallet may be closed for weeks
    assert m.coins[2].doubted
    m.move(100.0, [2])
    m.wait(30)
    assert m.coins[2].doubted  # not within half of the limit
    m.move(10.0, [2])
    m.wait(9)
    assert m.coins[2].doubted
    m.wait(2)
    assert not m.coins[2].doubted


def test_a_split_and_a_closed_wallet_at_once_leave_the_rate_believed_and_still_watched() -> None:
    m = _Market(coins=6)
    m.move(7000.0, [0])
    m.move(-300.0, [1])
    m.wait(5)
    assert [coin.doubted for coin in m.coins] == [True, True, False, False, False, False]
    assert m.refusal() is None
    m.rate(150.0)
    assert m.refusal() is Reason.RATE_DOUBTED


def test_coins_that_swing_on_their_own_do_not_make_the_rate_doubted() -> None:
    m = _Market(coins=4)
    m.wait(5)
    for n, bps in enumerate((60.0, 50.0, 46.0, -50.0)):  # their median is 48 bps off, and sure by no means
        m.move(bps, [n])
    m.watch.look(m.clock.now)
    assert abs(m.watch.deviation_bps) > 40.0
    assert m.refusal() is None
    m.rate(-150.0)
    assert m.refusal() is Reason.RATE_DOUBTED  # what the rate does alone is seen all the same


def test_limits_that_contradict_each_other_are_refused_with_the_key() -> None:
    with pytest.raises(UsageError, match="clear_deviation_bps: 50 is above max_deviation_bps"):
        load_profile("upbit-binance", {"rates": {"clear_deviation_bps": 50.0}})


class _Peers:
    """The rate at several venues, without coins enough to tell which of them is right. Moves are in bps."""

    def __init__(self, venues: int = 2, coins_of_first: int = 0) -> None:
        self.clock = _Clock()
        self.markets = [RateMarket(OrderBook(f"v{n}", "KRW-USDT"), "USDT", "KRW", 5.0, 0.0005) for n in range(venues)]
        self.watches = [RateWatch(market, RatesConfig(), self.clock) for market in self.markets]
        for watch in self.watches:
            watch.confirm_by([one for one in self.watches if one is not watch])
        for n in range(coins_of_first):
            coin = self.watches[0].add(f"C{n}", OrderBook("v0", f"KRW-C{n}"), OrderBook("binance", f"C{n}USDT"))
            _set(coin.local, RATE * (n + 1))
            _set(coin.foreign, float(n + 1))
        for n in range(venues):
            self.rate(n, 0.0)

    def rate(self, venue: int, bps: float) -> None:
        _set(self.markets[venue].book, RATE * exp(bps / 1e4))
        self.markets[venue].book.ts_init = self.clock.now
        self.markets[venue].refresh()

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.5)):
            self.clock.now += 0.5
            for market in self.markets:
                market.book.ts_init = self.clock.now
                market.refresh()
            for watch in self.watches:
                watch.look_at_all(self.clock.now)

    @property
    def doubted(self) -> list[bool]:
        return [market.doubted for market in self.markets]


def test_the_venue_whose_rate_jumps_alone_is_doubted_and_the_other_carries_on() -> None:
    m = _Peers()
    m.wait(5)
    assert not any(watch.needs_coins for watch in m.watches)
    m.rate(0, 150.0)
    assert m.doubted == [True, False]
    m.wait(40)
    assert m.doubted == [True, False]  # no coins, and still it is not believed after a time: the other venue contradicts it
    m.rate(0, 0.0)
    m.wait(11)
    assert m.doubted == [False, False]


def test_two_venues_that_jump_together_confirm_each_other() -> None:
    m = _Peers()
    m.wait(5)
    m.rate(0, 60.0)
    m.clock.now += 0.2
    m.rate(1, 60.0)
    assert not m.doubted[1]
    m.wait(11)
    assert m.doubted == [False, False]


def test_two_venues_that_part_slowly_are_both_doubted_for_nobody_tells_which_is_wrong() -> None:
    m = _Peers()
    for step in range(45):
        m.rate(1, float(step))
        m.wait(1)
    assert m.doubted == [True, True]
    assert "other venues" in m.watches[0].why
    for step in reversed(range(45)):
        m.rate(1, float(step))
        m.wait(1)
    m.wait(11)
    assert m.doubted == [False, False]


def test_of_three_the_one_that_parts_is_doubted_alone() -> None:
    m = _Peers(venues=3)
    for step in range(45):
        m.rate(2, float(step))
        m.wait(1)
    assert m.doubted == [False, False, True]


def test_a_venue_whose_coins_confirm_it_is_not_doubted_for_what_another_says() -> None:
    m = _Peers(coins_of_first=5)
    for step in range(45):
        m.rate(1, float(step))
        m.wait(1)
    assert m.doubted == [False, True]
    assert m.watches[0].live_coins == 5


def test_a_venue_that_is_away_tells_nothing() -> None:
    m = _Peers()
    m.wait(5)
    m.markets[1].book.state = BookState.STALE
    m.rate(0, 10.0)
    assert m.watches[0].needs_coins
    m.clock.now += 2.0
    m.rate(0, 60.0)
    assert m.doubted == [True, False]  # the jump test on its own
    m.wait(31)
    assert not m.doubted[0]


def test_a_coin_at_two_dollar_venues_counts_once_and_by_the_pair_that_is_live() -> None:
    m = _Market(coins=0)
    pairs = []
    for n in range(4):
        for venue in ("binance", "bybit"):
            coin = m.watch.add(f"C{n}", OrderBook("upbit", f"KRW-C{n}"), OrderBook(venue, f"C{n}USDT"))
            _set(coin.local, RATE)
            _set(coin.foreign, 1.0)
            pairs.append(coin)
    m.watch.look(m.clock.now)
    assert m.watch.live_coins == 4
    for coin in pairs[::2]:  # the first venue dies
        coin.foreign.state = BookState.STALE
    m.watch.look(m.clock.now)
    assert m.watch.live_coins == 4
    for coin in pairs:
        coin.foreign.state = BookState.STALE
    m.watch.look(m.clock.now)
    assert m.watch.live_coins == 0
