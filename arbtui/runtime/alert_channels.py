"""The ways to the operator beside Telegram, as the profile names them."""

from arbtui.monitoring.channel import Channel
from arbtui.settings.profile import Settings
from arbtui.settings.secrets import email_password, service_urls


def other_channels(settings: Settings) -> list[Channel]:
    """E-mail and other services, each with its library loaded now, not while the loop has something to do.

    Raises:
        UsageError: a password, a URL or a library that is needed is missing.
    """
    channels: list[Channel] = []
    if settings.email.enabled:
        from arbtui.monitoring.email import EmailChannel

        channels.append(EmailChannel(settings.email, email_password(settings)))
    if settings.services.enabled:
        from arbtui.monitoring.services import ServiceChannel

        channels += [ServiceChannel(url) for url in service_urls(settings)]
    return channels
