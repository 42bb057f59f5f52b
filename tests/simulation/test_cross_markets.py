"""Markets of one coin against another: their prices follow the venue's own, and stand apart now and then by more than a round costs."""

import hashlib
import math
from collections.abc import Sequence
from decimal import Decimal

import pytest

from arbtui.exchanges.feed import Frame
from arbtui.model.errors import UsageError
from arbtui.simulation.market_simulator import MarketSimulator
from arbtui.simulation.played_venue import played_names, played_venue, simulated_markets
from tests.simulation.market_worlds import Batch, Reader, play, record

BOTH = {"upbit": ("BTC",), "binance": ("BTC",)}
SYMBOLS = ("BTC", "ETH", "XRP")


def digest(frames: Sequence[Frame]) -> str:
    return hashlib.sha256(b"".join(frame.raw for frame in frames)).hexdigest()


@pytest.mark.parametrize("scenario", ["busy", "normal", "crash"])
def test_one_seed_gives_the_same_bytes_and_none_asked_for_none_sent(scenario: str) -> None:
    crossed = record(SYMBOLS, 20, scenario=scenario, cross_quotes=BOTH)
    assert digest(crossed) == digest(record(SYMBOLS, 20, scenario=scenario, cross_quotes=BOTH))
    assert digest(crossed) != digest(record(SYMBOLS, 20, seed=2, scenario=scenario, cross_quotes=BOTH))
    without = record(SYMBOLS, 20, scenario=scenario, cross_quotes={"upbit": ()})
    assert digest(without) == digest(record(SYMBOLS, 20, scenario=scenario))
    assert any(b"BTC-ETH" in frame.raw for frame in crossed)
    assert any(b"ETHBTC" in frame.raw for frame in crossed)
    assert not any(b"BTC-ETH" in frame.raw or b"ETHBTC" in frame.raw for frame in without)


def test_the_wire_rebuilds_their_books_and_prices_and_sizes_lie_on_the_rules() -> None:
    reader = Reader()
    sim = play(SYMBOLS, 20, lambda _, batch: reader.take(batch), cross_quotes=BOTH)
    for exchange, code in (("upbit", "BTC-ETH"), ("upbit", "BTC-XRP"), ("binance", "ETHBTC"), ("binance", "XRPBTC")):
        market, truth, seen = sim.markets[exchange][code], sim.book(exchange, code), reader.books[code]
        assert next(truth.bids()) == (seen.bid, seen.bid_qty)
        assert next(truth.asks()) == (seen.ask, seen.ask_qty)
        for price, qty in [*truth.bids(), *truth.asks()]:
            assert market.price_down(Decimal(repr(price))) == Decimal(repr(price))
            assert market.qty_down(Decimal(repr(qty))) == Decimal(repr(qty))


class Rounds:
    """What going round KRW > BTC > ETH > KRW, or USDT > BTC > ETH > USDT, leaves of one at every look, either way, net of fees."""

    def __init__(self, exchange: str, coin: str, cross: str, asset: str) -> None:
        self.exchange, self.codes = exchange, (coin, cross, asset)
        self.edges: list[float] = []
        self.apart: list[float] = []

    def look(self, sim: MarketSimulator, _: Batch) -> None:
        if any(code not in sim.markets[self.exchange] for code in self.codes):
            return
        books = [sim.book(self.exchange, code) for code in self.codes]
        (coin_bid, coin_ask), (cross_bid, cross_ask), (asset_bid, asset_ask) = [
            (next(book.bids(), (math.nan,))[0], next(book.asks(), (math.nan,))[0]) for book in books
        ]
        kept = math.prod(1.0 - float(sim.markets[self.exchange][code].fees.taker) for code in self.codes)
        there = asset_bid / (coin_ask * cross_ask) * kept
        back = coin_bid * cross_bid / asset_ask * kept
        self.edges.append(max(there, back) - 1.0)
        self.apart.append(cross_bid * coin_bid / asset_bid - 1.0)


