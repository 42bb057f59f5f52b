"""What each answer to an order makes of it: faults F01 to F10 of docs/faults.md, against real sockets."""

import asyncio
import json
import logging
import traceback
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from arbtui.exchanges.rate_limit import Lane
from arbtui.exchanges.rate_limits import RateLimitManager
from arbtui.exchanges.signing import RECV_WINDOW_MS
from arbtui.exchanges.venues import documented_limits
from arbtui.model.clock import SystemClock
from arbtui.model.errors import ArbtuiError, OrderAbandoned, OrderRejected, OrderUnknown, RateLimited, VenueFailed, VenueRefused
from arbtui.model.order import Purpose, Side
from arbtui.model.reason import Reason
from tests.exchanges.scripted_venue import SECRET, Reply, adapter_of, body, cut, half, never, order_of, scripted, value

ORDER_PATH = {"upbit": "/v1/orders", "binance": "/api/v3/order"}
FIND_PATH = {"upbit": "/v1/order", "binance": "/api/v3/order"}
VENUES = pytest.mark.parametrize("exchange", ["upbit", "binance"])


def _admit() -> None:
    """The gate says yes."""


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await main()

    asyncio.run(bounded())


def binance_error(code: int, message: str, status: int = 400) -> Reply:
    return value({"code": code, "msg": message}, status)


def upbit_error(name: str, message: str = "x", status: int = 400) -> Reply:
    return value({"error": {"name": name, "message": message}}, status)


HTML = body("<html><h1>502 Bad Gateway</h1></html>", 502, "text/html")
OPEN: list[Reply] = [
    HTML,
    body("<html>Service unavailable</html>", 503, "text/html"),
    body("", 500),
    body("<html>a proxy's page</html>", 200, "text/html"),
    body("", 200),
    body('{"symbol": "XRPUSDT", "orde', 200),
    body("null", 200),
    body("[]", 200),
    body("{}", 200),
    body("true", 200),
    body('{"symbol":"XRPUSDT","orderId":null,"clientOrderId":null,"status":null,"executedQty":null,"side":"BUY"}', 200),
    body('{"uuid":null,"market":"KRW-XRP","side":"bid","state":null,"executed_volume":null}', 200),
    body("nonsense", 400, "text/plain"),
    body("<html>forbidden</html>", 403, "text/html"),
    cut,
    half,
]


@VENUES
@pytest.mark.parametrize("reply", OPEN, ids=range(len(OPEN)))
def test_whatever_says_nothing_leaves_the_order_unknown_and_it_is_sent_once(exchange: str, reply: Reply) -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, exchange) as adapter:
            venue.on("POST", ORDER_PATH[exchange], reply)
            with pytest.raises(OrderUnknown):
                await adapter.place(order_of(exchange), _admit)
            assert len(venue.of("POST", ORDER_PATH[exchange])) == 1

    run(main)


@pytest.mark.parametrize(
    ("exchange", "reply"),
    [
        ("binance", binance_error(-1000, "An unknown error occurred while processing the request.")),
        ("binance", binance_error(-1001, "Internal error; unable to process your request. Please try again.")),
        ("binance", binance_error(-1006, "An unexpected response was received from the message bus. Execution status unknown.")),
        ("binance", binance_error(-1007, "Timeout waiting for response from backend server.")),
        ("binance", binance_error(-1008, "Server is currently overloaded with other requests.")),
        ("binance", binance_error(-2010, "Duplicate order sent.")),  # an earlier copy came through
        ("binance", binance_error(-1013, "Filter failure: LOT_SIZE", 500)),  # 5xx is unknown whatever the body says
        ("upbit", upbit_error("invalid_parameter", "identifier is used already")),
        ("upbit", upbit_error("insufficient_funds_bid", status=500)),
        ("upbit", upbit_error("server_error", status=503)),
        ("upbit", upbit_error("nonce_used", status=401)),  # an earlier copy came through
        ("upbit", upbit_error("duplicated_identifier")),
        ("upbit", upbit_error("a_name_nobody_has_seen", "...")),  # nobody knows what it means
        ("upbit", upbit_error("a_name_nobody_has_seen", "...", 403)),
        ("binance", binance_error(-1999, "A code nobody has seen.")),
    ],
)
def test_the_venues_own_words_for_perhaps_are_unknown_too(exchange: str, reply: Reply) -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, exchange) as adapter:
            venue.on("POST", ORDER_PATH[exchange], reply)
            with pytest.raises(OrderUnknown):
                await adapter.place(order_of(exchange), _admit)
            assert len(venue.of("POST", ORDER_PATH[exchange])) == 1

    run(main)


