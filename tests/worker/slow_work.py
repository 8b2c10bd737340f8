"""Work whose import takes a while, as torch's does."""

import time

from tests.worker.fake_work import ModelCache, execute_job, longest_silence, stackable_params

__all__ = ["ModelCache", "execute_job", "longest_silence", "stackable_params"]

time.sleep(1.5)
