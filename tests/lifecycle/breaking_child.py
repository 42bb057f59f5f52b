"""The program with a defect: amid its signed requests comes an error that nobody foresees, and that tells the keys in its own words."""

import sys
from typing import Any

from arbtui.cli import main
from arbtui.engine.engine import Engine
from arbtui.exchanges.ccxt_client import CcxtClient

if __name__ == "__main__":
    left, whole, housekeep = [20], CcxtClient.request, Engine.housekeep

    async def request(self: CcxtClient, section: str, method: str, path: str, params: Any = None, **more: Any) -> Any:
        answer = await whole(self, section, method, path, params, **more)
        if section == "private":  # orders, and what the account is asked for: these go on where the market gives no order
            left[0] -= 1
        return answer

    def break_down(self: Engine) -> None:
        housekeep(self)
        if left[0] <= 0:
            adapter = next(iter(self.components.adapters.values()))
            client: Any = adapter.client  # type: ignore[attr-defined]
            signed = client._ccxt.sign("order", ["private"], "POST", {"symbol": "XRPUSDT"})
            keys = client.in_use
            raise RuntimeError(f"planted in a signed request {signed} {keys.key.get_secret_value()} {keys.secret.get_secret_value()}")

    CcxtClient.request = request  # type: ignore[method-assign]
    Engine.housekeep = break_down  # type: ignore[method-assign]
    sys.exit(main())
