"""An option of a settings class is declared once, and is then everywhere."""

from __future__ import annotations

import inspect
from typing import Annotated

import pytest
from command_line import refused, tellapart
from pydantic import Field

from commands_page import page
from tellapart import api
from tellapart.cli import train
from tellapart.core import config
from tellapart.core.config import Option, TrainSettings


class WithOneMore(TrainSettings):
    dropout: Annotated[
        float | None, Field(ge=0, lt=1), Option("Share of units to drop.", "SHARE", ("cnn",))
    ] = None


@pytest.fixture
def one_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "TrainSettings", WithOneMore)
    monkeypatch.setattr(api, "TrainSettings", WithOneMore)


@pytest.mark.usefixtures("one_more")
def test_an_option_is_added_in_one_place() -> None:
    shown = tellapart("train", "--help", COLUMNS="100").stdout
    networks = shown.partition("Options for networks:")[2]
    assert "--dropout SHARE" in networks and "Share of units to drop." in networks
    assert "`--dropout SHARE` | Share of units to drop." in page()
    error = refused("train", "nowhere", "--model", "cnn", "--dropout", "2")
    assert "--dropout" in error["message"] and "less than 1" in error["message"]
    assert "--dropout" in refused("train", "nowhere", "--dropout", "0.5")["message"]
    assert "--dropout" in refused("train", "--resume", "nowhere", "--dropout", "0.5")["message"]
    with pytest.raises(config.SettingsError, match="'dropuot'; did you mean 'dropout'"):
        api.train("nowhere", dropuot=0.5)


def test_python_shows_what_the_command_line_does() -> None:
    signature = inspect.signature(api.train).parameters
    for name, field in TrainSettings.model_fields.items():
        assert signature[name].default == field.default
        assert f"\n        {name}: " in (api.train.__doc__ or "")


def test_no_other_command_imports_the_settings() -> None:
    own = [one.name for one in inspect.signature(train.command).parameters.values()]
    assert own == ["data", "out", "resume", "rescan", "as_json", "quiet"]
