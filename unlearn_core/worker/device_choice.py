"""Which devices a worker is to serve, asked in a child, so that the supervisor need not import torch for it."""

from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from unlearn_core.domain.errors import WorkerError
from unlearn_core.worker.child_process import CONTEXT
from unlearn_core.worker.start import WORK_MODULE, prepare_forkserver


def resolve_devices(requested: str) -> list[str]:
    """The device that is named; for "auto" every GPU, or the CPU where there is none. Raises NoSuchDevice."""
    if requested == "cpu":
        return [requested]
    prepare_forkserver(WORK_MODULE)  # the forkserver that answers here is the one that the work is forked from later
    try:
        with ProcessPoolExecutor(1, mp_context=CONTEXT) as pool:
            return pool.submit(_device_names, requested).result()
    except BrokenProcessPool:
        raise WorkerError("torch cannot be imported: see above, and try `python -m unlearn_core doctor`.") from None


def _device_names(requested: str) -> list[str]:
    from unlearn_core.engine.devices import list_devices, resolve_device

    gpus = [name for name in list_devices() if name != "cpu"]
    return gpus if requested == "auto" and gpus else [resolve_device(requested)]
