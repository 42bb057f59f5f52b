"""Adding a ledger up by oneself: here, and with the auditor that the developers keep beside the repository."""

import json
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest

from tests.conftest import REPOSITORY

#: The auditor: beside the repository, or beside the folder that holds several work trees of it.
AUDIT = next(
    (place for folder in REPOSITORY.parents[:2] if (place := folder / "shared" / "tools" / "audit").is_file()),
    REPOSITORY.parent / "shared" / "tools" / "audit",
)


def disagreements(ledger: dict[str, Any]) -> list[str]:
    """Balances that start, fills and flows do not explain: what the auditor's first check does."""
    total: dict[tuple[str, str], Decimal] = {}

    def add(exchange: str, asset: str, change: Decimal) -> None:
        total[exchange, asset] = total.get((exchange, asset), Decimal(0)) + change

    for sign, balances in ((1, ledger["start_balances"]), (-1, ledger["balances"])):
        for exchange, assets in balances.items():
            for asset, amounts in assets.items():
                add(exchange, asset, sign * (Decimal(amounts["free"]) + Decimal(amounts["locked"])))
    for fill in ledger["fills"]:
        sign = 1 if fill["side"] == "buy" else -1
        add(fill["exchange"], fill["base"], sign * Decimal(fill["qty"]))
        add(fill["exchange"], fill["quote"], -sign * Decimal(fill["cost"]))
        add(fill["exchange"], fill["fee_currency"], -Decimal(fill["fee"]))
    for flow in [*ledger["adjustments"], *ledger["transfers"]]:
        add(flow["exchange"], flow["asset"], Decimal(flow["change"]))
    return [f"{place}: {left}" for place, left in total.items() if left]


def audit(ledger: dict[str, Any]) -> tuple[int, str]:
    """The auditor's verdict; skips where the developers' tools are absent."""
    if not AUDIT.is_file():
        pytest.skip(f"no auditor: {AUDIT} is absent")
    done = subprocess.run([sys.executable, str(AUDIT)], input=json.dumps(ledger), capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, done.stdout + done.stderr
