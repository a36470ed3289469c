from django.db import models
from django.utils.translation import gettext_lazy as _

from foundation.media.kinds import MediaKind as MediaKind


class CampaignState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    PILOT = "pilot", _("Pilot")
    RUNNING = "running", _("Running")
    PAUSED = "paused", _("Paused")
    CLOSED = "closed", _("Closed")


class Pool(models.TextChoices):
    """Who may join a campaign."""

    INVITED = "invited", _("Only with an invitation")
    ANNOTATORS = "annotators", _("Every annotator")
    EXPERTS = "experts", _("Every reviewer")


class OrderDesign(models.TextChoices):
    """How the order in which an item's responses are shown comes about."""

    DRAWN = "drawn", _("Drawn each time")
    BALANCED = "balanced", _("Balanced within each item")


class ItemPurpose(models.TextChoices):
    """Why an item is shown. Only work and anchors count for boards and datasets."""

    WORK = "work", _("Work")
    GOLD = "gold", _("Gold, the right answer is known")
    ATTENTION = "attention", _("Attention check")
    TRAINING = "training", _("Training, with an explanation")
    QUALIFICATION = "qualification", _("Qualification test")
    # Shown to everybody, so that the scales of people can be compared; counts as work for boards and datasets.
    ANCHOR = "anchor", _("Anchor, everybody judges it")


# What boards, datasets and a paid session's draw read.
COUNTED = (ItemPurpose.WORK, ItemPurpose.ANCHOR)


class ItemState(models.TextChoices):
    FILLING = "filling", _("Waiting for responses")
    PROPOSED = "proposed", _("Waiting to be checked by an admin")
    OPEN = "open", _("Open")
    FROZEN = "frozen", _("Frozen by its first judgment")
    VOID = "void", _("Void")


class SlotState(models.TextChoices):
    OPEN = "open", _("Open")
    CLAIMED = "claimed", _("Claimed")
    DONE = "done", _("Done")
    CANCELLED = "cancelled", _("Cancelled")


class AssignmentState(models.TextChoices):
    OPEN = "open", _("Open")
    SUBMITTED = "submitted", _("Submitted")
    SKIPPED = "skipped", _("Skipped")
    EXPIRED = "expired", _("Expired")
    CANCELLED = "cancelled", _("Cancelled")


class SourceKind(models.TextChoices):
    LIVE = "live", _("Live")
    IMPORT = "import", _("Imported")
    SIMULATION = "simulation", _("Simulated")
    JUDGE = "judge", _("Model judge")
    # Battles whose models their visitor had a say in: who picks whom they meet could favour or sink one.
    NAMED = "named", _("Battles of models that visitors named")
    OWN_SET = "own_set", _("Battles among visitors’ own models")


# Visitors' battles that count for themselves alone, and wherever somebody asks for them by name.
UNCOUNTED = (SourceKind.NAMED, SourceKind.OWN_SET)
# What is never active: whatever reads active sources reads none of it.
STANDS_APART = (SourceKind.JUDGE, *UNCOUNTED)


class SourceState(models.TextChoices):
    ACTIVE = "active", _("Active")
    RETIRED = "retired", _("Retired")
    # Of model judges, and of battles whose visitor had a say in who met: read only where it is asked for.
    APART = "apart", _("Apart, read only where asked for")


class JudgedBy(models.TextChoices):
    """Whose judgments are read. People and model judges never mix unless it is asked for."""

    PEOPLE = "people", _("People")
    MODELS = "models", _("Model judges and rules")
    BOTH = "both", _("Both, mixed")


class RespondentKind(models.TextChoices):
    VISITOR = "visitor", _("Visitor")
    ANNOTATOR = "annotator", _("Annotator")
    EXPERT = "expert", _("Expert")
    MODEL_JUDGE = "model_judge", _("Model judge")
    RULE = "rule", _("Rule")
    IMPORTED = "imported", _("Imported person")
    SIMULATED = "simulated", _("Simulated person")


