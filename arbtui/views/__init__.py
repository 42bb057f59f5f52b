"""The read model: what screens, `status` and reports read, and what an operator may ask for."""

from arbtui.views.cycle import CycleDetail, OrderLine
from arbtui.views.detail import DecisionLine, DenialLine, HeldTime, Ladder, Level, RouteDetail, Step
from arbtui.views.model import (
    BreachLine,
    Controls,
    CycleLine,
    ExchangeView,
    GaugeView,
    HeaderView,
    LimitLine,
    LogLine,
    ReadModel,
    RouteRow,
    SettlementWay,
    TradeLine,
    VenueGauge,
)

__all__ = [
    "BreachLine",
    "Controls",
    "CycleDetail",
    "CycleLine",
    "DecisionLine",
    "DenialLine",
    "ExchangeView",
    "GaugeView",
    "HeaderView",
    "HeldTime",
    "Ladder",
    "Level",
    "LimitLine",
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