@pytest.mark.parametrize(
    ("exchange", "reply", "word"),
    [
        ("binance", binance_error(-2010, "Account has insufficient balance for requested action."), "INSUFFICIENT_FUNDS"),
        ("binance", binance_error(-1013, "Filter failure: PRICE_FILTER"), "PRICE_UNIT"),
        ("binance", binance_error(-1013, "Filter failure: LOT_SIZE"), "LOT_SIZE"),
        ("binance", binance_error(-1013, "Filter failure: NOTIONAL"), "MIN_COST"),
        ("binance", binance_error(-1121, "Invalid symbol."), "UNKNOWN_MARKET"),
        ("binance", binance_error(-2010, "Market is closed."), "MARKET_CLOSED"),
        ("binance", binance_error(-1111, "Parameter 'quantity' has too much precision."), "REFUSED"),
        ("binance", binance_error(-1021, "Timestamp for this request is outside of the recvWindow."), "CLOCK"),
        ("binance", binance_error(-1003, "Too many requests queued.", 429), "RATE_LIMITED"),
        ("binance", binance_error(-1003, "Way too much request weight used; IP banned.", 418), "RATE_LIMITED"),
        ("binance", binance_error(-1015, "Too many new orders."), "RATE_LIMITED"),
        ("binance", body("<html>too many</html>", 429, "text/html"), "RATE_LIMITED"),
        ("binance", binance_error(-2015, "Invalid API-key, IP, or permissions for action.", 401), "KEYS"),
        ("binance", binance_error(-1022, "Signature for this request is not valid."), "KEYS"),
        ("upbit", upbit_error("insufficient_funds_bid", "주문가능한 금액(KRW)이 부족합니다."), "INSUFFICIENT_FUNDS"),
        ("upbit", upbit_error("invalid_price_bid", "주문가격 단위를 잘못 입력하셨습니다."), "PRICE_UNIT"),
        ("upbit", upbit_error("under_min_total_bid"), "MIN_COST"),
        ("upbit", upbit_error("market_offline"), "MARKET_CLOSED"),
        ("upbit", upbit_error("too_many_requests", "...", 429), "RATE_LIMITED"),  # with an error object
        ("upbit", body("Too many API requests", 429, "text/plain"), "RATE_LIMITED"),  # and without
        ("upbit", body("Too many API requests", 418, "text/plain"), "RATE_LIMITED"),
        ("upbit", upbit_error("jwt_verification", status=401), "KEYS"),
        ("upbit", upbit_error("no_authorization_i_p", status=401), "KEYS"),
        ("upbit", upbit_error("out_of_scope", status=403), "KEYS"),
    ],
)
def test_a_definite_no_is_rejected_with_its_word_first(exchange: str, reply: Reply, word: str) -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, exchange) as adapter:
            venue.on("POST", ORDER_PATH[exchange], reply)
            with pytest.raises(OrderRejected) as caught:
                await adapter.place(order_of(exchange), _admit)
            assert caught.value.reason.split()[0] == word
            assert len(venue.of("POST", ORDER_PATH[exchange])) == 1

    run(main)


def test_a_revoked_key_is_told_as_such_after_requests_that_succeeded() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "binance") as adapter:
            venue.on("GET", "/api/v3/openOrders", value([]))
            venue.on("POST", "/api/v3/order", binance_error(-2015, "Invalid API-key, IP, or permissions for action.", 401))
            assert await adapter.fetch_open_orders() == []
            with pytest.raises(OrderRejected, match=r"^KEYS"):
                await adapter.place(order_of("binance"), _admit)

    run(main)


@VENUES
def test_an_answer_that_never_comes_leaves_the_caller_its_own_deadline(exchange: str) -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, exchange) as adapter:
            venue.on("POST", ORDER_PATH[exchange], never)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await adapter.place(order_of(exchange), _admit)
            assert len(venue.of("POST", ORDER_PATH[exchange])) == 1

    run(main)


