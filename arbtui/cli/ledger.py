"""``ledger``: the journal of a profile as JSON, CSV or a page of text."""

import time
from collections import Counter
from datetime import tzinfo
from pathlib import Path
from typing import Any, Literal

from arbtui.cli.no_state import no_journal
from arbtui.cli.other_modes import other_modes, other_modes_in_words
from arbtui.model.errors import UsageError
from arbtui.settings.output import tell
from arbtui.settings.state import chosen_mode, existing_root, mode_folder, profile_name

Form = Literal["text", "json", "csv"]


def print_ledger(
    name_or_path: str,
    mode: str | None,
    run: str | None,
    since: str | None,
    until: str | None,
    form: Form,
    state_dir: str | None,
    *,
    with_episodes: bool,
    with_denials: bool,
) -> int:
    """Print the ledger, when asked for with the gaps that were seen and what kept us from them.

    The profile itself is not read: a ledger outlives it. Its time zone, in which a table's times are, is that of the newest run told.

    Raises:
        UsageError: no such mode, no journal, an unreadable one, no such run, or no such time, or a table in a time zone not known here.
    """
    name, root = profile_name(name_or_path), existing_root(state_dir)
    chosen = chosen_mode(root, name, mode)
    if chosen is None:
        raise no_journal(name_or_path, name, root)
    path = mode_folder(root, name, chosen) / "journal.db"
    if not path.exists():
        raise UsageError(f"profile {name} has no journal of mode {chosen} ({path})")
    from arbtui.journal.denials import denials_csv, read_denials
    from arbtui.journal.episodes import episodes_csv, read_episodes
    from arbtui.journal.liveness import read_liveness
    from arbtui.portfolio.ledger import ledger_csv, ledger_json, open_ledger

    begin, end = _moment(path, since, "--since"), _moment(path, until, "--until")
    with open_ledger(path, run, begin, end) as ledger:
        if with_episodes:
            ledger["episodes"] = read_episodes(path, run, begin, end)
        if with_denials:
            ledger["denials"] = read_denials(path, read_liveness(path).now_ms(time.time_ns() // 1_000_000))
        if form == "csv" and with_denials:
            tell(denials_csv(ledger["denials"]))
        elif form == "csv" and with_episodes:
            tell(episodes_csv(ledger["episodes"], _zone(ledger)))
        elif form == "text":
            tell(_page(name, chosen, ledger, other_modes_in_words(other_modes(root, name, chosen))))
        else:
            for piece in ledger_csv(ledger, _zone(ledger)) if form == "csv" else ledger_json(ledger):
                tell(piece)
    return 0


def _zone(ledger: dict[str, Any]) -> tzinfo:
    from arbtui.model.clock import zone_of

    name: str = ledger["timezone"]
    try:
        return zone_of(name)
    except (LookupError, ValueError, OSError) as error:
        raise UsageError(f"time zone {name} of the desk is not known on this machine (install tzdata); --json is UTC") from error


def _moment(path: Path, told: str | None, flag: str) -> int | None:
    """The moment on the journal's own clock, which differs from the machine's when a run's time was virtual."""
    from arbtui.cli.since import since_ms
    from arbtui.journal.liveness import read_liveness

    return None if told is None else since_ms(told, read_liveness(path).now_ms(time.time_ns() // 1_000_000), flag)


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
    for row in ledger["open_fx"]:
        converted = f"{row['converted']} {row['currency']} converted for {row['cost']}"
        value = "no price" if row["value"] is None else f"{row['value']} {row['currency']}"
        lines.append(f"  open   {row['asset']} {row['amount']} ({value}) since {row['since'] or '-'}; {converted}")
    for exchange, assets in ledger["balances"].items():
        lines.append(f"  {exchange}")
        for asset, held in assets.items():
            before = ledger["start_balances"].get(exchange, {}).get(asset, {}).get("free", "0")
            lines.append(f"    {asset:<10} {held['free']:>24}   at the start {before:>24}")
    for exchange, assets in ledger["unvalued"].items():
        for asset, amounts in assets.items():
            lines.append(
                f"  {exchange} {asset} {amounts['end']}, at the start {amounts['start']}: nothing prices it, so it is in no equity"
            )
    gaps = _gaps(ledger["episodes"]) if "episodes" in ledger else []
    denials = _denials(ledger["denials"]) if "denials" in ledger else []
    return "\n".join([*lines, *gaps, *denials]) + "\n"


def _denials(denials: list[dict[str, Any]]) -> list[str]:
    """What kept us from gaps, first over all routes, then route by route."""
    if not denials:
        return ["  denials none in the last day"]
    lines = ["  denials                      last minute         last hour          last day"]
    shown = ""
    for one in denials:
        if one["route"] is not None and one["route"] != shown:
            shown = one["route"]
            lines.append(f"    {shown}")
        spans = "".join(f"{one[span]['seconds']:>11,.1f} s x{one[span]['times']:<5,}" for span in ("minute", "hour", "day"))
        lines.append(f"    {'  ' if one['route'] else ''}{one['reason']:<17}{'' if one['route'] else '  '}{spans}")
    return lines


def _gaps(episodes: list[dict[str, Any]]) -> list[str]:
    """The gaps by what kept us from taking them, and how many would still have filled later."""
    if not episodes:
        return ["  episodes none"]
    taken = [one for one in episodes if one["cycles"]]
    lines = [f"  episodes {len(episodes)}   taken {len(taken)}   the last ended {episodes[-1]['end']}"]
    for name, some in (("taken", taken), *_by_gate(episodes)):
        if not some:
            continue
        answers = {ms: [one["would_fill"][ms] for one in some if one["would_fill"][ms] is not None] for ms in some[0]["would_fill"]}
        fills = "  ".join(f"+{ms} ms {sum(known) / len(known):.0%}" if known else f"+{ms} ms -" for ms, known in answers.items())
        best = max(one["best_edge_bps"] for one in some)
        lines.append(f"    {name:<18} {len(some):>6}   best {best:.1f} bp   would fill {fills}")
    return lines


def _by_gate(episodes: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Those that were not taken, by their first reason, the most frequent first."""
    counts = Counter(one["gate"] for one in episodes if not one["cycles"])
    return [(gate, [one for one in episodes if one["gate"] == gate and not one["cycles"]]) for gate, _ in counts.most_common()]


def _kills(ledger: dict[str, Any]) -> str:
    actions = [row["action"] for row in ledger["kills"]]
    return f"kills {actions.count('killed')}   re-arms {actions.count('rearmed')}"
