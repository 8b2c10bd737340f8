"""Stands in for a decoder that has used up its time on the processor."""

import os
import signal

if __name__ == "__main__":
    os.kill(os.getpid(), signal.SIGXCPU)
