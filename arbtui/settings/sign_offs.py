"""A profile's asset decisions: ``assets.json``, the operator's sign-offs, and ``quarantined.json``, what the last start did not trade."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from arbtui.exchanges.assets import Quarantine, Quarantined, SignOff
from arbtui.model.errors import UsageError
from arbtui.settings.state import make_private

_LARGEST = 5_000_000
_TYPES = {"ts_ms": int}


class SignOffs:
    """The two files in a profile's state folder. The operator writes the first, the engine the second; each is replaced atomically."""

    def __init__(self, folder: Path) -> None:
        self._signed = folder / "assets.json"
        self._quarantined = folder / "quarantined.json"
        self._folder = folder

    def signed(self) -> dict[str, SignOff]:
        """The sign-offs by symbol.

        Raises:
            UsageError: the file is damaged: nothing counts as signed then.
        """
        rows = _read(self._signed, ("symbol", "by", "ts_ms", "reason"))
        return {row["symbol"]: SignOff(**row) for row in rows}

    def sign(self, sign_off: SignOff) -> None:
        """Add, or renew, a sign-off.

        Raises:
            UsageError: the files cannot be read or written.
        """
        self._keep({**self.signed(), sign_off.symbol: sign_off})

    def revoke(self, symbol: str) -> bool:
        """Revoke a sign-off; False when there was none.

        Raises:
            UsageError: the files cannot be read or written.
        """
        signed = self.signed()
        if signed.pop(symbol, None) is None:
            return False
        self._keep(signed)
        return True

    def quarantined(self) -> list[Quarantined]:
        """What the last start did not trade.

        Raises:
            UsageError: the file is damaged.
        """
        rows = _read(self._quarantined, ("symbol", "reason", "detail"))
        try:
            return [Quarantined(row["symbol"], Quarantine(row["reason"]), row["detail"]) for row in rows]
        except ValueError:
            raise _damaged(self._quarantined) from None

    def remember(self, quarantined: Sequence[Quarantined]) -> None:
        """Save what this start does not trade, for ``check`` and ``assets``.

        Raises:
            UsageError: the file cannot be written.
        """
        rows = [{"symbol": one.symbol, "reason": one.reason.value, "detail": one.detail} for one in quarantined]
        self._write(self._quarantined, rows)

    def _keep(self, signed: Mapping[str, SignOff]) -> None:
        rows = [
            {"symbol": one.symbol, "by": one.by, "ts_ms": one.ts_ms, "reason": one.reason}
            for one in sorted(signed.values(), key=lambda one: one.symbol)
        ]
        self._write(self._signed, rows)

    def _write(self, path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
        make_private(self._folder)
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
                file.write(json.dumps(rows, indent=2) + "\n")
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except OSError as error:
            raise UsageError(f"{path} cannot be written ({error.strerror or error})") from None


def _read(path: Path, fields: tuple[str, ...]) -> list[dict[str, Any]]:
    try:
        with path.open("rb") as file:
            rows = json.loads(file.read(_LARGEST))
        right = all(set(row) == set(fields) and all(isinstance(row[name], _TYPES.get(name, str)) for name in fields) for row in rows)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror or error})") from None
    except (ValueError, TypeError, RecursionError):
        right = False
    if not right:
        raise _damaged(path)
    return list(rows)


def _damaged(path: Path) -> UsageError:
    return UsageError(f"{path} is damaged; move it away, and sign again what you trade (arbtui assets sign)")
