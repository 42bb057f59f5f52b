"""API keys in the keyring of the operating system, where there is a real one: never in a backend that writes plain text."""

import json
from typing import TYPE_CHECKING

from arbtui.model.errors import UsageError
from arbtui.settings.core_dump import forbid_core_dump

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

_SERVICE = "arbtui"
_NONE = "this machine has no keyring to trust (none runs, or it would write plain text)"


class OsKeyring:
    """One entry a venue, all parts of its key together, so that no reader ever sees an old one with a new one.

    A headless machine has no keyring: the library then offers backends that fail, keep nothing, or write a plain file. They
    count as none.
    """

    def __init__(self) -> None:
        self._backend = _sound_backend()

    @property
    def name(self) -> str:
        """The backend's name; empty when there is no usable one."""
        return "" if self._backend is None else str(self._backend.name)

    def read(self, exchange: str) -> tuple[str, ...] | None:
        """The parts of a venue's key, the key itself first; None when the keyring has none or there is no keyring.

        Raises:
            UsageError: the keyring is locked or broken, or its entry is not ours.
        """
        if self._backend is None:
            return None
        from keyring.errors import KeyringError

        forbid_core_dump()
        try:
            entry = self._backend.get_password(_SERVICE, exchange)
        except (KeyringError, OSError, RuntimeError) as error:  # backends raise RuntimeError where their service does not run
            raise UsageError(f"the keyring {self.name} cannot be read ({type(error).__name__}); unlock it and try again") from None
        if entry is None:
            return None
        try:
            key, *others = json.loads(entry)
        except (ValueError, TypeError):
            raise UsageError(f"the keyring's entry {_SERVICE}/{exchange} is not ours; arbtui keys set {exchange}") from None
        return str(key), *(str(part) for part in others)

    def write(self, exchange: str, *parts: str) -> None:
        """Store the parts of a venue's key, the key itself first.

        Raises:
            UsageError: there is no usable keyring, or it refuses.
        """
        from keyring.errors import KeyringError

        try:
            self._need().set_password(_SERVICE, exchange, json.dumps(parts))
        except (KeyringError, OSError, RuntimeError) as error:
            raise UsageError(f"the keyring {self.name} does not take the keys ({type(error).__name__}); unlock it and try again") from None

    def remove(self, exchange: str) -> None:
        """Delete a venue's keys.

        Raises:
            UsageError: there is no usable keyring, or it refuses.
        """
        from keyring.errors import KeyringError

        try:
            self._need().delete_password(_SERVICE, exchange)
        except (KeyringError, OSError, RuntimeError) as error:
            raise UsageError(f"the keyring {self.name} does not give the keys up ({type(error).__name__})") from None

    def refuse_none(self, variables: str) -> None:
        """Check that there is a usable keyring; ``variables``: the environment variables to name as the alternative, as text.

        Raises:
            UsageError: there is none.
        """
        if self._backend is None:
            raise UsageError(f"{_NONE}; set {variables} in the environment")

    def _need(self) -> "KeyringBackend":
        if self._backend is None:
            raise UsageError(f"{_NONE}; keys can stand in the environment instead")
        return self._backend


def _sound_backend() -> "KeyringBackend | None":
    """The first backend that keeps secrets; the members of a chain are checked one by one, since it falls through to any of them.

    Raises:
        UsageError: the library is configured for a backend that does not exist.
    """
    import keyring
    from keyring.backends.chainer import ChainerBackend

    try:
        chosen = keyring.get_keyring()
    except (ImportError, AttributeError, RuntimeError, ValueError, OSError) as error:  # a configured backend that does not exist
        raise UsageError(f"the keyring is configured wrongly ({type(error).__name__}: {error}); see `keyring diagnose`") from None
    candidates = list(chosen.backends) if isinstance(chosen, ChainerBackend) else [chosen]
    return next((backend for backend in candidates if _is_sound(backend)), None)


def _is_sound(backend: "KeyringBackend") -> bool:
    kind = type(backend)
    if kind.__module__ in ("keyring.backends.fail", "keyring.backends.null") or kind.__module__.startswith("keyrings.alt"):
        return False
    return "plaintext" not in kind.__name__.lower()
