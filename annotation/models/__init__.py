"""The one log, and what it hangs on. See `docs/log.md` for the picture."""

from annotation.models.boards import Board, LeaderboardSnapshot, LiveBoard, PairCount
from annotation.models.campaigns import Campaign, ConsentText, GuidelinesVersion, Instrument, Question
from annotation.models.datasets import DatasetVersion, DatasetWithdrawal
from annotation.models.events import Event
from annotation.models.generations import Generation
from annotation.models.items import Contestant, EarlierTurn, FollowUp, Item, Prompt, PromptLabel, Response, Turn
from annotation.models.judging import Judging, Verdict
from annotation.models.judgments import Impression, ImpressionEvent, Judgment, JudgmentText, LogEntry
from annotation.models.media import MediaFile
from annotation.models.pay import LedgerEntry, PaidEntry, Payment, Payout, PayoutLine
from annotation.models.people import Invitation, Respondent, Source
from annotation.models.reactions import Reaction
from annotation.models.reviews import Adjudication, Batch, GuidelineQuestion, ItemComment, Review, ReviewDecision
from annotation.models.selection import CampaignSelection, CategorySelection
from annotation.models.slots import Assignment, Draft, Flag, Slot, SlotTally, WorkTally
from annotation.models.studies import Study, StudyParticipant
from annotation.models.uploads import ItemUpload
from annotation.models.worth import Delivery, Draw, WorthSession

__all__ = [
    "Adjudication",
    "Assignment",
    "Batch",
    "Board",
    "Campaign",
    "CampaignSelection",
    "CategorySelection",
    "ConsentText",
    "Contestant",
    "DatasetVersion",
    "DatasetWithdrawal",
    "Delivery",
    "Draft",
    "Draw",
    "EarlierTurn",
    "Event",
    "Flag",
    "FollowUp",
    "Generation",
    "GuidelineQuestion",
    "GuidelinesVersion",
    "Impression",
    "ImpressionEvent",
    "Instrument",
    "Invitation",
    "Item",
    "ItemComment",
    "ItemUpload",
    "Judging",
    "Judgment",
    "JudgmentText",
    "LeaderboardSnapshot",
    "LedgerEntry",
    "LiveBoard",
    "LogEntry",
    "MediaFile",
    "PaidEntry",
    "PairCount",
    "Payment",
    "Payout",
    "PayoutLine",
    "Prompt",
    "PromptLabel",
    "Question",
    "Reaction",
    "Respondent",
    "Response",
    "Review",
    "ReviewDecision",
    "Slot",
    "SlotTally",
    "Source",
    "Study",
    "StudyParticipant",
    "Turn",
    "Verdict",
    "WorkTally",
    "WorthSession",
]
