"""Which symbols a run on real venues may trade: what both list, less what is quarantined or excluded."""

import logging
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from arbtui.exchanges.assets import AssetRegistry, SignOff
from arbtui.model.errors import UsageError
from arbtui.settings.output import say
from arbtui.settings.profile import Settings
from arbtui.settings.sign_offs import SignOffs
from arbtui.settings.symbols_source import symbols_source
from arbtui.simulation.assets import invented

log = logging.getLogger("arbtui")


def tradable_symbols(
    settings: Settings,
    folder: Path,
    listed: Mapping[str, Sequence[str]],
    prices: Mapping[str, Mapping[str, float]] | None = None,
    odd: Collection[str] = (),
) -> list[str]:
    """The symbols of a run, in the order of the first venue's listing or of the profile's naming; what is quarantined is remembered.

    Args:
        settings: whose universe names or counts symbols.
        folder: the profile's state folder, where sign-offs are.
        listed: tickers by exchange, most active first; the profile's two venues.
        odd: symbols that a venue lists with rules that make no sense: left out with a warning, also where the profile names them.
        prices: as :meth:`arbtui.exchanges.assets.AssetRegistry.pair` takes them.

    Raises:
        UsageError: a symbol that the profile names cannot be traded (why is said), or nothing is left.
    """
    offs = SignOffs(folder)
    signed = offs.signed()
    if settings.is_sandbox:  # its invented assets are one asset at both venues, and no real venue lists them
        signed |= {symbol: SignOff(symbol, "the sandbox", 0, "invented") for symbol in invented()}
    pairing = AssetRegistry.shipped().pair(listed, signed, prices)
    offs.remember(pairing.quarantined)
    if pairing.quarantined:  # by hundreds on real venues: one line, the rest is where `assets` looks
        by_reason = Counter(one.reason.value for one in pairing.quarantined)
        counts = ", ".join(f"{count} {reason}" for reason, count in by_reason.most_common())
        log.warning("quarantined and not traded: %s (arbtui assets --profile %s lists them)", counts, settings.name)
    wanted, excluded = settings.universe.symbols, settings.universe.exclude
    tradable = [asset.symbol for asset in pairing.tradable if asset.symbol not in excluded]
    if isinstance(wanted, int):
        chosen = tradable[:wanted]
        if 0 < len(chosen) < wanted:
            say(f"{len(chosen)} symbols are traded, not {wanted}: no more are listed at both venues and known to be one asset there")
    else:
        chosen = [symbol for symbol in wanted if symbol not in excluded]
        for symbol in [symbol for symbol in chosen if symbol in odd and symbol not in tradable]:
            log.warning("%s is left out: a venue tells rules of it that make no sense", symbol)
            chosen.remove(symbol)
        reasons = {one.symbol: f"quarantined, {one.reason}: {one.detail}" for one in pairing.quarantined}
        venues = " and ".join(listed)
        if refused := [f"{symbol} ({reasons.get(symbol, f'not listed at both {venues}')})" for symbol in chosen if symbol not in tradable]:
            raise UsageError(f"{symbols_source(settings)} names what cannot be traded: {'; '.join(refused)}")
    if not chosen:
        raise UsageError(f"profile {settings.name}: no symbol is left to trade; see `arbtui assets --profile {settings.name}`")
    return chosen
