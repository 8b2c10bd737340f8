"""Stands in for the process that decodes, and says how it is limited instead of doing any work."""

import json
import os
import resource
import sys

from unlearn_core.data.ingest import decode_worker
from unlearn_core.data.ingest.upload_limits import UploadLimits

if __name__ == "__main__":
    job = json.load(sys.stdin)
    decode_worker._confine(UploadLimits(**job["limits"]), job["threads"])
    memory = resource.getrlimit(resource.RLIMIT_AS)
    seconds = resource.getrlimit(resource.RLIMIT_CPU)
    print(
        json.dumps({"found": {"pid": os.getpid(), "memory": memory, "seconds": seconds, "knows": sorted(os.environ)}})
    )
