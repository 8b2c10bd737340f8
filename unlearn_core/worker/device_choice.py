"""The choice of devices for workers, made in a child so that the supervisor need not import torch."""

from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from unlearn_core.domain.errors import WorkerError
from unlearn_core.worker.child_process import CONTEXT
from unlearn_core.worker.start import WORK_MODULE, prepare_forkserver


def resolve_devices(requested: str) -> list[str]:
    """Return the named device; for "auto" every GPU, or the CPU if there is none. Raises DeviceNotFoundError."""
    if requested == "cpu":
        return [requested]
    prepare_forkserver(WORK_MODULE)  # the same forkserver later forks the children
    try:
        with ProcessPoolExecutor(1, mp_context=CONTEXT) as pool:
            return pool.submit(_device_names, requested).result()
    except BrokenProcessPool:
        raise WorkerError("Cannot import torch: see above, and try `python -m unlearn_core doctor`.") from None


def _device_names(requested: str) -> list[str]:
    from unlearn_core.engine.devices import list_devices, resolve_device

    gpus = [name for name in list_devices() if name != "cpu"]
    return gpus if requested == "auto" and gpus else [resolve_device(requested)]
