"""``assets``, ``assets sign`` and ``assets revoke``: which tickers are one asset at both venues, and on whose authority."""

import getpass
import json as json_text
import os
import re
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from arbtui.cli import flags
from arbtui.model.errors import UsageError

if TYPE_CHECKING:
    from arbtui.settings.sign_offs import SignOffs

assets_app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

Symbol = Annotated[str, typer.Argument(metavar="SYMBOL", help="The ticker, the same at both venues.")]


@assets_app.callback(invoke_without_command=True)
def assets(context: typer.Context, profile: flags.Profile = None, state_dir: flags.StateDir = None, json: flags.AsJson = False) -> int:
    """The assets that are known to be the same at both venues; with a profile, also those signed off and those quarantined."""
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
            "signed": [{"symbol": one.symbol, "by": one.by, "at": iso_ms(one.ts_ms), "reason": one.reason} for one in signed],
            "quarantined": [{"symbol": one.symbol, "reason": one.reason, "detail": one.detail} for one in quarantined],
        }
        sys.stdout.write(json_text.dumps(facts, indent=2) + "\n")
        return 0
    for asset in registry.assets.values():
        sys.stdout.write(f"{asset.symbol:<8} known        {asset.name:<28} {', '.join(asset.networks) or 'network not certain'}\n")
    for sign_off in signed:
        sys.stdout.write(f"{sign_off.symbol:<8} signed       by {sign_off.by} at {iso_ms(sign_off.ts_ms)}: {sign_off.reason}\n")
    for one in quarantined:
        sys.stdout.write(f"{one.symbol:<8} quarantined  {one.reason}: {one.detail}\n")
    counts = f"{len(registry.assets)} known, {len(signed)} signed, {len(quarantined)} quarantined"
    sys.stdout.write(f"{counts} at the last start on real venues\n")
    return 0


@assets_app.command()
def sign(
    symbol: Symbol,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why you are sure; it is stored.")] = "",
    profile: flags.Profile = None,
    state_dir: flags.StateDir = None,
) -> int:
    """Sign off that SYMBOL is one asset at both venues. Valid from the next start on."""
    from arbtui.exchanges.assets import AssetRegistry, SignOff

    registry, ticker = AssetRegistry.shipped(), _ticker(symbol)
    if not reason.strip():
        raise UsageError("--reason is needed: it is stored with your name and the time")
    if (refusal := registry.refuses(ticker)) is not None:
        raise UsageError(f"{ticker}: {refusal.reason}, {refusal.detail}; it cannot be signed")
    if ticker in registry.assets:
        raise UsageError(f"{ticker} is known and needs no signature")
    offs = _sign_offs(flags.wanted_profile(profile), state_dir)
    sign_off = SignOff(ticker, _person(), time.time_ns() // 1_000_000, " ".join(reason.split()))
    offs.sign(sign_off)
    sys.stdout.write(f"{ticker}: signed by {sign_off.by}; it counts from the next start on\n")
    return 0


@assets_app.command()
def revoke(symbol: Symbol, profile: flags.Profile = None, state_dir: flags.StateDir = None) -> int:
    """Revoke a signature. Valid from the next start on."""
    ticker = _ticker(symbol)
    if not _sign_offs(flags.wanted_profile(profile), state_dir).revoke(ticker):
        raise UsageError(f"{ticker} is not signed in this profile")
    sys.stdout.write(f"{ticker}: not signed any more; it counts from the next start on\n")
    return 0


def _ticker(text: str) -> str:
    ticker = text.strip().upper()
    if not re.fullmatch(r"[A-Z0-9]{1,20}", ticker):
        raise UsageError(f"{text!r} is not an asset's ticker; expected letters and digits, such as MNT")
    return ticker


def _person() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without an entry in the user database, as in a container
        return f"uid {os.getuid()}"


def _sign_offs(profile: str, state_dir: str | None) -> "SignOffs":
    from arbtui.settings.locations import find_profile
    from arbtui.settings.sign_offs import SignOffs
    from arbtui.settings.state import profile_folder, profile_name, state_root

    find_profile(profile)
    return SignOffs(profile_folder(state_root(state_dir), profile_name(profile)))
