"""The read model: what screens, `status` and reports read, and what an operator may ask for."""

from arbtui.views.cycle import CycleDetail, OrderLine
from arbtui.views.detail import DecisionLine, DenialLine, DrainedStock, HeldTime, Ladder, Level, RouteDetail, Step
from arbtui.views.model import (
    HALT,
    BreachLine,
    Controls,
    CycleLine,
    ExchangeView,
    GaugeView,
    HeaderView,
    LimitLine,
    LogLine,
    OpenFxView,
    ReadModel,
    RouteRow,
    SettlementWay,
    TradeLine,
    VenueGauge,
)
from arbtui.views.stock import StockCell, StockRow
from arbtui.views.stock_ways import StockWay

__all__ = [
    "HALT",
    "BreachLine",
    "Controls",
    "CycleDetail",
    "CycleLine",
    "DecisionLine",
    "DenialLine",
    "DrainedStock",
    "ExchangeView",
    "GaugeView",
    "HeaderView",
    "HeldTime",
    "Ladder",
    "Level",
    "LimitLine",
    "LogLine",
    "OpenFxView",
    "OrderLine",
    "ReadModel",
    "RouteDetail",
    "RouteRow",
    "SettlementWay",
    "Step",
    "StockCell",
    "StockRow",
    "StockWay",
    "TradeLine",
    "VenueGauge",
]
