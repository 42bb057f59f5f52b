"""``assets``, ``assets sign`` and ``assets revoke``: which tickers are one asset at all venues, and on whose authority."""

import getpass
import json as json_text
import os
import re
import time
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from arbtui.cli import flags
from arbtui.model.errors import UsageError
from arbtui.settings.output import tell

if TYPE_CHECKING:
    from arbtui.exchanges.assets import Quarantined
    from arbtui.settings.sign_offs import SignOffs

assets_app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

Symbols = Annotated[list[str], typer.Argument(metavar="SYMBOL...", help="Tickers, each the same at all venues of the profile.")]

FEW = 5  #: as many symbols are told one by one; more are told as one


@assets_app.callback(invoke_without_command=True)
def assets(context: typer.Context, profile: flags.Profile = None, state_dir: flags.StateDir = None, json: flags.AsJson = False) -> int:
    """The assets that are known to be the same everywhere; with a profile, also those signed off and those quarantined."""
    if context.invoked_subcommand is not None:
        if profile is not None or state_dir is not None or json:
            raise UsageError(f"flags belong after the command: arbtui assets {context.invoked_subcommand} SYMBOL --profile ...")
        return 0
    from arbtui.exchanges.assets import AssetRegistry
    from arbtui.model.clock import iso_ms

    registry = AssetRegistry.shipped()
    offs = None if profile is None else _sign_offs(profile, state_dir)
    signed = [] if offs is None else list(offs.signed().values())
    quarantined = [] if offs is None else [one for one in offs.quarantined() if one.symbol not in offs.signed()]
    if json:
        facts = {
            "profile": profile,
            "known": [
                {"symbol": a.symbol, "name": a.name, "networks": a.networks, "price_ratio": a.price_ratio, "tickers": dict(a.tickers)}
                for a in registry.assets.values()
            ],
            "signed": [
                {"symbol": one.symbol, "by": one.by, "at": iso_ms(one.ts_ms), "reason": one.reason, "exchanges": one.exchanges}
                for one in signed
            ],
            "quarantined": [{"symbol": one.symbol, "reason": one.reason, "detail": one.detail} for one in quarantined],
        }
        tell(json_text.dumps(facts, indent=2) + "\n")
        return 0
    for asset in registry.assets.values():
        tell(f"{asset.symbol:<8} known        {asset.name:<28} {', '.join(asset.networks) or 'network not certain'}\n")
    for sign_off in signed:
        tell(f"{sign_off.symbol:<8} signed       by {sign_off.by} at {iso_ms(sign_off.ts_ms)}: {sign_off.reason}\n")
    if len(quarantined) > FEW:
        tell(f"{'':<8} quarantined  {many_in_words(quarantined)}; --json lists each with its reason\n")
    else:
        for one in quarantined:
            tell(f"{one.symbol:<8} quarantined  {one.reason}: {one.detail}\n")
    counts = f"{len(registry.assets)} known, {len(signed)} signed, {len(quarantined)} quarantined"
    tell(f"{counts} at the last start on real venues\n")
    return 0


@assets_app.command()
def sign(
    symbols: Symbols,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why you are sure; it is stored.")] = "",
    profile: flags.Profile = None,
    state_dir: flags.StateDir = None,
) -> int:
    """Sign off that each SYMBOL is one asset at all venues of the profile as it is now. Valid from the next start on.

    Many at once: arbtui assets sign A B C, or $(cat FILE) in a shell. All are signed or, when one cannot be, none.
    """
    from arbtui.exchanges.assets import AssetRegistry, SignOff

    registry, tickers = AssetRegistry.shipped(), _tickers(symbols)
    if not reason.strip():
        raise UsageError("--reason is needed: it is stored with your name and the time")
    refused = []
    for ticker in tickers:
        if (refusal := registry.refuses(ticker)) is not None:
            refused.append(f"{ticker}: {refusal.reason}, {refusal.detail}; it cannot be signed")
        elif ticker in registry.assets:
            refused.append(f"{ticker} is known and needs no signature")
    _refuse(refused, tickers, "signed")
    wanted = flags.wanted_profile(profile)
    offs, venues = _sign_offs(wanted, state_dir), _venues(wanted)
    by, ts_ms = _person(), time.time_ns() // 1_000_000
    offs.sign(*(SignOff(ticker, by, ts_ms, " ".join(reason.split()), venues) for ticker in tickers))
    tell(f"{_named(tickers)}: signed by {by}; it counts from the next start on\n")
    return 0


@assets_app.command()
def revoke(symbols: Symbols, profile: flags.Profile = None, state_dir: flags.StateDir = None) -> int:
    """Revoke signatures. Valid from the next start on."""
    tickers = _tickers(symbols)
    offs = _sign_offs(flags.wanted_profile(profile), state_dir)
    signed = offs.signed()
    _refuse([f"{ticker} is not signed in this profile" for ticker in tickers if ticker not in signed], tickers, "revoked")
    offs.revoke(*tickers)
    tell(f"{_named(tickers)}: not signed any more; it counts from the next start on\n")
    return 0


def _refuse(refused: Sequence[str], tickers: Sequence[str], done: str) -> None:
    if refused:
        rest = f"; and {len(refused) - FEW} more" if len(refused) > FEW else ""
        nothing = f"; nothing was {done}" if len(tickers) > 1 else ""
        raise UsageError(f"{'; '.join(refused[:FEW])}{rest}{nothing}")


def _named(tickers: Sequence[str]) -> str:
    if len(tickers) <= FEW:
        return ", ".join(tickers)
    return f"{len(tickers)} symbols ({', '.join(tickers[:FEW])}, ...)"


def many_in_words(quarantined: Sequence["Quarantined"]) -> str:
    """More symbols than a page has room for: how many for which reason, and the first of them."""
    reasons = ", ".join(f"{count} {reason}" for reason, count in Counter(one.reason.value for one in quarantined).most_common())
    return f"{len(quarantined)} symbols ({reasons}): {', '.join(one.symbol for one in quarantined[:FEW])}, ..."


def _tickers(texts: Sequence[str]) -> list[str]:
    """Each once, in order."""
    tickers = list(dict.fromkeys(text.strip().upper() for text in texts))
    for ticker in tickers:
        if not re.fullmatch(r"[A-Z0-9]{1,20}", ticker):
            raise UsageError(f"{ticker[:40]!r} is not an asset's ticker; expected letters and digits, such as MNT")
    return tickers


def _person() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without an entry in the user database, as in a container
        return f"uid {os.getuid()}"


def _venues(profile: str) -> tuple[str, ...]:
    """The profile's venues, which a signature is about."""
    from arbtui.settings.load import load_profile

    return tuple(load_profile(profile).exchanges)


def _sign_offs(profile: str, state_dir: str | None) -> "SignOffs":
    from arbtui.settings.locations import find_profile
    from arbtui.settings.sign_offs import SignOffs
    from arbtui.settings.state import profile_folder, profile_name, state_root

    find_profile(profile)
    return SignOffs(profile_folder(state_root(state_dir), profile_name(profile)))
