"""Makes one model of the playground, and stores its frames where the page finds them."""

import time

from unlearn_core.domain.results.metrics import JobSeconds, RunMetrics
from unlearn_core.domain.results.point_runs import PointsSpec
from unlearn_core.engine.job import Job, JobContext
from unlearn_core.engine.playground.point_models import make_frames
from unlearn_core.store.files import playground_results


def run_points(spec: PointsSpec, context: JobContext) -> RunMetrics:
    """Store the frames of a spec, unless they are there. Raises what `make_frames` raises."""
    began, data_dir = time.perf_counter(), context.model_cache.data_dir
    if playground_results.find(data_dir, spec) is None:
        playground_results.save(data_dir, spec, make_frames(spec, context.model_cache, context.listener))
    return RunMetrics(seconds=JobSeconds(total=time.perf_counter() - began))


JOB = Job(spec=PointsSpec, execute=run_points)
