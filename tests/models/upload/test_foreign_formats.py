"""A file that is no checkpoint is refused by saying what it is."""

import gzip
import io
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.data.hostile_files import good, saved, zipped_again
from unlearn_core.domain.errors import InvalidCheckpointError
from unlearn_core.models.upload.header_checks import check_header

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 1100000\n"


def script() -> bytes:
    """A TorchScript archive as torch.jit.save writes it: its code is compressed, and its tensors are not."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("script/data.pkl", b"\x80\x02c__torch__.Net\nNet\nq\x00)\x81.")
        archive.writestr("script/code/__torch__.py", "class Net(Module):\n  training : bool\n" * 9)
        archive.writestr("script/data/0", bytes(16), zipfile.ZIP_STORED)
        archive.writestr("script/constants.pkl", b"\x80\x02).")
    return buffer.getvalue()


def tar(*names: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name))
    return buffer.getvalue()


def numpy(save: str) -> bytes:
    buffer = io.BytesIO()
    getattr(np, save)(buffer, np.ones(3))
    return buffer.getvalue()


def zipped(*names: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, b"x" * 100)
    return buffer.getvalue()


FILES = {
    "nothing": (b"", "it is empty"),
    "a Git LFS pointer": (POINTER, "Git LFS pointer.*`git lfs pull`"),
    "a web page": (b"<!DOCTYPE html><html><body>Sign in</body></html>", "web page that was saved instead"),
    "a web page with a mark": (b"\xef\xbb\xbf\r\n <HTML lang=en>", "web page"),
    "an answer of a server": (b'{"message": "Not Found"}', "message of a server"),
    "an answer of a cloud": (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "message of a server"),
    "a tar archive": (tar("net.pth"), "tar archive. Unpack it"),
    "PyTorch's oldest format": (tar("sys_info", "pickle", "storages", "tensors"), "oldest format, a tar archive"),
    "gzip": (gzip.compress(saved(good())), "compressed archive. Unpack it"),
    "7-Zip": (b"7z\xbc\xaf\x27\x1c" + bytes(40), "compressed archive"),
    "Keras": (b"\x89HDF\r\n\x1a\n" + bytes(40), "HDF5, such as weights of Keras"),
    "a numpy array": (numpy("save"), "NumPy array"),
    "numpy arrays": (numpy("savez"), "NumPy archive"),
    "ONNX": (b"\x08\x08\x12\x07pytorch\x1a\x052.4.0:", "ONNX model"),
    "TensorFlow Lite": (b"\x1c\x00\x00\x00TFL3" + bytes(40), "TensorFlow Lite"),
    "GGUF": (b"GGUF\x03\x00\x00\x00" + bytes(40), "GGUF"),
    "scikit-learn": (
        b"\x80\x04\x95\x0f\x00\x00\x00\x00\x00\x00\x00\x8c\x07sklearn\x94.",
        "not one of torch.save.*scikit",
    ),
    "a model of Keras": (zipped("metadata.json", "config.json", "model.weights.h5"), "Keras or TensorFlow"),
    "a zip of checkpoints": (zipped("results/model_best.pth.tar", "results/log.txt"), "Unpack it, and upload the"),
    "a zip of images": (zipped("train/cat/1.jpg"), "zip of images. Upload it as a data set"),
    "another zip": (zipped("a.txt"), r"It was not written by torch\.save.*state_dict"),
    "a zip without a directory": (b"PK\x03\x04" + bytes(40) + zipped(), r"not written by torch\.save"),
    "TorchScript": (script(), "TorchScript archive, which contains code"),
    "TorchScript, not compressed": (
        zipped_again(saved(good()), {"code/__torch__.py": b"class M: pass", "constants.pkl": b"\x80\x02)."}),
        "TorchScript archive",
    ),
    "a text": (b"weights: none\n", "neither safetensors nor what torch.save writes.*state_dict"),
    "a few bytes": (struct.pack("<Q", 12), "neither safetensors nor"),
}


@pytest.mark.parametrize("what", FILES)
def test_a_file_that_is_no_checkpoint_is_refused_by_what_it_is(what: str, tmp_path: Path) -> None:
    data, reason = FILES[what]
    (tmp_path / "file.pt").write_bytes(data)
    with pytest.raises(InvalidCheckpointError, match=reason):
        check_header(tmp_path / "file.pt")
