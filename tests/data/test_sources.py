"""Every kind of source, on small files laid out as the real ones are; full CIFAR where there is a root with it."""

import gzip
import hashlib
import json
import os
import struct
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.io import savemat
from torchvision import datasets as torchvision_sets

from tests.data.zips import faces, picture, write
from unlearn_core.data import datasets, user_catalog
from unlearn_core.data.image_dataset import ImageDataset
from unlearn_core.data.ingest import download as fetching
from unlearn_core.data.ingest import prepare, upload_store
from unlearn_core.data.ingest.download import RemoteFile, fetch
from unlearn_core.data.ingest.folder_reader import FolderReader
from unlearn_core.data.ingest.import_spec import IMAGE_SIZES, build_import_spec, title_from_filename
from unlearn_core.data.ingest.layout.class_folders import check_counts, read_class_folders
from unlearn_core.data.sources import cifar100, fashion_mnist, source, sources
from unlearn_core.domain.errors import CancelledError, InvalidDatasetError
from unlearn_core.domain.run import Progress
from unlearn_core.engine.jobs.import_dataset import import_dataset
from unlearn_core.engine.listener import NullListener
from unlearn_core.settings import UploadLimits, settings

COARSE_LABELS = "1804078d4e89b6b90bd5da6ffead1404596f6eecba15ceb8d95b6a09dfbba4c0"

FULL = pytest.mark.skipif("UNLEARN_DATA_ROOT" not in os.environ, reason="UNLEARN_DATA_ROOT names no torchvision root")


@pytest.fixture
def mine(home: Path) -> Iterator[Path]:
    """A data folder whose data sets this process sees."""
    user_catalog.set_data_dir(home)
    yield home
    user_catalog.set_data_dir(None)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


def brought(kind: str, home: Path, root: Path | None, size: int | None = None, **answers: str | int) -> ImageDataset:
    """Prepares a source's data set and loads it."""
    spec = build_import_spec(source(kind), answers, size=size)
    metrics = import_dataset(spec, home, NullListener(), root=root)
    found = datasets.load(metrics.dataset or "")
    assert len(found.images) == metrics.num_images == found.train + found.val + found.test
    return found


def quiet(*_: object) -> None:
    pass


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


# What every source says of itself.


def test_every_source_says_what_it_is_and_whose() -> None:
    every = sources()
    assert {"cifar10", "cifar100", "svhn", "fashion-mnist", "food101", "flowers102"} <= set(every)
    assert {"zip", "folder", "lfw", "huggingface"} <= set(every)
    for name, one in every.items():
        assert one.id == name and one.size in IMAGE_SIZES
        assert all(text.endswith(".") for text in (one.summary, one.licence)), name
        assert one.option_values({}) == {option.name: option.default for option in one.options}
        with pytest.raises(InvalidDatasetError, match="has no option called 'nonsense'"):
            one.option_values({"nonsense": 1})


def test_answers_out_of_range_are_refused() -> None:
    for value in ("2", 501, "x", "9" * 50):
        with pytest.raises(InvalidDatasetError, match="from 3 to 500"):
            source("lfw").option_values({"least": value})
    assert source("lfw").option_values({"least": "70"}) == {"least": 70}
    with pytest.raises(InvalidDatasetError, match="one of fine, coarse"):
        source("cifar100").option_values({"labels": "super"})


def test_ids_mean_these_pictures() -> None:
    assert build_import_spec(source("cifar100"), {"labels": "coarse"}).dataset == "cifar100-coarse"
    assert build_import_spec(source("food101"), {}, size=96).dataset == "food101-96-crop"
    first, again, other = (
        build_import_spec(source("zip"), {"upload": f"{name * 64}-{n * 8}"}) for name, n in ("ab", "ac", "bb")
    )
    assert first.dataset == again.dataset != other.dataset, "the same file sent twice is the same data set"
    upload = {"upload": f"{'a' * 64}-12345678"}
    assert build_import_spec(source("zip"), upload, title="Faces").dataset == "faces-296ebc", "as in former releases"
    assert build_import_spec(source("zip"), upload | {"encoding": "cp866"}, title="Faces").dataset != "faces-296ebc"
    with pytest.raises(InvalidDatasetError, match="could act as markup"):
        build_import_spec(source("cifar10"), {}, title="<b>")
    with pytest.raises(InvalidDatasetError, match="pixels, not 33"):
        build_import_spec(source("cifar10"), {}, size=33)
    assert title_from_filename("my_faces.zip") == "my faces" and title_from_filename("[<>].zip") == "My images"


