"""`bench` measures real runs."""

import json

import pytest

from unlearn_core.__main__ import main


@pytest.mark.slow
def test_figures_belong_together(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--classifier", "tiny", "--forget-class", "rows", "--method", "finetune", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    parts = said["  forgetting (s)"] + said["  evaluating (s)"] + said["  measuring (s)"]
    assert 0 < parts <= said["warm run (s)"]
    probes = [value for name, value in said.items() if name.startswith("    ")]
    assert len(probes) > 8 and probes == sorted(probes, reverse=True)
    assert said["bare steps / method"] == pytest.approx(
        said["bare training steps: pictures a second"] / said["method: pictures a second"]
    )
    assert said["PGD batched vs one by one (times as fast)"] > 1
    assert said["importance vectorised vs loop (times as fast)"] > 0
    assert said["trials side by side vs one by one (times as fast)"] > 0
