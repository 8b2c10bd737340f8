"""Upload a checkpoint: the form, the result of its validation, and the button that adds it."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from unlearn_core.data import datasets
from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.domain.errors import InvalidCheckpointError
from unlearn_core.domain.jobs import MAX_NAME_LENGTH, AddCheckpointSpec
from unlearn_core.domain.results.checkpoint import CheckpointResult
from unlearn_core.domain.results.metrics import SplitAccuracies
from unlearn_core.domain.run import Run
from unlearn_core.models import classifiers, user_models
from unlearn_core.models.upload import receive
from unlearn_core.settings import settings
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.files import artifacts
from unlearn_core.ui.components import architecture_picker, run_bar, training_form
from unlearn_core.ui.shell import cache, formatting, url_state
from unlearn_core.ui.shell.markdown import escape

NEAR_CHANCE = 1.5
"""Below so many times the accuracy of guessing, a model counts as guessing."""

RGB = tuple[float, float, float]
_IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_UNNORMALIZED = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
_WAYS = ("by this data set's statistics", "by ImageNet's statistics", "not at all", "by other numbers")


def show_form(like: ClassifierCard, key_scope: str = "bring") -> None:
    """Show the form: a file, its architecture and data set, and how its input was normalised.

    The default architecture and data set are those of the classifier `like`.
    """
    most = settings().most_checkpoint_mb
    file = st.file_uploader(
        "Checkpoint",
        max_upload_size=most,
        key=f"{key_scope}-file",
        help="What torch.save or safetensors wrote: .pt, .pth, .th, .pth.tar, .ckpt, .bin, .safetensors or any other "
        "ending, because the bytes decide. No code in it is run.",
    )
    kind, dataset = architecture_picker.choose_with_dataset(like, key_scope, f"{key_scope}-trained on")
    mean, std = _normalization(key_scope, dataset)
    title = st.text_input(
        "Name",
        placeholder="the name of its file",
        max_chars=MAX_NAME_LENGTH,
        key=f"{key_scope}-name",
    )
    st.caption(
        "We check the header, load the file in a sandbox, match it to the architecture and evaluate it on all images. "
        "Then you can add it."
    )
    ready = file is not None and kind is not None
    if st.button("Validate", type="primary", icon=":material/search_check:", key=f"{key_scope}-go", disabled=not ready):
        assert file is not None and kind is not None
        try:
            upload = receive.receive(file)
        except InvalidCheckpointError as problem:
            st.error(f"{escape(file.name[:MAX_NAME_LENGTH])} was refused. {escape(problem)}", icon=":material/block:")
            return
        name = title or file.name.rpartition(".")[0]
        spec = AddCheckpointSpec(upload=upload, architecture=kind.name, dataset=dataset, name=name, mean=mean, std=std)
        run_bar.submit(spec, f"Validate {spec.name or 'a checkpoint'}")


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
        _mismatch_table(result)
        return
    st.markdown(f":green-badge[:material/check: fits] It has all {result.tensors:,} tensors of its architecture.")
    st.markdown(training_form.accuracy_sentence(result.accuracies))
    _accept(run, result.classifier, result.accuracies)
    _classes(result.accuracies.by_class, datasets.card(run.spec.dataset).classes)
    _mismatch_table(result)


def _accept(run: Run, name: str, accuracies: SplitAccuracies) -> None:
    card = classifiers.cards().get(name)
    if card is not None:
        st.caption("It is in the list of classifiers.")
        if st.button("Make it forget", type="primary", icon=":material/ink_eraser:", key="take-trained"):
            training_form.use_classifier(card)
            url_state.open_page("forget")
        return
    by_preference = (accuracies.val, accuracies.test, accuracies.train)
    share = next((share for share in by_preference if share is not None), 0.0)
    poor = share <= NEAR_CHANCE * (run.metrics.chance or 0.0)
    if poor:
        st.warning(
            "That is hardly better than guessing. Does it need another normalisation, or is the order of the classes "
            "different? Unlearning such a model is hardly meaningful.",
            icon=":material/help:",
        )
    if st.button(
        "Add anyway" if poor else "Add",
        type="secondary" if poor else "primary",
        icon=":material/library_add:",
        key="take-in",
    ):
        user_models.accept(name)
        training_form.use_classifier(classifiers.card(name))
        url_state.open_page("classifier")


def _normalization(key_scope: str, dataset: str) -> tuple[RGB, RGB]:
    """Show and return how the input was normalised, which a file of weights does not contain."""
    way = st.segmented_control(
        "Input normalisation",
        _WAYS,
        default=_WAYS[0],
        required=True,
        key=f"{key_scope}-way",
        help="By the training script, outside the model: pixels in [0, 1] minus a mean, over a standard deviation.",
    )
    mean, std = {_WAYS[1]: _IMAGENET, _WAYS[2]: _UNNORMALIZED}.get(way) or cache.color_statistics(dataset)
    if way == _WAYS[3]:
        columns = st.columns(6)
        values = [
            column.number_input(f"{what} {colour}", -10.0, 10.0, value, format="%g", key=f"{key_scope}-{what}-{colour}")
            for column, (what, colour, value) in zip(columns, _six(mean, std), strict=True)
        ]
        mean, std = (values[0], values[1], values[2]), (values[3], values[4], values[5])
        if min(std) <= 0:
            st.caption("A standard deviation must be above 0; 1 is used where it is not.")
            std = (std[0] if std[0] > 0 else 1.0, std[1] if std[1] > 0 else 1.0, std[2] if std[2] > 0 else 1.0)
    st.caption(f"Mean {_three(mean)}, standard deviation {_three(std)} (red, green, blue).")
    return mean, std


def _six(mean: RGB, std: RGB) -> list[tuple[str, str, float]]:
    colours = ("red", "green", "blue")
    return [
        (what, colour, value)
        for what, values in (("mean", mean), ("deviation", std))
        for colour, value in zip(colours, values, strict=True)
    ]


def _three(values: RGB) -> str:
    return ", ".join(f"{value:.4g}" for value in values)


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
