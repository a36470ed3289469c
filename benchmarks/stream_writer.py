"""Writes many completions' texts at one pace, as a worker does, until its input is closed: a process of its own.

Takes one line `{"completions": [id, …], "word", "tokens_per_second"}` and says in a line when it has begun.
"""

import json
import sys
import threading
import time
from uuid import UUID

from inference_workers.streams import StreamWriter, sync_client

if __name__ == "__main__":
    asked = json.loads(sys.stdin.readline())
    completions = [UUID(each) for each in asked["completions"]]
    closed = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), closed.set()), daemon=True).start()
    writer = StreamWriter(sync_client())
    for completion_id in completions:
        writer.begin(completion_id, 1)
    begun, tokens = time.monotonic(), 0
    while not closed.wait(max(0.0, begun + tokens / asked["tokens_per_second"] - time.monotonic())):
        tokens += 1
        for completion_id in completions:
            writer.add(completion_id, asked["word"])
        writer.flush()
        if tokens == 1:
            print("writing", flush=True)
