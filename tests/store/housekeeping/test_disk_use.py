"""What costs disk: every byte of the data folder once, by kind, and by owner what nobody else needs."""

import pytest

from tests.store.access.test_separation import ANN, BEN
from tests.store.housekeeping.test_erasure import FACES, Homes, homes
from tests.store.specs import sql
from unlearn_core.domain.errors import NotAllowedError
from unlearn_core.store.housekeeping import disk_use, footprint
from unlearn_core.store.housekeeping.disk_use import FILE, last_measured, measure
from unlearn_core.store.housekeeping.erasure import erase
from unlearn_core.store.housekeeping.footprint import megabytes

__all__ = ["homes"]


def test_every_byte_counts_once(homes: Homes) -> None:
    files = [path for path in homes.home.rglob("*") if path.is_file()]
    sizes = {path: path.stat().st_size for path in files}
    found = measure(homes.server)
    database = {path for path in files if path.name.startswith("lab.db")}
    counted = {amount.title: amount for amount in found.kinds}
    assert found.bytes - counted[disk_use.DATABASE].bytes == sum(sizes.values()) - sum(sizes[one] for one in database)
    numbers = {title: amount.number for title, amount in counted.items()}
    assert numbers[footprint.RUNS] == 8 and numbers[footprint.GOLDS] == 2 and numbers[footprint.ENSEMBLES] == 2
    assert (numbers[footprint.CLASSIFIERS], numbers[footprint.DATASETS]) == (2, 2)
    assert (numbers[footprint.UPLOADS], numbers[footprint.EVALUATIONS], numbers[footprint.LISTS]) == (3, 3, 2)
    assert numbers[disk_use.LOGS] == 5 and numbers[disk_use.DATABASE] == 1
    assert counted[footprint.GOLDS].bytes == sum(
        sizes[path] for path in files if homes.home / "trained/golds" in path.parents
    )
    assert last_measured(homes.home) == found, "it is kept for the pages"


def test_an_owner_has_what_deleting_everything_frees(homes: Homes) -> None:
    found = measure(homes.server)
    assert {*found.owners} == {ANN.id, BEN.id}
    assert found.owners[ANN.id] == footprint.footprint(homes.ann).amounts
    rest = found.bytes - found.owner_bytes(ANN.id) - found.owner_bytes(BEN.id)
    assert rest > 0, "the database, the log, outputs of bundled models"
    sql(homes.home, "INSERT INTO item VALUES ('dataset', ?, ?)", FACES, BEN.id)
    shared = measure(homes.server)
    assert shared.owner_bytes(ANN.id) < found.owner_bytes(ANN.id)
    erase(homes.ann)
    left = last_measured(homes.home)
    assert left is not None and {*left.owners} == {BEN.id}


def test_a_damaged_file_counts_as_none(homes: Homes) -> None:
    assert last_measured(homes.home) is None
    for text in ("[1, [], ", "[1]", '{"a": 1}', "[1, [], 7]", "null"):
        (homes.home / FILE).write_text(text)
        assert last_measured(homes.home) is None
    with pytest.raises(NotAllowedError):
        measure(homes.ann)


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0.0 MB"), (123_456, "0.1 MB"), (31_400_000, "31 MB"), (2_449_000_000, "2.4 GB")]
)
def test_bytes_are_said_in_megabytes(count: int, text: str) -> None:
    assert megabytes(count) == text
