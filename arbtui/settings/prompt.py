"""Prompts for a secret at the terminal, without showing it."""

import getpass
import os

from pydantic import SecretStr

from arbtui.model.errors import UsageError
from arbtui.model.printable import printable
from arbtui.settings.core_dump import forbid_core_dump


def ask_secret(what: str) -> SecretStr:
    """The secret typed for ``what``. It is read from the terminal itself, whatever standard input is.

    Raises:
        UsageError: there is no terminal (a secret is never read where it could be seen), or nothing was typed.
    """
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        raise UsageError(f"{what} is typed at a terminal, and there is none here") from None
    try:
        forbid_core_dump()
        typed = getpass.getpass(f"{printable(what)} (not shown): ").strip()
    except EOFError:
        typed = ""
    if not typed:
        raise UsageError(f"{what}: nothing was typed; nothing was changed")
    return SecretStr(typed)
