"""Settings of alerts, of the ways that they go, and of metrics, each in a table of its name."""

import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator, model_validator

from arbtui.model.config import Config
from arbtui.model.loopback import is_loopback
from arbtui.monitoring.quiet_hours import hours_of, minute_of
from arbtui.monitoring.rule_config import Rules

COMMAND_NAMES = ("status", "routes", "fills", "pnl", "stock", "exposure", "health", "breaches", "ack", "pause", "reduce", "kill")
"""What may be asked of the bot, without its slash. Nothing that sets anything free is among them."""

_ADDRESS = re.compile(r"[^\s@<>,;:\"\\]+@[^\s@<>,;:\"\\]+", re.ASCII)


def _base_url(url: str) -> str:
    """``url`` without ``/bot`` and slashes at its end; the bot's token is a part of every path, so it must be encrypted."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise ValueError(f"{url!r} is not a URL: {error}") from None
    if parts.scheme not in ("https", "http") or not host:
        raise ValueError(f"{url!r} is not a URL that starts with https:// or http://")
    if "@" in parts.netloc:
        raise ValueError("a URL in a profile holds no user or password")
    if parts.query or parts.fragment:
        raise ValueError(f"{url!r} has a query or a fragment; leave both out")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError(f"{url!r} would send the bot's token unencrypted; http:// is for a server on this machine")
    return url.rstrip("/").removesuffix("/bot").rstrip("/")


class TelegramConfig(Config):
    """Who gets alerts, and who may send commands. The bot's token comes from ``ARBTUI_TELEGRAM_TOKEN``, never from a profile."""

    enabled: bool = False
    """true sends alerts by a Telegram bot; false, the default, loads nothing of Telegram and connects nowhere."""

    chat_ids: list[int] = Field(default=[], max_length=20)
    """numbers of the chats that get every alert (a group's is negative); none are known before the operator has created a bot."""

    user_ids: list[int] = Field(default=[], max_length=20)
    """numbers of the users whose commands are obeyed, in a private chat; empty, the default, reads no commands at all."""

    commands: dict[str, list[str]] = Field(default={}, max_length=20)
    """by a user's number, the only commands that this user may use; a user of user_ids without an entry, the default, may use every one."""

    base_url: Annotated[str, AfterValidator(_base_url)] = "https://api.telegram.org"
    """URL of the Bot API, Telegram's own by default; a local server's instead, http:// on this machine only."""

    @model_validator(mode="after")
    def _somebody_is_told(self) -> Self:
        if self.enabled and not self.chat_ids:
            raise ValueError("chat_ids: is empty, so nobody would get alerts; name at least one chat, or set telegram.enabled = false")
        if any(user <= 0 for user in self.user_ids):
            raise ValueError("user_ids: holds a number that is not a user's (a user's is positive, a group's negative)")
        for user, names in self.commands.items():
            if user not in map(str, self.user_ids):
                raise ValueError(f"commands: {user!r} is no user of user_ids; add the number there, or take it out here")
            if unknown := [name for name in names if name not in COMMAND_NAMES]:
                raise ValueError(f"commands: {user} names {unknown[0]!r}, which is no command; there are {', '.join(COMMAND_NAMES)}")
            if not names:
                raise ValueError(f"commands: {user} may use none; take the number out of user_ids instead")
            if len(set(names)) < len(names):
                raise ValueError(f"commands: {user} names one twice")
        return self

    def commands_of(self, user_id: int) -> frozenset[str]:
        """The commands that ``user_id`` may use, without their slashes; none for somebody who is not in :attr:`user_ids`."""
        return frozenset(self.commands.get(str(user_id), COMMAND_NAMES)) if user_id in self.user_ids else frozenset()


