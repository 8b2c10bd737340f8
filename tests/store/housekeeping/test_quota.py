"""How much a visitor may upload: what counts, what does not, and the sentence with the figures."""

import pytest

from tests.store.access.test_separation import ANN, BEN
from tests.store.housekeeping.test_erasure import FACES, UPLOAD, Homes, add_dataset, homes
from unlearn_core.domain.errors import QuotaExceededError
from unlearn_core.domain.jobs import ImportDatasetSpec
from unlearn_core.store.housekeeping.quota import check_upload, uploaded_bytes

__all__ = ["homes"]

MB = 1_000_000


def grow(homes: Homes, file: str, size: int) -> None:
    with (homes.home / file).open("r+b") as found:
        found.truncate(size)  # takes no disk


def test_own_data_sets_classifiers_and_waiting_uploads_count(homes: Homes) -> None:
    small = uploaded_bytes(homes.ann)
    waiting = ImportDatasetSpec(
        dataset="more", title="More", source="zip", options={"upload": f"{UPLOAD}-00000000"}, size=8
    )
    grow(homes, f"uploads/{UPLOAD}-00000000.zip", 3 * MB)
    assert uploaded_bytes(homes.ann) == small, "its import has ended"
    homes.ann.submit(waiting, title="Prepare more")
    assert uploaded_bytes(homes.ann) == small + 3 * MB
    held = uploaded_bytes(homes.ann)
    for file, taken in (
        (f"datasets/{FACES}/images.npy", 5 * MB),
        ("trash/datasets/zebrafinch-gone/images.npy", 7 * MB),
        (f"trained/.uploads/{UPLOAD}/given", 11 * MB),
    ):
        before = (homes.home / file).stat().st_size
        grow(homes, file, taken)
        held += taken - before
        assert uploaded_bytes(homes.ann) == held
    assert uploaded_bytes(homes.server.acting_as(BEN)) == 0


def test_too_much_is_refused_with_the_figures(homes: Homes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNLEARN_MOST_VISITOR_GB", "1")
    grow(homes, f"datasets/{FACES}/images.npy", 900 * MB)
    check_upload(homes.ann, 99 * MB)
    with pytest.raises(QuotaExceededError) as refusal:
        check_upload(homes.ann, 212 * MB)
    assert str(refusal.value) == (
        "Your uploads, data sets and classifiers take 900 MB, this file has 212 MB, and each visitor may have 1.0 GB: "
        "112 MB too much. Remove a data set or a classifier of yours first, also from the trash. "
        "The operator of this server can change UNLEARN_MOST_VISITOR_GB."
    )
    check_upload(homes.server.acting_as(BEN), 999 * MB)
    check_upload(homes.server, 2_000 * MB)
    add_dataset(homes.home, "more-ab12cd", ANN.id)
    grow(homes, "datasets/more-ab12cd/images.npy", 200 * MB)
    with pytest.raises(QuotaExceededError, match=r"take 1\.1 GB"):
        check_upload(homes.ann, 1)
