"""`difficulty`: train small models on random halves of a data set, which show how much each image is memorised."""

import argparse

from unlearn_core.domain.errors import InvalidRequestError

HELP = "Train small models on random halves of a data set, which show which images are hard to forget. Resumable."

MAX_MODELS = 1000


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dataset", required=True, metavar="ID", help="the data set; `datasets` lists them")
    parser.add_argument(
        "--models", type=int, default=32, help="how many models (32): half of them are trained with each image"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda:0 (auto: a GPU if there is one)")


def run(args: argparse.Namespace) -> int:
    from unlearn_core.data import datasets, half_models
    from unlearn_core.engine.devices import resolve_device
    from unlearn_core.engine.jobs.common.half_training import train_halves
    from unlearn_core.store.data_folder import open_data_dir

    if args.models % 2 or not 4 <= args.models <= MAX_MODELS:
        raise InvalidRequestError(f"--models must be an even number from 4 to {MAX_MODELS:,}, not {args.models}.")
    open_data_dir()
    card = datasets.card(args.dataset)
    path, labels = half_models.own_file(card.id), datasets.load(card.id).labels[: card.train]
    assert path is not None, "the data folder is set"
    known = half_models.load(card.id, labels)
    if known is not None:  # Models that ship need not be trained again.
        half_models.write(path, known, labels)
    for count in train_halves(card.id, args.models, path, resolve_device(args.device)):
        print(f"{count} of {args.models} models are trained.", flush=True)
    print(f"The memorisation of the training images of {card.title} is known: {path}.")
    return 0
