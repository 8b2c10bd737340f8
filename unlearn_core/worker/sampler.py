"""Choose the next trial of a sweep with Optuna, from a study that is rebuilt from the stored trials each time.

The next trial therefore depends only on what is stored, not on the worker or on crashes. Optuna is imported late,
because a worker without sweeps does not need it.
"""

from collections.abc import Sequence
from math import floor, isfinite, log10
from typing import Any, NamedTuple

from unlearn_core.domain.sweeps.objectives import OBJECTIVES, objective_values
from unlearn_core.domain.sweeps.search_space import SearchRange
from unlearn_core.domain.sweeps.sweep import SweepSpec, Trial

SIGNIFICANT_DIGITS = 4
"""Significant digits of a suggested number, so that it can be typed in again from a table."""

MAX_DRAWS = 4
"""How often a suggestion is drawn again if it was tried already: with one seed it would give the same result."""

MIN_TRIALS = 8
"""Minimum number of finished trials for hyperparameter importance."""
TOP_FRACTION = 0.25
"""Fraction of trials that count as good for hyperparameter importance."""


class SuggestedTrial(NamedTuple):
    """The next trial: its number, the values of the swept hyperparameters, and the sampler's attributes."""

    number: int
    params: dict[str, Any]
    attributes: dict[str, Any]


def suggest(spec: SweepSpec, trials: Sequence[Trial]) -> SuggestedTrial:
    """Return the next trial given these; finished ones count with their values, others as running."""
    number = max((trial.number for trial in trials), default=-1) + 1
    ranges, tried = (
        {search_range.knob: search_range for search_range in spec.ranges},
        [trial.params for trial in trials],
    )
    suggested = SuggestedTrial(number, {}, {})
    for attempt in range(MAX_DRAWS):
        study = _study(spec, trials, number=number, attempt=attempt)
        trial = study.ask(_distributions(spec.ranges))
        stored = study.get_trials(deepcopy=False)[number]
        params = {name: _round_significant(value, ranges[name]) for name, value in trial.params.items()}
        suggested = SuggestedTrial(number, params, dict(stored.system_attrs))
        if params not in tried or spec.sampler == "grid":
            break
    return suggested


def importance(spec: SweepSpec, trials: Sequence[Trial]) -> dict[str, dict[str, float]]:
    """Return the importance of each hyperparameter by objective (sums to 1); empty with too few finished trials.

    PED-ANOVA (Watanabe, Bansal and Hutter, IJCAI 2023): how much the distribution of the best quarter of the trials
    over the range of a hyperparameter differs from that of all trials.
    """
    done = [trial for trial in trials if objective_values(spec, trial) is not None]
    if len(done) < MIN_TRIALS or len(spec.ranges) < 2:
        return {}
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    found: dict[str, dict[str, float]] = {}
    for name in spec.objectives:
        study = _study(spec.model_copy(update={"objectives": (name,)}), done, number=len(trials))
        shares = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator(target_quantile=TOP_FRACTION))
        if all(isfinite(share) for share in shares.values()):
            found[name] = {hyperparameter: float(share) for hyperparameter, share in shares.items()}
    return found


def _study(spec: SweepSpec, trials: Sequence[Trial], *, number: int, attempt: int = 0) -> Any:
    """Return an Optuna study with these trials; a withdrawn number is a failed trial."""
    import optuna
    from optuna.trial import TrialState, create_trial

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    direction = {True: optuna.study.StudyDirection.MINIMIZE, False: optuna.study.StudyDirection.MAXIMIZE}
    directions = [direction[OBJECTIVES[name].lower_is_better] for name in spec.objectives]
    study = optuna.create_study(directions=directions, sampler=_sampler(spec, number, attempt))
    distributions, by_number = _distributions(spec.ranges), {trial.number: trial for trial in trials}
    for index in range(number):
        trial = by_number.get(index)
        values = None if trial is None else objective_values(spec, trial)
        if trial is None:
            study.add_trial(create_trial(state=TrialState.FAIL))
            continue
        if values is not None:
            state = TrialState.COMPLETE
        elif not trial.is_over:
            state = TrialState.RUNNING
        else:
            state = TrialState.PRUNED if trial.status == "stopped early" else TrialState.FAIL
        study.add_trial(
            create_trial(
                state=state,
                values=values,
                params=trial.params,
                distributions=distributions,
                system_attrs=trial.attributes,
            )
        )
    return study


def _sampler(spec: SweepSpec, number: int, attempt: int) -> Any:
    """Return the sampler, seeded by the sweep's seed and the trial's number, so that a rebuilt one draws new values."""
    from optuna import samplers

    seed = (spec.seed * 1_000_003 + number * MAX_DRAWS + attempt) % 2**32
    match spec.sampler:
        case "grid":
            return samplers.GridSampler(
                {search_range.knob: search_range.grid_values() for search_range in spec.ranges}, seed=spec.seed
            )
        case "random":
            return samplers.RandomSampler(seed=seed)
        case "tpe":
            return samplers.TPESampler(seed=seed, n_startup_trials=min(10, max(4, spec.max_trials // 4)))
        case "nsga2":
            return samplers.NSGAIISampler(seed=seed, population_size=min(50, max(4, spec.max_trials // 4)))


def _distributions(ranges: Sequence[SearchRange]) -> dict[str, Any]:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    found: dict[str, Any] = {}
    for search_range in ranges:
        if search_range.is_choice:
            found[search_range.knob] = CategoricalDistribution(search_range.values)
        elif search_range.whole:
            assert search_range.low is not None
            step = 1 if search_range.log else int(search_range.step or 1)
            found[search_range.knob] = IntDistribution(
                int(search_range.low), int(search_range.last_value), log=search_range.log, step=step
            )
        else:
            assert search_range.low is not None
            found[search_range.knob] = FloatDistribution(
                search_range.low,
                search_range.last_value,
                log=search_range.log,
                step=None if search_range.log else search_range.step,
            )
    return found


def _round_significant(value: Any, search_range: SearchRange) -> Any:
    """Return a number rounded to few digits within its range; any other value as it is."""
    if not isinstance(value, float) or value == 0.0 or search_range.low is None:
        return value
    rounded = round(value, SIGNIFICANT_DIGITS - 1 - floor(log10(abs(value))))
    return min(max(rounded, search_range.low), search_range.last_value)
