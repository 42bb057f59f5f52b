"""What ways to the operator need beside the profile: told by its variable, and never shown."""

from pathlib import Path

import pytest

from arbtui.model.errors import UsageError
from arbtui.runtime.alert_channels import other_channels
from arbtui.settings.load import load_profile
from arbtui.settings.secrets import EMAIL_PASSWORD, SERVICE_URLS, email_password, service_urls

MAIL = {"enabled": True, "host": "mail.example.com", "sender": "a@example.com", "recipients": ["b@example.com"]}


def test_a_login_needs_its_password(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_profile("upbit-binance", {"email": MAIL | {"user": "desk"}})
    with pytest.raises(UsageError, match=f"email.user = 'desk' needs its password in {EMAIL_PASSWORD}"):
        email_password(settings)
    monkeypatch.setenv(EMAIL_PASSWORD, "CANARY")
    password = email_password(settings)
    assert password is not None
    assert "CANARY" not in repr(password)
    assert [channel.name for channel in other_channels(settings)] == ["email"]
    assert email_password(load_profile("upbit-binance", {"email": MAIL})) is None


def test_services_need_their_urls(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_profile("upbit-binance", {"services": {"enabled": True}})
    with pytest.raises(UsageError, match=f"services.enabled = true needs the services' URLs in {SERVICE_URLS}"):
        service_urls(settings)
    monkeypatch.setenv(SERVICE_URLS, "ntfys://topic json://localhost ntfys://topic")
    assert [url.get_secret_value() for url in service_urls(settings)] == ["ntfys://topic", "json://localhost"]
    assert [channel.name.rpartition(":")[0] for channel in other_channels(settings)] == ["services:ntfys", "services:json"]


def test_nothing_is_asked_for_where_nothing_is_enabled(home: Path) -> None:
    assert other_channels(load_profile("upbit-binance")) == []
