"""Stands in for a decoder in the midst of its work: it has begun a file, says so, and gets no further."""

import json
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    job = json.load(sys.stdin)
    Path(job["out"], "images.npy").write_bytes(b"the first of them")
    print(json.dumps(["decode", 60, 180]), flush=True)
    time.sleep(600)
