"""The flags that several commands share, and what their values mean."""

import math
import os
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from arbtui.model.errors import UsageError

Profile = Annotated[str | None, typer.Option("--profile", metavar="NAME|PATH", help="The profile, by name or by its file.")]
Mode = Annotated[str | None, typer.Option("--mode", metavar="sim|paper|live", help="Where orders go; default sim.")]
LatestMode = Annotated[str | None, typer.Option("--mode", metavar="sim|paper|live", help="Default: that of the latest run.")]
Confirm = Annotated[str | None, typer.Option("--confirm", metavar="NAME", help="The profile's name, instead of typing it.")]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why; it is kept in the journal.")]
StateDir = Annotated[str | None, typer.Option("--state-dir", metavar="DIR", help="Where state lives, else ARBTUI_STATE_DIR.")]
JsonTarget = Annotated[str | None, typer.Option("--json", metavar="FILE|-", help="Write the summary as JSON at the end.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def wanted_profile(profile: str | None) -> str:
    """The profile's name or path.

    Raises:
        UsageError: none was given; the message lists the known ones.
    """
    if profile:
        return profile
    from arbtui.settings.locations import all_profiles

    names = ", ".join(one.name for one in all_profiles())
    raise UsageError(f"which profile? --profile NAME; there are: {names or 'none yet (arbtui init NAME)'}")


def overrides(mode: str | None, symbols: str | None, seed: int | None) -> dict[str, Any]:
    """The flags as a layer of settings; flags that were not given are absent."""
    layer: dict[str, Any] = {}
    if mode is not None:
        layer["mode"] = mode
    if symbols is not None:
        layer["universe"] = {"symbols": wanted_symbols(symbols)}
    if seed is not None:
        layer["simulator"] = {"seed": seed}
    return layer


def wanted_symbols(text: str) -> int | list[str]:
    """``--symbols``: a number takes that many, codes name them (``btc`` is BTC).

    Raises:
        UsageError: neither a number from 1 to 1000 nor codes with commas between them.
    """
    if re.fullmatch(r"[+-]?\d+(\.\d*)?", text.strip()):
        if not re.fullmatch(r"\d{1,4}", text.strip()) or not 1 <= int(text) <= 1000:
            raise UsageError(f"--symbols {_short(text)}: expected a number from 1 to 1000, or assets such as BTC,ETH")
        return int(text)
    codes = [code.strip().upper() for code in text.split(",")]
    if len(codes) > 1000:
        raise UsageError(f"--symbols names {len(codes):,} assets; expected at most 1000")
    for code in codes:
        if not re.fullmatch(r"[A-Z0-9]{1,20}", code):
            names = f"--symbols {_short(text)!r}: {_short(code)!r}"
            raise UsageError(f"{names} is not an asset's code; expected a number, or assets such as BTC,ETH")
    return codes


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


def wanted_runtime(seconds: float | None) -> float | None:
    """``--max-runtime``: seconds above 0.

    Raises:
        UsageError: not above 0, or not finite.
    """
    if seconds is not None and not (math.isfinite(seconds) and seconds > 0):
        raise UsageError(f"--max-runtime {seconds:g}: expected seconds above 0")
    return seconds


def new_recording(file: str | None) -> Path | None:
    """``--record``: a file that does not exist yet. Checked before the venues are opened.

    Raises:
        UsageError: it exists, or its folder does not.
    """
    if file is None:
        return None
    path = Path(os.path.expanduser(file))
    if path.exists():
        raise UsageError(f"--record {file}: exists already, and a recording is never overwritten; name another file")
    if not file or not path.parent.is_dir():
        raise UsageError(f"--record {file or repr(file)}: there is no such folder")
    return path


def wanted_factor(text: str) -> float | None:
    """``replay --speed``: times the recorded speed; None for ``max``.

    Raises:
        UsageError: neither ``max`` nor a number above 0.
    """
    if text in ("max", "real"):
        return None if text == "max" else 1.0
    try:
        factor = float(text.removesuffix("x"))
    except ValueError:
        factor = math.nan
    if not (math.isfinite(factor) and factor > 0):
        raise UsageError(f"--speed {text!r}: expected max, or a factor above 0 such as 1 or 10")
    return factor


def recording(text: str) -> Path:
    """One ``FILE`` of ``replay``, checked to exist and to be readable; its content is not checked.

    Raises:
        UsageError: it does not exist, is a folder, or cannot be read.
    """
    path = Path(os.path.expanduser(text))
    try:
        if path.is_dir():
            raise UsageError(f"recording {text} is a folder; name its files")
        if path.exists() and not path.is_file():  # to open a pipe waits for whoever writes it, and takes its beginning away
            raise UsageError(f"recording {text} is no ordinary file; write it to one first")
        path.open("rb").close()
    except OSError as error:
        raise UsageError(f"recording {text} cannot be read ({error.strerror or error})") from None
    return path
