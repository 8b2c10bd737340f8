"""All that a worker's process needs of the engine."""

from unlearn_core.engine.execute import carry_out
from unlearn_core.engine.together import carry_out_together, stacks
from unlearn_core.engine.warm import Warm

__all__ = ["Warm", "carry_out", "carry_out_together", "stacks"]
