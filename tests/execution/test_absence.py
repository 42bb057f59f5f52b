"""When an order that nobody can find is proved absent: look-ups first, then fills, open orders and balances."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any, cast

import pytest

from arbtui.exchanges.adapter import ExchangeAdapter, OrderReport
from arbtui.execution.absence import AbsenceProof
from arbtui.model.errors import MarketUnknown, VenueFailed
from arbtui.model.order import Balance, Fill, OrderState, Side
from arbtui.model.virtual_loop import run_virtual
from tests.journal.synthetic import FixedClock
from tests.portfolio.telling import Telling, fill_of, intent_of, leg
from tests.simulation.worlds import UPBIT_XRP, order

SENT_MS = 1_000_000
PROOF_S = 8.0


def report(client_order_id: str) -> OrderReport:
    return OrderReport("upbit", client_order_id, "v", OrderState.FILLED, Decimal(10))


class Venue:
    """Answers as it is told to; holds what the portfolio thinks that it holds."""

    name = "upbit"
    absence_proof_s = PROOF_S

    def __init__(self) -> None:
        self.order: OrderReport | None = None
        self.fills: list[Fill] = []
        self.open: list[OrderReport] = []
        self.balances = {"XRP": Balance(Decimal(100), Decimal(0))}
        self.fails: dict[str, Exception] = {}
        self.hangs = ""
        self.asked: list[tuple[str, Any]] = []

    async def _answer(self, what: str, argument: Any, answer: Any) -> Any:
        self.asked.append((what, argument))
        if self.hangs == what:
            await asyncio.sleep(3600.0)
        if what in self.fails:
            raise self.fails[what]
        return answer

    def fetch_order(self, code: str, client_order_id: str) -> Awaitable[Any]:
        return self._answer("order", (code, client_order_id), self.order)

    def fetch_fills(self, since_ms: int) -> Awaitable[Any]:
        return self._answer("fills", since_ms, self.fills)

    def fetch_open_orders(self) -> Awaitable[Any]:
        return self._answer("open", None, self.open)

    def fetch_balances(self) -> Awaitable[Any]:
        return self._answer("balances", None, self.balances)


class Case:
    """A proof under way. ``side``: of the order in question, ``a1`` of 10 XRP at Upbit, which the portfolio knows as open."""

    def __init__(self, side: Side = Side.SELL) -> None:
        self.venue, self.clock, self.tell = Venue(), FixedClock(), Telling().start()
        self.clock.now_ms = SENT_MS
        self.tell(intent_of("c1", leg(0, "upbit", side, Decimal(10), Decimal(3000)), "a1"))
        self.side = side
        self.begin()

    def begin(self) -> None:
        """Begin the proof now."""
        asked = order(UPBIT_XRP, self.side, "10", "3000")
        self.proof = AbsenceProof(cast(ExchangeAdapter, self.venue), self.clock, self.tell.portfolio, UPBIT_XRP, asked, SENT_MS)

    async def look(self, after_s: float = PROOF_S) -> OrderReport | None:
        self.clock.now_ms = SENT_MS + round(after_s * 1000)
        return await self.proof.look()

    async def prove(self) -> bool:
        for _ in range(3):
            assert await self.look() is None
        return self.proof.is_proved


def run(main: Callable[[], Awaitable[None]]) -> None:
    async def all_of_it() -> None:
        await main()

    run_virtual(all_of_it())


def test_three_look_ups_past_the_visibility_delay_and_nothing_elsewhere_prove_it() -> None:
    async def main() -> None:
        case = Case()
        assert (case.proof.is_proved, case.proof.is_answered, case.proof.why_not) == (False, False, "not asked yet")
        for after_s, number in ((5.0, 1), (6.0, 2), (PROOF_S - 0.001, 3)):
            assert await case.look(after_s) is None
            assert not case.proof.is_proved
            assert case.proof.why_not == f"not found {number} times in {after_s:.0f} s; a venue may list an order late"
        assert {what for what, _ in case.venue.asked} == {"order"}
        assert await case.look(PROOF_S) is None
        assert (case.proof.is_proved, case.proof.why_not) == (True, "")
        assert case.venue.asked[-4:] == [
            ("order", ("KRW-XRP", "a1")), ("fills", SENT_MS - 10_000), ("open", None), ("balances", None),
        ]  # fmt: skip

    run(main)


def test_however_late_two_look_ups_are_not_enough() -> None:
    async def main() -> None:
        case = Case()
        for _ in range(2):
            await case.look(3600.0)
        assert not case.proof.is_proved
        assert case.proof.why_not.startswith("not found 2 times in 3600 s")
        await case.look(3600.0)
        assert case.proof.is_proved

    run(main)


def test_an_order_that_is_found_is_told_and_the_look_ups_begin_anew() -> None:
    async def main() -> None:
        case = Case()
        await case.look()
        await case.look()
        case.venue.order = report("a1")
        assert await case.look() is case.venue.order
        case.venue.order = None
        await case.look()
        await case.look()
        assert not case.proof.is_proved, "it was there: once more three in a row"
        await case.look()
        assert case.proof.is_proved

    run(main)


@pytest.mark.parametrize("where", ["fills", "open"])
def test_a_list_that_names_it_shows_that_it_came_and_one_of_others_does_not(where: str) -> None:
    async def main() -> None:
        case = Case()
        others = {
            "fills": fill_of("upbit", Side.SELL, Decimal(1), Decimal(3000), "t", client_order_id="b2"),
            "open": report("b2"),
        }
        itself = {
            "fills": fill_of("upbit", Side.SELL, Decimal(1), Decimal(3000), "t", client_order_id="a1"),
            "open": report("a1"),
        }
        setattr(case.venue, where, [others[where], itself[where]])
        assert not await case.prove()
        assert case.proof.why_not == f"the venue's list of {'fills' if where == 'fills' else 'open orders'} names it"
        setattr(case.venue, where, [others[where]])
        assert await case.look() is None
        assert case.proof.is_proved

    run(main)


@pytest.mark.parametrize(
    ("side", "theirs", "proved"),
    [
        (Side.SELL, "90", False), (Side.SELL, "100", True), (Side.SELL, "110", True),
        (Side.BUY, "110", False), (Side.BUY, "100", True), (Side.BUY, "90", True),
    ],
)  # fmt: skip
def test_a_balance_that_moved_as_if_it_had_filled_shows_that_it_came(side: Side, theirs: str, proved: bool) -> None:
    async def main() -> None:
        case = Case(side)
        case.venue.balances = {"XRP": Balance(Decimal(theirs) - 1, Decimal(1))}
        assert await case.prove() is proved
        if not proved:
            assert case.proof.why_not == f"the venue's balance of XRP has moved by {Decimal(theirs) - 100}, as if it had filled"

    run(main)


def test_an_asset_that_the_venue_does_not_name_is_none() -> None:
    async def main() -> None:
        case = Case(Side.SELL)
        case.venue.balances = {}
        assert not await case.prove()
        assert "has moved by -100" in case.proof.why_not

    run(main)


@pytest.mark.parametrize(("exchange", "base", "moving"), [("upbit", "XRP", True), ("binance", "XRP", False), ("upbit", "ADA", False)])
def test_while_another_order_of_that_coin_is_open_there_its_balance_says_nothing(exchange: str, base: str, moving: bool) -> None:
    async def main() -> None:
        case = Case(Side.SELL)
        case.tell(intent_of("c2", leg(0, exchange, Side.SELL, Decimal(10), Decimal(3000), base=base), "b2"))
        case.venue.balances = {"XRP": Balance(Decimal(90), Decimal(0))}
        assert await case.prove() is moving
        assert (case.proof.why_not == "") is moving

    run(main)


@pytest.mark.parametrize("what", ["order", "fills", "open", "balances"])
@pytest.mark.parametrize("hangs", [False, True])
def test_a_question_that_was_not_answered_proves_nothing(what: str, hangs: bool) -> None:
    async def main() -> None:
        case = Case()
        if hangs:
            case.venue.hangs = what
        else:
            case.venue.fails[what] = VenueFailed("upbit is down")
        began = asyncio.get_running_loop().time()
        assert not await case.prove()
        assert case.proof.why_not == f"the venue does not answer: {'no answer in time' if hangs else 'upbit is down'}"
        assert case.proof.is_answered is (what != "order"), "it is the look-up itself that counts"
        if hangs:
            assert asyncio.get_running_loop().time() - began == pytest.approx(3 * 5.0)
        case.venue.hangs = ""
        case.venue.fails.clear()
        assert await case.prove()

    run(main)


def test_an_answer_of_before_is_no_answer_of_now() -> None:
    async def main() -> None:
        case = Case()
        await case.look()
        assert case.proof.is_answered
        case.venue.fails["order"] = VenueFailed("upbit is down")
        await case.look()
        assert not case.proof.is_answered

    run(main)


@pytest.mark.parametrize(("passed_ms", "proved"), [(7_999, False), (8_000, True)])
def test_an_order_is_as_old_as_it_was_when_its_proof_began(passed_ms: int, proved: bool) -> None:
    """As a start does, which looks up what an earlier run has sent."""

    async def main() -> None:
        case = Case()
        case.clock.now_ms = SENT_MS + passed_ms
        case.begin()
        for _ in range(3):
            await case.proof.look()
        assert case.proof.is_proved is proved

    run(main)


def test_a_market_that_cannot_be_asked_about_is_told_at_once() -> None:
    async def main() -> None:
        case = Case()
        case.venue.fails["order"] = MarketUnknown("no such market")
        with pytest.raises(MarketUnknown):
            await case.look()

    run(main)


@pytest.mark.parametrize("step_ms", [3_600_000, -3_600_000, -86_400_000])
def test_f57_a_wall_clock_that_is_put_ahead_or_back_makes_no_order_older_or_younger(step_ms: int) -> None:
    """An hour ahead would be proof of absence a moment after the sending, while the venue may still execute the order."""

    async def main() -> None:
        case = Case()
        case.clock.step_ms = step_ms
        for _ in range(5):
            await case.look(1.0)
        assert not case.proof.is_proved
        assert "in 1 s" in case.proof.why_not
        assert await case.prove()

    run_virtual(main())
