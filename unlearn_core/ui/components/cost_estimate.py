"""What a job costs, in words, and the question before one that may take hours."""

from collections.abc import Hashable

import streamlit as st

from unlearn_core.domain.report import Report
from unlearn_core.engine.forecasts.duration import Forecast
from unlearn_core.engine.forecasts.here import of_run, spec_work, this_machine
from unlearn_core.engine.forecasts.predict import Work
from unlearn_core.engine.job import Workload
from unlearn_core.models import ensembles
from unlearn_core.ui.shell import cache, formatting

NO_FORECAST = "a time that is not known before the first job of this kind here"


def in_words(forecast: Forecast | None) -> str:
    """A forecast with the device it holds for: "15 to 25 s on this CPU", "10 to 40 s on a typical CPU"."""
    if forecast is None:
        return NO_FORECAST
    kind = formatting.device_kind(this_machine(cache.store()).device) if forecast.measured else "CPU"
    return f"{forecast} on {'this' if forecast.measured else 'a typical'} {kind}"


def confirmed(forecast: Forecast | None, pressed: bool, *, job: Hashable, key: str) -> bool:
    """Return whether a job should start now: its button is `pressed`, and if it may take hours, this was confirmed.

    The question is shown where this is called, until it is answered or the page shows another `job`.
    """
    asked = f"{key}-asked"
    if pressed:
        if forecast is None or not forecast.is_long:
            return True
        st.session_state[asked] = job
    if st.session_state.get(asked, _NOBODY) != job:
        st.session_state.pop(asked, None)
        return False
    with st.container(border=True, key=f"{key}-question"):
        st.markdown(
            f":material/hourglass: **This job is long: {in_words(forecast)}.** It keeps the worker busy for as long, "
            "but runs that people wait for go first where it can pause. You can cancel it at any time."
        )
        with st.container(horizontal=True):
            yes = st.button("Start it", type="primary", key=f"{key}-yes")
            no = st.button("Do not start", key=f"{key}-no")
    if yes or no:
        del st.session_state[asked]
    if no:
        st.rerun()
    return yes


def is_asked(key: str) -> bool:
    """Whether the question of `confirmed` is open; otherwise, a forecast is needed only once its button is pressed."""
    return f"{key}-asked" in st.session_state


_NOBODY = object()
"""Stands for no job, where a job itself may be None."""


def golds_to_train(report: Report, golds: int) -> int:
    """The number of `golds` retrained models that must still be trained at most: the others are bundled."""
    shipped = ensembles.bundled_golds(report.spec.request)
    return max(0, golds - (0 if shipped is None else len(shipped)))


def workload_forecast(report: Report, workload: Workload) -> Forecast | None:
    """How long a measurement on request takes at most, with the training of the models that it needs."""
    training = Work(None, workload.trained_images, workload.evaluated_images)
    pieces = [training]
    if workload.unlearned or workload.golds or workload.originals:
        epochs = report.classifier.required_recipe.epochs
        golds = golds_to_train(report, workload.golds)
        pieces[0] = training._replace(
            trained=training.trained
            + epochs * (golds * len(report.split.retain_train) + workload.originals * report.dataset.train),
            evaluated=training.evaluated + golds * len(report.labels),
        )
        # An ensemble's models are evaluated, but not measured as a run is.
        run = spec_work(report.spec, report.classifier, report.dataset, report.labels)._replace(dataset="")
        pieces.append(run.times(workload.unlearned))
    return of_run(
        report.classifier,
        report.dataset,
        [piece for piece in pieces if piece.trained or piece.evaluated],
        cache.store(),
    )
