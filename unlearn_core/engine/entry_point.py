"""The part of the engine that a worker's process uses."""

from unlearn_core.engine.execute import execute_job
from unlearn_core.engine.forecasts.silence import longest_silence
from unlearn_core.engine.model_cache import ModelCache
from unlearn_core.engine.playground.point_models import prepare_points
from unlearn_core.engine.stacked_execute import execute_stacked, stackable_params

__all__ = ["ModelCache", "execute_job", "execute_stacked", "longest_silence", "prepare_points", "stackable_params"]
