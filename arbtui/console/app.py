"""The console application: one screen, one frame timer, and the keys that work from everywhere."""

import asyncio
import gc
import os
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import ClassVar

from textual import events
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.command import CommandPalette
from textual.screen import Screen
from textual.widgets import Input

from arbtui.console.alarm import RESTORE, Alarm
from arbtui.console.bindings import ANYWHERE_BINDINGS, textual_keys
from arbtui.console.bursts import KeyBurst
from arbtui.console.config import ConsoleConfig
from arbtui.console.driver import GuardedDriver
from arbtui.console.frame import SLICES, FrameRate
from arbtui.console.hangul import latin_key, pressed
from arbtui.console.keys import KeyNames
from arbtui.console.palettes import DESCRIPTIONS
from arbtui.console.screens.main import MainScreen
from arbtui.console.screens.quit import QuitScreen
from arbtui.console.screens.typed import TypedScreen
from arbtui.console.styles import Styles
from arbtui.console.textual_fixes import fix_textual
from arbtui.console.theme import THEMES
from arbtui.console.type_ahead import BURST_QUIET_S, TypeAhead, as_pasted, fitting
from arbtui.views import Controls, ReadModel

OPERATOR = "operator"
"""Result of the app when the operator quit."""

HANGUP = "hangup"
"""Result of the app when its terminal went away."""

REPAIR_EVERY_S = 1.0
"""Between two repaints after errors: a paint that fails every time must not take the loop."""

MOST_MOVES = 200
"""Keys of a burst that move the cursor, the last ones: more than a key held for six seconds gives."""


def freeze_garbage() -> None:
    """Collect once and take what is left out of later collections: a full collection would stop the loop for 30 ms."""
    gc.collect()
    gc.freeze()


