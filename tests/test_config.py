from __future__ import annotations

import pytest

from tellapart.config import TrainSettings, settings
from tellapart.errors import SettingsError


def test_defaults() -> None:
    chosen = settings(TrainSettings, {})
    assert (chosen.model, chosen.size, chosen.fit, chosen.held_out) == ("probe", 224, "squash", 0.2)


def test_an_unknown_key_suggests_the_near_one() -> None:
    with pytest.raises(SettingsError, match="'heldout'; did you mean 'held_out'"):
        settings(TrainSettings, {"heldout": 0.3})


@pytest.mark.parametrize("share", [0, 1, 2, -0.5, float("nan"), "half"])
def test_a_held_out_share_that_means_nothing(share: object) -> None:
    with pytest.raises(SettingsError, match="--held-out"):
        settings(TrainSettings, {"held_out": share})


def test_all_faults_are_told_together() -> None:
    with pytest.raises(SettingsError) as caught:
        settings(TrainSettings, {"held_out": 2, "size": 5, "fit": "stretch", "seeds": 3})
    message = str(caught.value)
    for part in ("--held-out", "--size", "--fit", "'seed'"):
        assert part in message


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        settings(TrainSettings, {}).seed = 3  # type: ignore[misc]
