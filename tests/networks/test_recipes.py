from __future__ import annotations

import pytest

from tellapart.core.config import NetworkSettings, TrainSettings
from tellapart.core.errors import SettingsError
from tellapart.networks import Recipe, Stage
from tellapart.networks.augment import Policy
from tellapart.networks.spec import architectures, recipes

DATA = {"n": 2000, "size": 150, "gray": False}


@pytest.mark.parametrize("kind", architectures.KINDS)
def test_every_network_has_a_recipe_that_survives_json(kind: str) -> None:
    recipe = recipes.default(kind, **DATA)
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe


def test_what_is_none_keeps_its_default() -> None:
    usual = recipes.default("cnn", **DATA)
    asked = recipes.default("cnn", **DATA, epochs=None, batch=8, augment=Policy(flip=True))
    assert (asked.epochs, asked.batch, asked.augment) == (usual.epochs, 8, Policy(flip=True))


def test_the_options_of_train_become_a_recipe() -> None:
    options = TrainSettings(
        model="finetune", epochs=8, lr=3e-3, augment="flip", seed=7, budget="2m"
    )
    asked = recipes.resolve(options, "finetune", **DATA, class_weights=True)
    assert (asked.epochs, asked.seed, asked.budget, asked.augment) == (8, 7, 120, Policy(flip=True))
    assert asked.class_weights and asked.stages[0].learning_rate == pytest.approx(3e-3)
    assert recipes.resolve({"model": "cnn", "lr": "auto"}, "cnn", **DATA, budget=5.0) == (
        recipes.default("cnn", **DATA, learning_rate="auto", budget=5.0)
    )


def test_every_option_of_a_network_has_its_place() -> None:
    elsewhere = {"units", "filters", "validation"}  # in the spec and in the split
    taken = {recipes.OPTIONS.get(name, name) for name in Recipe.model_fields}
    assert set(NetworkSettings.model_fields) - taken == elsewhere


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        recipes.default("cnn", **DATA, target=1.5, epochs=0)
    assert "--target" in str(caught.value) and "--epochs" in str(caught.value)


def test_an_unknown_network_is_an_error() -> None:
    with pytest.raises(SettingsError, match="vgg"):
        recipes.default("vgg", **DATA)


def test_epochs_and_rate_are_shared_by_stages() -> None:
    usual = recipes.default("finetune", **DATA)
    asked = recipes.default(
        "finetune", **DATA, epochs=2 * usual.epochs, learning_rate=10 * float(usual.learning_rate)
    )
    assert [s.epochs for s in asked.stages] == [2 * s.epochs for s in usual.stages]
    expected = [10 * s.learning_rate for s in usual.stages]
    assert [s.learning_rate for s in asked.stages] == pytest.approx(expected)


def test_without_stages_there_is_one_in_which_all_learn() -> None:
    recipe = Recipe(epochs=4, batch=2, learning_rate=0.5)
    assert recipe.resolved_stages() == (Stage(prefix="", epochs=4, learning_rate=0.5),)
