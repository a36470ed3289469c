"""Real threads on real connections, for races."""

import threading

from django.db import connections


def run_together(*functions, within=30):
    """Run each function in a thread of its own, close its connections, and return what each returned or raised.

    A thread that has not ended `within` so many seconds hangs: long work on a busy machine is given more of them.
    """
    outcomes = [None] * len(functions)

    def run(index):
        try:
            outcomes[index] = functions[index]()
        except Exception as error:  # noqa: BLE001  (handed to the test)
            outcomes[index] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[index]) for index in range(len(functions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(within)
        assert not thread.is_alive(), "a thread did not end"
    return outcomes
