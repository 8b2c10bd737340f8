"""Early stopping: a run that watches validation images while its method trains, and keeps the state that fits best.

The last phase of the method is watched, in which it trains at length: what it does before (noise, impairing,
re-initialising) is undone by no state of that phase. States are compared by the goal that a search has too
(find_settings.py), so no test image has a part in it. The moments are counted in steps, never in seconds, so that the
same spec gives the same weights on any machine.

Early stopping by validation data is as old as training (Prechelt, Early Stopping - But When?, 1998); a state before the
last can be the best of an unlearning method (rewinding in SCRUB, Kurmanji et al., NeurIPS 2023, section 3.2).
"""

from collections.abc import Iterable, Iterator, Sequence
from math import sqrt
from typing import TypeVar

from torch import Tensor, nn

from unlearn_core.domain.results.course import EarlyStop, ImageCounts, ModelState
from unlearn_core.domain.results.found_settings import Goal
from unlearn_core.domain.results.method_artifacts import Artifact
from unlearn_core.domain.tracker import Tracker
from unlearn_core.engine.setup import ResolvedRun
from unlearn_core.engine.tuning.budget import EVALUATION_COST
from unlearn_core.engine.tuning.find_settings import Judge, judge_of
from unlearn_core.training.problem import Problem

T = TypeVar("T")

MOST_LOOKS, FEWEST_LOOKS = 16, 2
"""How many states are compared."""
SHARE_OF_RUN = 0.2
"""What evaluating them may cost beyond the fewest, as a share of the run."""
PATIENCE = 3
"""The run ends when so many states fit no better than one before them, and all of these reach the goal."""

REVISION = 1
"""Raise it if a change alters what is kept for the same spec: measured results then count as outdated."""


def forget(resolved: ResolvedRun, problem: Problem, tracker: Tracker) -> EarlyStop | None:
    """Apply a run's method to `problem.model`, and return what early stopping did; None where it is off.

    Raises DivergedError if the loss is not finite, and CancelledError if the run is cancelled.
    """
    if not getattr(resolved.params, "early_stop", False):
        resolved.method.forget(problem, resolved.params, tracker)
        return None
    judge = judge_of(resolved)
    watching = WatchingTracker(tracker, problem.model, judge, _num_looks(resolved, problem, judge))
    resolved.method.forget(problem, resolved.params, watching)
    return watching.finish()


def _num_looks(resolved: ResolvedRun, problem: Problem, judge: Judge) -> int:
    """Return how many states are compared; none if nothing tells how forget images should be predicted."""
    if not judge.has_reference:
        return 0
    work = resolved.method.images_processed(resolved.params, problem.sizes)
    allowed = SHARE_OF_RUN * work / (EVALUATION_COST * (len(judge.forget) + len(judge.retain)))
    return min(MOST_LOOKS, max(FEWEST_LOOKS, int(allowed)))


class WatchingTracker:
    """Passes everything on to a tracker, and ends the last phase when the model no longer comes closer to the goal."""

    def __init__(self, tracker: Tracker, model: nn.Module, judge: Judge, num_looks: int) -> None:
        self._tracker, self._model, self._judge, self._num_looks = tracker, model, judge, num_looks
        self._watched, self._planned, self._step = "", 0, 0
        self._is_watching = self._is_over = False
        self._moments: frozenset[int] = frozenset()
        self._states: list[ModelState] = []
        self._best, self._weights, self._last_version = -1, dict[str, Tensor](), -1

    def plan(self, **steps: int) -> None:
        self._watched, self._planned = list(steps.items())[-1]
        looks = range(1, self._num_looks + 1)
        self._moments = frozenset(round(self._planned * look / self._num_looks) for look in looks) - {0}
        self._tracker.plan(**steps)

    def phase(self, name: str, *, done: int = 0) -> None:
        self._is_watching = name == self._watched
        self._tracker.phase(name, done=done)

    def iterate(self, items: Iterable[T]) -> Iterator[T]:
        if not self._is_watching:
            yield from self._tracker.iterate(items)
            return
        if self._is_over:  # The method has its steps in several loops.
            return
        for item in self._tracker.iterate(items):
            yield item
            self._step += 1
            if self._step in self._moments:
                self._look()
                if self._is_over:
                    return

    def log(self, **scalars: float) -> None:
        self._tracker.log(**scalars)

    def save_artifact(self, artifact: Artifact) -> None:
        self._tracker.save_artifact(artifact)

    def finish(self) -> EarlyStop:
        """Give the model the state that fits best, and return what was compared."""
        if self._states and (self._states[-1].step, self._last_version) != (self._step, self._version()):
            self._look()  # The method made further steps, or gave the model an earlier state itself.
        if self._states and self._best != len(self._states) - 1:
            self._model.load_state_dict(self._weights)
        return EarlyStop(
            images=ImageCounts(forget=len(self._judge.forget), retain=len(self._judge.retain)),
            planned=self._planned,
            stopped=self._step,
            states=self._states,
            best=self._best if self._states else None,
            reached=bool(self._states) and _reaches(self._judge.goal, self._states[self._best]),
        )

    def _look(self) -> None:
        """Evaluate the model as it is, and keep its weights if this state is the one to go back to."""
        forget, retain = self._judge.accuracies(self._model)
        self._states.append(ModelState(step=self._step, forget=forget, retain=retain))
        self._last_version = self._version()
        last, chosen = len(self._states) - 1, choose(self._states, self._judge.goal, len(self._judge.retain))
        if chosen == last:
            self._weights = {name: tensor.detach().clone() for name, tensor in self._model.state_dict().items()}
            self._best = last
        self._is_over = is_settled(self._states, self._judge.goal)

    def _version(self) -> int:
        return sum(tensor._version for tensor in self._model.state_dict(keep_vars=True).values())


def choose(states: Sequence[ModelState], goal: Goal, num_retain: int) -> int:
    """Return the place of the state to keep: the last one that is as good as the best, as far as the images tell.

    The best is the one closest to the goal, and of those that reach it the one with the highest retain accuracy. A
    state is as good if it forgets as much and its retain accuracy, on `num_retain` images, is within one standard error
    of the best one's: the rule of one standard error (Breiman et al., Classification and Regression Trees, 1984,
    section 3.4.3). Of states between which the images do not decide, the last was trained longest.
    """
    best = max(states, key=lambda state: (-goal.shortfall(state.forget, state.retain), state.retain))
    share = (best.retain * num_retain + 2) / (num_retain + 4)  # as Agresti and Coull do, since 100 % has an error too
    error = sqrt(share * (1 - share) / (num_retain + 4))
    left = goal.shortfall(best.forget, goal.retain_low)
    as_good = (
        place
        for place, state in enumerate(states)
        if goal.shortfall(state.forget, goal.retain_low) <= left and state.retain >= best.retain - error
    )
    return max(as_good)


def is_settled(states: Sequence[ModelState], goal: Goal) -> bool:
    """Return whether the last states all reach the goal, and none is better than the first of them."""
    first, *later = states[-PATIENCE - 1 :]
    reach = all(_reaches(goal, state) for state in (first, *later))
    return len(later) == PATIENCE and reach and all(state.retain <= first.retain for state in later)


def _reaches(goal: Goal, state: ModelState) -> bool:
    return goal.shortfall(state.forget, state.retain) == 0
