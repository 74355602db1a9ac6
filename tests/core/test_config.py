from __future__ import annotations

import pytest

from tellapart.core.config import TrainSettings, settings
from tellapart.core.errors import SettingsError


def test_defaults() -> None:
    chosen = settings(TrainSettings, {})
    assert (chosen.model, chosen.size, chosen.fit, chosen.held_out) == (
        "probe",
        None,
        "squash",
        0.2,
    )


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


def test_durations_and_widths_are_read_from_text() -> None:
    chosen = settings(
        TrainSettings, {"model": "cnn", "budget": "2m", "filters": "16,32", "units": [64]}
    )
    assert (chosen.budget, chosen.filters, chosen.units) == (120.0, (16, 32), (64,))
    assert settings(TrainSettings, {"model": "auto", "budget": 90}).budget == 90.0


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"target": 1.5}, "--target is 1.5"),
        ({"target": 0.0}, "--target is 0.0"),
        ({"budget": "soon"}, "--budget is 'soon', but it should be seconds above 0, or a text"),
        ({"budget": 0}, "--budget"),
        ({"lr": "quick"}, "--lr is 'quick', but it should be a number above 0, or 'auto'."),
        ({"units": "0"}, "--units"),
        ({"units": "many"}, "--units is 'many', but it should be widths"),
        ({"target_on": "validation"}, "--target-on needs a --target"),
        ({"patience": 3, "validation": 0.0}, "--patience needs a validation slice"),
        ({"model": "probe"}, "--epochs has no meaning for a probe"),
        ({"model": "linear", "filters": (3,)}, "--filters has no meaning for 'linear'"),
        ({"model": "finetune", "size": 20}, "'finetune' takes 32 or more"),
    ],
)
def test_settings_of_networks_that_mean_nothing(values: dict[str, object], told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(TrainSettings, {"model": "cnn", "epochs": 3} | values)
    assert told in str(caught.value)


def test_what_does_not_fit_together_is_told_together() -> None:
    with pytest.raises(SettingsError) as caught:
        settings(TrainSettings, {"epochs": 3, "target": 0.9, "units": (4,)})
    for name in ("--epochs", "--target", "--units"):
        assert f"{name} has no meaning for a probe" in str(caught.value)
