"""Secrets from the environment; a profile holds none, and no message shows one."""

import os
import re

from pydantic import SecretStr

from arbtui.model.errors import UsageError
from arbtui.settings.core_dump import forbid_core_dump
from arbtui.settings.profile import Settings

TELEGRAM_TOKEN = "ARBTUI_TELEGRAM_TOKEN"


def telegram_token(settings: Settings) -> SecretStr | None:
    """The bot's token where the profile enables Telegram, else None.

    Raises:
        UsageError: it is needed and missing, or is not a valid token.
    """
    if not settings.telegram.enabled:
        return None
    forbid_core_dump()
    token = os.environ.get(TELEGRAM_TOKEN, "").strip()
    if not token:
        raise UsageError(
            f"{settings.path}: telegram.enabled = true needs the bot's token in {TELEGRAM_TOKEN} (@BotFather gives it); "
            "set it, or set telegram.enabled = false"
        )
    if not re.fullmatch(r"[\w:-]+", token, re.ASCII):
        raise UsageError(f"{TELEGRAM_TOKEN} in the environment: no bot's token (digits, a colon, letters); copy it from @BotFather anew")
    return SecretStr(token)
