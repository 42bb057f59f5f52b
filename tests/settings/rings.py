"""A keyring that really keeps what it is given, in a file of the test's own: what a desktop's keyring is to the program."""

import json
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError


class FileRing(KeyringBackend):
    """Named by the environment in child processes: PYTHON_KEYRING_BACKEND=tests.settings.rings.FileRing."""

    priority = 1.0
    locked = False

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def _all(self) -> dict[str, str]:
        if self.locked:
            raise KeyringLocked("locked")
        path = Path("~/.ring.json").expanduser()
        return dict(json.loads(path.read_text())) if path.exists() else {}

    def _keep(self, entries: dict[str, str]) -> None:
        Path("~/.ring.json").expanduser().write_text(json.dumps(entries))

    def get_password(self, service: str, username: str) -> str | None:
        return self._all().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._keep({**self._all(), f"{service}/{username}": password})

    def delete_password(self, service: str, username: str) -> None:
        entries = self._all()
        if entries.pop(f"{service}/{username}", None) is None:
            raise PasswordDeleteError("not found")
        self._keep(entries)


class PlaintextRing(FileRing):
    """A backend that says by its name that it is none to trust."""
