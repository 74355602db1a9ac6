from __future__ import annotations

import pytest
from pydantic import SecretStr

from tellapart.core.config import settings
from tellapart.core.errors import SettingsError
from tellapart.serve import ServeSettings


def test_a_server_listens_on_the_loopback_and_answers_to_its_names_unless_told_otherwise() -> None:
    plain = ServeSettings()
    assert plain.is_loopback
    assert plain.hosts == {"localhost", "127.0.0.1", "::1"}
    assert ServeSettings(host="0.0.0.0").hosts is None
    assert ServeSettings(host="::1").is_loopback
    assert ServeSettings(allowed_hosts=("Pets.example.org",)).hosts == {"pets.example.org"}


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"port": 70_000}, "port"),
        ({"queue": 8, "max_pictures": 9}, "--max-pictures"),
        ({"max_body_mb": 64.0, "max_bodies_mb": 32.0}, "--max-bodies-mb"),
        ({"api_key": SecretStr("short")}, "8 to 1,024"),
        ({"api_key": SecretStr("with a space in it")}, "8 to 1,024"),
        ({"cors": ("example.org",)}, "https://example.org"),
        ({"cors": ("https://example.org/path",)}, "https://example.org"),
        ({"allowed_hosts": ("a/b",)}, "without port or path"),
        ({"name": "../etc"}, "letters, digits"),
        ({"timeout": float("nan")}, "timeout"),
    ],
)
def test_what_has_no_meaning_is_refused(values: dict[str, object], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        settings(ServeSettings, values)


def test_the_key_is_shown_nowhere() -> None:
    made = ServeSettings(api_key=SecretStr("correct-horse-battery"))
    assert "correct-horse" not in repr(made) + str(made) + made.model_dump_json()
    with pytest.raises(SettingsError) as error:
        settings(ServeSettings, {"api_key": SecretStr("correct horse battery")})
    assert "correct" not in str(error.value)
