"""Whether the console can be shown where it was started."""

import os
import sys

from arbtui.model.errors import UsageError

_COMPATIBLE = (
    *("xterm", "tmux", "screen", "rxvt", "vte", "alacritty", "foot", "kitty", "wezterm", "ghostty", "konsole", "contour", "iterm"),
    *("iterm2", "linux", "st", "mintty", "rio", "warp", "zellij", "gnome", "putty", "vt100", "vt220", "vt420"),
)
"""Terminals that understand what the console writes (ECMA-48), for servers whose terminfo has not heard of them."""


def need_terminal() -> None:
    """The console draws on standard error and reads standard input: both must be a terminal that can place text anywhere.

    Raises:
        UsageError: one is not, or TERM names a terminal on which the console would wedge.
    """
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr and sys.stderr.isatty()):
        raise UsageError("no terminal: the console needs one for input and for standard error; to run without it, add --headless")
    problem = terminal_problem(os.environ.get("TERM", ""), sys.stderr.fileno())
    if problem:
        raise UsageError(f"{problem}; name the terminal's real kind (TERM=xterm-256color fits most), or add --headless to run without it")


def terminal_problem(name: str, descriptor: int) -> str:
    """Why the terminal ``name`` (``TERM``) cannot show the console; empty when it can.

    The console moves the cursor with ``CSI row ; column H``. What terminfo knows is asked there (``cup``); a name that it
    does not know counts by its family.
    """
    if not name:
        return "TERM is not set, so nobody knows what this terminal can do"
    moves = _moves_cursor(name, descriptor)
    if moves is None:
        family = name.lower().split("-")[0]
        return "" if family in _COMPATIBLE else f"TERM={name!r} is a terminal that this machine does not know"
    return "" if moves.startswith(b"\x1b[") else f"TERM={name!r} is a terminal on which the console cannot place text"


def _moves_cursor(name: str, descriptor: int) -> bytes | None:
    """What moves the cursor of ``name``, empty when nothing does; None when terminfo does not know it, or is not there."""
    try:
        import curses
    except ImportError:  # a Python built without it
        return None
    try:
        curses.setupterm(name, descriptor)
        return curses.tigetstr("cup") or b""
    except (curses.error, UnicodeError):  # unknown, or generic, or no name at all
        return None
