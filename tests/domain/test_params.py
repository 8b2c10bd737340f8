"""One declaration of a hyperparameter validates, explains and converts."""

import pytest

from unlearn_core.domain.errors import InvalidHyperparameterError, NotFoundError
from unlearn_core.domain.params import BaseHyperparameters, hyperparameter


class Params(BaseHyperparameters):
    rate: float = hyperparameter(0.1, low=0.01, high=1.0, scale="log", title="Rate", explain="How fast.", symbol="η")
    steps: int = hyperparameter(3, low=1, high=9, title="Steps", explain="How many.", unit="steps", advanced=True)
    falls: bool = hyperparameter(True, title="Falls", explain="Whether it falls.")
    goal: str = hyperparameter("max", title="Goal", explain="Which.", choices=("max", "min"))


def test_a_hyperparameter_describes_its_widget() -> None:
    knobs = Params.hyperparameters()
    assert list(knobs) == ["rate", "steps", "falls", "goal"]
    assert knobs["rate"].scale == "log" and knobs["rate"].low == 0.01 and knobs["rate"].symbol == "η"
    assert [one.kind for one in knobs.values()] == ["float", "int", "bool", "choice"]
    assert knobs["goal"].choices == ("max", "min") and knobs["steps"].advanced


def test_text_becomes_values() -> None:
    assert Params.parse({"rate": "0.5", "steps": "4", "falls": "false"}) == Params(rate=0.5, steps=4, falls=False)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"rate": "2"}, r"Rate \(rate\) cannot be '2': it takes a number from 0.01 to 1."),
        ({"rate": "nan"}, r"Rate \(rate\) cannot be 'nan'"),
        ({"steps": 2.5}, r"Steps \(steps\) cannot be 2.5: it takes a whole number from 1 to 9."),
        ({"falls": "perhaps"}, "takes true or false"),
        ({"goal": "mean"}, "takes one of max, min"),
    ],
)
def test_a_wrong_value_is_refused_with_its_range(values: dict, sentence: str) -> None:
    with pytest.raises(InvalidHyperparameterError, match=sentence):
        Params.parse(values)


def test_an_unknown_hyperparameter_lists_the_known_ones() -> None:
    with pytest.raises(NotFoundError, match=r"no hyperparameter called 'speed'. Known: rate, steps, falls, goal"):
        Params().updated({"speed": 1})


def test_changing_one_hyperparameter_leaves_the_others() -> None:
    assert Params(steps=5).updated({"rate": 0.2}) == Params(steps=5, rate=0.2)
