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
    """The keys in use at one venue.

    A rotation: the operator stores the new keys, the venue refuses the old ones (or they expire), and the code that
    receives the refusal calls :meth:`reread`. Requests go out under :meth:`current`.

    Args:
        read: finds the keys anew. It may read files or ask the OS: off the event loop, ``await asyncio.to_thread(holder.reread)``.

    Raises:
        UsageError: ``read`` found none.
    """

    def __init__(self, read: Callable[[], VenueKeys]) -> None:
        self._read = read
        self._current = read()

    def current(self) -> VenueKeys:
        """The keys to sign requests with."""
        return self._current

    def reread(self) -> bool:
        """After the venue refused the keys: True when others are there now. What cannot be read changes nothing."""
        try:
            found = self._read()
        except UsageError:
            return False
        if (found.key, found.secret) == (self._current.key, self._current.secret):
            return False
        self._current = found
        return True
