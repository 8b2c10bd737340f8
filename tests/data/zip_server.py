"""A limited process that reads many zips, one per line of its input, as the import would: for fuzzing.

Each answer is a line too: "read N" with the number of images, or "refused SENTENCE". An error of another kind ends the
process.
"""

import sys
import tempfile
from pathlib import Path

from tests.data.zips import IN_THIS_PROCESS, MOST, job
from unlearn_core.data.ingest import decode_worker
from unlearn_core.data.sandbox import Limits
from unlearn_core.data.sandbox.child import confine, leave_network
from unlearn_core.domain.errors import InvalidDatasetError

LIMITS = Limits(memory=MOST.most_memory_mb << 20, seconds=600, file_bytes=1 << 26)


def answer(file: Path, out: Path, encoding: str) -> str:
    """What becomes of one zip."""
    work = job(file, out, encoding=encoding, limits=MOST.model_dump(), threads=1)
    try:
        got = decode_worker.decode_images(work, IN_THIS_PROCESS)
    except InvalidDatasetError as problem:
        return f"refused {problem}"
    return f"read {got['train'] + got['val'] + got['test']}"


def main() -> None:
    leave_network()
    confine(LIMITS)
    with tempfile.TemporaryDirectory() as out:
        for line in sys.stdin:
            encoding, _, file = line.strip().partition(" ")
            print(ascii(answer(Path(file), Path(out), encoding)), flush=True)


if __name__ == "__main__":
    main()
