"""What a venue knows us by, and its change while a run goes on. Where keys are kept is no business of this floor."""

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import SecretStr

from arbtui.model.errors import UsageError


@dataclass(frozen=True, slots=True)
class VenueKeys:
    """An API key of one venue. ``source`` says in words where it was found; nothing here prints a secret."""

    key: SecretStr
    secret: SecretStr
    source: str

    @property
    def tail(self) -> str:
        """The last four characters of the key (never of the secret), to tell two keys apart."""
        return tail(self.key.get_secret_value())


def tail(key: str) -> str:
    """The last four characters of ``key``; of a short one none, since four would be too much of it."""
    return f"...{key[-4:]}" if len(key) >= 12 else "..."


class VenueKeyHolder:
    """The keys in use at one venue, and those before them.

    A rotation: the operator stores the new keys, the venue refuses the old ones (or they expire), and whoever sees the
    refusal calls :meth:`reread`. New orders go out under :meth:`current`; :meth:`previous` may still cancel what stands
    under another account's key until :meth:`retire` says that nothing does.

    Args:
        read: finds the keys anew. It may read files or ask the OS: off the event loop, ``await asyncio.to_thread(holder.reread)``.

    Raises:
        UsageError: ``read`` found none.
    """

    def __init__(self, read: Callable[[], VenueKeys]) -> None:
        self._read = read
        self._current = read()
        self._previous: VenueKeys | None = None

    def current(self) -> VenueKeys:
        """The keys for everything new."""
        return self._current

    def previous(self) -> VenueKeys | None:
        """The keys before these, while orders may stand under them."""
        return self._previous

    def reread(self) -> bool:
        """After the venue refused the keys: True when others are there now. What cannot be read changes nothing."""
        try:
            found = self._read()
        except UsageError:
            return False
        if (found.key, found.secret) == (self._current.key, self._current.secret):
            return False
        self._previous, self._current = self._current, found
        return True

    def retire(self) -> None:
        """Every order of the previous keys is final: forget them."""
        self._previous = None
