"""Say what a file is that is no checkpoint, by its first bytes."""

import re
from typing import NamedTuple

READ_BYTES = 1024
"""How many of the first bytes tell a format."""


class Format(NamedTuple):
    """A kind of file that is uploaded instead of a checkpoint."""

    start: re.Pattern[bytes]
    sentence: str


def _format(start: bytes, sentence: str) -> Format:
    return Format(re.compile(start, re.IGNORECASE | re.DOTALL), sentence)


_ARCHIVE = "it is a compressed archive. Unpack it, and upload the checkpoint in it"

FORMATS = (
    _format(rb"$", "it is empty. Copy or download it again"),
    _format(
        rb"version https://git-lfs",
        "it is a Git LFS pointer, which only says where the weights are. Run `git lfs pull` where it is from",
    ),
    _format(
        rb"(\xef\xbb\xbf)?\s*<(!doctype|html|head|body|script|!--)",
        "it is a web page that was saved instead of the file. Download the file itself: perhaps it needs a sign-in",
    ),
    _format(
        rb"(\xef\xbb\xbf)?\s*(<\?xml|\{\s*\")",
        "it is a text, such as the message of a server that has no such file. Download it again",
    ),
    _format(
        rb"(sys_info|pickle|tensors|storages)\0.{240,250}ustar",
        "it has PyTorch's oldest format, a tar archive, which cannot be read safely. Load it with the PyTorch of then, "
        "and save its state_dict()",
    ),
    _format(rb".{257}ustar", "it is a tar archive. Unpack it, and upload the checkpoint in it"),
    _format(rb"\x1f\x8b|BZh|\xfd7zXZ|7z\xbc\xaf|Rar!|\x28\xb5\x2f\xfd", _ARCHIVE),
    _format(rb"\x89HDF\r\n", "it is HDF5, such as weights of Keras, and only weights of PyTorch can be read"),
    _format(rb"\x93NUMPY", "it is a NumPy array, and a checkpoint has many tensors with names"),
    _format(rb"\x08.\x12.{0,40}(pytorch|onnx|tf2onnx|skl2onnx)", "it is an ONNX model, which PyTorch does not load"),
    _format(rb".{4}TFL3", "it is a TensorFlow Lite model, and only weights of PyTorch can be read"),
    _format(rb"GGUF", "it is a GGUF model, and only weights of PyTorch can be read"),
    _format(
        rb"\x80[\x01-\x05]",
        "it is a pickle, but not one of torch.save: perhaps of pickle, joblib or scikit-learn, which could run code",
    ),
)
"""Formats, the first that matches being the right one."""


def describe(start: bytes) -> str:
    """What a file with these first bytes is, as the end of a sentence; "" if it is none of the known formats."""
    return next((known.sentence for known in FORMATS if known.start.match(start[:READ_BYTES])), "")


def describe_zip(entries: list[str]) -> str:
    """What a zip with these entries is, if it is no checkpoint."""
    endings = {name.rpartition(".")[2].lower() for name in entries}
    if endings == {"npy"}:
        return "it is a NumPy archive (npz), and only weights of PyTorch can be read"
    if endings & {"h5", "pb", "keras"}:
        return "it is a model of Keras or TensorFlow, and only weights of PyTorch can be read"
    if endings & {"pt", "pth", "th", "ckpt", "bin", "safetensors", "tar"}:
        return _ARCHIVE
    if endings & {"jpg", "jpeg", "png", "bmp", "webp"}:
        return "it is a zip of images. Upload it as a data set"
    return ""
