"""The start of a run: the journal opened and read, the run recorded, balances taken up, open ends resolved."""

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from arbtui import __version__
from arbtui.engine.components import EngineComponents
from arbtui.exchanges.adapter import ExchangeAdapter
from arbtui.failover.reconciler import Reconciled, Reconciler
from arbtui.failover.snapshot import StateSnapshot
from arbtui.journal.events import Adjusted, BalanceRecorded, Event, RunStarted
from arbtui.journal.journal import Journal
from arbtui.journal.state import JournalState
from arbtui.model.counted import counted
from arbtui.model.errors import UsageError
from arbtui.model.halt import Halt, HaltCause
from arbtui.model.market import Market
from arbtui.model.money import ZERO
from arbtui.settings.profile import Settings
from arbtui.simulation.assets import simulated_markets, universe


def refuse_lost_journal(journal: Path, venues: Path) -> None:
    """A journal is made before its venues' ledger, so one that is missing or empty beside a ledger was lost.

    Raises:
        UsageError: it was. A new one would know nothing of residual cycles, and could use client order ids again.
    """
    if _is_empty(journal) and not _is_empty(venues):
        raise UsageError(
            f"{journal} is missing or empty, but {venues} holds the venues' side of it: put it back, move both away, "
            "or name another --state-dir"
        )


def refuse_lost_venues(remembered: JournalState, venues: Path) -> None:
    """A run is journaled after its venues' ledger was made, so one that is missing or empty then was lost.

    Raises:
        UsageError: it was. New venues would give out trade ids anew, which the journal must take for fills it knows.
    """
    if remembered.runs and _is_empty(venues):
        runs = counted(remembered.runs, "run")
        raise UsageError(
            f"{venues} is missing or empty, but {remembered.path} holds {runs} on it: put it back, move both away, "
            "or name another --state-dir"
        )


def _is_empty(path: Path) -> bool:
    return not path.exists() or (path.is_file() and path.stat().st_size == 0)


async def record_start(journal: Journal, settings: Settings, run_id: str, origins: Mapping[str, str], seed: int | None, state: str) -> None:
    """Journal that a run begins, with what it runs on."""
    config = hashlib.sha256(settings.model_dump_json(exclude={"path"}).encode()).hexdigest()[:16]
    await journal.commit(RunStarted(run_id, settings.name, settings.mode, seed, __version__, config, dict(origins), state))


async def take_up(components: EngineComponents, remembered: JournalState, markets: Mapping[str, Mapping[str, Market]]) -> Reconciled:
    """Give the inventory what the journal holds, make it agree with the venues, and record what the run starts with."""
    inventory, marks = components.positions.inventory, components.positions.marks
    marks.restore(StateSnapshot.of(remembered.snapshot).marks)
    known = {key: balance.total for key, balance in remembered.balances.items()}
    first_seen = await _first_seen(components.adapters, known)
    inventory.start({**known, **first_seen})
    events: list[Event] = []
    for (exchange, asset), total in first_seen.items():
        if remembered.balances:  # at the very first start these are the start balances, and nothing was added
            events.append(Adjusted(exchange, asset, total, "first seen at the venue"))
            events.append(BalanceRecorded(exchange, asset, total, ZERO, "check"))
    if events:
        await components.journal.commit(*events)
    reconciler = Reconciler(
        adapters=components.adapters,
        markets=markets_to_resolve(remembered, markets),
        positions=components.positions,
        journal=components.journal,
        clock=components.clock,
    )
    reconciled = await reconciler.run(remembered)
    totals = inventory.totals()
    inventory.start(totals)  # targets of the stock are what this run starts with
    components.positions.book.start(totals)
    await components.journal.commit(
        *(BalanceRecorded(exchange, asset, total, ZERO, "start") for (exchange, asset), total in totals.items())
    )
    return reconciled


def markets_to_resolve(remembered: JournalState, markets: Mapping[str, Mapping[str, Market]]) -> dict[tuple[str, str], Market]:
    """This run's markets, and those of open cycles that it does not trade any more: their lots still tell dust from a remainder."""
    listed = {(exchange, code): market for exchange, codes in markets.items() for code, market in codes.items()}
    known = universe()
    gone = [cycle.symbol for cycle in remembered.open_cycles if cycle.symbol in known]
    if gone:
        for exchange, codes in simulated_markets(gone).items():
            for code, market in codes.items():
                listed.setdefault((exchange, code), market)
    return listed


async def _first_seen(adapters: Mapping[str, ExchangeAdapter], known: Mapping[tuple[str, str], Decimal]) -> dict[tuple[str, str], Decimal]:
    """Assets that a venue holds and the journal has never heard of."""
    found: dict[tuple[str, str], Decimal] = {}
    for name, adapter in adapters.items():
        for asset, balance in (await adapter.fetch_balances()).items():
            if (name, asset) not in known:
                found[name, asset] = balance.total
    return found


def latch_again(remembered: JournalState, halt: Halt) -> None:
    """Close the gate when the journal's last word is a kill and the flag is not there: only a re-arming takes a kill away."""
    if remembered.is_killed and not halt.is_closed:
        last = remembered.kills[-1]
        halt.close(last.source, f"{last.reason} (the flag was missing; the journal remembers)".strip(), last.ts_ms)


def halted(name: str, cause: HaltCause | None) -> str:
    """Why headless does not start, and what to do."""
    source = cause.source if cause is not None else "unknown"
    return (
        f"profile {name} is HALTED (killed by {source}); headless does not start under a latched kill: "
        f"start the console (arbtui --profile {name}), press r, and type the profile's name and a reason"
    )
