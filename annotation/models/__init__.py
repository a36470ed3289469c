"""The one log, and what it hangs on. See `docs/log.md` for the picture."""

from annotation.models.boards import Board, LeaderboardSnapshot
from annotation.models.campaigns import Campaign, ConsentText, GuidelinesVersion, Instrument, Question
from annotation.models.datasets import DatasetVersion
from annotation.models.events import Event
from annotation.models.items import Contestant, FollowUp, Item, Prompt, Response, Turn
from annotation.models.judgments import Impression, ImpressionEvent, Judgment, JudgmentText, LogEntry
from annotation.models.people import Invitation, Respondent, Source
from annotation.models.slots import Assignment, Draft, Flag, Slot
from annotation.models.uploads import ItemUpload

__all__ = [
    "Assignment",
    "Board",
    "Campaign",
    "ConsentText",
    "Contestant",
    "DatasetVersion",
    "Draft",
    "Event",
    "Flag",
    "FollowUp",
    "GuidelinesVersion",
    "Impression",
    "ImpressionEvent",
    "Instrument",
    "Invitation",
    "Item",
    "ItemUpload",
    "Judgment",
    "JudgmentText",
    "LeaderboardSnapshot",
    "LogEntry",
    "Prompt",
    "Question",
    "Respondent",
    "Response",
    "Slot",
    "Source",
    "Turn",
]
