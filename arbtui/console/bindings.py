"""The actions of the keys of the app and the main screen. :mod:`arbtui.console.keys` has each id's default key."""

from textual.binding import Binding, BindingType

from arbtui.console.keys import DEFAULT_KEYS, parts
from arbtui.console.panes.tabs import PANES


def textual_keys(keys: str) -> str:
    """Keys as Textual takes them: it splits at commas, so the comma key is given by its name."""
    return ",".join("comma" if key == "," else key for key in parts(keys))


def _binding(name: str, action: str, word: str, tooltip: str) -> Binding:
    return Binding(textual_keys(DEFAULT_KEYS[name]), action, word, id=name, tooltip=tooltip)


ANYWHERE_BINDINGS: list[BindingType] = [
    Binding("ctrl+k", "kill", "KILL", id="kill", priority=True, tooltip="Halt now: nothing more is sent. Works anywhere, never asks"),
    Binding("ctrl+q", "quit", "quit", id="quit", priority=True, tooltip="Quit; asks once when something is open"),
    Binding("ctrl+c", "no_interrupt", "", id="interrupt", priority=True, show=False, tooltip="Does nothing: ^Q quits, ^K halts"),
    Binding("ctrl+p", "command_palette", "palette", id="palette", priority=True, tooltip="Every command by name; themes"),
]

MAIN_BINDINGS: list[BindingType] = [
    _binding("pause", "pause", "pause", "Pause new entries, or resume them; open cycles finish either way"),
    _binding(
        "disarm",
        "disarm",
        "disarm",
        "Disarm: no order leaves, also after a restart, until re-arm; refused while a cycle is open. Asks for a reason",
    ),
    _binding(
        "rearm",
        "rearm",
        "re-arm",
        "Arm at the start or after a halt, or free what is held back: asks for name and reason",
    ),
    _binding(
        "detail",
        "detail",
        "detail",
        "Open what is under the cursor: a route in full, both legs of a cycle, the whole text in Risk and Log",
    ),
    _binding("filter", "filter", "filter", "Filter routes: xrp edge>5 state:open net>3 !buy:upbit, or the stock: share<50 runway<2"),
    _binding("sort", "sort", "sort", "Order routes or stock by the next column"),
    _binding("sort.reverse", "reverse", "reverse", "Reverse the order"),
    _binding(
        "route.toggle", "toggle_route", "disable", "Disable this route, also after a restart, or enable it again; an open cycle finishes"
    ),
    _binding("acknowledge", "acknowledge", "ack", "Risk: acknowledge the breach under the cursor; it stays listed"),
    _binding(
        "settle",
        "settle",
        "settle",
        "Risk: trade a position away, write it off, take a venue's word. Stock: targets, transfers. Asks for name and reason",
    ),
    _binding(
        "risk.view",
        "risk_view",
        "view",
        "Risk: breaches, then limits, then why nothing was traded, then venues' notices; goes to Risk first",
    ),
    _binding(
        "limit", "limit", "limit", "Risk, limits: set the one under the cursor; lower at any time, higher only while nothing is armed"
    ),
    _binding(
        "scope",
        "halt_scope",
        "hold back",
        "Hold back one exchange, symbol or route: paused, reducing or halted; listed in Risk until re-arm sets it free",
    ),
    _binding("accounts", "accounts", "compare", "How journal and venues compare: each check, how often, when, and what it found"),
    _binding("copy", "copy", "copy", "Copy the row under the cursor as JSON, through the terminal (OSC 52, also over ssh)"),
    _binding("freeze", "freeze", "freeze", "Freeze the display, or go on; the engine trades on, header and Risk stay live"),
    *(_binding(f"pane.{pane}", f"pane('{pane}')", pane.capitalize(), f"Go to {pane.capitalize()}") for pane in PANES),
    _binding("pane.next", "next_pane(1)", "pane", "Next pane"),
    _binding("pane.previous", "next_pane(-1)", "previous pane", "Previous pane"),
    _binding("zoom", "zoom", "zoom", "Only this pane, or all of them again"),
    _binding("back", "back", "back", "Leave zoom or detail; then clear the filter"),
    _binding("help", "help", "help", "What this pane shows, and what every key means"),
]
