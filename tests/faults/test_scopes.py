"""Refusals whose scope is wider than one order, played by the venues under a live session (field cases 01, 07, 12, 13)."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from arbtui.exchanges import standing
from arbtui.journal.events import CycleState
from arbtui.model.errors import ArbtuiError, VenueFailed, VenueRefused
from arbtui.model.order import OrderState
from arbtui.risk.breach import Severity
from arbtui.sandbox.answer import Answer, encode
from arbtui.sandbox.call import Call
from arbtui.sandbox.faults import WireFaultKind as K
from tests.faults.desk import SYMBOLS, Desk, desk, play
from tests.faults.test_market_data import counts
from tests.faults.test_refusals import MOST_ORDERS, code, other

DISABLED = "This action is disabled on this account."


async def refused_once(d: Desk, venue: str, **told: Any) -> None:
    """One order is refused, nothing opens any more, and a person is told loudly."""
    fault = d.fault(venue, K.REFUSE, count=1000, on="order", **told)
    await d.met(fault)
    await d.until(lambda: d.engine.risk.exchange[venue].health.is_refused, "the venue's standing is known")
    await d.until(lambda: not d.engine.executor.open, "what was under way ends without that venue")
    await d.until(lambda: any(b.severity is Severity.CRIT for b in d.breaches("VENUE_DOWN")), "it is told, and not as a trifle")


@pytest.mark.parametrize(
    ("venue", "told"),
    [
        ("binance", {"error": "-2010", "words": DISABLED}),  # field case 07
        ("binance", {"error": "-2010", "words": "This account may not place or cancel orders."}),
        ("binance", {"error": "-1013", "words": "Filter failure: EXCHANGE_MAX_NUM_ORDERS"}),
        ("binance", {"error": "-2015", "words": "Invalid API-key, IP, or permissions for action.", "status": 401}),
        ("upbit", {"error": "out_of_scope", "words": "허용되지 않은 기능입니다.", "status": 403}),  # field case 13
        ("upbit", {"error": "no_authorization_i_p", "words": "This is not a verified IP.", "status": 401}),
        ("upbit", {"error": "two_factor_auth_required", "words": "유효한 인증채널을 입력하세요."}),
    ],
    ids=lambda told: told if isinstance(told, str) else told["error"],
)
def test_what_is_refused_for_the_account_is_not_tried_symbol_by_symbol(
    venue: str, told: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "FIRST_PROBE_S", 0.2)  # several test orders within the messages that are waited for

    async def main() -> None:
        async with desk(tmp_path) as d:
            await refused_once(d, venue, **told)
            undone = d.ended[CycleState.UNWOUND] + d.ended[CycleState.RESIDUAL]
            posts = Counter(d.posts)
            reads = counts(d, "binance").read  # the busier stream, whichever venue refuses: as many chances to try again
            await d.until(lambda: counts(d, "binance").read > reads + 200, "time passes")
            assert d.posts == posts, "a test order that is taken is no reason to try again"
            assert undone <= 1
            assert d.health()[other(venue)]
            assert not d.breaches("ORDER_REFUSED"), "no symbol is to blame"

    play(main)


@pytest.mark.parametrize(
    ("venue", "told"),
    [("binance", {"error": "-2010", "words": DISABLED}), ("upbit", {"error": "out_of_scope", "status": 403})],
    ids=["account", "key"],
)
def test_a_test_order_that_was_refused_too_ends_it_when_it_is_taken(
    venue: str, told: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing, "FIRST_PROBE_S", 0.2)

    async def main() -> None:
        async with desk(tmp_path) as d:
            test = d.fault(venue, K.REFUSE, count=1000, on="test", **told)
            await refused_once(d, venue, **told)
            await d.met(test, times=2)
            posts = Counter(d.posts)
            d.box.faults[venue].clear()
            await d.healthy()
            assert d.posts != posts
            await d.agree()

    play(main)


def test_a_code_that_nobody_knows_rests_its_market_and_the_others_trade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "FIRST_PROBE_S", 0.2)

    async def main() -> None:
        async with desk(tmp_path) as d:
            symbol = SYMBOLS[0]
            odd = d.fault("upbit", K.REFUSE, count=1000, symbol=code("upbit", symbol), error="a_name_of_tomorrow")
            await d.met(odd)
            await d.lost()  # whether it stands, nobody knows yet: it is looked up
            health = d.engine.risk.exchange["upbit"].health
            await d.until(lambda: health.rests(code("upbit", symbol), d.engine.components.clock.monotonic()), "its market rests")
            for name in SYMBOLS[1:]:
                await d.cycles(1, CycleState.HEDGED, name)
            assert odd.met <= MOST_ORDERS, "and is not tried again"
            await d.agree()
            assert "REJECTED" in {row["state"] for row in d.unknown().values()}, "it was proved absent"

    play(main)


@pytest.mark.parametrize(
    ("venue", "told"),
    [
        ("upbit", {"error": "nonce_used", "words": "This temporary number has already been used.", "status": 401}),
        ("upbit", {"error": "duplicated_identifier"}),
        ("upbit", {"error": "a_name_of_tomorrow"}),
        ("binance", {"error": "-2010", "words": "Duplicate order sent."}),
        ("binance", {"error": "-2999", "words": "of tomorrow"}),
    ],
    ids=lambda told: told if isinstance(told, str) else told["error"],
)
def test_an_order_that_was_executed_and_refused_is_found(venue: str, told: dict[str, Any], tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            await d.met(d.fault(venue, K.REFUSE_AFTER, **told))
            await d.healthy()
            await d.agree()  # whatever it filled is booked, once
            assert {row["state"] for row in d.ledger()["orders"]} <= {"FILLED", "EXPIRED", "ABANDONED"}, "none counts as refused"

    play(main)


def test_an_answer_that_came_twice_is_no_word_about_the_key(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Field case 01: the connection is cut after a signed question was executed; nothing is sent a second time as it was."""
    often = {"reconcile": {"open_orders_s": 1.0, "trades_s": 1.0, "balances_s": 1.0}}  # the signed questions of a quiet session

    async def main() -> None:
        async with desk(tmp_path, settings=often) as d:
            tokens: dict[str, Counter[str]] = {}
            cut: Counter[str] = Counter()
            for name, front in d.box.fronts.items():
                seen = tokens.setdefault(name, Counter())
                told = front.on_call

                def on_call(call: Call, seen: Counter[str] = seen, told: Callable[[Call], None] = told) -> None:
                    token = call.headers.get("Authorization") or call.query or call.body.decode()
                    if "Authorization" in call.headers or "signature" in token:
                        seen[f"{call.method} {call.path} {token}"] += 1
                    told(call)

                def rewrite(call: Call, answer: Answer, name: str = name) -> Answer | None:
                    signed = "Authorization" in call.headers or "signature" in call.query
                    if call.method == "GET" and signed and cut[name] < 3:
                        cut[name] += 1
                        return None  # executed, and the connection is cut
                    return answer

                front.on_call, front.rewrite = on_call, rewrite
            await d.until(lambda: all(cut[name] == 3 for name in d.box.fronts), "three answers of each were lost", 120)
            await d.healthy()
            for name, seen in tokens.items():
                assert seen, name
                assert set(seen.values()) == {1}, f"{name}: a signed request was sent twice"
            assert "from now on" not in caplog.text
            assert not any(guard.health.is_refused for guard in d.engine.risk.exchange.values())
            await d.agree()

    play(main)


