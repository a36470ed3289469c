"""States of what the log hangs on. `docs/states.md` is generated from these tables."""

from annotation.enums import AssignmentState as A
from annotation.enums import CampaignState as C
from annotation.enums import DatasetState as D
from annotation.enums import ItemState as I
from annotation.enums import RespondentState as R
from annotation.enums import SlotState as L
from annotation.enums import SourceState as S
from annotation.enums import UploadState as U
from foundation.transitions import Table

CAMPAIGN: Table = {
    C.DRAFT: {C.PILOT, C.RUNNING},
    C.PILOT: {C.DRAFT, C.RUNNING, C.CLOSED},
    C.RUNNING: {C.PAUSED, C.CLOSED},
    C.PAUSED: {C.RUNNING, C.CLOSED},
    C.CLOSED: set(),
}
ITEM: Table = {
    I.FILLING: {I.OPEN, I.VOID},
    # An open item takes follow-up turns; the first judgment freezes it.
    I.OPEN: {I.FILLING, I.FROZEN, I.VOID},
    I.FROZEN: set(),
    I.VOID: set(),
}
SLOT: Table = {
    L.OPEN: {L.CLAIMED, L.CANCELLED},
    L.CLAIMED: {L.DONE, L.OPEN, L.CANCELLED},
    # Its judgment was taken out, and another slot asks in its place.
    L.DONE: {L.CANCELLED},
    L.CANCELLED: set(),
}
ASSIGNMENT: Table = {
    A.OPEN: {A.SUBMITTED, A.SKIPPED, A.EXPIRED, A.CANCELLED},
    A.SUBMITTED: set(),
    A.SKIPPED: set(),
    A.EXPIRED: set(),
    A.CANCELLED: set(),
}
SOURCE: Table = {S.ACTIVE: {S.RETIRED}, S.RETIRED: {S.ACTIVE}}
RESPONDENT: Table = {
    R.ACTIVE: {R.SCREENED_OUT, R.BLOCKED, R.WITHDRAWN},
    # A screen-out or a block may have been wrong.
    R.SCREENED_OUT: {R.ACTIVE, R.BLOCKED},
    R.BLOCKED: {R.ACTIVE},
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
TABLES = {
    "Campaign": CAMPAIGN,
    "Item": ITEM,
    "Slot": SLOT,
    "Assignment": ASSIGNMENT,
    "Source": SOURCE,
    "Respondent": RESPONDENT,
    "ItemUpload": UPLOAD,
    "DatasetVersion": DATASET,
}
