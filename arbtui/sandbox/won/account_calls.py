"""AccountCalls: the signed calls that ask about the account: balances, fees, wallets, keys. Nothing here withdraws."""

from abc import ABC, abstractmethod
from typing import Any

from arbtui.model.market import Market
from arbtui.model.money import ZERO, plain
from arbtui.model.order import Balance
from arbtui.sandbox.keys import Key
from arbtui.sandbox.order_calls import OrderCalls
from arbtui.sandbox.won.bodies import kst
from arbtui.sandbox.won.parameters import Body
from arbtui.simulation.networks import simulated_terms

_YEAR_MS = 365 * 86_400_000


class AccountCalls(OrderCalls, ABC):
    """Handlers; each takes its parameters and returns the answer's body. The venue's own calls about orders are added by its subclass."""

    @abstractmethod
    def account_body(self, asset: str, balance: Balance) -> dict[str, Any]:
        """One asset of ``GET /v1/accounts``."""

    @abstractmethod
    def chance_body(self, market: Market, bid: Balance, ask: Balance, is_halted: bool) -> dict[str, Any]:
        """``GET /v1/orders/chance`` of a market, with the free balances of both its sides."""

    @abstractmethod
    def market(self, code: str) -> Market:
        """The market of ``code``; raises the venue's refusal where there is none."""

    async def accounts(self, key: Key, query: Body) -> list[dict[str, Any]]:
        """``GET /v1/accounts``: assets with a balance."""
        return [self.account_body(asset, balance) for asset, balance in self._account.balances().items() if balance.total]

    async def chance(self, key: Key, query: Body) -> dict[str, Any]:
        """``GET /v1/orders/chance``."""
        market = self.market(str(query.get("market", "")))
        balances = self._account.balances()
        bid, ask = balances.get(market.quote, Balance()), balances.get(market.base, Balance())
        return self.chance_body(market, bid, ask, self._is_halted(market.code))

    async def withdraw_chance(self, key: Key, query: Body) -> dict[str, Any]:
        """``GET /v1/withdraws/chance``: fee and least amount."""
        asset = str(query.get("currency", ""))
        terms = simulated_terms(asset)
        return {
            "currency": {"code": asset, "withdraw_fee": plain(terms.fee or ZERO), "is_coin": True, "wallet_state": "working"},
            "account": self.account_body(asset, self._account.balances().get(asset, Balance())),
            "withdraw_limit": {"currency": asset, "minimum": plain(terms.least or ZERO), "fixed": 8, "can_withdraw": True},
        }

    async def withdraw_addresses(self, key: Key, query: Body) -> list[dict[str, Any]]:
        """``GET /v1/withdraws/coin_addresses``: every asset's address at Binance is registered."""
        row = {"exchange_name": "Binance"}
        return [
            {"currency": asset, "net_type": asset, "network_name": asset, "withdraw_address": f"sandbox-{asset}", **row}
            for asset in self._assets()
        ]

    async def wallet_status(self, key: Key, query: Body) -> list[dict[str, Any]]:
        """``GET /v1/status/wallet``: every asset's network works."""
        height = {"block_state": "normal", "block_height": 1_000_000, "block_updated_at": kst(self._clock.time_ms())}
        return [
            {
                "currency": asset,
                "wallet_state": "working",
                **height,
                "block_elapsed_minutes": 0,
                "net_type": asset,
                "network_name": asset,
            }
            for asset in self._assets()
        ]

    async def api_keys(self, key: Key, query: Body) -> list[dict[str, Any]]:
        """``GET /v1/api_keys``: the keys and when they expire, a year from now."""
        return [{"access_key": key.key, "expire_at": kst(self._clock.time_ms() + _YEAR_MS)}]

    def _assets(self) -> list[str]:
        return sorted({market.base for market in self._account.markets.values()})