@VENUES
def test_a_refusal_of_the_gate_lets_no_byte_of_the_order_leave(exchange: str) -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, exchange) as adapter:

            def refuse() -> None:
                raise OrderAbandoned("HALTED")

            for _ in range(2):  # over a new connection and over one that stood
                with pytest.raises(OrderAbandoned):
                    await adapter.place(order_of(exchange), refuse)
            assert venue.asked == []

    run(main)


@VENUES
def test_the_gate_is_asked_when_the_connection_stands_and_once(exchange: str) -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, exchange) as adapter:
            venue.on("POST", ORDER_PATH[exchange], HTML)
            asked: list[int] = []

            def admit() -> None:
                asked.append(len(venue.asked))

            with pytest.raises(OrderUnknown):
                await adapter.place(order_of(exchange), admit)
            assert asked == [0]

    run(main)


@VENUES
def test_a_venue_that_cannot_be_reached_has_surely_not_got_the_order(exchange: str) -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, exchange) as adapter:
            adapter._client._ccxt.urls["api"]["private"] = "http://127.0.0.1:1"
            admitted: list[None] = []
            with pytest.raises(OrderRejected, match=r"^UNREACHABLE"):
                await adapter.place(order_of(exchange), lambda: admitted.append(None))
            assert admitted == []
            with pytest.raises(VenueFailed):
                await adapter.fetch_balances()

    run(main)


@VENUES
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_never_sends_an_order_again(exchange: str, status: int) -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, exchange) as adapter:
            venue.on("POST", ORDER_PATH[exchange], body("", status, headers={"Location": "/elsewhere"}))
            admitted: list[None] = []
            with pytest.raises(OrderUnknown):
                await adapter.place(order_of(exchange), lambda: admitted.append(None))
            assert [asked.path for asked in venue.asked] == [ORDER_PATH[exchange]]
            assert len(admitted) == 1

    run(main)


@VENUES
def test_no_option_of_ccxt_can_make_it_send_an_order_twice(exchange: str) -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, exchange) as adapter:
            adapter._client._ccxt.options["maxRetriesOnFailure"] = 3
            venue.on("POST", ORDER_PATH[exchange], HTML)
            with pytest.raises(OrderUnknown):
                await adapter.place(order_of(exchange), _admit)
            assert len(venue.of("POST", ORDER_PATH[exchange])) == 1

    run(main)


@VENUES
def test_a_broken_rule_is_refused_before_anything_leaves(exchange: str) -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, exchange) as adapter:
            with pytest.raises(OrderRejected, match=r"^MIN_COST"):
                await adapter.place(order_of(exchange, qty="1"), _admit)
            with pytest.raises(OrderRejected, match=r"^PRICE_UNIT"):
                await adapter.place(order_of(exchange, price="3000.3" if exchange == "upbit" else "2.14003"), _admit)
            assert venue.asked == []

    run(main)


@VENUES
def test_a_banned_order_is_rejected_here_and_cancels_still_ask(exchange: str) -> None:
    async def main() -> None:
        limits = RateLimitManager(exchange, SystemClock(), documented_limits(exchange))
        async with scripted() as venue, adapter_of(venue, exchange, limits) as adapter:
            venue.on("POST", ORDER_PATH[exchange], body("no", 429, "text/plain", {"Retry-After": "30"}))
            for _ in range(2):
                with pytest.raises(OrderRejected, match=r"^RATE_LIMITED"):
                    await adapter.place(order_of(exchange), _admit)
            assert len(venue.asked) == 1  # the second stayed here
            assert limits.refusal(Lane.ENTRY, {"order" if exchange == "upbit" else "orders": 1}) is not None

    run(main)


@VENUES
def test_an_entry_whose_cycle_holds_its_share_of_the_limits_stays_here_in_a_ban_too(exchange: str) -> None:
    async def main() -> None:
        limits = RateLimitManager(exchange, SystemClock(), documented_limits(exchange))
        async with scripted() as venue, adapter_of(venue, exchange, limits) as adapter:
            assert adapter.reserve_orders("c1", 2) is None
            venue.on("POST", ORDER_PATH[exchange], body("no", 429, "text/plain", {"Retry-After": "30"}))
            for _ in range(2):
                with pytest.raises(OrderRejected, match=r"^RATE_LIMITED"):
                    await adapter.place(order_of(exchange), _admit)
            assert len(venue.asked) == 1  # the second stayed here

    run(main)