class RespondentState(models.TextChoices):
    ACTIVE = "active", _("Active")
    SCREENED_OUT = "screened_out", _("Screened out")
    BLOCKED = "blocked", _("Blocked")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class FlagReason(models.TextChoices):
    BROKEN = "broken", _("Something is missing or broken")
    UNCLEAR = "unclear", _("The question cannot be answered as it is put")
    HARMFUL = "harmful", _("I do not want to look at this")
    PERSONAL = "personal", _("It holds somebody's personal data")
    OTHER = "other", _("Something else")


class UploadState(models.TextChoices):
    UPLOADED = "uploaded", _("Waiting for its columns to be told")
    QUEUED = "queued", _("Waiting")
    WRITING = "writing", _("Being read")
    DONE = "done", _("Read")
    FAILED = "failed", _("Refused")


class ReviewState(models.TextChoices):
    """Where the review of a judgment stands. A rejection needs two people, and has an appeal."""

    PENDING = "pending", _("Waiting for a decision")
    APPROVED = "approved", _("Approved")
    CONTESTED = "contested", _("One reviewer rejects it")
    REJECTED = "rejected", _("Rejected")
    APPEALED = "appealed", _("Rejected, with an appeal")
    RETURNED = "returned", _("Returned with its batch")


class Verdict(models.TextChoices):
    """What somebody does to a review."""

    APPROVE = "approve", _("Approves")
    REJECT = "reject", _("Rejects")
    APPEAL = "appeal", _("Appeals")
    REOPEN = "reopen", _("Opens it again")
    RETURN = "return", _("Returns it with its batch")


class BatchState(models.TextChoices):
    OPEN = "open", _("Waiting for a decision")
    ACCEPTED = "accepted", _("Accepted")
    RETURNED = "returned", _("Returned")


class EntryKind(models.TextChoices):
    """Why an amount is owed."""

    FEE = "fee", _("Judgment")
    BONUS = "bonus", _("Bonus")
    SCREEN_OUT = "screen_out", _("Screen-out")
    DRAW = "draw", _("Draw")
    REVERSAL = "reversal", _("Reversal")
    CARRIED = "carried", _("Less than a cent, carried to the next payout")


class WorthState(models.TextChoices):
    """Where somebody is in a session in which amounts are asked."""

    CHECK = "check", _("Comprehension check")
    PRACTICE = "practice", _("Practice")
    ITEMS = "items", _("Items")
    LOCKED = "locked", _("Answers locked")
    DRAWN = "drawn", _("Drawn")
    ENDED = "ended", _("Ended before its items, and paid")


class GenerationKind(models.TextChoices):
    RESPONSES = "responses", _("Responses of language models")
    GOLD = "gold", _("Gold items")


class SampleDesign(models.TextChoices):
    """How the samples of a generation become items."""

    MATCHED = "matched", _("Drawn models: first sample against first, second against second")
    EVERY = "every", _("Drawn models: every sample of one against every sample of the other")
    ALL_PAIRS = "all_pairs", _("All models on each prompt: first sample against first, second against second")
    WITHIN = "within", _("Each model by itself: its samples against each other")


class GenerationState(models.TextChoices):
    RUNNING = "running", _("Running")
    PAUSED = "paused", _("Paused")
    DONE = "done", _("Done")
    CANCELLED = "cancelled", _("Cancelled")


class JudgedItems(models.TextChoices):
    """Which items of a campaign a model judge is asked about."""

    ALL = "all", _("All items")
    SAMPLE = "sample", _("Some, drawn at random")
    JUDGED = "judged", _("Those that people have judged")


class VerdictState(models.TextChoices):
    """Of one item in one order before one model judge."""

    WAITING = "waiting", _("Not asked yet")
    ASKED = "asked", _("Asked")
    JUDGED = "judged", _("Judged")
    FAILED = "failed", _("No answer that can be read")
    CANCELLED = "cancelled", _("Cancelled")


class GoldWay(models.TextChoices):
    """How a response is made worse for certain."""

    TRUNCATED = "truncated", _("Cut off before its end")
    SENTENCES = "sentences", _("Its sentences out of order")
    WORDS = "words", _("Its words out of order")
    OTHER_PROMPT = "other_prompt", _("An answer to another prompt")


