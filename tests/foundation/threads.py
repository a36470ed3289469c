"""Real threads on real connections, for races."""

import threading

from django.db import connections

# How long the one waits for the other, which cannot come where a lock keeps it out.
WAIT = 0.7


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


class Meanwhile:
    """Lets the one come to a point and stay there until the other is done, or has had so many seconds.

    A control, in which no lock keeps the other out, waits until it is done.
    """

    def __init__(self, wait=WAIT):
        self.there, self.done, self.wait = threading.Event(), threading.Event(), wait

    def after(self, function):
        def stays(*arguments, **named):
            found = function(*arguments, **named)
            self.there.set()
            self.done.wait(self.wait)
            return found

        return stays

    def do(self, function):
        assert self.there.wait(20)
        try:
            return function()
        finally:
            self.done.set()
