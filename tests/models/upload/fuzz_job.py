"""Functions that damage checkpoints and have them loaded, many in one sandboxed process."""

import collections
import traceback
import warnings
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save

from tests.data.hostile_files import good, saved
from tests.models.upload.checkpoints import BESIDE, LEGACY, Net, loaded, with_pickle, zipped_pickle
from unlearn_core.data.sandbox import JobContext
from unlearn_core.domain.errors import InvalidCheckpointError

FILES = {
    "a wrapped state dict": saved({"epoch": 3, "state_dict": good(), "more": BESIDE["a numpy scalar"]}),
    "a whole module": saved(Net()),
    "a legacy state dict": saved({"epoch": 3, "state_dict": good(), "more": BESIDE["argparse.Namespace"]}, **LEGACY),
    "a legacy module": saved({"net": Net(), "acc": BESIDE["a deque"]}, **LEGACY),
    "safetensors": save(good()),
}
"""Valid checkpoints, by what they are."""

OPCODES = b"(.)0123FGIJKLMNPQRSTUVX]abcdeghijlopqrstu}\x80\x81\x82\x85\x86\x87\x88\x89\x8a\x8c\x93\x94\x95"


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A valid checkpoint with up to four changes, in its bytes or, within a zip that stays whole, in its pickle."""
    file = FILES[draw(st.sampled_from(sorted(FILES)))]
    within = file.startswith(b"PK") and draw(st.booleans())
    data = bytearray(zipped_pickle(file) if within else file)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(len(data) - 1, 0)))
        other = draw(st.integers(0, max(len(data) - 1, 0)))
        match draw(st.sampled_from(["byte", "opcode", "number", "cut", "repeat", "swap"])):
            case "byte":
                data[place : place + 1] = draw(st.binary(min_size=1, max_size=1))
            case "opcode":
                data[place : place + 1] = bytes([draw(st.sampled_from(OPCODES))])
            case "number":
                data[place : place + 4] = draw(st.sampled_from([b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff", bytes(4)]))
            case "cut":
                del data[place : place + draw(st.integers(1, 40))]
            case "repeat":
                data[place:place] = data[other : other + draw(st.integers(1, 40))]
            case "swap" if data:
                data[place], data[other] = data[other], data[place]
    return with_pickle(file, bytes(data)) if within else bytes(data)


def loads_many(job: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """Loads so many damaged checkpoints; counts how they end, and says what the first one was that ended in a fault."""
    warnings.simplefilter("ignore")
    ends: collections.Counter[str] = collections.Counter()
    faults = {}

    @settings(max_examples=job["examples"], deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(damaged())
    def ends_well(data: bytes) -> None:
        try:
            loaded(data, Path(job["folder"]))
            ends["loaded"] += 1
        except MemoryError:
            ends["memory"] += 1
        except InvalidCheckpointError as problem:
            said = str(problem)
            assert said.isprintable() and len(said) < 500, said
            ends["refused"] += 1
        except Exception as problem:
            faults[type(problem).__name__] = f"{traceback.format_exc()}\n{data.hex()}"
            raise

    try:
        ends_well()
    except Exception as problem:
        return {"fault": faults or repr(problem)[:5000]}
    return dict(ends)
