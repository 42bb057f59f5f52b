"""Streams that are refused, announced to end, or banned; outages; keys without a right; an odd market (field cases 03, 05, 06, 13, 19)."""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from arbtui.journal.events import CycleState
from arbtui.model.book import BookState
from arbtui.monitoring.log import LogRing
from arbtui.portfolio.trading_state import TradingState
from arbtui.sandbox.answer import Answer, encode
from arbtui.sandbox.binance.venue import BinanceVenue
from arbtui.sandbox.call import Call
from arbtui.sandbox.faults import WireFaultKind as K
from arbtui.sandbox.upbit.venue import UpbitVenue
from arbtui.views.live import EngineViews
from tests.faults.desk import Desk, desk, play
from tests.faults.test_market_data import counts, stream
from tests.proof.steps import SECONDS


def why(d: Desk, venue: str) -> str:
    return d.engine.risk.exchange[venue].health.why(d.engine.components.clock.monotonic())


@pytest.mark.parametrize(
    ("venue", "error"),
    [("upbit", "WRONG_FORMAT"), ("upbit", "INVALID_PARAM"), ("binance", "-1102"), ("binance", "-2042")],
)
def test_a_private_subscription_that_is_refused_is_no_open_stream(venue: str, error: str, tmp_path: Path) -> None:
    """Field case 05."""

    async def main() -> None:
        async with desk(tmp_path) as d:
            refused = d.fault(venue, K.SUBSCRIBE_ERROR, stream="private", error=error, words="refused by script", count=3)
            d.fault(venue, K.DROP, stream="private")
            await d.met(refused)
            await d.until(lambda: not d.health()[venue], "nothing opens there")
            await d.until(lambda: "account stream" in why(d, venue), "and it is said why")
            await d.met(refused, times=3)
            await d.healthy()
            await d.agree()

    play(main)


