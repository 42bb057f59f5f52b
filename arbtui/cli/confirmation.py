"""The typed confirmation of what changes something: the profile's name and a reason."""

import sys
from dataclasses import dataclass

from arbtui.model.errors import UsageError
from arbtui.settings.output import tell


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What ``--confirm`` and ``--reason`` gave; None is asked for at the terminal."""

    name: str | None = None
    reason: str | None = None

    def take(self, profile: str, what: str) -> tuple[str, str]:
        """The name and the reason, for ``what`` ("to do it") with ``profile``.

        Raises:
            UsageError: no terminal to type at, another name, or no reason.
        """
        from arbtui.portfolio.operator_events import untyped

        typed = self.name if self.name is not None else _typed(f"type the profile's name ({profile}) {what}: ")
        why = (self.reason if self.reason is not None else _typed("reason: ")).strip()
        refusal = untyped(profile, typed, why)
        if refusal is not None:
            raise UsageError(f"{refusal}; nothing was changed")
        return typed, why


def _typed(prompt: str) -> str:
    """What a person types after ``prompt``.

    Raises:
        UsageError: nobody sits there.
    """
    if not sys.stdin.isatty():
        raise UsageError("this is confirmed by typing at a terminal, or with --confirm NAME --reason TEXT; nothing was changed")
    tell(prompt)
    sys.stdout.flush()
    return sys.stdin.readline().strip()
