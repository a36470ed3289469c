"""States of what the log hangs on. `docs/states.md` is generated from these tables."""

from annotation.enums import AssignmentState as A
from annotation.enums import BatchState as B
from annotation.enums import CampaignState as C
from annotation.enums import DatasetState as D
from annotation.enums import GenerationState as G
from annotation.enums import ItemState as I
from annotation.enums import Participation as P
from annotation.enums import RespondentState as R
from annotation.enums import ReviewState as V
from annotation.enums import SlotState as L
from annotation.enums import SourceState as S
from annotation.enums import UploadState as U
from annotation.enums import VerdictState as Y
from annotation.enums import WorthState as W
from foundation.transitions import Table

CAMPAIGN: Table = {
    C.DRAFT: {C.PILOT, C.RUNNING},
    C.PILOT: {C.DRAFT, C.RUNNING, C.CLOSED},
    C.RUNNING: {C.PAUSED, C.CLOSED},
    C.PAUSED: {C.RUNNING, C.CLOSED},
    C.CLOSED: set(),
}
ITEM: Table = {
    I.FILLING: {I.OPEN, I.PROPOSED, I.VOID},
    # Gold that the workers made is checked before anybody is measured by it.
    I.PROPOSED: {I.OPEN, I.VOID},
    # An open item takes follow-up turns; the first judgment freezes it.
    I.OPEN: {I.FILLING, I.FROZEN, I.VOID},
    # What turns out broken after it was judged; its judgments are taken out with it.
    I.FROZEN: {I.VOID},
    I.VOID: set(),
}
SLOT: Table = {
    L.OPEN: {L.CLAIMED, L.CANCELLED},
    L.CLAIMED: {L.DONE, L.OPEN, L.CANCELLED},
    # Its judgment was taken out, and another slot asks in its place; or its annotator took it back and holds it again.
    L.DONE: {L.CANCELLED, L.CLAIMED},
    # What was taken out wrongly stands again, unless somebody was asked meanwhile; an adjudication fills a slot that
    # nobody else may claim.
    L.CANCELLED: {L.DONE},
}
ASSIGNMENT: Table = {
    A.OPEN: {A.SUBMITTED, A.SKIPPED, A.EXPIRED, A.CANCELLED},
    # Its annotator took the answer back.
    A.SUBMITTED: {A.OPEN},
    A.SKIPPED: set(),
    A.EXPIRED: set(),
    A.CANCELLED: set(),
}
SOURCE: Table = {
    S.ACTIVE: {S.RETIRED},
    # A model judge's source comes back to where it was: no source ever changes between people and judges.
    S.APART: {S.RETIRED},
    S.RETIRED: {S.ACTIVE, S.APART},
}
RESPONDENT: Table = {
    R.ACTIVE: {R.SCREENED_OUT, R.BLOCKED, R.WITHDRAWN},
    # A screen-out or a block may have been wrong. Whoever has answered anything may withdraw it.
    R.SCREENED_OUT: {R.ACTIVE, R.BLOCKED, R.WITHDRAWN},
    R.BLOCKED: {R.ACTIVE, R.WITHDRAWN},
    R.WITHDRAWN: set(),
}
UPLOAD: Table = {
    U.UPLOADED: {U.QUEUED, U.FAILED},
    # A refused file may be read again with other columns.
    U.QUEUED: {U.WRITING, U.FAILED},
    U.WRITING: {U.DONE, U.FAILED, U.QUEUED},
    U.DONE: set(),
    U.FAILED: {U.QUEUED},
}
DATASET: Table = {
    D.QUEUED: {D.BUILDING, D.FAILED},
    # A killed worker's build starts again.
    D.BUILDING: {D.READY, D.FAILED, D.QUEUED},
    D.READY: set(),
    D.FAILED: set(),
}
REVIEW: Table = {
    V.PENDING: {V.APPROVED, V.CONTESTED, V.RETURNED},
    V.APPROVED: {V.PENDING},
    # The second reviewer agrees, or does not.
    V.CONTESTED: {V.REJECTED, V.APPROVED, V.PENDING},
    V.REJECTED: {V.APPEALED, V.PENDING},
    V.APPEALED: {V.REJECTED, V.APPROVED},
    V.RETURNED: set(),
}
BATCH: Table = {B.OPEN: {B.ACCEPTED, B.RETURNED}, B.ACCEPTED: set(), B.RETURNED: set()}
WORTH: Table = {
    W.CHECK: {W.PRACTICE, W.ITEMS, W.ENDED},
    W.PRACTICE: {W.ITEMS, W.ENDED},
    # Nothing can be changed after the answers are locked.
    W.ITEMS: {W.LOCKED, W.ENDED},
    W.LOCKED: {W.DRAWN},
    W.DRAWN: set(),
    W.ENDED: set(),
}
GENERATION: Table = {
    G.RUNNING: {G.PAUSED, G.DONE, G.CANCELLED},
    G.PAUSED: {G.RUNNING, G.CANCELLED},
    # Items that failed may be tried again.
    G.DONE: {G.RUNNING},
    G.CANCELLED: set(),
}
# A judging goes its way by the same states as a generation.
JUDGING: Table = {
    G.RUNNING: {G.PAUSED, G.DONE, G.CANCELLED},
    G.PAUSED: {G.RUNNING, G.CANCELLED},
    G.DONE: set(),
    G.CANCELLED: set(),
}
VERDICT: Table = {
    Y.WAITING: {Y.ASKED, Y.CANCELLED},
    # What could not be read is asked once more.
    Y.ASKED: {Y.JUDGED, Y.FAILED, Y.CANCELLED},
    Y.JUDGED: set(),
    Y.FAILED: set(),
    Y.CANCELLED: set(),
}
PARTICIPATION: Table = {
    P.STARTED: {P.COMPLETED, P.SCREENED_OUT, P.OVER_QUOTA},
    P.COMPLETED: set(),
    P.SCREENED_OUT: {P.STARTED},
    P.OVER_QUOTA: {P.STARTED},
}
TABLES = {
    "Campaign": CAMPAIGN,
    "Item": ITEM,
    "Slot": SLOT,
    "Assignment": ASSIGNMENT,
    "Source": SOURCE,
    "Respondent": RESPONDENT,
    "ItemUpload": UPLOAD,
    "DatasetVersion": DATASET,
    "Review": REVIEW,
    "Batch": BATCH,
    "WorthSession": WORTH,
    "Generation": GENERATION,
    "Judging": JUDGING,
    "Verdict": VERDICT,
    "StudyParticipant": PARTICIPATION,
}
