"""The journal that an operator's command is about, with or without an engine that runs on it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arbtui.cli.confirmation import Confirmation
from arbtui.cli.no_state import no_journal
from arbtui.cli.running_engine import ask_engine, put
from arbtui.cli.stopped_journal import commit_events
from arbtui.model.errors import UsageError
from arbtui.settings.lock import ProfileLock, holder
from arbtui.settings.output import tell
from arbtui.settings.person import person
from arbtui.settings.state import chosen_mode, existing_root, mode_folder, profile_folder, profile_name

if TYPE_CHECKING:
    from arbtui.journal.events import Event
    from arbtui.portfolio.portfolio import Portfolio
    from arbtui.settings.profile import Settings


class Place:
    """The journal that a command is about, and how what it changes there is confirmed.

    Args:
        profile: its name or path.
        mode: None for that of the latest run.
        state_dir: the state folder, None for the usual one.
        confirmation: what the flags gave of it.

    Raises:
        UsageError: no such mode, no journal, or one that has vanished, or a file in place of a folder.
    """

    def __init__(self, profile: str, mode: str | None, state_dir: str | None, confirmation: Confirmation | None = None) -> None:
        self.profile = profile  #: as it was given
        self.name, root = profile_name(profile), existing_root(state_dir)
        self.confirmation = confirmation or Confirmation()
        chosen = chosen_mode(root, self.name, mode)
        if chosen is None:
            raise no_journal(profile, self.name, root)
        self.mode = chosen
        self.folder: Path = profile_folder(root, self.name)
        self.journal: Path = mode_folder(root, self.name, chosen) / "journal.db"

    def portfolio(self) -> "Portfolio":
        """What the journal means, as of now."""
        from arbtui.portfolio.restore import restore

        return restore(self.journal)[1]

    def decide(
        self,
        verb: str,
        facts: dict[str, Any],
        preview: str,
        events_of: "Callable[[Portfolio, str, str], Sequence[Event] | str]",
    ) -> int:
        """Show ``preview``, take the typed confirmation, and have it journaled: by the engine that runs, else here."""
        found = events_of(self.portfolio(), person(), "preview")
        if isinstance(found, str):
            raise UsageError(found)
        typed, why = self.confirm(preview)
        if self.is_running():
            self.ask_to(verb, facts, typed, why)
        else:
            self.journal_it(why, events_of)
        tell("done, and journaled\n")
        return 0

    def settings(self) -> "Settings":
        """The profile as it stands now, in the journal's mode.

        Raises:
            UsageError: it cannot be read.
        """
        from arbtui.settings.load import load_profile

        return load_profile(self.profile, {"mode": self.mode})

    def journal_it(self, reason: str, events_of: "Callable[[Portfolio, str, str], Sequence[Event] | str]") -> None:
        """Have it journaled here: no engine runs.

        Raises:
            UsageError: an engine has started meanwhile, or there is nothing to journal, with why.
        """

        def checked(portfolio: "Portfolio") -> "Sequence[Event]":
            events = events_of(portfolio, person(), reason)
            if isinstance(events, str):
                raise UsageError(events)
            return events

        with ProfileLock(self.folder):
            commit_events(self.journal, checked)

    def is_running(self) -> bool:
        """Whether an engine holds the profile's folder."""
        return holder(self.folder) is not None

    def ask(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """What the engine that runs answers; None when it did not. It refuses where its journal is not the one meant."""
        return put(self.folder, self._meant(request))

    def ask_to(self, verb: str, facts: dict[str, Any], typed: str, reason: str) -> dict[str, Any]:
        """Have the engine that runs do something; its answer.

        Raises:
            UsageError: it refuses, or does not answer.
        """
        request = {"verb": verb, **facts, "confirm": typed, "reason": reason, "by": person()}
        return ask_engine(self.folder, self._meant(request))

    def confirm(self, preview: str) -> tuple[str, str]:
        """Show ``preview`` and take the typed confirmation: name and reason.

        Raises:
            UsageError: no terminal to type at, another name, or no reason.
        """
        tell(f"{self.name}: {preview}\n")
        return self.confirmation.take(self.name, "to do it")

    def _meant(self, request: dict[str, Any]) -> dict[str, Any]:
        return {**request, "journal": str(self.journal.resolve())}
