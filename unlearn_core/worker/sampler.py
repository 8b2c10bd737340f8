"""Asks Optuna for the next trial of a sweep. The study is made anew from our own rows each time: nothing is kept here.

That makes the next trial a function of what is stored, whoever asks and however often a process has died. Optuna is
imported late: no worker needs it that serves no sweep.
"""

from collections.abc import Sequence
from math import floor, isfinite, log10
from typing import Any, NamedTuple

from unlearn_core.domain.objectives import OBJECTIVES, objective_values
from unlearn_core.domain.search_space import SearchRange
from unlearn_core.domain.sweep import SweepSpec, Trial

SIGNIFICANT_DIGITS = 4
"""Significant digits of a number that is tried: what stands in a table can be typed in again."""

MAX_DRAWS = 4
"""How often another draw is made where the same was tried already: with one seed it would end as it did."""

MIN_TRIALS = 8
"""Trials from which on it is said which knob matters."""
TOP_FRACTION = 0.25
"""The share of trials that count as good ones when it is asked which knob makes them so."""


class SuggestedTrial(NamedTuple):
    """The next trial: its number, the values of the swept knobs, and what the sampler wants to remember of it."""

    number: int
    params: dict[str, Any]
    attributes: dict[str, Any]


def suggest(spec: SweepSpec, trials: Sequence[Trial]) -> SuggestedTrial:
    """What to try next, in view of these trials: those that are over are told, the others count as under way."""
    number = max((trial.number for trial in trials), default=-1) + 1
    ranges, tried = {one.knob: one for one in spec.ranges}, [trial.params for trial in trials]
    found = SuggestedTrial(number, {}, {})
    for again in range(MAX_DRAWS):
        study = _study(spec, trials, number=number, attempt=again)
        asked = study.ask(_distributions(spec.ranges))
        known = study.get_trials(deepcopy=False)[number]
        params = {name: _round_significant(value, ranges[name]) for name, value in asked.params.items()}
        found = SuggestedTrial(number, params, dict(known.system_attrs))
        if params not in tried or spec.sampler == "grid":
            break
    return found


def importance(spec: SweepSpec, trials: Sequence[Trial]) -> dict[str, dict[str, float]]:
    """For each objective how much each knob matters (shares that add up to 1); empty while too few trials are done.

    PED-ANOVA (Watanabe, Bansal and Hutter, IJCAI 2023): how differently the best quarter of the trials is spread over
    a knob's range than all trials are.
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
            found[name] = {knob: float(share) for knob, share in shares.items()}
    return found


def _study(spec: SweepSpec, trials: Sequence[Trial], *, number: int, attempt: int = 0) -> Any:
    """An Optuna study that has seen these trials; a number that was taken back is a trial that failed."""
    import optuna
    from optuna.trial import TrialState, create_trial

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    ways = {True: optuna.study.StudyDirection.MINIMIZE, False: optuna.study.StudyDirection.MAXIMIZE}
    directions = [ways[OBJECTIVES[name].lower_is_better] for name in spec.objectives]
    study = optuna.create_study(directions=directions, sampler=_sampler(spec, number, attempt))
    distributions, known = _distributions(spec.ranges), {trial.number: trial for trial in trials}
    for place in range(number):
        trial = known.get(place)
        told = None if trial is None else objective_values(spec, trial)
        if trial is None:
            study.add_trial(create_trial(state=TrialState.FAIL))
            continue
        if told is not None:
            state = TrialState.COMPLETE
        elif not trial.is_over:
            state = TrialState.RUNNING
        else:
            state = TrialState.PRUNED if trial.status == "stopped early" else TrialState.FAIL
        study.add_trial(
            create_trial(
                state=state,
                values=told,
                params=trial.params,
                distributions=distributions,
                system_attrs=trial.attributes,
            )
        )
    return study


def _sampler(spec: SweepSpec, number: int, attempt: int) -> Any:
    """The sampler, seeded by the sweep's seed and the trial's number: made anew, it must not draw the same again."""
    from optuna import samplers

    seed = (spec.seed * 1_000_003 + number * MAX_DRAWS + attempt) % 2**32
    match spec.sampler:
        case "grid":
            return samplers.GridSampler({one.knob: one.grid_values() for one in spec.ranges}, seed=spec.seed)
        case "random":
            return samplers.RandomSampler(seed=seed)
        case "tpe":
            return samplers.TPESampler(seed=seed, n_startup_trials=min(10, max(4, spec.max_trials // 4)))
        case "nsga2":
            return samplers.NSGAIISampler(seed=seed, population_size=min(50, max(4, spec.max_trials // 4)))


def _distributions(ranges: Sequence[SearchRange]) -> dict[str, Any]:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    found: dict[str, Any] = {}
    for one in ranges:
        if one.is_choice:
            found[one.knob] = CategoricalDistribution(one.values)
        elif one.whole:
            assert one.low is not None
            step = 1 if one.log else int(one.step or 1)
            found[one.knob] = IntDistribution(int(one.low), int(one.last_value), log=one.log, step=step)
        else:
            assert one.low is not None
            found[one.knob] = FloatDistribution(
                one.low, one.last_value, log=one.log, step=None if one.log else one.step
            )
    return found


def _round_significant(value: Any, search_range: SearchRange) -> Any:
    """A number with few digits that is still inside its range; anything else as it is."""
    if not isinstance(value, float) or value == 0 or search_range.low is None:
        return value
    rounded = round(value, SIGNIFICANT_DIGITS - 1 - floor(log10(abs(value))))
    return min(max(rounded, search_range.low), search_range.last_value)