@pytest.mark.parametrize("words", [DISABLED, "This account may not place or cancel orders.", "Words of tomorrow.", "Market is closed."])
def test_a_refused_cancel_is_not_done_while_the_order_stands(words: str, tmp_path: Path) -> None:
    """Field case 12."""

    async def main() -> None:
        async with desk(tmp_path) as d:
            order = await d.resting("binance")
            adapter = d.venues.adapters["binance"]
            refused = d.fault("binance", K.REFUSE, count=1000, on="cancel", error="-2011", words=words)
            with pytest.raises(ArbtuiError):
                await adapter.cancel(order.market.code, order.client_order_id)
            with pytest.raises(ArbtuiError):
                await adapter.cancel_all()
            assert refused.met == 2
            found = await adapter.fetch_order(order.market.code, order.client_order_id)
            assert found is not None
            assert found.state is OrderState.ACCEPTED
            d.box.faults["binance"].clear()
            await adapter.cancel(order.market.code, order.client_order_id)  # now it is done
            await adapter.cancel(order.market.code, order.client_order_id)  # "Unknown order sent.": gone is done
            await d.until(lambda: order.state is OrderState.CANCELED, "its end is known")

    play(main)


def test_upbit_says_which_orders_it_did_not_cancel(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            order = await d.resting("upbit")
            front, adapter = d.box.fronts["upbit"], d.venues.adapters["upbit"]

            def failed(call: Call, answer: Answer) -> Answer:
                if (call.method, call.path) != ("DELETE", "/v1/orders/open"):
                    return answer
                left = {"count": 1, "orders": [{"uuid": order.venue_order_id, "market": order.market.code}]}
                return Answer(encode({"success": {"count": 0, "orders": []}, "failed": left}))

            found = await adapter.fetch_order(order.market.code, order.client_order_id)
            assert found is not None
            await adapter.cancel(order.market.code, order.client_order_id)
            front.rewrite = failed
            order.venue_order_id = found.venue_order_id
            assert await adapter.cancel_all() == 0  # it has ended: nothing stands
            front.rewrite = lambda call, answer: (
                Answer(encode(json.loads(answer.body) | {"state": "wait"})) if call.path == "/v1/order" else failed(call, answer)
            )
            with pytest.raises(VenueFailed, match="could not be cancelled"):
                await adapter.cancel_all()
            front.rewrite = lambda _, answer: answer

    play(main)


def test_an_archived_order_is_an_answer(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            told = {"error": "-2026", "words": "Order was canceled or expired with no executed qty over 90 days ago and has been archived."}
            d.fault("binance", K.REFUSE, on="query", **told)
            report = await d.venues.adapters["binance"].fetch_order(code("binance", SYMBOLS[0]), "long-ago")
            assert report is not None
            assert report.state.is_final
            assert not report.filled_qty
            d.fault("binance", K.REFUSE, on="cancel", **told)
            await d.venues.adapters["binance"].cancel(code("binance", SYMBOLS[0]), "long-ago")  # gone is done

    play(main)


NULLED = {
    "upbit": (
        "paid_fee",
        "identifier",
        "created_at",
        "time_in_force",
        "funds",
        "remaining_volume",
        "trades_count",
        "reserved_fee",
        "prevented_volume",
    ),
    "binance": (
        "commission",
        "commissionAsset",
        "transactTime",
        "isMaker",
        "isBestMatch",
        "orderListId",
        "workingTime",
        "cummulativeQuoteQty",
    ),
}


@pytest.mark.parametrize("venue", ["upbit", "binance"])
def test_a_fill_whose_optional_fields_are_null_is_a_fill(venue: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            nulled: Counter[str] = Counter()

            def emptied(value: Any) -> Any:
                if isinstance(value, list):
                    return [emptied(one) for one in value]
                if not isinstance(value, dict):
                    return value
                nulled.update(name for name in NULLED[venue] if name in value)
                keep = {"identifier", "time_in_force"} if "trades" in value else set()  # who the order is, a look-up must tell
                return {name: None if name in NULLED[venue] and name not in keep else emptied(one) for name, one in value.items()}

            def rewrite(call: Call, answer: Answer) -> Answer:
                if call.path not in ("/v1/order", "/v1/orders", "/api/v3/order", "/api/v3/myTrades") or answer.status >= 300:
                    return answer
                return Answer(encode(emptied(json.loads(answer.body))), answer.status, answer.headers)

            d.fault(venue, K.LOSE, count=100_000)  # only what is asked for
            d.box.fronts[venue].rewrite = rewrite
            await d.cycles(3, CycleState.HEDGED)
            assert nulled
            await d.settle()
            booked = {(row["exchange"], row["trade_id"]) for row in d.ledger()["fills"]}
            assert booked == set(d.venue_fills())
            assert all(row["fee"] != "0" for row in d.ledger()["fills"])

    play(main)


def test_refused_queries_say_who_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            d.fault("upbit", K.REFUSE, on="account", error="expired_access_key", status=401, count=1)
            with pytest.raises(VenueRefused, match="over a year old"):
                await d.venues.adapters["upbit"].fetch_balances()
            await d.healthy()  # its probe is taken

    play(main)