@VENUES
def test_what_the_gate_stops_at_its_last_look_costs_nothing_of_the_limits(exchange: str) -> None:
    """Both legs of a cycle that the second look refused, and a hedge: what each had taken used to count, and nothing was sent."""

    def refuse() -> None:
        raise OrderAbandoned(Reason.DECISION_AGE)

    async def main() -> None:
        limits = RateLimitManager(exchange, SystemClock(), documented_limits(exchange))
        async with scripted() as venue, adapter_of(venue, exchange, limits) as adapter:
            before = [one.used for one in limits.left()]
            assert adapter.reserve_orders("c1", 2) is None
            for purpose in (Purpose.ENTRY, Purpose.ENTRY, Purpose.UNWIND):
                order = order_of(exchange)
                order.purpose = purpose
                with pytest.raises(OrderAbandoned):
                    await adapter.place(order, refuse)
            assert limits.redeem("c1"), "the cycle has its shares still"
            limits.restore("c1")
            adapter.release_orders("c1")
            assert venue.asked == []
            assert [one.used for one in limits.left()] == before

    run(main)


@VENUES
def test_what_was_sent_counts_whatever_becomes_of_it(exchange: str) -> None:
    async def main() -> None:
        limits = RateLimitManager(exchange, SystemClock(), documented_limits(exchange))
        async with scripted() as venue, adapter_of(venue, exchange, limits) as adapter:
            assert adapter.reserve_orders("c1", 1) is None
            venue.on("POST", ORDER_PATH[exchange], HTML)
            with pytest.raises(OrderUnknown):
                await adapter.place(order_of(exchange), _admit)
            assert limits.redeem("c1") is False
            adapter.release_orders("c1")
            group = "order" if exchange == "upbit" else "orders"
            assert max(one.used for one in limits.left() if one.name.startswith(group)) == 1

    run(main)


def test_binance_is_sent_exact_strings_our_client_id_and_an_explicit_window() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "binance") as adapter:
            venue.on("POST", "/api/v3/order", HTML)
            with pytest.raises(OrderUnknown):
                await adapter.place(order_of("binance", Side.SELL, "1234567890.1", "a2b3", price="0.0001"), _admit)
            form = venue.asked[0].form
            assert {key: form[key] for key in ("symbol", "side", "type", "timeInForce", "quantity", "price", "newClientOrderId")} == {
                "symbol": "XRPUSDT",
                "side": "SELL",
                "type": "LIMIT",
                "timeInForce": "IOC",
                "quantity": "1234567890.1",
                "price": "0.0001",
                "newClientOrderId": "a2b3",
            }
            assert form["recvWindow"] == str(RECV_WINDOW_MS)
            assert adapter.absence_proof_s >= max(2 * RECV_WINDOW_MS / 1000, 30)

    run(main)


def test_upbit_is_sent_exact_strings_and_our_identifier() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "upbit") as adapter:
            venue.on("POST", "/v1/orders", HTML)
            with pytest.raises(OrderUnknown):
                await adapter.place(order_of("upbit", Side.SELL, "123456789.12345678", "a2b3"), _admit)
            assert json.loads(venue.asked[0].body) == {
                "market": "KRW-XRP",
                "side": "ask",
                "ord_type": "limit",
                "volume": "123456789.12345678",
                "price": "3000",
                "identifier": "a2b3",
                "time_in_force": "ioc",
            }
            assert adapter.absence_proof_s >= 30

    run(main)


@pytest.mark.parametrize(
    ("exchange", "reply"),
    [("upbit", upbit_error("order_not_found", "주문을 찾지 못했습니다.", 404)), ("binance", binance_error(-2013, "Order does not exist."))],
)
def test_not_found_is_none_and_every_failure_is_an_error(exchange: str, reply: Reply) -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, exchange) as adapter:
            code = order_of(exchange).market.code
            venue.on("GET", FIND_PATH[exchange], reply)
            assert await adapter.fetch_order(code, "a1") is None
            query = venue.asked[0].query
            assert query["identifier" if exchange == "upbit" else "origClientOrderId"] == "a1"
            assert "uuid" not in query
            for failure in OPEN:
                venue.on("GET", FIND_PATH[exchange], failure)
                with pytest.raises(ArbtuiError):
                    await adapter.fetch_order(code, "a1")

    run(main)