class ConsoleApp(App[str]):
    """Run it with ``await app.run_async(mouse=False)`` as a sibling task of the engine.

    Afterwards ``return_value`` is :data:`OPERATOR`, :data:`HANGUP` or what ``exit`` was given; when an error ended the app,
    ``return_code`` is 1 and :attr:`failure` holds it (``run_async`` itself returns normally).

    Args:
        model: what is painted.
        controls: what keys call; ``kill`` also from the input thread.
        config: frame rate and theme.
        after_first_paint: called once; freezes the garbage collector unless given otherwise.
        on_error: told of what a handler, timer or paint raised; the console then repaints and goes on. Without it, and
            before its timer runs, an error ends the app.
        monotonic: seconds, for pacing what is painted; tests hold it still.
    """

    TITLE = "arbtui"
    CSS_PATH = "console.tcss"
    ENABLE_COMMAND_PALETTE = True
    # Textual declares these two as instance variables, so no ClassVar here.
    HORIZONTAL_BREAKPOINTS = [(0, "-w-tiny"), (60, "-w-small"), (80, "-w-normal"), (150, "-w-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-h-tiny"), (12, "-h-small"), (24, "-h-normal"), (36, "-h-tall")]  # noqa: RUF012

    BINDINGS: ClassVar[list[BindingType]] = ANYWHERE_BINDINGS

    def __init__(
        self,
        model: ReadModel,
        controls: Controls,
        config: ConsoleConfig,
        *,
        after_first_paint: Callable[[], None] | None = freeze_garbage,
        on_error: Callable[[Exception], None] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        fix_textual()
        super().__init__(driver_class=GuardedDriver)
        self.animation_level = "none"
        for theme in THEMES.values():
            self.register_theme(theme)
        self.palette: str = "mono" if os.environ.get("NO_COLOR") else config.palette
        self.ground: str = config.theme
        self.keys = KeyNames(config.keys)
        self.set_keymap({name: textual_keys(keys) for name, keys in self.keys.remapping.items()})
        self.theme = THEMES[self.palette, self.ground].name
        self.frame = FrameRate(config.frame_rate)
        self._slice = SLICES - 1
        self._due = True
        self._model = model
        self._profile = model.header().profile
        self._controls = controls
        self._after_first_paint = after_first_paint
        self._on_error = on_error
        self._monotonic = monotonic
        self._alarm = Alarm(self._tell_terminal, bell=config.bell, title=config.title)
        self._is_up = False
        self._repair_from: float | None = None
        self._repaired_at = float("-inf")
        self._inks = Styles(THEMES[self.palette, self.ground].variables)
        self._type_ahead = TypeAhead(monotonic)
        self.main = MainScreen(self._inks, model, controls, self.frame, monotonic, self.keys, self._type_ahead)

    def get_default_screen(self) -> Screen[object]:
        """The one screen."""
        return self.main  # type: ignore[return-value]

    @property
    def failure(self) -> BaseException | None:
        """The error that ended the app."""
        return self._exception

    @property
    def is_terminal_stalled(self) -> bool:
        """Whether the terminal has stopped reading: printing to it would block."""
        return bool(getattr(self._driver, "stalled", False))

    def on_mount(self) -> None:
        """One timer paints everything."""
        self.theme_changed_signal.subscribe(self, lambda theme: self._theme_changed(theme.variables))
        self.set_interval(1 / (self.frame.full * SLICES), self._paint_slice)
        self._is_up = True
        self.call_after_refresh(self._painted)

    def _painted(self) -> None:
        self.main.tick_all()
        if self._after_first_paint is not None:
            self.call_after_refresh(self._after_first_paint)

    async def _paint_slice(self) -> None:
        if not self.is_running:  # closing: the screens may be gone before the timer is
            return
        await self._replay()
        self._slice = (self._slice + 1) % SLICES
        if self._slice == 0:
            take_recovery = getattr(self._driver, "take_recovery", None)
            if take_recovery is not None and take_recovery():
                self.screen.refresh()
            self._due = self.frame.due()
            self._repair()
        if not self.is_terminal_stalled:
            self.main.tick(self._slice, self._due)
            if self._slice == SLICES - 1 and self._alarm.show(self._profile, self.main.state, self.main.risk.critical_count):
                self._give_title_back()

    def bell(self) -> None:
        """Ring, unless the profile says not to."""
        self._alarm.ring()

    def _tell_terminal(self, sequence: str) -> None:
        if not self.is_headless and self._driver is not None:
            self._driver.write(sequence)

    def _give_title_back(self) -> None:
        """At the end, with everything else that the terminal had before."""
        if isinstance(self._driver, GuardedDriver):
            self._driver.farewell = RESTORE

    def _theme_changed(self, variables: dict[str, str]) -> None:
        self._inks.load(variables)
        self.main.repaint()

    # errors

    def survives(self, error: Exception) -> bool:
        """Whether ``error`` costs a redraw and not the app; see :func:`arbtui.console.textual_fixes.fix_textual`."""
        return self._on_error is not None and self._is_up

    def _handle_exception(self, error: Exception) -> None:
        if self._on_error is None or not self.survives(error):
            super()._handle_exception(error)
            return
        if self._repair_from is None:
            self._repair_from = max(self._monotonic(), self._repaired_at + REPAIR_EVERY_S)
        with suppress(Exception):  # the flash line may be what is broken
            self.main.flash.say(f"the console met an error ({type(error).__name__}); the engine trades on, arbtui.log says more", "kill")
        with suppress(Exception):  # telling of an error must not be what ends the console
            self._on_error(error)

    def _repair(self) -> None:
        """Repaint everything, at most once in :data:`REPAIR_EVERY_S`, and leave a dialog that could not open."""
        now = self._monotonic()
        if self._repair_from is None or now < self._repair_from:
            return
        self._repair_from, self._repaired_at = None, now
        if self.screen is not self.main and not self.screen.is_running:
            self.pop_screen()
            self._type_ahead.cut()
        try:
            self.main.repaint()
            self.screen.refresh()
        except Exception as error:  # what is broken stays so: again later
            self._handle_exception(error)

    # the driver's sink

    @property
    def kill_letter(self) -> str:
        """The letter that halts together with ctrl."""
        return self.keys.kill_letter

    def kill_key_pressed(self) -> None:
        """The kill key was read. Runs in the input thread, so that a busy loop cannot delay it."""
        self._controls.kill("KEY")

    def input_ended(self) -> None:
        """Nobody can type any more."""
        self.exit(HANGUP)

    def input_refused(self, error: Exception) -> None:
        """Something typed could not be read."""
        self._handle_exception(error)

    def input_failed(self, error: Exception) -> None:
        """The input thread has ended: a deaf console must not look alive."""
        super()._handle_exception(error)

    # keys

    async def on_event(self, event: events.Event) -> None:
        """Give every key to what the keys before it have opened, also when they come in one burst.

        Textual posts a key to the focused widget and takes the next one at once: ``/`` would open the filter after ``x r p``
        had gone to the routes. So the main screen's bindings run here, before the next key is looked at, and keys for a
        dialog whose input has not the focus yet are held.
        """
        if isinstance(event, KeyBurst):
            await self._take_burst(event.keys)
            return
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
            return
        if not self.screen_stack:
            return  # the app begins or ends: nothing can take a key, and the input thread has seen the kill key
        if isinstance(event, events.Key):
            event.key = latin_key(event.key)
            letters = pressed(event.key)
            if len(letters) > 1 and not self._types_text:  # a syllable: several keys that an input method has joined
                for letter in letters:
                    await self.on_event(events.Key(letter, letter))
                return
        elif isinstance(self.focused, Input):
            event.text = fitting(event.text, self.focused)
        key = event.key if isinstance(event, events.Key) else ""
        if key not in self.keys.anywhere:
            if self._type_ahead.is_waiting or self._lacks_input:
                self._type_ahead.hold(self.screen, event)
                return
            if self.screen is self.main and not isinstance(self.focused, Input):
                if not key:
                    self.main.flash.say("a paste does nothing here: it is taken in the filter and in dialogs", "soft")
                elif not self._type_ahead.swallows() and not await self._check_bindings(key):
                    await super().on_event(event)
                return
        await super().on_event(event)

    async def _take_burst(self, keys: Sequence[events.Key]) -> None:
        """Keys that came at once, as pasted text does: an input takes them, else they move the cursor or halt, and do nothing else."""
        if not self.screen_stack:
            return
        if self._types_text:
            for typed in as_pasted(keys):
                await self.on_event(typed)
                await asyncio.sleep(0)  # the engine has a turn
            return
        kill = f"ctrl+{self.kill_letter}"
        moves = self.keys.moving if self.screen is self.main else frozenset[str]()
        if all(latin_key(event.key) in moves for event in keys):  # a held key on a slow line
            for event in keys[-MOST_MOVES:]:
                await self.on_event(event)
                await asyncio.sleep(0)
            return
        self._type_ahead.cut(BURST_QUIET_S)
        kills = [event for event in keys if latin_key(event.key) == kill]
        if kills:
            await self.on_event(kills[-1])
            return
        self.main.flash.say(f"{len(keys)} keys at once, as from a paste: nothing was done. {self.keys['kill']} alone acts on such", "warn")

    @property
    def _types_text(self) -> bool:
        """Whether what is typed goes into an input, or waits for one."""
        return isinstance(self.focused, Input) or self._type_ahead.is_waiting or self._lacks_input

    @property
    def _lacks_input(self) -> bool:
        """Whether the screen on top is one to type into that is not ready for it."""
        return isinstance(self.screen, TypedScreen | CommandPalette) and self.screen.focused is None

    async def _replay(self) -> None:
        if self._type_ahead.is_waiting and not self._lacks_input:
            for event in self._type_ahead.take(self.screen):
                await self.on_event(event)

    def action_kill(self) -> None:
        """Close the gate; the input thread has done so already where there is one."""
        self._controls.kill("KEY")
        self.main.flash.say(f"KILL: the gate is closed, nothing more is sent. {self.keys['rearm']} re-arms", "kill")
        self.main.tick_all()

    async def action_quit(self) -> None:
        """Quit, or ask once when something is open."""
        header = self._model.header()
        if isinstance(self.screen, QuitScreen) or not (header.open_cycles or header.orders_in_flight):
            self.exit(OPERATOR)
            return
        self.push_screen(QuitScreen(header), lambda yes: self.exit(OPERATOR) if yes else None)

    def action_no_interrupt(self) -> None:
        """Habit presses ctrl+c; it must neither quit nor halt."""
        said = f"{self.keys['quit']} quits, {self.keys['kill']} halts trading"
        self.main.flash.say(f"{self.keys['interrupt']} does nothing here: {said}", "warn")

    def wear(self, palette: str, ground: str) -> None:
        """Change the colours."""
        self.palette, self.ground = palette, ground
        self.theme = THEMES[palette, ground].name

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The palette: colours and every binding of the main screen. KILL is a key only, never a list entry away."""
        for ground in ("dark", "light"):
            yield SystemCommand(f"Theme: {ground}", f"Colours for a {ground} terminal", partial(self.wear, self.palette, ground))
        for palette, told in DESCRIPTIONS.items():
            yield SystemCommand(f"Palette: {palette}", told.capitalize(), partial(self.wear, palette, self.ground))
        for binding in MainScreen.BINDINGS:
            if isinstance(binding, Binding) and binding.id and binding.id not in ("back", "pane.previous"):
                name = binding.tooltip if binding.id.startswith("pane.") else f"{binding.description[:1].upper()}{binding.description[1:]}"
                yield SystemCommand(name, binding.tooltip, lambda action=binding.action: self._run_on_main(action))
        yield SystemCommand("Quit", "Quit; asks once when something is open", self.action_quit)

    async def _run_on_main(self, action: str) -> None:
        await self.run_action(action, self.main)

    # the end

    def _fatal_error(self) -> None:
        """End without Textual's crash dump: it prints local variables, and those may hold secrets."""
        self._close_messages_no_wait()

    def _print_error_renderables(self) -> None:
        """Nothing: whoever runs the app reports :attr:`failure`, and a stalled terminal would block the print."""
        self._exit_renderables.clear()
