"""Profiles that make rare things usual."""

from pathlib import Path

from tests.conftest import REPOSITORY

SHIPPED = REPOSITORY / "profiles" / "upbit-binance.toml"
#: Changes the shipped profile to one that sends alerts by Telegram.
TELEGRAM_ON = ("enabled = false                  # true sends alerts by a Telegram bot", "enabled = true")


def changed_profile(folder: Path, name: str, *changes: tuple[str, str]) -> Path:
    """The shipped profile as ``folder/name.toml``, with lines replaced: (beginning of the line, new line)."""
    lines = SHIPPED.read_text(encoding="utf-8").splitlines()
    for beginning, new in changes:
        places = [place for place, line in enumerate(lines) if line.startswith(beginning)]
        assert len(places) == 1, f"{beginning!r} begins {len(places)} lines"
        lines[places[0]] = new
    path = folder / f"{name}.toml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def slow_profile(folder: Path) -> Path:
    """Many orders travel at once, and so long that their price is often gone when they arrive, each leg at its own time."""
    return changed_profile(
        folder,
        "slow",
        ("latency_ms", "latency_ms = [50, 2500]"),
        ("leg_deadline_ms", "leg_deadline_ms = 20000"),
        ("completion_bps", "completion_bps = 0.0"),
        ("min_edge_bps", "min_edge_bps = 0.0"),
        ("# max_unhedged", "max_unhedged = 100000.0"),
        ("# max_open_cycles", "max_open_cycles = 40"),
        ("# max_in_flight_orders", "max_in_flight_orders = 80"),
    )