def test_limits_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_MOST_PICTURES", "7")
    monkeypatch.setenv("UNLEARN_LEAST_PER_CLASS", "2")
    with pytest.raises(InvalidDatasetError, match="fewer than 2 usable images"):
        check_counts([2, 1], ["a", "b"], settings())
    paths, nowhere = [f"{name}/{number}.png" for name in "ab" for number in range(4)], Path("nowhere")
    with pytest.raises(InvalidDatasetError, match=r"8 images, and 7 are allowed.*UNLEARN_MOST_PICTURES"):
        read_class_folders(paths, FolderReader(nowhere, settings()), settings())


def test_a_folder_whose_names_are_not_utf_8(tmp_path: Path) -> None:
    for name, data in faces(2, 3).items():
        file = tmp_path.joinpath(os.fsdecode(name.replace("anna", "кошка").encode("cp1251")))
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(data)
    with pytest.raises(InvalidDatasetError, match=r"cp1251 \(кошка\)"):
        FolderReader(tmp_path, settings()).paths()
    reader = FolderReader(tmp_path, settings(), "cp1251")
    got = read_class_folders(reader.paths(), reader, settings())
    assert got.classes == ("ben", "кошка") and reader.read("кошка/0.png") == faces()["anna/0.png"]
    assert reader.head("кошка/0.png", 4) == b"\x89PNG"


# Full CIFAR, where it is.


