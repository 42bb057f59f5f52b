"""The read model: what screens, `status` and reports read, and what an operator may ask for."""

from arbtui.views.cycle import CycleDetail, OrderLine
from arbtui.views.detail import DecisionLine, Ladder, Level, RouteDetail, Step
from arbtui.views.model import (
    HALT,
    BreachLine,
    Controls,
    CycleLine,
    ExchangeView,
    GaugeView,
    HeaderView,
    LogLine,
    ReadModel,
    RouteRow,
    SettlementWay,
    TradeLine,
    VenueGauge,
)

__all__ = [
    "HALT",
    "BreachLine",
    "Controls",
    "CycleDetail",
    "CycleLine",
    "DecisionLine",
    "ExchangeView",
    "GaugeView",
    "HeaderView",
    "Ladder",
    "Level",
    "LogLine",
    "OrderLine",
    "ReadModel",
    "RouteDetail",
    "RouteRow",
    "SettlementWay",
    "Step",
    "TradeLine",
    "VenueGauge",
]
