"""Bringing a checkpoint: the form, what was found in it, and the click that takes it in."""

from typing import Any

import pandas as pd
import streamlit as st

from unlearn_core.data import datasets
from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.domain.errors import InvalidCheckpointError
from unlearn_core.domain.jobs import MAX_NAME_LENGTH, AddCheckpointSpec
from unlearn_core.domain.measurement import ReportPart
from unlearn_core.domain.run import Run
from unlearn_core.models import classifiers, user_models
from unlearn_core.models.upload import receive
from unlearn_core.store.data_folder import open_data_dir
from unlearn_core.store.files import artifacts
from unlearn_core.ui.components import architecture_picker, run_bar, training_form
from unlearn_core.ui.shell import cache, formatting, url_state
from unlearn_core.ui.shell.markdown import escape

PART = "checkpoint"
NEAR_CHANCE = 1.5
"""Below so many times the accuracy of guessing a net is taken for one that guesses."""

RGB = tuple[float, float, float]
_IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_UNNORMALIZED = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
_WAYS = ("by this data set's colours", "by ImageNet's colours", "not at all", "by other numbers")


def show_form(like: ClassifierCard, key_scope: str = "bring") -> None:
    """A file, the architecture and pictures that it belongs to, and what was done to pixels before it saw them.

    Architecture and pictures begin with those of a classifier.
    """
    most = receive.limits().checkpoint_mb
    file = st.file_uploader(
        "A checkpoint",
        type=["safetensors", "pt", "pth"],
        max_upload_size=most,
        key=f"{key_scope}-file",
        help="Plain weights: .safetensors, or what torch.save(model.state_dict(), ...) writes. Nothing in it is run.",
    )
    sets = datasets.cards()
    left, right = st.columns(2)
    chosen = architecture_picker.choose(left, like.architecture, key_scope)
    titles = {one.id: one.title for one in sets.values()}
    dataset = architecture_picker.select_by_title(right, "Trained on", titles, like.dataset, key_scope)
    kind = architecture_picker.describe_architecture(
        architecture_picker.architecture_name(chosen, like.architecture, key_scope), sets[dataset]
    )
    mean, std = _normalization(key_scope, dataset)
    title = st.text_input(
        "What to call it",
        placeholder="its file's name",
        max_chars=MAX_NAME_LENGTH,
        key=f"{key_scope}-name",
    )
    st.caption(
        "Its header is checked, then a process with little memory and time loads it, and it is compared with the "
        "architecture and asked about all pictures. Only then can it be taken in."
    )
    ready = file is not None and kind is not None
    if st.button(
        "Look it over", type="primary", icon=":material/search_check:", key=f"{key_scope}-go", disabled=not ready
    ):
        assert file is not None and kind is not None
        try:
            upload = receive.receive(file)
        except InvalidCheckpointError as problem:
            st.error(f"{escape(file.name[:MAX_NAME_LENGTH])} is refused. {escape(problem)}", icon=":material/block:")
            return
        called = title or file.name.rpartition(".")[0]
        spec = AddCheckpointSpec(
            upload=upload, architecture=kind.name, dataset=dataset, name=called, mean=mean, std=std
        )
        run_bar.submit(spec, f"Look over {spec.name or 'a checkpoint'}")


def show_result(run: Run, caption: str) -> None:
    """What was found: what fits and what does not, how good it is, and whether it may come in."""
    st.caption(caption)
    st.title(escape(run.title), anchor=False)
    part = artifacts.read_part(artifacts.run_dir(open_data_dir(), run.id), PART)
    if part is None or not isinstance(run.spec, AddCheckpointSpec):
        st.caption("What was found in it was not kept.")
        return
    if not part.facts["fits"]:
        st.markdown(":red-badge[:material/block: does not fit]")
        st.markdown(escape(part.facts["why"]))
        _mismatch_table(part)
        return
    st.markdown(f":green-badge[:material/check: fits] All of its architecture's {part.facts['tensors']:,} tensors.")
    accuracy = part.facts["accuracies"]
    st.markdown(training_form.accuracy_sentence(accuracy))
    _accept(run, part)
    _classes(accuracy["classes"], datasets.card(run.spec.dataset).classes)
    _mismatch_table(part)


