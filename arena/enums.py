from django.db import models
from django.utils.translation import gettext_lazy as _


class BattleState(models.TextChoices):
    ANSWERING = "answering", _("The models are answering")
    VOTABLE = "votable", _("Waiting for the vote")
    # The vote is stored and final; nobody reads who answered while its conversation goes on.
    HELD = "held", _("Voted; the models stay hidden")
    VOTED = "voted", _("Voted")
    ABANDONED = "abandoned", _("Left without a vote")
    VOID = "void", _("Void")


class Mode(models.TextChoices):
    """Who says which models meet in a battle."""

    ANONYMOUS = "anonymous", _("Hidden models")
    NAMED = "named", _("Choose the models")
    OWN_SET = "own_set", _("My models")


class EntryState(models.TextChoices):
    ACTIVE = "active", _("In battles")
    PAUSED = "paused", _("Paused")
    RETIRED = "retired", _("Left; its standing stays")


class Look(models.TextChoices):
    """The colours of an arena's pages, each a class in `static/arena/looks.css`."""

    PLAIN = "plain", _("Cardinal")
    LAKE = "lake", _("Lake")
    MOSS = "moss", _("Moss")
    PLUM = "plum", _("Plum")


class BaseChoice(models.TextChoices):
    """Whose history both sides share once a conversation goes on after a vote."""

    PREFERRED = "preferred", _("The preferred answer")
    PICKED = "picked", _("Picked by the visitor")
    DRAWN = "drawn", _("Drawn")


class PromptDrawKind(models.TextChoices):
    """How a battle came by a prompt of its arena's pool."""

    ANY = "any", _("Drawn for the battle")
    OFFERED = "offered", _("Chosen by the visitor among drawn ones")


class JudgedText(models.TextChoices):
    """What a finding is about."""

    PROMPT = "prompt", _("Prompt")
    ANSWER = "answer", _("Answer")
    WORDS = "words", _("Words beside a vote")


class FindingOutcome(models.TextChoices):
    """What an admin made of a finding."""

    RIGHT = "right", _("Right")
    FALSE_ALARM = "false_alarm", _("False alarm")


class ModerationState(models.TextChoices):
    """What came of showing a text to the moderation model."""

    ASKED = "asked", _("Asked")
    PASSED = "passed", _("Let through")
    STOPPED = "stopped", _("Stopped")
    # It gave no answer, and the arena's setting said what to do.
    LET_THROUGH = "let_through", _("Let through without an answer")
    HELD_BACK = "held_back", _("Held back without an answer")
    DROPPED = "dropped", _("Nobody waits for it any more")


class Unseen(models.TextChoices):
    """What of an arena its moderation model is not shown."""

    PROMPT_PICTURES = "prompt_pictures", _("pictures that visitors add")
    IMAGES = "image", _("images that models answer with")
    SOUNDS = "audio", _("sounds that models answer with")
    FILMS = "video", _("films that models answer with")


class OnSilence(models.TextChoices):
    """What becomes of a text that the moderation model gives no answer to in time."""

    LET_THROUGH = "let_through", _("Let it through")
    HOLD_BACK = "hold_back", _("Hold it back")


class Silence(models.TextChoices):
    """Why there was no answer."""

    LATE = "late", _("Not in time")
    FAILED = "failed", _("It failed")
    # It was silent a moment ago, and nobody was made to wait again.
    SPARED = "spared", _("Not waited for, since it was silent a moment ago")


class AppealState(models.TextChoices):
    """Where a visitor's appeal against a block of theirs stands."""

    OPEN = "open", _("Waits for a decision")
    GRANTED = "granted", _("Granted: the votes count again")
    REFUSED = "refused", _("Refused")
