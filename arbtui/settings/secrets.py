"""Secrets from the environment; a profile holds none, and no message shows one."""

import os
import re

from pydantic import SecretStr

from arbtui.model.errors import UsageError
from arbtui.settings.core_dump import forbid_core_dump
from arbtui.settings.profile import Settings

TELEGRAM_TOKEN = "ARBTUI_TELEGRAM_TOKEN"
EMAIL_PASSWORD = "ARBTUI_EMAIL_PASSWORD"
SERVICE_URLS = "ARBTUI_SERVICE_URLS"


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


def email_password(settings: Settings) -> SecretStr | None:
    """The password of the mail server's user where the profile enables e-mail and names one, else None.

    Raises:
        UsageError: it is needed and missing.
    """
    if not settings.email.enabled or not settings.email.user:
        return None
    forbid_core_dump()
    password = os.environ.get(EMAIL_PASSWORD, "")
    if not password:
        raise UsageError(
            f"{settings.path}: email.user = {settings.email.user!r} needs its password in {EMAIL_PASSWORD}; "
            "set it, or leave email.user empty where the server asks for none"
        )
    return SecretStr(password)


def service_urls(settings: Settings) -> list[SecretStr]:
    """The URLs of the services that get alerts where the profile enables them, else none.

    Raises:
        UsageError: they are needed and missing.
    """
    if not settings.services.enabled:
        return []
    forbid_core_dump()
    urls = os.environ.get(SERVICE_URLS, "").split()
    if not urls:
        raise UsageError(
            f"{settings.path}: services.enabled = true needs the services' URLs in {SERVICE_URLS}, with blanks between them; "
            "set it, or set services.enabled = false"
        )
    return [SecretStr(url) for url in dict.fromkeys(urls)]
