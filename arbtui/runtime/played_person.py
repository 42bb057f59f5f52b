"""In ``sim`` the person who makes transfers can be played: ``[simulator] person = "auto"``."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal

from arbtui.engine.engine import Engine
from arbtui.model.clock import Clock
from arbtui.model.errors import JournalFailed
from arbtui.model.money import ZERO
from arbtui.portfolio.operator_events import Transfer, begin_transfer
from arbtui.portfolio.transfers import TransferAccount
from arbtui.simulation.ledger import VenueLedger

log = logging.getLogger("arbtui")

_LOOK_EVERY_S = 5.0


class PlayedPerson:
    """Begins what the plans propose, takes the coins out of one venue's ledger and pays them in at the other after the usual minutes.

    Refills leave room under ``risk.max_in_transit`` for what cycles may have on its way.

    What has been done stands in the venues' ledger, so a restart in between neither forgets a payment nor makes it twice.
    """

    def __init__(self, engine: Engine, ledger: VenueLedger, clock: Clock) -> None:
        self._engine = engine
        self._ledger = ledger
        self._clock = clock

    async def run(self) -> None:
        """Go on until cancelled."""
        with suppress(JournalFailed):  # the engine was told, and has closed the gate
            while True:
                await asyncio.sleep(_LOOK_EVERY_S)
                await self.look()

    async def look(self) -> None:
        """Begin what is proposed, and do what is due."""
        engine = self._engine
        risk = engine.components.risk
        if not engine.components.halt.is_closed and engine.components.journal.failure is None:
            for plan in engine.wallets.plans():
                rail = plan.best
                if rail is None or not risk.in_transit.leaves_room(plan.asset, rail.amount, risk.total.limits):
                    continue
                if rail.fee is not None and rail.minutes is not None:
                    wanted = Transfer(plan.asset, plan.sender, plan.receiver, rail.amount, rail.network, rail.fee, rail.minutes)
                    events = begin_transfer(engine.portfolio, wanted, "simulator", "played")
                    if not isinstance(events, str):
                        await engine.components.journal.commit(*events)
        for transfer in engine.portfolio.open_transfers:
            await self._act(transfer)

    async def _act(self, transfer: TransferAccount) -> None:
        now_ms = self._clock.time_ms()
        gone_ms = self._ledger.booked_ms(transfer.sender, _out(transfer))
        if gone_ms is None:
            if self._ledger.free(transfer.sender, transfer.asset) >= transfer.qty:
                await self._book(transfer.sender, {transfer.asset: -transfer.qty}, _out(transfer), now_ms)
        elif now_ms >= gone_ms + transfer.minutes * 60_000 and self._ledger.booked_ms(transfer.receiver, _in(transfer)) is None:
            await self._book(transfer.receiver, {transfer.asset: max(ZERO, transfer.qty - transfer.fee)}, _in(transfer), now_ms)

    async def _book(self, exchange: str, amounts: Mapping[str, Decimal], reason: str, ts_ms: int) -> None:
        await self._ledger.deposit(exchange, amounts, reason, ts_ms)
        log.info("the played person: %s at %s: %s", reason, exchange, ", ".join(f"{qty} {asset}" for asset, qty in amounts.items()))


def _out(transfer: TransferAccount) -> str:
    return f"transfer {transfer.id} out"


def _in(transfer: TransferAccount) -> str:
    return f"transfer {transfer.id} in"
