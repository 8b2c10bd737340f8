"""The result of the validation of a checkpoint: how it was read, what its accuracy proves, and what to do next."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from unlearn_core.charts.text import checkpoint_findings as findings
from unlearn_core.data import datasets
from unlearn_core.domain.jobs import AddCheckpointSpec
from unlearn_core.domain.results.checkpoint import CheckpointResult, ClassOrder
from unlearn_core.domain.run import Run
from unlearn_core.models import classifiers
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.files import artifacts
from unlearn_core.ui.components import run_bar, training_form
from unlearn_core.ui.shell import cache, formatting, ownership, url_state
from unlearn_core.ui.shell.markdown import escape


def show_result(run: Run, caption: str) -> None:
    """Show the result: what fits and what does not, its accuracy, and the button that adds it."""
    st.caption(caption)
    st.title(escape(run.title), anchor=False)
    result = artifacts.read_result(artifacts.run_dir(open_data_dir(), run.id), CheckpointResult)
    if result is None or not isinstance(run.spec, AddCheckpointSpec):
        st.caption("The result of its validation was not stored.")
        return
    if result.accuracies is None or result.classifier is None:
        st.markdown(":red-badge[:material/block: does not fit]")
        st.markdown(escape(result.reason))
        _entries(run, run.spec, result)
        _reading(result)
        _mismatch_table(result)
        return
    badge = (
        ":green-badge[:material/check: fits]"
        if result.is_proved
        else ":orange-badge[:material/help: no proof of a fit]"
    )
    st.markdown(f"{badge} {escape(findings.fit_sentence(result))}")
    st.markdown(training_form.accuracy_sentence(result.accuracies))
    st.markdown(escape(findings.proof_sentence(result)))
    _accept(run, result, result.classifier)
    _class_order(run, run.spec, result)
    _entries(run, run.spec, result)
    _reading(result)
    _classes(result.accuracies.by_class, datasets.card(run.spec.dataset).classes)
    _mismatch_table(result)


def _accept(run: Run, result: CheckpointResult, name: str) -> None:
    card = classifiers.cards().get(name)
    if card is not None:
        st.caption("It is in the list of classifiers.")
        if st.button("Make it forget", type="primary", icon=":material/ink_eraser:", key="take-trained"):
            training_form.use_classifier(card)
            url_state.open_page("forget")
        return
    refusal = ownership.run_refusal(run)
    if st.button(
        "Add" if result.is_proved else "Add anyway",
        type="primary" if result.is_proved else "secondary",
        icon=":material/library_add:",
        key="take-in",
        disabled=refusal is not None,
        help=refusal,
    ):
        cache.store().items.accept_classifier(name)
        training_form.use_classifier(classifiers.card(name))
        url_state.open_page("classifier")


def _class_order(run: Run, spec: AddCheckpointSpec, result: CheckpointResult) -> None:
    """Show that another order of the classes is better, and the button that validates the model with it."""
    order = result.class_order
    if order is None:
        if spec.reorder:
            st.caption("No other order of the classes is clearly better, so the outputs stay as they are.")
        return
    if order.applied:
        st.caption(findings.order_sentence(order))
        return
    with st.container(border=True):
        st.markdown(findings.order_sentence(order))
        _order_table(order, datasets.card(spec.dataset).classes)
        if st.button("Reorder the classes and validate again", icon=":material/swap_vert:", key="reorder-classes"):
            run_bar.submit(spec.model_copy(update={"reorder": True}), run.title)


def _order_table(order: ClassOrder, class_names: tuple[str, ...]) -> None:
    moved = [(place, output) for place, output in enumerate(order.order) if place != output]
    with st.expander(f"The {len(moved):,} classes that would move"):
        table = pd.DataFrame(
            {"Class": [class_names[place] for place, _ in moved], "Output": [output for _, output in moved]}
        )
        st.dataframe(table, hide_index=True, alt="The classes that move, and the number of the output of each")


def _entries(run: Run, spec: AddCheckpointSpec, result: CheckpointResult) -> None:
    """Show the other entries of the file that hold weights, and the button that validates one of them."""
    others = {entry.name: entry.tensors for entry in result.entries if entry.name != result.entry}
    if not others:
        return
    with st.container(border=True):
        st.markdown("The file holds other weights too, such as averages over the steps of training.")
        chosen = st.selectbox(
            "Entry",
            list(others),
            format_func=lambda name: f"{findings.entry_title(name)} ({others[name]:,} tensors)",
            key="other-entry",
        )
        if st.button("Validate this entry", icon=":material/search_check:", key="validate-entry"):
            run_bar.submit(spec.model_copy(update={"entry": chosen}), run.title)


def _reading(result: CheckpointResult) -> None:
    """Show how the file was read, and all normalisations that were tried."""
    rows = findings.reading_rows(result)
    if rows:
        st.header("How the file was read", anchor=False)
        table = pd.DataFrame({"What": [what for what, _ in rows], "How": [escape(how) for _, how in rows]})
        st.table(table.set_index("What"), hide_header=True, alt="How the file was read")
    if result.trials:
        with st.expander(f"The {len(result.trials)} normalisations that were tried"):
            table = pd.DataFrame(
                [
                    {
                        "Normalisation": trial.title,
                        "Accuracy": formatting.format_share(trial.accuracy),
                        "Mean": mean,
                        "Standard deviation": std,
                    }
                    for trial in result.trials
                    for mean, std in [findings.constants(trial)]
                ]
            )
            st.dataframe(table, hide_index=True, height="content", alt="The normalisations tried, with accuracies")


def _classes(shares: Sequence[float | None], class_names: tuple[str, ...]) -> None:
    if all(share is None for share in shares):
        return
    table = pd.DataFrame({"Class": class_names, "Test accuracy": [formatting.format_share(share) for share in shares]})
    st.dataframe(table, hide_index=True, height="content", alt="Its accuracy on test images, per class")


def _mismatch_table(result: CheckpointResult) -> None:
    """Show the names that do not match in a table, where markup in them has no effect."""
    rows: list[dict[str, Any]] = [
        {"Name": name, "Problem": what}
        for names, what in (
            (result.missing, "missing in the file"),
            (result.unexpected, "only in the file, left out"),
            (result.ignored, "not a tensor, left out"),
        )
        for name in names
    ]
    rows += [
        {"Name": name, "Problem": f"has the shape {list(found)}, but the architecture needs {list(expected)}"}
        for name, expected, found in result.shape_mismatches
    ]
    if rows:
        with st.expander(f"Names that do not match ({len(rows):,})", expanded=not result.fits):
            st.dataframe(pd.DataFrame(rows), hide_index=True, alt="Names in the file or in the model that do not match")
