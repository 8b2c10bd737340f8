"""Which names of folders and files stand for training, validation and test images."""

import re
from collections.abc import Iterable

_WORDS = {
    **dict.fromkeys(("train", "training", "trn"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "validate", "dev"), "val"),
    **dict.fromkeys(("test", "testing", "tst", "holdout"), "test"),
    **dict.fromkeys(("eval", "evaluation"), "eval"),
}
_CONTAINERS = frozenset({"image", "images", "img", "imgs", "picture", "pictures", "photo", "photos", "data", "files"})
_FILLERS = _CONTAINERS | {"set", "sets", "dataset", "split", "dir", "folder", "seg", "annotations", "labels", "label"}


def split_name(name: str) -> str | None:
    """What a folder's name stands for: "train", "val", "test", "eval" (either of the last two), or None.

    Endings such as _set, numbers and words such as "images" do not matter: training_set, testset and train2017 are
    splits, and "train station" is none.
    """
    words = re.findall(r"[^\W\d_]+", name.lower())
    words = [re.sub(r"(?<=.)(set|data|images)$", "", word) if word not in _FILLERS else word for word in words]
    left = [word for word in words if word not in _FILLERS]
    return _WORDS.get(left[0]) if len(left) == 1 else None


def split_folders(folders: Iterable[str]) -> dict[str, str]:
    """The folders that are splits, each with its part: "train", "val" or "test"."""
    found = {name: part for name in folders if (part := split_name(name))}
    other = "test" if "val" in found.values() else "val"
    return {name: other if part == "eval" else part for name, part in found.items()}


def is_container(name: str) -> bool:
    """Whether a folder only says that there are images in it: images, imgs, data."""
    return name.lower() in _CONTAINERS