class Participation(models.TextChoices):
    """How somebody whom a study sent stands with it."""

    STARTED = "started", _("Started")
    COMPLETED = "completed", _("Completed")
    SCREENED_OUT = "screened_out", _("Screened out")
    OVER_QUOTA = "over_quota", _("Came when it was full")


class ContestantKind(models.TextChoices):
    LANGUAGE_MODEL = "language_model", _("Language model")
    IMPORTED = "imported", _("Imported name")


class TurnKind(models.TextChoices):
    COMPLETION = "completion", _("Completion")
    TEXT = "text", _("Text")
    FILE = "file", _("File")
    ABSENT = "absent", _("Not given")


class Design(models.TextChoices):
    """How something about an impression was decided; only what was drawn has a probability."""

    DRAWN = "drawn", _("Drawn")
    CHOSEN = "chosen", _("Chosen by the person")
    ASSIGNED = "assigned", _("Assigned")
    IMPORTED = "imported", _("Imported")
    # A choice, so it has no probability; what was offered was drawn, and is kept beside it.
    OFFERED = "offered", _("Chosen by the person among drawn ones")


class LabelKind(models.TextChoices):
    """What a label of a prompt says, and who says it."""

    RULES = "rules", _("What is asked for, by rules")
    LANGUAGE = "language", _("Its language")
    CLASSIFIER = "classifier", _("What is asked for, by a language model")


class PromptLength(models.TextChoices):
    """Characters that the person wrote in a prompt; the bounds are in annotation/policies/lengths.py."""

    SHORT = "short", _("Up to 100 characters")
    MEDIUM = "medium", _("101 to 500 characters")
    LONG = "long", _("501 to 2,000 characters")
    VERY_LONG = "very_long", _("More than 2,000 characters")


class ImpressionEnd(models.TextChoices):
    ANSWERED = "answered", _("Answered")
    SKIPPED = "skipped", _("Skipped")
    ABANDONED = "abandoned", _("Abandoned")
    EXPIRED = "expired", _("Expired")
    VOIDED = "voided", _("Voided")


class Preference(models.TextChoices):
    A = "a", _("A")
    B = "b", _("B")
    TIE = "tie", _("No difference")
    CANNOT_COMPARE = "cannot_compare", _("Cannot judge")
    BOTH_BAD = "both_bad", _("Both bad (imported)")


class Incentive(models.TextChoices):
    STATED = "stated", _("Stated, no money changes hands")
    PAID_SELF = "paid_self", _("Paid, own prompt")
    PAID_DELEGATED = "paid_delegated", _("Paid, for somebody else")


class JudgmentKind(models.TextChoices):
    ANSWER = "answer", _("Answer")
    RETRACTION = "retraction", _("Retraction")
    # Taken back by its annotator within a minute: the item counts as not judged by them, until they answer it again.
    UNDONE = "undone", _("Undone")


# The pseudonym of the one respondent of all imported votes whose judge the file does not name: not a person.
UNNAMED = "unnamed"


class Method(models.TextChoices):
    BRADLEY_TERRY = "bradley_terry", _("Bradley-Terry")
    BT_HALF = "bt_half", _("Bradley-Terry, both-bad as half")


class DatasetState(models.TextChoices):
    QUEUED = "queued", _("Waiting")
    BUILDING = "building", _("Building")
    READY = "ready", _("Ready")
    FAILED = "failed", _("Failed")


class DatasetView(models.TextChoices):
    PREFERENCE_PAIRS = "preference_pairs", _("Preference pairs")
    REWARD_PAIRS = "reward_pairs", _("Reward pairs")
    VOTES = "votes", _("Votes")


class ReactionKind(models.TextChoices):
    """What somebody says of one answer beside judging it. Praise first, then blame."""

    USEFUL = "useful", _("Useful")
    COMPLETE = "complete", _("Complete")
    CREATIVE = "creative", _("Creative")
    CLEAR = "clear", _("Clear style")
    INCORRECT = "incorrect", _("Incorrect")
    SUPERFICIAL = "superficial", _("Superficial")
    DISOBEYS = "disobeys", _("Instructions not followed")
