"""States of a completion. `docs/states.md` is generated from this table."""

from foundation.transitions import Table
from inference_workers.enums import BreakerState as B
from inference_workers.enums import CompletionState as S

COMPLETION: Table = {
    S.QUEUED: {S.RUNNING, S.CANCELLED, S.FAILED},
    # Back to the queue when a worker died or let its lease run out.
    S.RUNNING: {S.SUCCEEDED, S.FAILED, S.CANCELLED, S.QUEUED},
    S.SUCCEEDED: set(),
    S.FAILED: set(),
    S.CANCELLED: set(),
}
# Of an endpoint: too many failures in a row open it, one completion tries it after a while, and decides.
BREAKER: Table = {
    B.CLOSED: {B.OPEN},
    B.OPEN: {B.HALF_OPEN},
    B.HALF_OPEN: {B.CLOSED, B.OPEN},
}
TABLES = {"Completion": COMPLETION, "EndpointGauge": BREAKER}
