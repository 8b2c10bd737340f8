"""What the validation of a checkpoint found, in sentences: how the file was read, and what its accuracy proves."""

from unlearn_core.charts.drawing.wording import p_value, percent
from unlearn_core.domain.results.checkpoint import BY_ORDER, CheckpointResult, ClassOrder, NormalizationTrial

SPLITS = {"train": "training", "val": "validation", "test": "test"}


def fit_sentence(result: CheckpointResult) -> str:
    """Return whether all weights of the architecture and all tensors of the file found a place; "" without a fit."""
    if not result.fits:
        return ""
    title, over = result.architecture or "the architecture", result.counts.unexpected
    if over:
        return f"It has all weights of {title}. {over:,} of its {result.tensors:,} tensors found no place."
    words = f"It has all weights of {title}, and each of its {result.tensors:,} tensors found its place."
    if result.matched.startswith(BY_ORDER):
        words += (
            " Its names are unknown, so they were matched by order: compare its accuracy with what its source says."
        )
    return words


def proof_sentence(result: CheckpointResult) -> str:
    """Return what the accuracy proves, with the numbers; "" without a fit."""
    test = result.accuracy_test
    if not result.fits:
        return ""
    if test is None:
        return "No comparison with always predicting the most frequent class was made, so nothing proves that it fits."
    images = f"{test.images:,} {SPLITS[test.split]} images"
    usual = round(test.most_frequent * test.images)
    if test.passed:
        return (
            f"Of {images}, {test.correct:,} are classified correctly; always predicting the most frequent class gives "
            f"{usual:,} ({p_value(test.p_value)})."
        )
    return (
        f"That proves no fit: of {images}, {test.correct:,} are classified correctly, and always predicting the most "
        f"frequent class gives {usual:,} ({p_value(test.p_value)}, and p < 0.01 is needed). Such a model is hardly of "
        "any use. Was it trained on another data set, with another normalisation or with classes in another order?"
    )


def reading_rows(result: CheckpointResult) -> list[tuple[str, str]]:
    """Return how the file was read, as (what, how); empty for results of former releases."""
    if not result.architecture:
        return []
    found = "found from the file" if result.architecture_found else "chosen"
    rows = [("Architecture", f"{result.architecture}, {found if result.fits else 'the nearest one'}")]
    if result.entry or len(result.entries) > 1:
        rows.append(("Entry", f"{entry_title(result.entry)} (of {len(result.entries):,})"))
    if result.fits:
        rows.append(("Matched", result.matched))
    rows += [("Also possible", f"{way}: {percent(accuracy)}") for way, accuracy in result.alternatives]
    if result.one_channel:
        how = "takes one channel; its weights were repeated over three channels and divided by three"
        rows.append(("First layer", how))
    if result.normalization is not None:
        rows.append(("Normalisation", _normalization(result, result.normalization)))
    return rows


def entry_title(name: str) -> str:
    """Return what an entry of a file is called, without characters that act on a terminal."""
    return repr(name) if name else "the whole file"


def constants(trial: NormalizationTrial) -> tuple[str, str]:
    """Return a normalisation's mean and standard deviation as texts, one number if the colours share it."""
    mean, std = (_colours(values) for values in (trial.mean, trial.std))
    return mean, std


def order_sentence(order: ClassOrder) -> str:
    """Return what another order of the classes gains."""
    numbers = f"from {percent(order.before)} to {percent(order.after)}"
    if order.applied:
        return (
            f"The outputs were put into another order, which raises the accuracy {numbers} on validation images that "
            "were not used to find it."
        )
    return (
        f"Its classes seem to be in another order than those of the data set. Reordered, its accuracy rises {numbers} "
        f"on validation images that were not used to find the order ({p_value(order.p_value)})."
    )


def _normalization(result: CheckpointResult, trial: NormalizationTrial) -> str:
    mean, std = constants(trial)
    numbers = f"mean {mean}, standard deviation {std}"
    if not result.trials:
        return f"{trial.title}: {numbers}"
    images = f"{result.trial_images:,} {SPLITS[result.trial_split]} images"
    return f"{trial.title}, the most accurate of {len(result.trials)} on {images}: {numbers}"


def _colours(values: tuple[float, float, float]) -> str:
    texts = [f"{value:.4g}" for value in values]
    return texts[0] if len(set(texts)) == 1 else ", ".join(texts)
