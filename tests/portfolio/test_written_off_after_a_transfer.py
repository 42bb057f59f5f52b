"""What a cycle had moved and could not sell is written off: it is stock of the venue where it is, and the way there is no venue."""

from decimal import Decimal

from arbtui.journal.events import CycleState, PlannedTransfer, TransferArrived, TransferBegun, TransferLeft
from arbtui.model.money import ONE
from arbtui.model.order import OrderState, Side
from arbtui.portfolio.operator_events import new_target, write_off
from tests.portfolio.telling import START, Telling, fill_of, leg

PRICES = {"KRW": Decimal("0.0007"), "XRP": Decimal("2.1"), "USDT": ONE}
MOVE = PlannedTransfer(0, "XRP", "binance", "upbit", "XRP", Decimal("0.25"), 10.0)


def test_the_way_between_two_venues_gets_no_target() -> None:
    """It stood among the venues from then on: in the stock, and for whoever sets a target or begins a transfer."""
    tell = Telling().start()
    tell.marks(PRICES, "start")
    qty = Decimal(10)
    bought = leg(0, "binance", Side.BUY, qty, Decimal("2.1"))
    tell.open("c1", bought, leg(1, "upbit", Side.SELL, qty, Decimal(3000)), transfers=(MOVE,))
    tell.fill("c1", fill_of("binance", Side.BUY, qty, Decimal("2.1"), "b1", client_order_id="c1-0"), PRICES)
    tell.order("c1-0", OrderState.FILLED, qty)
    tell.order("c1-1", OrderState.ABANDONED)
    tell(TransferBegun("T1", "XRP", "binance", "upbit", "XRP", qty, MOVE.fee, 10.0, "arbtui", "", "c1"))
    tell(TransferLeft("T1", "binance", "XRP", qty), TransferArrived("T1", "upbit", "XRP", qty - MOVE.fee))
    tell.end("c1")
    cycle = tell.portfolio.cycle("c1")
    assert cycle is not None
    assert cycle.state is CycleState.RESIDUAL
    written = write_off(tell.portfolio, "c1", "ann", "kept")
    assert not isinstance(written, str)
    tell(*written)
    assert not cycle.is_position
    assert tell.portfolio.state.targets.keys() == START.keys()
    assert tell.portfolio.state.targets["upbit"]["XRP"] == START["upbit"]["XRP"] + qty - MOVE.fee
    assert "no venue 'in transit'" in str(new_target(tell.portfolio, "in transit", "XRP", ONE, "ann", "?"))
