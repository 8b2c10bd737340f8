"""Pickles that would act do nothing, whether their names are known or hidden."""

import io
from pathlib import Path

import pytest

from tests.data.hostile_files import Canary, saved
from tests.models.upload.checkpoints import FORMATS, loaded
from tests.models.upload.hostile_pickles import CANARY, HOSTILE
from unlearn_core.data import user_catalog
from unlearn_core.domain.errors import InvalidCheckpointError
from unlearn_core.models.upload import receive


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_pickle_is_refused(name: str, tmp_path: Path) -> None:
    file = HOSTILE[name]
    with pytest.raises(InvalidCheckpointError, match=file.reason):
        loaded(file.made(), tmp_path)
    assert not Path(CANARY.partition(" ")[2]).exists()
    assert not (tmp_path / "plain").exists()


@pytest.mark.parametrize("how", FORMATS)
def test_code_is_not_run_in_either_format(how: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidCheckpointError, match=r"would run posix\.system"):
        loaded(saved({"w": Canary(tmp_path / "canary")}, **FORMATS[how]), tmp_path)
    assert not (tmp_path / "canary").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", list(HOSTILE)[::4])
def test_a_hostile_pickle_is_refused_in_the_limited_process(name: str, tmp_path: Path) -> None:
    user_catalog.set_data_dir(tmp_path)
    try:
        with pytest.raises(InvalidCheckpointError, match=HOSTILE[name].reason):
            receive.convert(receive.receive(io.BytesIO(HOSTILE[name].made())))
        assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    finally:
        user_catalog.set_data_dir(None)
