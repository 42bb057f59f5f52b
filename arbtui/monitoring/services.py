"""Alerts to other services (ntfy, Slack, webhooks and a hundred more), by apprise, an optional extra that is loaded only where it is used.

Each service is a URL as https://github.com/caronc/apprise/wiki lists them. It holds the service's password or token, so it comes from the
environment, and no message, journal or log shows it.
"""

import asyncio
import hashlib
import logging
import re
import sys
import warnings
from typing import Any

from pydantic import SecretStr

from arbtui.model.errors import UsageError
from arbtui.model.printable import printable
from arbtui.monitoring.channel import MessageRefused, Pace, SendLater
from arbtui.monitoring.redact import hide, redact

NAME = "services"
_EVERY_S = 1.0
_TIMEOUT_S = 60.0
#: What a service answers to a text that it will never take.
_NEVER = ("400", "413", "415", "422")
_CODE = re.compile(r"error=(\d{1,4})\b")
#: The library logs its reasons and returns only yes or no: one message at a time, so that each reason has its message.
_one_at_a_time = asyncio.Lock()


class ServiceChannel:
    """One service as a channel. See :class:`arbtui.monitoring.channel.Channel`.

    Raises:
        UsageError: the library is not installed, or does not know such a URL.
    """

    def __init__(self, url: SecretStr) -> None:
        apprise = _library()
        text = url.get_secret_value()
        hide(text)
        scheme = text.partition(":")[0].lower()
        self._service: Any = apprise.Apprise()
        with warnings.catch_warnings():  # it loads every service that it knows, and what is old in one of them is no matter here
            warnings.simplefilter("ignore")
            is_known = self._service.add(text)
        if not is_known:
            raise UsageError(
                f"a URL of ARBTUI_SERVICE_URLS, {printable(scheme)[:20]}://..., is none that apprise knows; see its list of services"
            )
        self._capture: Any = apprise.LogCapture
        self.name = f"{NAME}:{scheme}:{hashlib.sha256(text.encode()).hexdigest()[:6]}"
        self.pace = Pace(_EVERY_S)

    async def send(self, text: str) -> None:
        """Deliver ``text``: its first line is the title, where the service has one."""
        title, _, body = printable(text, keep="\n").partition("\n")
        try:
            async with asyncio.timeout(_TIMEOUT_S), _one_at_a_time:
                with self._capture(level=logging.WARNING, fmt="%(message)s") as told:
                    taken = await self._service.async_notify(body=body or title, title=title if body else "")
                    why = told.getvalue()
        except Exception as error:  # the library and an odd service may raise anything; all of it means: try again
            raise SendLater(printable(redact(f"{type(error).__name__}: {error}"))[:200]) from None
        if not taken:  # the rest of what it says may hold a topic, which is a password at some services
            code = _CODE.search(why)
            words = "not taken" if code is None else f"error={code[1]}"
            raise MessageRefused(words) if code is not None and code[1] in _NEVER else SendLater(words)


def _library() -> Any:
    """Apprise, its own log lines kept off the terminal and out of all files: they may hold a service's token.

    Raises:
        UsageError: it is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import apprise
    except ImportError:
        raise UsageError(
            f"services.enabled = true needs apprise, which only the extra `services` installs: {sys.executable} -m pip install 'apprise<2'"
        ) from None
    for name in ("apprise", "urllib3", "requests"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.WARNING)
        logger.propagate = False
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
    return apprise
