"""Work whose import takes a while, as torch's does."""

import time

from tests.worker.fake_work import Warm, carry_out, stacks

__all__ = ["Warm", "carry_out", "stacks"]

time.sleep(1.5)
