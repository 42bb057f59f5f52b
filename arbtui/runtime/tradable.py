"""Which symbols a run on real venues may trade, and between which: what both of a pair list, less what is quarantined or excluded."""

import logging
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from arbtui.exchanges.assets import AssetRegistry, Quarantined, SignOff
from arbtui.exchanges.networks import Networks
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
    networks: Mapping[str, Networks] | None = None,
    new_coins: Collection[str] = (),
) -> dict[str, list[tuple[str, str]]]:
    """The symbols of a run, each with the pairs of venues between which it may be traded; what is quarantined is remembered.

    In the order of the listings of the first pair's first venue and so on, or of the profile's naming.

    Args:
        settings: whose universe names or counts symbols, and says which venues trade with each other.
        folder: the profile's state folder, where sign-offs are.
        listed: tickers by exchange, most active first; of the profile's venues.
        odd: symbols that a venue lists with rules that make no sense: left out with a warning, also where the profile names them.
        prices: as :meth:`arbtui.exchanges.assets.AssetRegistry.pair` takes them.
        networks: likewise.
        new_coins: that a venue's notice has listed: a number of symbols takes none of them that nobody has signed for.

    Raises:
        UsageError: a symbol that the profile names cannot be traded (why is said), or nothing is left.
    """
    tradable, quarantined = _paired(settings, SignOffs(folder), listed, prices, networks)
    reasons = {one.symbol: f"quarantined, {one.reason}: {one.detail}" for one in reversed(quarantined)}
    if stopped := [one for one in quarantined if one.symbol not in tradable]:  # by hundreds on real venues: one line
        by_reason = Counter(one.reason.value for one in stopped)
        counts = ", ".join(f"{count} {reason}" for reason, count in by_reason.most_common())
        log.warning("quarantined and not traded: %s (arbtui assets --profile %s lists them)", counts, settings.name)
    wanted, excluded = settings.universe.symbols, settings.universe.exclude
    if isinstance(wanted, int):
        new = {symbol for symbol in new_coins if symbol in tradable} - SignOffs(folder).signed().keys()
        if new:
            log.warning("newly listed and not traded: %s (name them in universe.symbols, or sign for them)", ", ".join(sorted(new)))
        chosen = [symbol for symbol in tradable if symbol not in excluded and symbol not in new][:wanted]
        if 0 < len(chosen) < wanted:
            say(f"{len(chosen)} symbols are traded, not {wanted}: no more are listed {_where(settings)} and known to be one asset there")
    else:
        chosen = [symbol for symbol in wanted if symbol not in excluded]
        for symbol in [symbol for symbol in chosen if symbol in odd and symbol not in tradable]:
            log.warning("%s is left out: a venue tells rules of it that make no sense", symbol)
            chosen.remove(symbol)
        absent = f"not listed {_where(settings, named=True)}"
        if refused := [f"{symbol} ({reasons.get(symbol, absent)})" for symbol in chosen if symbol not in tradable]:
            raise UsageError(f"{symbols_source(settings)} names what cannot be traded: {'; '.join(refused)}")
    if not chosen:
        raise UsageError(f"profile {settings.name}: no symbol is left to trade; see `arbtui assets --profile {settings.name}`")
    return {symbol: tradable[symbol] for symbol in chosen}


def _paired(
    settings: Settings,
    offs: SignOffs,
    listed: Mapping[str, Sequence[str]],
    prices: Mapping[str, Mapping[str, float]] | None,
    networks: Mapping[str, Networks] | None,
) -> tuple[dict[str, list[tuple[str, str]]], list[Quarantined]]:
    """Every pair of the profile on its own: what it may trade, by symbol, and what it may not, each once."""
    signed, registry = offs.signed(), AssetRegistry.shipped()
    tradable: dict[str, list[tuple[str, str]]] = {}
    quarantined: dict[tuple[str, str], Quarantined] = {}
    for one, other in settings.pairs:
        theirs = {symbol: sign_off for symbol, sign_off in signed.items() if sign_off.is_of(one, other, len(settings.exchanges))}
        if settings.is_sandbox:  # its invented assets are one asset at all venues, and no real venue lists them
            theirs |= {symbol: SignOff(symbol, "the sandbox", 0, "invented") for symbol in invented()}
        of_pair = None if prices is None else {name: prices[name] for name in (one, other)}
        pairing = registry.pair({one: listed[one], other: listed[other]}, theirs, of_pair, networks)
        for asset in pairing.tradable:
            tradable.setdefault(asset.symbol, []).append((one, other))
        for found in pairing.quarantined:
            quarantined.setdefault((found.symbol, found.detail), found)
    offs.remember(list(quarantined.values()))
    if len(settings.pairs) > 1:  # the first pair's order is not that of all
        places = {symbol: place for place, symbol in enumerate(registry.assets)}
        tradable = dict(sorted(tradable.items(), key=lambda item: places.get(item[0], len(places))))
    return tradable, list(quarantined.values())


def _where(settings: Settings, *, named: bool = False) -> str:
    if len(settings.pairs) > 1:
        return "at both venues of one of universe.pairs"
    return f"at both {' and '.join(settings.pairs[0])}" if named else "at both venues"