@pytest.mark.parametrize(("venue", "error"), [("upbit", "NO_CODES"), ("binance", "2")])
def test_a_market_data_subscription_that_is_refused_is_no_open_stream(venue: str, error: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            error_of = error if venue == "upbit" else "-1130"
            refused = d.fault(venue, K.SUBSCRIBE_ERROR, stream="public", error=error_of, words="refused by script", count=4)
            d.fault(venue, K.DROP, stream="public")
            await d.met(refused, times=3)
            assert not d.health()[venue]
            await d.until(lambda: any("refuses what is subscribed" in one.why for one in stream(d).status()), "it is said why")
            await d.healthy()
            await d.agree()

    play(main)


def test_the_loss_of_one_of_two_sockets_takes_away_its_books_alone(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            sockets = [one for one in stream(d).status() if one.name.startswith("upbit")]
            assert len(sockets) == 2
            d.fault("upbit", K.SUBSCRIBE_ERROR, stream="public", error="NO_CODES", count=1)
            next(iter(d.box.door(UpbitVenue)._public.peers)).cut()
            books = {code: book for (name, code), book in d.engine.components.aggregator.books.items() if name == "upbit"}
            await d.until(lambda: any(book.state is not BookState.LIVE for book in books.values()), "books of one are out")
            await d.until(lambda: "1 of its 2 market data sockets" in why(d, "upbit"), "the venue is DEGRADED")
            assert any(book.state is BookState.LIVE for book in books.values()), "and those of the other go on"
            await d.healthy()

    play(main)


def test_an_announced_shutdown_is_met_by_a_new_socket_before_the_cut(tmp_path: Path) -> None:
    """Field case 19, on the market data and on the account stream."""

    async def main() -> None:
        async with desk(tmp_path) as d:
            rolled = {one.name: one.rollovers for one in stream(d).status() if one.name.startswith("binance")}
            failures = dict(counts(d, "binance").failures)
            before = set(d.box.door(BinanceVenue)._ws_api.peers)
            d.fault("binance", K.SHUTDOWN, ms=4000)

            def taken_over() -> bool:
                now = {one.name: one.rollovers for one in stream(d).status() if one.name.startswith("binance")}
                return all(now[name] > rolled[name] for name in rolled)

            await d.until(taken_over, "new market data sockets took over")
            await d.until(lambda: bool(set(d.box.door(BinanceVenue)._ws_api.peers) - before), "so did one of the account")
            await d.until(lambda: not before & set(d.box.door(BinanceVenue)._ws_api.peers), "the old one is gone")
            assert d.health()["binance"]
            await d.cycles(2, CycleState.HEDGED)
            assert counts(d, "binance").failures == failures, "no socket was lost"
            await d.agree()

    play(main)


@pytest.mark.parametrize("status", [418, 429])
def test_a_ban_told_on_a_socket_silences_everything_until_it_is_over(status: int, tmp_path: Path) -> None:
    """Field case 06."""

    async def main() -> None:
        async with desk(tmp_path) as d:
            clock, limits = d.engine.components.clock, d.venues.limits["binance"]
            ban = d.fault("binance", K.SUBSCRIBE_ERROR, stream="private", error="-1003", words="IP banned.", status=status, retry_after_s=6)
            d.fault("binance", K.DROP, stream="private")
            await d.met(ban)
            await d.until(lambda: limits.banned_until > clock.monotonic() + 3.0, "the ban is known, and its end")
            asked = d.box.fronts["binance"].requests
            await d.until(lambda: "wants no requests for" in why(d, "binance") or "account stream" in why(d, "binance"), "it is said")
            shown = EngineViews(d.engine, "LIVE", "", LogRing(), limits=d.venues.limits).header().exchanges
            assert re.fullmatch(r"banned [3-6]s", next(one.status for one in shown if one.name == "BINANCE")), "the header counts down"
            until, sockets = limits.banned_until, len(d.box.door(BinanceVenue)._ws_api.peers)
            await d.until(lambda: clock.monotonic() > until - 0.2, "its end is near")
            assert d.box.fronts["binance"].requests <= asked + 1, "only what was under way when it came"
            assert len(d.box.door(BinanceVenue)._ws_api.peers) == sockets == 0
            await d.healthy()
            await d.agree()

    play(main)


def test_a_ban_whose_end_is_told_in_words_only(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            clock, limits = d.engine.components.clock, d.venues.limits["binance"]
            await d.cycles(1)  # it trades, so that a request comes before the ban is over
            until_ms = clock.time_ms() + 5_000
            told = {"error": "-1003", "words": f"Way too much request weight used; IP banned until {until_ms}."}
            d.fault("binance", K.REFUSE, on="any", **told)
            await d.until(lambda: limits.banned_until > clock.monotonic() + 2.0, "the ban is known", 60)
            asked, until = d.box.fronts["binance"].requests, limits.banned_until
            await d.until(lambda: clock.monotonic() > until - 0.2, "its end is near")
            assert d.box.fronts["binance"].requests <= asked + 1
            await d.healthy()

    play(main)


def test_after_an_outage_trading_goes_on_at_once(tmp_path: Path) -> None:
    """Trading within 5 s of the first good answer; printed, and held against far more here, for the machine may be busy.

    `make proof` has a longer outage.
    """
    seconds = float(os.environ.get(SECONDS, "15"))

    async def main() -> None:
        shipped = {"health": {"recover_s": 2.5, "answer_window_s": 60.0}}
        async with desk(tmp_path, settings=shipped) as d:
            await d.healthy()
            clock = d.engine.components.clock
            first: dict[str, float] = {}
            for venue in d.box.fronts:
                d.fault(venue, K.CRASH, seconds=seconds)
            await d.until(lambda: not any(front.is_open for front in d.box.fronts.values()), "both are gone")
            await d.until(lambda: all(front.is_open for front in d.box.fronts.values()), "both are back", seconds + 60)
            before = {name: front.requests for name, front in d.box.fronts.items()}
            fills, back = d.engine.tracker.fills, clock.monotonic()

            def traded() -> bool:
                for name, front in d.box.fronts.items():
                    if front.requests > before[name]:
                        first.setdefault(name, clock.monotonic())
                return len(first) == len(before) and d.engine.tracker.fills > fills

            await d.until(traded, "a fill")
            now = clock.monotonic()
            took = now - max(first.values())
            print(f"back for {now - back:.1f} s")
            print(f"outage of {seconds:g} s: first fill {took:.1f} s after the later venue's first answer")
            assert took < 20
            await d.agree()

    play(main)


@pytest.mark.parametrize(
    ("venue", "on", "told", "right"),
    [
        ("upbit", "test", {"error": "out_of_scope", "status": 403}, "order"),  # field case 13, found before the first order
        ("upbit", "cancel", {"error": "out_of_scope", "status": 403}, "cancel"),
        ("binance", "test", {"error": "-2015", "status": 401}, "order"),
        ("binance", "query", {"error": "-2015", "status": 401}, "read orders"),
    ],
)
def test_a_key_without_a_right_is_found_before_anything_is_armed(
    venue: str, on: str, told: dict[str, Any], right: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def main() -> None:
        async with desk(tmp_path, start=False) as d:
            d.fault(venue, K.REFUSE, count=1000, on=on, **told)
            with pytest.raises(AssertionError, match=f"VenueRefused.*lacks the right to {right}"):  # the session ended with that
                await d.start()
            d.session = d._running = None
            assert not d.posts
        said = capsys.readouterr()
        lines = [line for line in (said.out + said.err).splitlines() if ("right to" in line and "proven" in line) or "REFUSED" in line]
        assert len([line for line in lines if "right to" in line]) >= 8

    play(main)


def odd_symbol(row: dict[str, Any]) -> dict[str, Any]:
    filters = [one for one in row["filters"] if one["filterType"] not in ("NOTIONAL", "MIN_NOTIONAL")]
    return row | {"symbol": "ODDUSDT", "baseAsset": "ODD", "filters": filters}


def odd_binance(call: Call, answer: Answer) -> Answer:
    if call.path != "/api/v3/exchangeInfo":
        return answer
    info = json.loads(answer.body)
    return Answer(encode(info | {"symbols": [*info["symbols"], odd_symbol(info["symbols"][0])]}), answer.status, answer.headers)


def odd_price(call: Call, answer: Answer) -> Answer:
    if call.path != "/api/v3/ticker/price":
        return answer
    return Answer(encode([{"symbol": "NULLUSDT", "price": None}, *json.loads(answer.body)]) if b"[" in answer.body else answer.body)


def odd_upbit(call: Call, answer: Answer) -> Answer:
    """Listed today, and not known to the quotation calls: each question that names it fails as a whole."""
    if call.path == "/v1/market/all":
        new = {"market": "KRW-NEWCOIN", "korean_name": "뉴코인", "english_name": "Newcoin"}
        return Answer(encode([*json.loads(answer.body), new, None]), answer.status, answer.headers)
    if "KRW-NEWCOIN" in call.query and call.path in ("/v1/ticker", "/v1/orderbook/instruments"):
        return Answer(encode({"error": {"name": 404, "message": "Code not found"}}), 404)
    return answer


@pytest.mark.parametrize(
    ("venue", "rewrite", "code"),
    [("binance", odd_binance, "ODDUSDT"), ("binance", odd_price, ""), ("upbit", odd_upbit, "KRW-NEWCOIN")],
)
def test_one_odd_market_never_stops_a_start(
    venue: str, rewrite: Callable[[Call, Answer], Answer], code: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Field case 03."""

    async def main() -> None:
        async with desk(tmp_path, start=False) as d:
            d.box.fronts[venue].rewrite = rewrite
            await d.start()
            assert d.engine.state is TradingState.ARMED
            await d.cycles(1, CycleState.HEDGED)
            named = [record.getMessage() for record in caplog.records if code and code in record.getMessage()]
            assert len(named) == bool(code), "named once"

    play(main)
