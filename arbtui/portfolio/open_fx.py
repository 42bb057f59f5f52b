"""What cycles have left open of settlement currencies: they buy in one and sell in another, and the rate between them moves on.

Of a settlement currency other than the PnL's, what is open is the balance less the target, over all exchanges. A target changes by
transfers, adjustments and a person's word only, so this is what trading brought and took, fees included.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from arbtui.model.clock import iso_ms
from arbtui.model.money import plain

_LEDGER_DIGITS = Decimal("0.00000001")


def in_currency(currency: str, **amounts: Decimal | None) -> dict[str, str | None]:
    """Amounts in the PnL currency as ledgers print them: ``currency``, each by its name, and again with the currency (``value_usdt``)."""
    told = {name: None if amount is None else plain(amount.quantize(_LEDGER_DIGITS)) for name, amount in amounts.items()}
    return {"currency": currency, **told, **{f"{name}_{currency.lower()}": text for name, text in told.items()}}


@dataclass(frozen=True, slots=True)
class OpenFx:
    """What is open of one currency. ``amount``: signed, in units; ``value``, ``converted``, ``cost``: in the PnL currency.

    ``converted`` and ``cost``: what trades of it for another settlement currency came to, and what they cost, fees included.
    """

    asset: str
    amount: Decimal
    value: Decimal | None  #: signed, at the last mark; None without one
    since_ms: int | None  #: when it left zero, or changed its sign; None while nothing is open
    converted: Decimal
    cost: Decimal
    currency: str  #: that of PnL

    def facts(self) -> dict[str, Any]:
        """As ledgers print it."""
        return {
            "asset": self.asset,
            "amount": plain(self.amount),
            "since": None if self.since_ms is None else iso_ms(self.since_ms),
            **in_currency(self.currency, value=self.value, converted=self.converted, cost=self.cost),
        }
