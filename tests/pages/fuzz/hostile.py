"""What strangers send: names and numbers from nowhere, paths, endless texts, and valid JSON with a few things wrong."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PATHS = ["../../etc/passwd", "/etc/passwd", "..", "~/x", "C:\\x", "a/../../b", "%2e%2e%2f", "file:///etc/passwd"]
NUMBERS = ["0", "-1", "1", "2", "7", "1e3", "nan", "inf", "-0", "9" * 9, "9" * 40, "\uff11", "1,1", "1-3", "3-1", "0.5"]
WORDS = [
    "",
    " ",
    "x" * 10_000,
    "\0",
    "\ud7ff\u202e",
    "<script>alert(1)</script>",
    "{}",
    "[[[",
    "'; DROP TABLE run; --",
    "None",
]
texts = st.sampled_from([*PATHS, *NUMBERS, *WORDS]) | st.text(max_size=40)
"""Any text that may stand in a URL, an environment variable or a field of settings."""

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from([10**9, 2**31, 2**63, -1]) | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=4,
)
"""Any value of JSON."""


names = st.sampled_from(["tiny", "shapes", "resnet20", "cifar10-sample", "unsir", "finetune", "ssd", "relearn", "gone"])
numbers = st.integers(-2, 40) | st.sampled_from([10**9, 2**31, 2**63, 10**40])
alike: dict[type, st.SearchStrategy[Any]] = {
    bool: st.booleans(),
    int: numbers,
    float: st.floats() | numbers,
    str: names | names | texts,
    type(None): st.none() | numbers,
}
"""Other values of the same type, by the type: most pass the first check, and meet the others."""


@st.composite
def changed(draw: st.DrawFn, good: st.SearchStrategy[Any]) -> Any:
    """A valid value of JSON with one to three changes anywhere in it: other values, further fields, missing ones."""
    value = draw(good)
    for _ in range(draw(st.integers(1, 3))):
        value = _changed_once(draw, value)
    return value


def _changed_once(draw: st.DrawFn, value: Any) -> Any:
    is_rare = draw(st.integers(0, 15)) == 0
    if isinstance(value, dict):
        if not value or is_rare:
            less = dict(list(value.items())[draw(st.integers(0, 1)) :])
            return less | draw(st.dictionaries(texts, values, max_size=1))
        name = draw(st.sampled_from(sorted(value)))
        return value | {name: _changed_once(draw, value[name])}
    if isinstance(value, list) and value and not is_rare:
        place = draw(st.integers(0, len(value) - 1))
        other = _changed_once(draw, value[place])
        return [*value[:place], other, *value[place + draw(st.integers(0, 1)) :]]
    return draw(values if is_rare else alike.get(type(value), values))


def few_and_many(quick: int, many: int) -> pytest.MarkDecorator:
    """So many examples in `make test`, and so many in `make test-long`; of all these tests together 200 and 5,000."""
    slow = pytest.param(many, marks=[pytest.mark.slow, pytest.mark.timeout(300)], id=f"{many}")
    return pytest.mark.parametrize("examples", [pytest.param(quick, id=f"{quick}"), slow])


def try_all(examples: int, check: Callable[..., None], *strategies: st.SearchStrategy[Any]) -> None:
    """Call `check` with so many examples of these strategies."""
    run = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.differing_executors],
    )(given(*strategies)(check))
    run()
