"""The read model: what screens, `status` and reports read, and what an operator may ask for."""

from arbtui.views.model import (
    BreachLine,
    Controls,
    CycleLine,
    ExchangeView,
    GaugeView,
    HeaderView,
    LogLine,
    ReadModel,
    RouteRow,
)

__all__ = ["BreachLine", "Controls", "CycleLine", "ExchangeView", "GaugeView", "HeaderView", "LogLine", "ReadModel", "RouteRow"]