def watched(scenario: str, seconds: float, plant: Sequence[str] = ()) -> tuple[Rounds, Rounds]:
    upbit, binance = Rounds("upbit", "KRW-BTC", "BTC-ETH", "KRW-ETH"), Rounds("binance", "BTCUSDT", "ETHBTC", "ETHUSDT")

    def look(sim: MarketSimulator, batch: Batch) -> None:
        upbit.look(sim, batch)
        binance.look(sim, batch)

    play(SYMBOLS[:2], seconds, look, scenario=scenario, cross_quotes=BOTH, plant=plant)
    return upbit, binance


def test_a_round_pays_several_times_a_minute_where_it_is_busy_and_seldom_where_it_is_calm() -> None:
    for rounds in watched("busy", 120):
        pays = sum(edge > 0.0003 for edge in rounds.edges) / len(rounds.edges)
        assert 0.05 < pays < 0.6, rounds.exchange
        assert abs(sum(rounds.apart) / len(rounds.apart)) < 0.002  # it reverts to the venue's own two
    for rounds in watched("calm", 120):
        assert sum(edge > 0.0003 for edge in rounds.edges) / len(rounds.edges) < 0.2, rounds.exchange


def test_a_gap_is_planted_in_one_market_for_a_while() -> None:
    upbit, binance = watched("calm", 10, plant=["upbit:BTC-ETH +300 bps at 4 s for 3 s"])
    assert max(upbit.apart) > 0.025
    assert max(upbit.edges) > 0.015
    assert min(upbit.apart[-50:]) < 0.01
    assert max(binance.apart) < 0.01


def test_a_gap_where_nothing_is_played_is_refused_with_the_nearest_market() -> None:
    with pytest.raises(UsageError, match=r"no gap can be planted in upbit:BTC-ETC; the nearest is upbit:BTC-ETH"):
        play(SYMBOLS, 1, lambda *_: None, cross_quotes=BOTH, plant=["upbit:BTC-ETC +80 bps at 1 s for 1 s"])


def test_prices_and_ids_go_on_after_a_restart() -> None:
    first = play(SYMBOLS, 10, lambda *_: None, cross_quotes=BOTH)
    state = first.state()
    update_id, trade_id, *basis = state["markets"]["upbit"]["BTC-ETH"]
    assert len(basis) == 2
    second = play(SYMBOLS, 0.05, lambda *_: None, cross_quotes=BOTH, state=state)
    book = second.book("upbit", "BTC-ETH")
    assert (book.update_id, book.trade_id) >= (update_id, trade_id)
    assert second.state()["markets"]["upbit"]["BTC-ETH"][2:] == pytest.approx(basis, abs=1.0)
    assert "BTC-ETH" in play(SYMBOLS, 1, lambda *_: None, state=state).state()["markets"]["upbit"]  # kept for a run that plays it again


def test_every_venue_that_has_such_markets_plays_them_and_coinone_none() -> None:
    have = [name for name in played_names() if played_venue(name).cross is not None]
    markets = simulated_markets(["BTC", "ETH", "SHIB"], have, dict.fromkeys(have, ("BTC",)))
    for name, listed in markets.items():
        crosses = [market for market in listed.values() if market.quote == "BTC"]
        assert [market.base for market in crosses] == ["ETH"], name  # a price unit of SHIB would be a tenth of its price
        least_value = crosses[0].price_units.at(Decimal("0.035")) * crosses[0].lot_step
        assert least_value % Decimal("0.00000001") == 0 or not played_venue(name).is_of_dollars  # balances there have eight decimals
        assert 0.0 < crosses[0].min_cost <= Decimal("0.0001") or name == "okx"
    with pytest.raises(UsageError, match="no markets of coinone against BTC: it has no such markets"):
        simulated_markets(["BTC", "ETH"], ["coinone"], {"coinone": ["BTC"]})
    with pytest.raises(UsageError, match="no markets of upbit against BTC: BTC is not among the symbols"):
        simulated_markets(["ETH"], ["upbit"], {"upbit": ["BTC"]})
