"""Which devices a worker is to serve, asked in a child, so that the supervisor need not import torch for it."""

from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from unlearn_core.domain.errors import WorkerError
from unlearn_core.worker.child_process import CONTEXT
from unlearn_core.worker.start import WORK, prepare


def served(wanted: str) -> list[str]:
    """The device that is named; for "auto" every GPU, or the CPU where there is none. Raises NoSuchDevice."""
    if wanted == "cpu":
        return [wanted]
    prepare(WORK)  # the forkserver that answers here is the one that the work is forked from later
    try:
        with ProcessPoolExecutor(1, mp_context=CONTEXT) as pool:
            return pool.submit(_named, wanted).result()
    except BrokenProcessPool:
        raise WorkerError("torch cannot be imported: see above, and try `python -m unlearn_core doctor`.") from None


def _named(wanted: str) -> list[str]:
    from unlearn_core.engine.devices import available, resolve

    gpus = [name for name in available() if name != "cpu"]
    return gpus if wanted == "auto" and gpus else [resolve(wanted)]
