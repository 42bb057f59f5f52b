"""What cycles have left open of settlement currencies, for screens: at live marks, beside its band and its limit."""

from math import nan

from arbtui.engine.engine import Engine
from arbtui.views.model import OpenFxView


def read_open_fx(engine: Engine) -> tuple[OpenFxView, ...]:
    """As of now; converted and cost are of this run."""
    parts, netting = engine.components, engine.netting
    state = engine.portfolio.state
    marks = parts.marks.prices(asset for asset in state.settlement if asset != state.currency)
    blocked = "fine" if netting.blocked is None else f"blocked: {netting.blocked}"
    return tuple(
        OpenFxView(
            asset=one.asset,
            currency=state.currency,
            value=nan if one.value is None else float(one.value),
            band=netting.band,
            limit=engine.risk.open_fx.limit,
            age_s=0.0 if one.since_ms is None else max(0.0, (parts.clock.time_ms() - one.since_ms) / 1000),
            converted=float(one.converted),
            cost=float(one.cost),
            state=blocked if parts.netting.enabled else "netting off",
        )
        for one in engine.portfolio.open_fx(marks, state.run)
    )
