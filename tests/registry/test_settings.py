import pytest

from registry.errors import SettingsError
from registry.model import CompatibilityLevel
from registry.settings import Settings


def test_a_flag_is_over_the_environment_and_that_over_the_default() -> None:
    environment = {"FIVEBYTE_PORT": "9000", "FIVEBYTE_STORE": "memory:", "FIVEBYTE_COMPATIBILITY": "Full"}
    settings = Settings.from_environment(environment, port=9001, host=None)
    assert settings == Settings(port=9001, store="memory:", compatibility=CompatibilityLevel.FULL)
    assert Settings.from_environment({}) == Settings()


def test_defaults() -> None:
    settings = Settings()
    assert (settings.host, settings.port, settings.store) == ("127.0.0.1", 8081, "sqlite:///fivebyte.db")
    assert (settings.compatibility, settings.workers, settings.threads) == ("BACKWARD", 1, 8)


def test_settings_survive_the_environment() -> None:
    settings = Settings(
        "::1", 1, "sqlite:///x y.db", CompatibilityLevel.NONE, 3, 4, 5, 6, mode_mutability=False
    )
    assert Settings.from_environment(settings.to_environment()) == settings


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PORT", "x"),
        ("PORT", ""),
        ("PORT", "70000"),
        ("WORKERS", "0"),
        ("THREADS", "-1"),
        ("MAX_SCHEMA_BYTES", "1.5"),
        ("MAX_BODY_BYTES", "0"),
        ("COMPATIBILITY", "fool"),
        ("MODE_MUTABILITY", "1"),
    ],
)
def test_a_value_that_cannot_be_is_named(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=rf"(?i){name}={text}"):
        Settings.from_environment({f"FIVEBYTE_{name}": text})
