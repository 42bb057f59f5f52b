"""``ledger``: the journal of a profile as JSON, CSV or a page of text."""

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any, Literal

from arbtui.cli.other_modes import other_modes, other_modes_in_words
from arbtui.model.errors import UsageError
from arbtui.settings.output import tell
from arbtui.settings.state import MODES, latest_mode, mode_folder, profile_name, state_root

Form = Literal["text", "json", "csv"]


def print_ledger(
    name_or_path: str, mode: str | None, run: str | None, since: str | None, until: str | None, form: Form, state_dir: str | None
) -> int:
    """Print the ledger. The profile itself is not read: a ledger outlives it.

    Raises:
        UsageError: no such mode, no journal, an unreadable one, no such run, or no such time.
    """
    name, root = profile_name(name_or_path), state_root(state_dir)
    if mode is not None and mode not in MODES:
        raise UsageError(f"--mode {mode!r}: expected {', '.join(MODES)}")
    chosen = mode or latest_mode(root, name)
    if chosen is None:
        raise UsageError(f"profile {name} has no journal in {root}: it has not run there yet{_others(name_or_path)}")
    path = mode_folder(root, name, chosen) / "journal.db"
    if not path.exists():
        raise UsageError(f"profile {name} has no journal of mode {chosen} ({path})")
    from arbtui.portfolio.ledger import ledger_csv, read_ledger

    ledger = read_ledger(path, run, _moment(path, since, "--since"), _moment(path, until, "--until"))
    if form == "csv":
        tell(ledger_csv(ledger))
    elif form == "json":
        tell(json.dumps(ledger, indent=2, ensure_ascii=False) + "\n")
    else:
        tell(_page(name, chosen, ledger, other_modes_in_words(other_modes(root, name, chosen))))
    return 0


def _moment(path: Path, told: str | None, flag: str) -> int | None:
    """The moment on the journal's own clock, which differs from the machine's when a run's time was virtual."""
    from arbtui.cli.since import since_ms
    from arbtui.journal.liveness import read_liveness

    return None if told is None else since_ms(told, read_liveness(path).now_ms(time.time_ns() // 1_000_000), flag)


def _others(name_or_path: str) -> str:
    """A hint for a name without a profile."""
    from arbtui.settings.locations import find_profile

    try:
        find_profile(name_or_path)
    except UsageError as error:
        return f" ({error})"
    return ""


def _page(name: str, mode: str, ledger: dict[str, Any], others: str) -> str:
    states = Counter(cycle["state"] for cycle in ledger["cycles"])
    lines = [
        f"{name} {mode}",
        *([f"  {others}"] if others else []),
        *([f"  since {ledger['since']}"] if ledger["since"] else []),
        "  " + "   ".join(f"{what} {len(ledger[what])}" for what in ("orders", "fills", "breaches")) + f"   {_kills(ledger)}",
        "  cycles " + (", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "none"),
        "  pnl    " + (", ".join(f"{key} {value}" for key, value in ledger["pnl"].items()) or "none"),
    ]
    for exchange, assets in ledger["balances"].items():
        lines.append(f"  {exchange}")
        for asset, held in assets.items():
            before = ledger["start_balances"].get(exchange, {}).get(asset, {}).get("free", "0")
            lines.append(f"    {asset:<10} {held['free']:>24}   at the start {before:>24}")
    return "\n".join(lines) + "\n"


def _kills(ledger: dict[str, Any]) -> str:
    actions = [row["action"] for row in ledger["kills"]]
    return f"kills {actions.count('killed')}   re-arms {actions.count('rearmed')}"
