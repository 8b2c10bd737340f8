"""Every method keeps the contract of a method; run the tests of one with `-k its_id`."""

from collections.abc import Callable

import pytest

from tests.contracts import fixed_runs
from tests.methods.small_problem import tiny_spec
from unlearn_core.domain.method import Method
from unlearn_core.methods import methods
from unlearn_core.testing.method_contract import METHOD_CHECKS

METHODS = methods()
each_method = pytest.mark.parametrize("name", METHODS)


@each_method
@pytest.mark.parametrize("check", METHOD_CHECKS, ids=lambda check: check.__name__)
def test_it_keeps_the_contract(name: str, check: Callable[[Method], None]) -> None:
    check(METHODS[name])


@each_method
def test_other_weights_mean_another_revision(name: str) -> None:
    runs = fixed_runs.recorded(name)
    assert runs, (
        f"Of {METHODS[name].title} at this revision ({fixed_runs.revision(name)}) no fixed runs are recorded. "
        "Record them with `python -m tests.contracts.fixed_runs`, and commit fixed_runs.json."
    )
    for run in runs:
        found = fixed_runs.norms_of(tiny_spec(name, kind=run["kind"], **run["params"]))
        assert not fixed_runs.differing(found, run["norms"]), (
            f"{METHODS[name].title} gives other weights than when its fixed runs were recorded ({run['kind']}, "
            f"{run['params']}). If that is meant, raise `revision` in its METHOD (where all methods change, REVISION "
            "in training/__init__.py), and record it with `python -m tests.contracts.fixed_runs`."
        )