class AlertsConfig(Config):
    """How alerts are sent, by whichever channel."""

    second: list[Literal["telegram", "email", "services"]] = Field(default=["email", "services"], max_length=3)
    """ways that hear of CRITICAL alerts only, once nobody acknowledges them or the others do not take them; empty: every way gets all."""

    escalate_after_s: float = Field(default=300.0, ge=10, le=86_400)
    """s after which a CRITICAL alert that nobody has acknowledged is sent by the second ways: time to reach for a phone, no more."""

    undelivered_after_s: float = Field(default=30.0, ge=5, le=3_600)
    """s after which one that no first way has taken is sent by the second ways; a server that is slow or restarts needs no second call."""

    cool_down_s: float = Field(default=60.0, ge=1, le=100)
    """s between two messages of one kind of WARN; those in between are counted. CRITICAL is not held back, unless 50 of a kind wait."""

    quiet_hours: str = ""
    """hours at the desk, such as "23:00-07:00", in which INFO is held back; WARN and CRITICAL never are. Empty, the default: none."""

    digest: str = "23:59"
    """time of the desk's day, such as "23:59", at which the day is summed up as INFO; empty: never. It covers the day up to then."""

    every_s: float = Field(default=15.0, ge=1, le=600)
    """s between two looks at the rules: a look costs what a scrape of the metrics costs, 80 ms of CPU at 1,000 symbols."""

    rules: Rules = Field(default={})
    """alert rules by their names, over what /metrics serves; a rule that holds is a breach, RULE_NAME. Their keys: docs/monitoring.md."""

    @field_validator("quiet_hours")
    @classmethod
    def _are_hours(cls, text: str) -> str:
        if text:
            hours_of(text)
        return text

    @field_validator("digest")
    @classmethod
    def _is_a_time(cls, text: str) -> str:
        if text:
            minute_of(text)
        return text


class EmailConfig(Config):
    """Alerts by e-mail. The password of ``user`` comes from ``ARBTUI_EMAIL_PASSWORD``, never from a profile."""

    enabled: bool = False
    """true sends alerts by e-mail; false, the default, connects nowhere."""

    host: str = Field(default="", max_length=255)
    """name of the mail server that takes the messages; none is known before the operator names one."""

    port: int = Field(default=465, ge=1, le=65_535)
    """TCP port of the mail server: 465 for "tls", the default; 587 for "starttls"."""

    security: Literal["tls", "starttls", "none"] = "tls"
    """"tls" from the first byte, the default; "starttls" before anything is said; "none" is for a mail server on this machine alone."""

    user: str = Field(default="", max_length=255)
    """name to log in with, its password in ARBTUI_EMAIL_PASSWORD; empty, the default: the server asks for none."""

    sender: str = Field(default="", max_length=255)
    """address that messages come from; most servers take only one of their own."""

    recipients: list[str] = Field(default=[], max_length=20)
    """addresses that get each message; none are known before the operator names them."""

    @field_validator("sender", "recipients")
    @classmethod
    def _are_addresses(cls, given: str | list[str]) -> str | list[str]:
        for address in [given] if isinstance(given, str) else given:
            if address and not _ADDRESS.fullmatch(address):
                raise ValueError(f"{address!r} is no mail address such as desk@example.com")
        return given

    @model_validator(mode="after")
    def _can_be_sent(self) -> Self:
        if self.security == "none" and self.host and not is_loopback(self.host):
            raise ValueError(
                f'security: "none" would tell {self.host} everything unencrypted; take "tls" or "starttls": none is for this machine alone'
            )
        if self.enabled:
            for key in ("host", "sender", "recipients"):
                if not getattr(self, key):
                    raise ValueError(f"{key}: is empty, so nothing can be sent; say it, or set email.enabled = false")
        return self


class ServicesConfig(Config):
    """Alerts to other services by apprise: ntfy, Slack, webhooks. Their URLs come from ``ARBTUI_SERVICE_URLS``: they hold tokens."""

    enabled: bool = False
    """true sends alerts to each URL of ARBTUI_SERVICE_URLS (blanks between them); needs apprise, the extra `services`."""


class MetricsConfig(Config):
    """Where Prometheus reads how the engine does. They tell results and exposure to whoever can reach them, and ask for no password."""

    enabled: bool = True
    """false serves none; true, the default, costs under 1 % of a core where they are read every 15 s."""

    host: str = Field(default="127.0.0.1", min_length=1, max_length=255)
    """address to listen at; this machine alone by default. Another one shows results and exposure to everybody who can reach it."""

    port: int = Field(default=9464, ge=0, le=65535)
    """TCP port, the one that OpenTelemetry's exporters have; each engine of a machine needs its own. 0: any that is free, as logged."""
