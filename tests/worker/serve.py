"""A real worker with fake work: `python -m tests.worker.serve HOME [--from-app] [--patience SECONDS] ...`."""

if __name__ == "__main__":  # every child imports this module anew, and needs nothing of it
    import argparse
    import sys
    import time
    from pathlib import Path

    from unlearn_core.domain.errors import WorkerAlreadyRunningError
    from unlearn_core.worker import start
    from unlearn_core.worker.device_supervisor import WorkerLimits

    parser = argparse.ArgumentParser()
    parser.add_argument("home", type=Path)
    parser.add_argument("--from-app", action="store_true")
    parser.add_argument("--patience", type=float)
    parser.add_argument("--code", help="what to take the source code for")
    parser.add_argument("--ahead", type=float, default=0.0, help="by how many seconds its clock is wrong")
    parser.add_argument("--silence", type=float, default=600.0, help="how long a run may make no step")
    parser.add_argument("--memory", type=int, help="how many MiB a run may use")
    parser.add_argument("--work", default="tests.worker.fake_work")
    args = parser.parse_args()
    if args.code:
        start.running_code = lambda: args.code
    clock = time.time
    time.time = lambda: clock() + args.ahead
    try:
        terms = WorkerLimits(cancel_grace=0.5, idle_timeout=args.patience, silence=args.silence, memory_mb=args.memory)
        start.run_worker("cpu", args.home, from_app=args.from_app, limits=terms, work_module=args.work)
    except WorkerAlreadyRunningError as problem:
        sys.exit(str(problem))
