"""All that a worker's process needs of the engine."""

from unlearn_core.engine.execute import carry_out
from unlearn_core.engine.model_cache import Warm
from unlearn_core.engine.stacked_execute import carry_out_together, stacks

__all__ = ["Warm", "carry_out", "carry_out_together", "stacks"]