@pytest.mark.parametrize(
    ("exchange", "reply"),
    [("upbit", upbit_error("order_not_found", status=404)), ("binance", binance_error(-2011, "Unknown order sent."))],
)
def test_a_cancel_of_what_is_not_open_is_no_error(exchange: str, reply: Reply) -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, exchange) as adapter:
            venue.on("DELETE", FIND_PATH[exchange], reply)
            await adapter.cancel(order_of(exchange).market.code, "a1")
            venue.on("DELETE", FIND_PATH[exchange], HTML)
            with pytest.raises(VenueFailed):
                await adapter.cancel(order_of(exchange).market.code, "a1")

    run(main)


@VENUES
def test_neither_errors_nor_logs_hold_a_signature_or_a_key(exchange: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, exchange) as adapter:
            told: list[str] = []
            for reply in (HTML, cut, binance_error(-1021, "x"), upbit_error("x")):
                venue.on("GET", FIND_PATH[exchange], reply)
                venue.on("POST", ORDER_PATH[exchange], reply)
                for call in (adapter.fetch_order(order_of(exchange).market.code, "a1"), adapter.place(order_of(exchange), _admit)):
                    try:
                        await call
                    except ArbtuiError as error:
                        told.append("".join(traceback.format_exception(error)))
            assert len(told) >= 7
            text = "\n".join([*told, caplog.text])
            for secret in ("signature", SECRET, "Bearer", "k3y-of-a-test"):
                assert secret not in text

    run(main)


def test_a_clock_that_was_refused_is_measured_before_the_next_order() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "binance") as adapter:
            venue.on("POST", "/api/v3/order", binance_error(-1021, "Timestamp for this request is outside of the recvWindow."))
            ours = SystemClock().time_ms()
            venue.on("GET", "/api/v3/time", value({"serverTime": ours + 120_000}))
            for _ in range(2):
                with pytest.raises(OrderRejected, match=r"^CLOCK"):
                    await adapter.place(order_of("binance"), _admit)
            first, second = (int(asked.form["timestamp"]) for asked in venue.of("POST", "/api/v3/order"))
            assert abs(first - ours) < 60_000
            assert abs(second - ours - 120_000) < 60_000

    run(main)


def test_a_withdrawing_key_is_refused() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "binance") as adapter:
            venue.on("GET", "/api/v3/time", value({"serverTime": SystemClock().time_ms()}))
            may = {"enableWithdrawals": True, "enableSpotAndMarginTrading": True, "ipRestrict": True}
            venue.on("GET", "/sapi/v1/account/apiRestrictions", value(may))
            with pytest.raises(VenueRefused, match="withdraw") as caught:
                await adapter.connect(["XRPUSDT"])
            assert caught.value.exit_code == 5
            venue.on(
                "GET", "/sapi/v1/account/apiRestrictions", value({**may, "enableWithdrawals": False, "enableSpotAndMarginTrading": False})
            )
            with pytest.raises(VenueRefused, match="may not trade"):
                await adapter.connect(["XRPUSDT"])
            venue.on("GET", "/sapi/v1/account/apiRestrictions", body("", 404))  # missing input denies
            with pytest.raises(VenueFailed):
                await adapter.connect(["XRPUSDT"])

    run(main)


def test_refused_keys_are_told_as_such() -> None:
    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "upbit") as adapter:
            venue.on("GET", "/v1/api_keys", upbit_error("invalid_access_key", "잘못된 엑세스 키입니다.", 401))
            with pytest.raises(VenueRefused) as caught:
                await adapter.connect(["KRW-XRP"])
            assert caught.value.exit_code == 5

    run(main)


def test_limits_that_leave_no_room_keep_an_order_here(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        limits = RateLimitManager("binance", SystemClock(), documented_limits("binance"))
        async with scripted() as venue, adapter_of(venue, "binance", limits) as adapter:

            async def no_turn(lane: Lane, costs: object) -> None:
                assert lane is Lane.ENTRY
                raise RateLimited("binance: orders is spent; not sent, may be had in 9.0 s", 9.0)

            monkeypatch.setattr(limits, "turn", no_turn)
            with pytest.raises(OrderRejected, match=r"^RATE_LIMITED"):
                await adapter.place(order_of("binance"), _admit)
            assert venue.asked == []

    run(main)