@FULL
@pytest.mark.slow
@pytest.mark.parametrize(("name", "answers", "classes"), [("cifar10", {}, 10), ("cifar100", {"labels": "fine"}, 100)])
def test_full_cifar_is_there_in_seconds_and_then_at_once(mine: Path, name: str, answers: dict, classes: int) -> None:
    """At most 10 s the first time and 1 s from the cache, with torch imported, as it is in a worker."""
    root, began = Path(os.environ["UNLEARN_DATA_ROOT"]), time.perf_counter()
    spec = build_import_spec(source(name), answers)
    import_dataset(spec, mine, NullListener(), root=root)
    first = time.perf_counter() - began
    began = time.perf_counter()
    found = datasets.load(spec.dataset)
    again = time.perf_counter() - began
    print(f"{name}: {first:.2f} s the first time, {again:.4f} s from the cache")
    assert first <= 10 and again <= 1
    assert (found.train, found.val, found.test) == (50_000, 2_000, 8_000)
    assert np.bincount(found.labels[50_000:52_000], minlength=classes).tolist() == [2_000 // classes] * classes
    kind = torchvision_sets.CIFAR10 if name == "cifar10" else torchvision_sets.CIFAR100
    real = kind(str(root), train=True)
    assert (found.images[:50_000] == real.data).all() and found.labels[:50_000].tolist() == real.targets


@FULL
def test_coarse_classes_are_the_authors_own(mine: Path) -> None:
    root = Path(os.environ["UNLEARN_DATA_ROOT"])
    if not (root / "cifar-100-python").is_dir():
        pytest.skip("UNLEARN_DATA_ROOT has no CIFAR-100")
    found = brought("cifar100", mine, root, labels="coarse")
    # The checksum of the coarse labels that lie beside the fine ones in the authors' own training file.
    assert hashlib.sha256(found.labels[:50_000].astype(np.uint8).tobytes()).hexdigest() == COARSE_LABELS


def test_coarse_classes_hold_each_fine_class_once() -> None:
    fine = [name for names in cifar100.COARSE.values() for name in names.split()]
    assert len(fine) == len(set(fine)) == 100 and len(cifar100.COARSE) == 20


# The others, in small.


def test_svhn(mine: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng, known = np.random.default_rng(0), {}
    first = np.empty(0, np.uint8)
    for part in ("train", "test"):
        file = root / f"{part}_32x32.mat"
        pixels = rng.integers(0, 256, (32, 32, 3, 60), np.uint8)
        savemat(file, {"X": pixels, "y": (np.arange(60) % 10 + 1)[:, None].astype(np.uint8)})
        known[part] = ["http://nowhere.invalid", file.name, md5(file.read_bytes())]
        if part == "train":
            first = pixels[..., 0]
    monkeypatch.setattr(torchvision_sets.SVHN, "split_list", known | {"extra": known["train"]})
    found = brought("svhn", mine, root)
    assert (found.train, found.val, found.test) == (60, 10, 50)
    assert (found.images[0] == first).all() and found.labels[:10].tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def clothes() -> dict[str, bytes]:
    rng = np.random.default_rng(1)
    return {
        f"{part}-{kind}.gz": gzip.compress(idx(array), mtime=0)
        for part in ("train", "t10k")
        for kind, array in (
            ("images-idx3-ubyte", rng.integers(0, 256, (40, 28, 28), np.uint8)),
            ("labels-idx1-ubyte", np.arange(40) % 10),
        )
    }


def test_fashion_mnist_becomes_three_channels_in_a_black_frame(mine: Path, root: Path) -> None:
    raw = root / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for name, data in clothes().items():
        (raw / name.removesuffix(".gz")).write_bytes(gzip.decompress(data))
    found = brought("fashion-mnist", mine, root)
    grey = np.frombuffer(gzip.decompress(clothes()["train-images-idx3-ubyte.gz"])[16:], np.uint8).reshape(-1, 28, 28)
    assert found.images.shape[1:] == (32, 32, 3)
    assert (found.images[:40, 2:30, 2:30] == grey[..., None]).all()
    assert not found.images[:, :2].any() and not found.images[:, :, 30:].any()
    assert "T-shirt or top" in datasets.card("fashion-mnist").classes
    assert brought("fashion-mnist", mine, root, size=28).images.shape[1:] == (28, 28, 3)


def test_food101_keeps_the_authors_lists(mine: Path, root: Path) -> None:
    lists = {"train": range(6), "test": range(6, 11)}
    for part, numbers in lists.items():
        names = {dish: [f"{dish}/{number}" for number in numbers] for dish in ("apple_pie", "waffles")}
        file = root / "food-101" / "meta" / f"{part}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(names))
        for path in [path for paths in names.values() for path in paths]:
            image = root / "food-101" / "images" / f"{path}.jpg"
            image.parent.mkdir(parents=True, exist_ok=True)
            image.write_bytes(picture(len(path), size=(90, 60), kind="JPEG"))
    found = brought("food101", mine, root)
    assert (found.train, found.val, found.test) == (12, 2, 8)
    assert datasets.card("food101").classes == ("apple pie", "waffles") and found.images.shape[1:] == (64, 64, 3)


def test_flowers102_keeps_the_authors_three_sets(mine: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = root / "flowers-102"
    (base / "jpg").mkdir(parents=True)
    for number in range(1, 409):
        (base / "jpg" / f"image_{number:05d}.jpg").write_bytes(picture(1, size=(20, 20), kind="JPEG"))
    savemat(base / "imagelabels.mat", {"labels": np.arange(408) % 102 + 1})
    savemat(
        base / "setid.mat", {"trnid": np.arange(1, 103), "valid": np.arange(103, 205), "tstid": np.arange(205, 409)}
    )
    known = {"image": ("102flowers.tgz", "")} | {
        name: (f"{file}.mat", md5((base / f"{file}.mat").read_bytes()))
        for name, file in (("label", "imagelabels"), ("setid", "setid"))
    }
    monkeypatch.setattr(torchvision_sets.Flowers102, "_file_dict", known)
    found = brought("flowers102", mine, root, size=16)
    assert (found.train, found.val, found.test) == (102, 102, 204)


def laid_out(folder: Path, members: dict[str, bytes]) -> Path:
    for path, data in members.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return folder


def test_lfw_keeps_the_people_with_enough_pictures(mine: Path, root: Path) -> None:
    assert "unpack it as lfw_funneled" in source("lfw").unavailable_reason(root)
    with pytest.raises(InvalidDatasetError, match="can no longer be downloaded"):
        brought("lfw", mine, root)
    many = faces(3, 8) | {f"Once_{number}/Once_{number}_0001.jpg": picture(number) for number in range(5)}
    laid_out(root / "lfw_funneled", many)
    assert not source("lfw").unavailable_reason(root)
    found = brought("lfw", mine, root, least=5)
    assert len(found.images) == 24
    with pytest.raises(InvalidDatasetError, match="0 classes have 20 images or more"):
        brought("lfw", mine, root, least=20)


def test_a_folder_below_the_root_and_nowhere_else(
    mine: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    laid_out(root / "faces", faces(3, 6))
    outside = laid_out(tmp_path / "outside", faces(3, 6))
    (root / "link").symlink_to(outside)
    (root / "faces" / "anna" / "link.png").symlink_to(outside / "anna" / "0.png")
    (root / "faces" / "secrets").symlink_to(outside / "ben")
    assert source("folder").choices(root)["folder"] == ("faces",)
    for folder in ("../outside", str(outside), "link", ".", "", "faces/../../outside", "nowhere"):
        with pytest.raises(InvalidDatasetError):
            brought("folder", mine, root, folder=folder)
    monkeypatch.delenv("UNLEARN_DATA_ROOT", raising=False)
    with pytest.raises(InvalidDatasetError, match="UNLEARN_DATA_ROOT"):
        brought("folder", mine, None, folder="faces")
    found = brought("folder", mine, root, folder="faces")
    assert len(found.images) == 18, "links lead nowhere"


def test_train_val_and_test_folders_are_kept(mine: Path, root: Path) -> None:
    parts = {"train": 4, "Valid": 2, "test": 3}
    members = {f"{part}/{path}": data for part, each in parts.items() for path, data in faces(3, each).items()}
    laid_out(root / "sets", members)
    found = brought("folder", mine, root, folder="sets")
    assert (found.train, found.val, found.test) == (12, 6, 9)


def test_hugging_face_by_a_library_that_is_there_or_not(
    mine: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if not source("huggingface").unavailable_reason(None):
        pytest.skip("the library `datasets` is installed here")
    with pytest.raises(InvalidDatasetError, match="pip install datasets"):
        brought("huggingface", mine, None, name="a/b")

    class Image:
        def __init__(self, decode: bool = True) -> None: ...

    class ClassLabel:
        names = ("cat", "dog/hound", "emu")

    class Rows(list):
        features = {"img": Image(), "label": ClassLabel()}  # noqa: RUF012

        def cast_column(self, name: str, kind: Image) -> "Rows":
            return self

    def load_dataset(name: str, config: str | None) -> dict[str, Rows]:
        if name != "a/b":
            raise ConnectionError("no internet")
        rows = [{"img": {"bytes": picture(n), "path": None}, "label": n % 3} for n in range(30)]
        return {"train": Rows(rows), "test": Rows(rows[:15])}

    library = SimpleNamespace(load_dataset=load_dataset, Image=Image, ClassLabel=ClassLabel)
    monkeypatch.setitem(sys.modules, "datasets", library)
    monkeypatch.setattr("unlearn_core.data.sources.huggingface.importlib.util.find_spec", lambda name: library)
    monkeypatch.setattr(metadata, "version", lambda name: "3.9.1")
    assert "version 4 or newer" in source("huggingface").unavailable_reason(None), (
        "older ones run a data set's own script"
    )
    monkeypatch.setattr(metadata, "version", lambda name: "4.1.0")
    found = brought("huggingface", mine, None, name="a/b", size=16)
    assert (found.train, found.val, found.test) == (30, 3, 12)
    assert [card.classes for card in user_catalog.dataset_cards().values()] == [("cat", "dog or hound", "emu")]
    assert not list((mine / "uploads").iterdir())
    with pytest.raises(InvalidDatasetError, match="could not be loaded"):
        brought("huggingface", mine, None, name="a/c")
    for name in ("../../etc", "https://evil/x", "a/b/c", ""):
        with pytest.raises(InvalidDatasetError, match="owner/name"):
            brought("huggingface", mine, None, name=name)
    with pytest.raises(InvalidDatasetError, match="is a local folder"):
        brought("huggingface", mine, None, name="unlearn_core/data")


# Downloads.


class Files(ThreadingHTTPServer):
    """Serves files from memory, ranges too; `cut` breaks the first answer off after so many bytes."""

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.asked, self.cut = files, [], 0

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{name}"


class Handler(BaseHTTPRequestHandler):
    server: Files  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.asked.append((self.path, wanted))
        data = self.server.files[self.path.rpartition("/")[2]]
        first = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(data) - first))
        self.end_headers()
        cut, self.server.cut = self.server.cut, 0
        self.wfile.write(data[first : cut or None])

    def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002


@pytest.fixture
def server() -> Iterator[Files]:
    files = Files(clothes() | {"big.bin": os.urandom(300_000)})
    thread = Thread(target=files.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield files
    files.shutdown()
    thread.join()
    files.server_close()


def test_a_download_that_broke_off_goes_on(server: Files, tmp_path: Path) -> None:
    part = RemoteFile(server.url("big.bin"), "sub/big.bin", md5(server.files["big.bin"]))
    server.cut = 100_000
    with pytest.raises(InvalidDatasetError, match="the download resumes"):
        fetch(part, tmp_path, quiet)
    told: list[tuple] = []
    assert fetch(part, tmp_path, lambda *now: told.append(now)).read_bytes() == server.files["big.bin"]
    assert [wanted for _, wanted in server.asked] == [None, "bytes=100000-"]
    assert {phase for phase, *_ in told} == {"download", "check"}
    fetch(part, tmp_path, quiet)
    assert len(server.asked) == 2, "what is there is not fetched again"


def test_a_download_with_another_checksum_is_refused_and_begun_anew(server: Files, tmp_path: Path) -> None:
    part = RemoteFile(server.url("big.bin"), "big.bin", md5(b"another"))
    with pytest.raises(InvalidDatasetError, match="has a wrong checksum"):
        fetch(part, tmp_path, quiet)
    assert not list(tmp_path.iterdir())


def test_without_internet_it_says_what_to_put_where(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "_PATIENCE", 1.0)
    monkeypatch.setattr(
        "unlearn_core.data.sources.svhn.REMOTE_FILES", (RemoteFile("http://127.0.0.1:9/x.mat", "x.mat", "0" * 32),)
    )
    with pytest.raises(InvalidDatasetError) as refused:
        brought("svhn", mine, None)
    assert "http://127.0.0.1:9/x.mat could not be downloaded" in str(refused.value)
    assert f"put the file into {mine / 'downloads'}" in str(refused.value)


def test_a_set_is_downloaded_checked_and_unpacked(mine: Path, server: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    known = [(name, md5(data)) for name, data in clothes().items()]
    monkeypatch.setattr(torchvision_sets.FashionMNIST, "resources", known)
    monkeypatch.setattr(torchvision_sets.FashionMNIST, "mirrors", ["http://nowhere.invalid/"])
    parts = tuple(RemoteFile(server.url(name), f"FashionMNIST/raw/{name}", sum_) for name, sum_ in known)
    monkeypatch.setattr(fashion_mnist, "REMOTE_FILES", parts)
    found = brought("fashion-mnist", mine, None)
    assert (found.train, found.val, found.test) == (40, 10, 30)
    assert len(server.asked) == 4


# A cancel, at any moment, leaves nothing.


@pytest.mark.parametrize("moment", [0, 60])
def test_a_cancel_leaves_nothing(mine: Path, root: Path, moment: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # Real decoding could end before the moment of the cancel.
    monkeypatch.setattr(prepare, "DECODE_FUNCTION", "tests.data.sandbox.sandbox_jobs:hangs")
    laid_out(root / "faces", faces(3, 60))

    class Impatient(NullListener):
        def progress(self, progress: Progress) -> None:
            if progress.phases[-1].done >= moment:
                raise CancelledError("enough")

    with pytest.raises(CancelledError):
        import_dataset(build_import_spec(source("folder"), {"folder": "faces"}), mine, Impatient(), root=root)
    assert not list((mine / "datasets").iterdir())


def test_a_cancelled_upload_is_not_kept(mine: Path, tmp_path: Path) -> None:
    with write(tmp_path / "z.zip", faces()).open("rb") as file:
        kept = upload_store.save(mine, file, UploadLimits())

    class Impatient(NullListener):
        def check(self) -> None:
            raise CancelledError("enough")

    with pytest.raises(CancelledError):
        import_dataset(build_import_spec(source("zip"), {"upload": kept}), mine, Impatient())
    assert not list((mine / "uploads").iterdir()) and not list((mine / "datasets").iterdir())
