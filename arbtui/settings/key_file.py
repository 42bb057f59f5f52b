"""The encrypted key file: API keys of all venues under one passphrase.

Only `arbtui guardian` reads keys from it, at its start, by a passphrase typed there; live refuses keys that need one
(:data:`arbtui.settings.venue_keys.FILE_NOT_IN_LIVE`).

JSON of four fields: ``format``; ``venues``, the last characters of each key in the clear, so that a list needs no
passphrase; ``salt`` and ``data``. ``data`` is AES-256-GCM under a key of scrypt (n = 2^17, r = 8, p = 1: OWASP's
choice, 128 MB and a third of a second), its nonce first; the clear fields are authenticated with it. The numbers belong
to the format and are not read from the file: a changed file cannot ask for a weaker key or for all memory.
"""

import base64
import binascii
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from arbtui.exchanges.keys import tail
from arbtui.model.errors import UsageError
from arbtui.model.regular_file import read_regular
from arbtui.settings.state import platform_folder

_FORMAT = 1
_NONCE = 12
_LARGEST = 1_000_000

Entries = dict[str, tuple[str, ...]]  #: the parts of a key, the key itself first, by venue


def key_file() -> Path:
    """Where the file lives: beside the operator's profiles, one for all of them."""
    return platform_folder("XDG_CONFIG_HOME", ".config") / "arbtui" / "keys.json"


class KeyFile:
    """One encrypted file. Every error names the file and what to do."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def exists(self) -> bool:
        """True when the path exists, readable or not."""
        return self.path.is_symlink() or self.path.exists()

    def venues(self) -> Mapping[str, str]:
        """The venues whose keys are inside, with the tail of each key; needs no passphrase.

        Raises:
            UsageError: the file can be read by others, or is damaged.
        """
        return dict(self._load()["venues"]) if self.exists else {}

    def open(self, passphrase: SecretStr) -> Entries:
        """The keys.

        Raises:
            UsageError: wrong passphrase, a damaged file, or one that others may read.
        """
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        content = self._load()
        salt, data = (self._bytes(content[name]) for name in ("salt", "data"))
        try:
            plain = AESGCM(_derive(passphrase, salt)).decrypt(data[:_NONCE], data[_NONCE:], _clear(content["venues"], salt))
            return {str(venue): tuple(str(part) for part in parts) for venue, parts in json.loads(plain).items()}
        except (InvalidTag, ValueError):
            raise UsageError(
                f"{self.path}: wrong passphrase, or a damaged file; try again, or delete it and store the keys anew (arbtui keys set)"
            ) from None

    def save(self, entries: Mapping[str, tuple[str, ...]], passphrase: SecretStr) -> None:
        """Write ``entries``, or delete the file when there are none. Atomic; mode 0600.

        Raises:
            UsageError: the file cannot be written.
        """
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            if not entries:
                self.path.unlink(missing_ok=True)
                return
            salt, nonce = os.urandom(16), os.urandom(_NONCE)
            venues = {venue: tail(key) for venue, (key, *_) in sorted(entries.items())}
            sealed = AESGCM(_derive(passphrase, salt)).encrypt(nonce, json.dumps(entries).encode(), _clear(venues, salt))
            content = {"format": _FORMAT, "venues": venues, "salt": _text(salt), "data": _text(nonce + sealed)}
            self._replace(json.dumps(content, indent=2) + "\n")
        except OSError as error:
            raise UsageError(f"{self.path} cannot be written ({error.strerror or error}); mend its permissions") from None

    def _replace(self, text: str) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self.path)
        finally:
            beside.unlink(missing_ok=True)

    def _load(self) -> dict[str, Any]:
        try:
            raw = read_regular(self.path, _LARGEST)
            facts = self.path.lstat()
        except OSError as error:
            raise UsageError(f"key file {self.path} cannot be read ({error.strerror or error})") from None
        if facts.st_uid not in (os.geteuid(), 0):
            owner = f"belongs to user {facts.st_uid}, not to you"
            raise UsageError(f"key file {self.path} {owner}; mend its owner, and consider its keys known")
        if facts.st_mode & 0o077:
            raise UsageError(f"key file {self.path} can be read by others; chmod 600 {self.path}, and consider its keys known")
        try:
            content = json.loads(raw)
            right = (
                content["format"] == _FORMAT
                and isinstance(content["salt"], str)
                and isinstance(content["data"], str)
                and all(isinstance(name, str) and isinstance(end, str) for name, end in content["venues"].items())
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            right = False
        if not right:
            raise UsageError(f"key file {self.path} is damaged; delete it and store the keys anew (arbtui keys set)")
        return dict(content)

    def _bytes(self, text: str) -> bytes:
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise UsageError(f"key file {self.path} is damaged; delete it and store the keys anew (arbtui keys set)") from None


def _derive(passphrase: SecretStr, salt: bytes) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    return Scrypt(salt=salt, length=32, n=2**17, r=8, p=1).derive(passphrase.get_secret_value().encode())


def _clear(venues: Mapping[str, str], salt: bytes) -> bytes:
    """The clear fields, as authenticated data of the encryption."""
    return json.dumps([_FORMAT, dict(venues), _text(salt)], sort_keys=True).encode()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