def _accept(run: Run, part: ReportPart) -> None:
    name, accuracy = part.facts["classifier"], part.facts["accuracies"]
    card = classifiers.cards().get(name)
    if card is not None:
        st.caption("It stands among the classifiers.")
        if st.button("Make it forget", type="primary", icon=":material/ink_eraser:", key="take-trained"):
            training_form.use_classifier(card)
            url_state.open_page("forget")
        return
    share = next((accuracy[one] for one in ("val", "test", "train") if accuracy[one] is not None), 0.0)
    poor = share <= NEAR_CHANCE * run.headline.get("chance", 0.0)
    if poor:
        st.warning(
            "That is hardly better than guessing. Was its normalisation another one, or are the classes in another "
            "order? What such a net forgets means little.",
            icon=":material/help:",
        )
    if st.button(
        "Take it in anyway" if poor else "Take it in",
        type="secondary" if poor else "primary",
        icon=":material/library_add:",
        key="take-in",
    ):
        user_models.accept(name)
        training_form.use_classifier(classifiers.card(name))
        url_state.open_page("classifier")


def _normalization(key_scope: str, dataset: str) -> tuple[RGB, RGB]:
    """What was done to pixels before the net saw them: asked, since a file of weights does not say it."""
    way = st.segmented_control(
        "Pixels were normalised",
        _WAYS,
        default=_WAYS[0],
        required=True,
        key=f"{key_scope}-way",
        help="By the script that trained it, outside of the net: pixels in [0, 1] minus a mean, over a deviation.",
    )
    mean, std = {_WAYS[1]: _IMAGENET, _WAYS[2]: _UNNORMALIZED}.get(way) or cache.color_statistics(dataset)
    if way == _WAYS[3]:
        columns = st.columns(6)
        said = [
            column.number_input(f"{what} {colour}", -10.0, 10.0, value, format="%g", key=f"{key_scope}-{what}-{colour}")
            for column, (what, colour, value) in zip(columns, _six(mean, std), strict=True)
        ]
        mean, std = (said[0], said[1], said[2]), (said[3], said[4], said[5])
        if min(std) <= 0:
            st.caption("A deviation is above 0: 1 is taken where it is not.")
            std = (std[0] if std[0] > 0 else 1.0, std[1] if std[1] > 0 else 1.0, std[2] if std[2] > 0 else 1.0)
    st.caption(f"Mean {_three(mean)}, deviation {_three(std)} (red, green, blue).")
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


def _classes(shares: list[float | None], class_names: tuple[str, ...]) -> None:
    if all(share is None for share in shares):
        return
    table = pd.DataFrame(
        {"Class": class_names, "Right on unseen pictures": [formatting.format_share(share) for share in shares]}
    )
    st.dataframe(table, hide_index=True, height="content", alt="How often it is right about unseen pictures, by class")


def _mismatch_table(part: ReportPart) -> None:
    """The names that do not match, in a table, where nothing that stands in them can act."""
    rows: list[dict[str, Any]] = [
        {"Name": name, "What": what}
        for kind, what in (
            ("missing", "missing in the file"),
            ("unexpected", "only in the file, left out"),
            ("ignored", "no tensor, left out"),
        )
        for name in part.facts[kind]
    ]
    rows += [
        {"Name": name, "What": f"has the shape {theirs}, where the architecture has {ours}"}
        for name, ours, theirs in part.facts["shapes"]
    ]
    if rows:
        with st.expander(f"Names that do not match ({len(rows):,})", expanded=not part.facts["fits"]):
            st.dataframe(pd.DataFrame(rows), hide_index=True, alt="Names in the file or in the net that do not match")
