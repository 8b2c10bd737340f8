"""Upload a checkpoint: the form. Architecture and normalisation are found from the file unless they are chosen."""

from pathlib import PurePath

import streamlit as st

from unlearn_core.data import datasets
from unlearn_core.domain.cards import ClassifierCard
from unlearn_core.domain.errors import InvalidCheckpointError, QuotaExceededError
from unlearn_core.domain.jobs import MAX_NAME_LENGTH, AddCheckpointSpec
from unlearn_core.models.upload import receive
from unlearn_core.settings import settings
from unlearn_core.store.housekeeping import quota
from unlearn_core.ui.components import architecture_picker, run_bar
from unlearn_core.ui.server import middleware
from unlearn_core.ui.shell import cache
from unlearn_core.ui.shell.markdown import escape

RGB = tuple[float, float, float]
_IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_UNNORMALIZED = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
_FOUND = "found on validation images"
_WAYS = (_FOUND, "by this data set's statistics", "by ImageNet's statistics", "not at all", "by other numbers")


def show_form(like: ClassifierCard, key_scope: str = "bring") -> None:
    """Show the form: a file, its architecture and data set, and how its input was normalised.

    The default data set is that of the classifier `like`.
    """
    file = st.file_uploader(
        "Checkpoint",
        max_upload_size=settings().most_checkpoint_mb,
        key=f"{key_scope}-file",
        help="What torch.save or safetensors wrote: .pt, .pth, .th, .pth.tar, .ckpt, .bin, .safetensors or any other "
        f"ending, because the bytes decide. No code in it is run. {middleware.UPLOADS_HELP}",
    )
    architecture, dataset = architecture_picker.choose_or_find(like, key_scope, f"{key_scope}-trained on")
    mean, std = _normalization(key_scope, dataset)
    title = st.text_input(
        "Name",
        placeholder="the name of its file",
        max_chars=MAX_NAME_LENGTH,
        key=f"{key_scope}-name",
    )
    st.caption(
        "We check the header, load the file in a sandbox, match its tensors with the architecture, whatever its code "
        "called them, and evaluate it on all images. Its accuracy must prove that it fits. Then you can add it."
    )
    ready = file is not None and architecture is not None
    if st.button("Validate", type="primary", icon=":material/search_check:", key=f"{key_scope}-go", disabled=not ready):
        assert file is not None and architecture is not None
        try:
            quota.check_upload(cache.store(), file.size)
            upload = receive.receive(file)
        except (InvalidCheckpointError, QuotaExceededError) as problem:
            st.error(f"{escape(file.name[:MAX_NAME_LENGTH])} was refused. {escape(problem)}", icon=":material/block:")
            return
        name = title or PurePath(file.name).stem
        spec = AddCheckpointSpec(
            upload=upload, architecture=architecture, dataset=dataset, name=name, mean=mean, std=std
        )
        run_bar.submit(spec, f"Validate {spec.name or 'a checkpoint'}")


def _normalization(key_scope: str, dataset: str) -> tuple[RGB, RGB] | tuple[None, None]:
    """Show and return how the input was normalised, which few files of weights contain; None if it is to be found."""
    way = st.segmented_control(
        "Input normalisation",
        _WAYS,
        default=_WAYS[0],
        required=True,
        key=f"{key_scope}-way",
        help="By the training script, outside the model: pixels in [0, 1] minus a mean, over a standard deviation.",
    )
    if way == _FOUND:
        images = "validation images" if datasets.card(dataset).val else "training images"
        st.caption(
            "The usual constants, and those in the file if it has a normalising layer, are tried on up to 1,000 "
            f"{images}. The most accurate ones are used."
        )
        return None, None
    mean, std = {_WAYS[2]: _IMAGENET, _WAYS[3]: _UNNORMALIZED}.get(way) or cache.color_statistics(dataset)
    if way == _WAYS[4]:
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
