"""The start of a run: the journal opened and read, the run recorded, balances taken up, open ends resolved."""

import hashlib
import logging
from collections.abc import Mapping
from pathlib import Path

from arbtui import __version__
from arbtui.engine.components import EngineComponents
from arbtui.failover.reconciler import Reconciled, Reconciler
from arbtui.failover.start_report import StartReport
from arbtui.journal.events import MarksTaken, RunStarted
from arbtui.journal.journal import Journal
from arbtui.journal.schema import USER_VERSION
from arbtui.journal.state import JournalState
from arbtui.model.counted import counted
from arbtui.model.errors import UsageError
from arbtui.model.halt import Halt, HaltCause
from arbtui.model.tip_file import vanished
from arbtui.portfolio.portfolio import Portfolio
from arbtui.portfolio.trading_state import TradingState
from arbtui.runtime.provenance import checkout_commit, lock_hash
from arbtui.runtime.venues import Venues
from arbtui.settings.output import say
from arbtui.settings.profile import Settings

log = logging.getLogger("arbtui")


def refuse_lost_journal(journal: Path, venues: Path) -> None:
    """A journal is made before its venues' ledger, so one that is missing or empty beside a ledger was lost.

    Raises:
        UsageError: it was. A new one would know nothing of residual cycles, and could use client order ids again.
    """
    if gone := vanished(journal):
        raise UsageError(gone)
    if _is_empty(journal) and not _is_empty(venues):
        raise UsageError(
            f"{journal} is missing or empty, but {venues} holds the venues' side of it: put it back, move both away, "
            "or name another --state-dir"
        )


def is_new(journal: Path) -> bool:
    """True where there is no journal, and no tip tells that there was one."""
    return _is_empty(journal) and not vanished(journal)


def tell_first_start(name: str, journal: Path) -> None:
    """Say that ``live`` begins without any memory; whoever started it may know better."""
    text = f"first start of profile {name} in live: there is no journal {journal} yet; what the accounts hold now becomes its opening"
    log.warning("%s", text)
    say(text)


def accounts_of(venues: Venues) -> dict[str, str]:
    """By exchange, a digest of the number that the venue gives the account; only where it tells one."""
    told = {name: adapter.account_names for name, adapter in venues.adapters.items()}
    numbers = {name: next((one for one in names if one.startswith("uid ")), None) for name, names in told.items()}
    return {name: hashlib.sha256(f"{name} {number}".encode()).hexdigest()[:16] for name, number in numbers.items() if number}


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


def refuse_other_currency(remembered: JournalState, portfolio: Portfolio, settings: Settings) -> None:
    """What a journal has booked is in the currency of its first run.

    Raises:
        UsageError: the profile counts in another one now.
    """
    before, now = portfolio.state.currency, settings.desk.currency
    if remembered.runs and before != now:
        told = f"desk.currency is {now}, and {remembered.path} counts in {before}"
        raise UsageError(f"profile {settings.name}: {told}: set it back, or name another --state-dir")


def _is_empty(path: Path) -> bool:
    return not path.exists() or (path.is_file() and path.stat().st_size == 0)


async def record_start(
    journal: Journal,
    settings: Settings,
    run_id: str,
    origins: Mapping[str, str],
    accounts: Mapping[str, str],
    seed: int | None,
    portfolio: Portfolio,
    now_ms: int,
) -> None:
    """Journal that a run begins, with what it runs on, and the desk's new day where one has begun since the last run."""
    config = hashlib.sha256(settings.model_dump_json(exclude={"path"}).encode()).hexdigest()[:16]
    started = RunStarted(
        run_id,
        settings.name,
        settings.mode,
        seed,
        __version__,
        config,
        dict(origins),
        TradingState.RECOVERING,
        settings.desk.currency,
        settings.settlement,
        commit=checkout_commit(),
        lock_hash=lock_hash(),
        journal_format=USER_VERSION,
        accounts=dict(accounts),
        timezone=settings.desk.timezone,
    )
    await journal.commit(started)
    await begin_day(journal, portfolio, settings.desk.day_of(now_ms))


async def begin_day(journal: Journal, portfolio: Portfolio, today: str) -> None:
    """Journal the desk's new day where one has begun since the last run. A day begins once, however the clock is put back and on again."""
    if portfolio.state.day is not None and portfolio.state.day.name < today:
        await journal.commit(MarksTaken("day", today, {}))


async def take_up(components: EngineComponents, wait_s: float, report: StartReport, *, resumes: bool) -> Reconciled:
    """Make the portfolio agree with the venues; ``wait_s``: how long orders of unknown fate are looked for.

    ``resumes``: half done cycles are left open, for the engine to go on with.
    """
    components.marks.restore(components.portfolio.state.marks)
    return await reconciler_of(components, wait_s, report, resumes=resumes).run()


def reconciler_of(components: EngineComponents, wait_s: float, report: StartReport | None = None, *, resumes: bool = False) -> Reconciler:
    """The reconciler over ``components``."""
    return Reconciler(
        adapters=components.adapters,
        portfolio=components.portfolio,
        marks=components.marks,
        sync=components.sync,
        journal=components.journal,
        clock=components.clock,
        wait_s=wait_s,
        report=report,
        resumes=resumes,
    )


def latch_again(remembered: JournalState, portfolio: Portfolio, halt: Halt) -> None:
    """Close the gate when the journal's last word is a kill and the flag is not there: only a re-arming takes a kill away."""
    if portfolio.state.killed and not halt.is_closed:
        last = remembered.kills[-1]
        halt.close(last.source, f"{last.reason} (the flag was missing; the journal remembers)".strip(), last.ts_ms)


def halted(name: str, cause: HaltCause | None) -> str:
    """Why headless does not start, and what to do."""
    source = cause.source if cause is not None else "unknown"
    return (
        f"profile {name} is HALTED (killed by {source}); headless does not start under a latched kill: "
        f"start the console (arbtui --profile {name}), press r, and type the profile's name and a reason; or arbtui rearm --profile {name}"
    )
