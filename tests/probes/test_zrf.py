"""Both variants by hand, against torch's own divergence, and where they are undefined."""

import json

import numpy as np
import pytest
import torch
from torch.nn import functional

from tests.probes.small_context import scene
from unlearn_core.domain.report import Evaluation
from unlearn_core.domain.results.outputs import ZrfResult, ZrfValues
from unlearn_core.probes.common.context import ProbeContext
from unlearn_core.probes.zrf import MAX_IMAGES, js_zrf, measure, normalized_entropy, official_zrf, sample_rows


def measured(own: ProbeContext) -> ZrfResult:
    result = measure(own)
    assert isinstance(result, ZrfResult)
    facts = result.to_part().facts
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts
    return result


def random(count: int, classes: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 2, (count, classes)).astype(np.float32)


def as_published(one: np.ndarray, other: np.ndarray) -> float:
    """The published code, line by line: softmax, then `kl_div(log p, m)` with its default reduction."""
    p, q = (torch.from_numpy(values).softmax(1) for values in (one, other))
    m = (p + q) / 2
    # What torch warns of is the published code's fault, which averages over the classes too.
    total = 0.5 * functional.kl_div(p.log(), m, reduction="none").mean()
    return 1 - float(total + 0.5 * functional.kl_div(q.log(), m, reduction="none").mean())


@pytest.mark.parametrize("classes", [2, 10, 100])
def test_the_official_variant_is_the_published_code(classes: int) -> None:
    one, other = random(40, classes, 1), random(40, classes, 2)
    assert official_zrf(one, other) == pytest.approx(as_published(one, other), abs=1e-6)


def test_the_proper_one_is_scipys_divergence() -> None:
    from scipy.spatial.distance import jensenshannon
    from scipy.special import softmax

    one, other = random(40, 10, 1), random(40, 10, 2)
    pairs = zip(softmax(one, 1), softmax(other, 1), strict=True)
    divergence = np.mean([jensenshannon(left, right, base=2) ** 2 for left, right in pairs])
    assert js_zrf(one, other) == pytest.approx(1 - divergence, abs=1e-6)


def test_both_ends() -> None:
    one = random(20, 10, 1)
    assert js_zrf(one, one) == 1
    assert official_zrf(one, one) == pytest.approx(1, abs=1e-6)
    surely = np.zeros((1, 3), np.float32)
    surely[0, 0] = 2000
    assert js_zrf(surely, surely[:, ::-1]) == 0


def test_the_official_variant_depends_on_the_number_of_classes_and_the_proper_one_is_honest() -> None:
    """A certain output beside an even one: .888 and .146 for twenty classes."""
    surely = np.zeros((1, 20), np.float32)
    surely[0, 0] = 8
    even = np.zeros((1, 20), np.float32)
    published, honest = official_zrf(surely, even), js_zrf(surely, even)
    assert published is not None and honest is not None and published - honest > 0.4
    double = [np.pad(values, ((0, 0), (0, 20)), constant_values=-30) for values in (surely, even)]
    assert js_zrf(*double) == pytest.approx(honest, abs=1e-3)


def test_where_a_probability_underflows_only_the_proper_one_has_a_value() -> None:
    whole = scene("before", "after", "gold")
    logits = whole.evaluations["after"].logits.copy()
    logits[sample_rows(whole.split.forget_train)[0], 1] -= 500
    evaluations = {**whole.evaluations, "after": Evaluation("after", "shapes", logits)}
    found = measured(whole._replace(evaluations=evaluations))
    assert found.models["after"].official is None
    assert 0 < (found.models["after"].proper or 0) < 1
    assert "underflows in float32" in found.reasons["after"]
    assert list(found.reasons) == ["after"]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_outputs_that_are_not_finite_give_no_value(bad: float) -> None:
    whole = scene("before", "after")
    logits = whole.evaluations["after"].logits.copy()
    logits[whole.split.forget_train] = bad
    found = measured(whole._replace(evaluations={**whole.evaluations, "after": Evaluation("a", "shapes", logits)}))
    assert found.models["after"] == ZrfValues(proper=None, official=None)
    assert found.reasons == {"after": "Some outputs of the unlearned model are not finite."}
    assert (found.models["before"].proper or 0) > 0


def test_the_random_model_is_the_same_for_every_run_and_touches_no_seed() -> None:
    whole = scene("before", "after", "gold", "twin")
    state = torch.random.get_rng_state()
    other = whole._replace(spec=whole.spec.model_copy(update={"seed": 77}))
    assert measured(whole) == measured(other)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert set(measured(whole).models) == {"before", "after", "gold", "twin"}


def test_few_images_are_evaluated_and_one_is_enough() -> None:
    whole = scene("before", "after")
    assert len(sample_rows(np.arange(5000))) == len(set(sample_rows(np.arange(5000)))) == MAX_IMAGES
    assert sample_rows(np.array([4, 7])).tolist() == [4, 7]
    one = whole._replace(split=whole.split._replace(forget_train=whole.split.forget_train[:1]))
    assert measured(one).images == 1


def test_evenness() -> None:
    assert normalized_entropy(np.zeros((3, 10))) == pytest.approx(1)
    assert normalized_entropy(np.array([[5000.0, 0.0]])) == 0
    assert normalized_entropy(np.zeros((3, 1))) is None
