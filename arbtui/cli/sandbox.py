"""``sandbox``: its flags, the text printed at start, and its end."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arbtui.model.counted import counted
from arbtui.model.errors import AlreadyRunning, UsageError
from arbtui.settings.output import tell

if TYPE_CHECKING:
    from arbtui.sandbox.sandbox import Sandbox, SandboxOptions

_HIGHEST_PORT = 65_500  # more ports follow it, one for each venue


def run(port: int | None, symbols: str | None, profile: str | None, write: str | None, seed: int | None, state_dir: str | None) -> int:
    """Check, serve until a signal comes, and return 128 + its number.

    Raises:
        UsageError: a flag is wrong, a port is taken, or a file cannot be written.
    """
    from arbtui.cli.flags import overrides, wanted_symbols
    from arbtui.runtime.venues import selection, simulated_assets
    from arbtui.sandbox.doors import door_names
    from arbtui.sandbox.sandbox import DEFAULT_PORT, SandboxOptions
    from arbtui.settings.load import load_profile, read_text
    from arbtui.settings.state import keep_private
    from arbtui.simulation.config import SimulatorConfig
    from arbtui.simulation.played_venue import DEFAULT_VENUES

    port = DEFAULT_PORT if port is None else port
    if port != 0 and not 1024 <= port <= _HIGHEST_PORT:
        raise UsageError(f"--port {port}: expected 0 (free ones), or a number from 1024 to {_HIGHEST_PORT} (one for each venue follows it)")
    if write and not profile:
        raise UsageError("--write FILE needs --profile P: it writes P with its URLs turned here")
    keep_private()
    wanted: int | list[str] = 20 if symbols is None else wanted_symbols(symbols)
    config = SimulatorConfig() if seed is None else SimulatorConfig(seed=seed)
    text, target = "", None
    venues: list[str] = list(DEFAULT_VENUES)
    cross_quotes: dict[str, tuple[str, ...]] = {}
    quotes: dict[str, str] = {}
    if profile:
        settings = load_profile(profile, overrides(None, symbols, seed))
        venues, doors = list(settings.exchanges), door_names()
        if stray := [name for name in venues if name not in doors]:
            raise UsageError(f"profile {settings.name}: the sandbox plays {' and '.join(doors)}, not {stray[0]}")
        simulated_assets(settings)
        wanted, config = selection(settings), settings.simulator
        cross_quotes, quotes = settings.cross_quotes, settings.quotes
        text = read_text(settings.path)
        target = _target(write, settings.path)
    else:
        _known(wanted)
    if state_dir is None:
        return asyncio.run(_serve(SandboxOptions(port, wanted, venues, config, cross_quotes, quotes=quotes), text, target, profile))
    folder = Path(os.path.abspath(os.path.expanduser(state_dir)))
    with _alone(folder):
        return asyncio.run(_serve(SandboxOptions(port, wanted, venues, config, cross_quotes, folder, quotes=quotes), text, target, profile))


def transfer(words: list[str], port: int | None, fee: str | None, minutes: float | None) -> int:
    """Have the sandbox that runs move coins between its venues; 0 when they have left.

    Raises:
        UsageError: other words than ``transfer ASSET FROM TO AMOUNT``, no sandbox on that port, or one that refuses.
    """
    import json
    import urllib.error
    import urllib.request

    from arbtui.sandbox.sandbox import DEFAULT_PORT, HOST

    if words[0] != "transfer" or len(words) != 5:
        raise UsageError(f"sandbox {' '.join(words)}: expected nothing, or: sandbox transfer ASSET FROM TO AMOUNT")
    _, asset, sender, receiver, amount = words
    body = {"asset": asset.upper(), "from": sender.lower(), "to": receiver.lower(), "amount": amount, "fee": fee, "minutes": minutes}
    url = f"http://{HOST}:{DEFAULT_PORT if port is None else port}/transfers"
    request = urllib.request.Request(url, json.dumps(body).encode(), method="POST")
    try:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # it is on this machine, whatever the environment says
        with direct.open(request, timeout=10) as answer:
            done = json.loads(answer.read())
    except urllib.error.HTTPError as error:
        raise UsageError(f"{json.loads(error.read()).get('error', error)}; nothing was moved") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"no sandbox answers at {url} ({error}): start it with arbtui sandbox, or name its --port") from None
    way = f"{done['left']} {done['asset']} left {done['from']}"
    tell(f"{way}; {done['arrives']} arrive at {done['to']} in {done['minutes']:g} min\n")
    return 0


def _known(wanted: int | list[str]) -> None:
    from arbtui.simulation.assets import select

    try:
        select(wanted)
    except UsageError as error:
        raise UsageError(f"--symbols: {error}") from None


async def _serve(options: "SandboxOptions", text: str, target: Path | None, profile: str | None) -> int:
    from arbtui.sandbox.profile import turned
    from arbtui.sandbox.sandbox import sandbox

    ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def end(number: signal.Signals) -> None:
        if not ended.done():
            ended.set_result(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, end, number)
    async with sandbox(options) as running:
        if target is not None:
            _write(target, turned(text, running.urls, str(profile)))
        tell(_start_text(running, target, profile))
        sys.stdout.flush()
        market = asyncio.ensure_future(running.ended.wait())
        try:
            either: tuple[asyncio.Future[Any], ...] = (ended, market)
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            market.cancel()
    return ended.result() if ended.done() else 1


def _start_text(running: "Sandbox", target: Path | None, profile: str | None) -> str:
    """The text printed at start: addresses, keys, and the next command."""
    lines = [f"The sandbox is up: {counted(len(running.simulator.prices()), 'symbol')}, play money, state in {running.folder}"]
    for name, urls in running.urls.items():
        lines.append(f"  {name:<8} {urls['rest']}   stream {urls['stream']}   private {urls['private']}")
    lines.append(f"  {'control':<8} {running.control_url}   GET /ledger /balances /orders /health /faults, POST /faults (docs/sandbox.md)")
    lines.append("Keys, for the next shell:")
    for name, key in running.keys.items():
        parts = {"KEY": key.key, "SECRET": key.secret} | ({"PASSPHRASE": key.passphrase} if key.passphrase else {})
        lines.append("  export " + " ".join(f"ARBTUI_{name.upper()}_{part}={text}" for part, text in parts.items()))
    if target is not None:
        lines.append(f"Next: arbtui --profile {target} --mode live --confirm {target.stem}")
    else:
        lines.append(f"Next: a profile that comes here: arbtui sandbox --profile {profile or 'upbit-binance'} --write sandbox.toml")
    lines.append("End it with ^C.")
    return "\n".join(lines) + "\n"


def _target(write: str | None, profile: Path) -> Path | None:
    """Where the written profile goes: a new file, or one written for a sandbox before."""
    from arbtui.settings.load import load_profile
    from arbtui.settings.state import profile_name

    if not write:
        return None
    target = Path(os.path.expanduser(write))
    if target.suffix != ".toml":
        raise UsageError(f"--write {write}: expected a file that ends in .toml")
    profile_name(str(target.absolute()))
    if target.exists() and (target.samefile(profile) or not load_profile(str(target.absolute())).is_sandbox):
        raise UsageError(f"--write {write}: that profile trades elsewhere and is not overwritten; name another file")
    return target


def _write(target: Path, text: str) -> None:
    beside = target.with_name(f".{target.name}.new")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(target)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise UsageError(
            f"--write {target}: it cannot be written ({error.strerror or error}); name a file in a folder that is there"
        ) from None


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Lock ``folder`` for one sandbox: two would overwrite each other's ledger."""
    from arbtui.settings.lock import ProfileLock
    from arbtui.settings.trust import refuse_untrusted

    refuse_untrusted(folder, folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--state-dir {folder}: it cannot be created ({error.strerror or error}); name a folder") from None
    lock = ProfileLock(folder)
    try:
        lock.acquire()
    except AlreadyRunning:
        raise AlreadyRunning(f"--state-dir {folder}: another sandbox runs on it; end that one first, or name another folder") from None
    try:
        yield
    finally:
        lock.release()
