"""What differs between the three modes of a session: how its venues are opened, and what it calls them."""

from collections.abc import Callable, Coroutine
from typing import Any

from arbtui.runtime.venues import Ground, Venues, simulated_venues
from arbtui.settings.profile import Settings

Opener = Callable[[Settings, Ground], Coroutine[Any, Any, Venues]]


def opener(settings: Settings) -> Opener:
    """How the venues of the settings' mode are opened; sockets and ccxt are loaded only where they are needed."""
    if settings.mode == "sim":
        return simulated_venues
    from arbtui.runtime.real_venues import live_venues, streamed_venues

    return live_venues if settings.mode == "live" else streamed_venues


def origins(settings: Settings) -> dict[str, str]:
    """Where each exchange's orders are traded, as the journal remembers it: a journal of one place never goes on at another."""
    if settings.mode == "live":
        return {name: exchange.urls.rest for name, exchange in settings.exchanges.items()}
    if settings.mode == "paper":
        return {name: f"paper on {exchange.urls.stream}" for name, exchange in settings.exchanges.items()}
    return dict.fromkeys(settings.exchanges, "simulator")


def scenario(settings: Settings) -> str:
    """The word beside the mode in the header."""
    if settings.mode == "sim":
        return settings.simulator.scenario
    return "sandbox" if settings.is_sandbox else ""
