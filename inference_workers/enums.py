from django.db import models
from django.utils.translation import gettext_lazy as _


class Backend(models.TextChoices):
    TRANSFORMERS = "transformers", _("Transformers, in the worker")
    OPENAI = "openai", _("OpenAI-compatible address")
    SCRIPTED = "scripted", _("Scripted, for tests")


class Task(models.TextChoices):
    """What a language model is for. Only those that write are drawn for battles and asked for responses."""

    TEXT = "text", _("Writes answers")
    EMBEDDING = "embedding", _("Gives texts a vector")
    REWARD = "reward", _("Gives chats a reward")
    CLASSES = "classes", _("Sorts texts into classes")


class TokensField(models.TextChoices):
    """Under which name an address takes the most tokens of an answer."""

    MAX_TOKENS = "max_tokens", "max_tokens"
    MAX_COMPLETION_TOKENS = "max_completion_tokens", "max_completion_tokens"


class Output(models.TextChoices):
    """What a language model answers with."""

    TEXT = "text", _("Text")
    IMAGE = "image", _("Images")
    AUDIO = "audio", _("Sounds")
    VIDEO = "video", _("Films")


class BreakerState(models.TextChoices):
    CLOSED = "closed", _("Answering")
    OPEN = "open", _("Left alone")
    HALF_OPEN = "half_open", _("Being tried")


class Visibility(models.TextChoices):
    PUBLIC = "public", _("In battles, named after the vote")
    HIDDEN = "hidden", _("In battles, under a stand-in name until released")
    RETIRED = "retired", _("Not in battles; its standing stays")


class CompletionState(models.TextChoices):
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class FinishReason(models.TextChoices):
    STOP = "stop", _("The model ended its text")
    LENGTH = "length", _("The length limit ended it")


class Rejection(models.TextChoices):
    """Why a finished text was refused by `policies`."""

    EMPTY = "empty", _("The answer was empty")
    IDENTITY_LEAK = "identity_leak", _("The answer named its model")
    LOOPING = "looping", _("The answer repeated itself without end")
    CUT = "cut", _("The answer was cut off at its length limit")
    REFUSING = "refusing", _("The model would not answer")
    WRONG_LANGUAGE = "wrong_language", _("The answer was in another language than its prompt")
    MODERATED = "moderated", _("The answer broke a house rule")


class RuleKind(models.TextChoices):
    """How a house rule finds what it is about."""

    WORDS = "words", _("Words and phrases, one a line")
    PATTERN = "pattern", _("Regular expressions, one a line")
    CHECK = "check", _("A check that is built in")


class RuleAction(models.TextChoices):
    """What becomes of a text that breaks a house rule."""

    REFUSE = "refuse", _("Refuse it: what a visitor wrote is not taken, an answer is asked for anew")
    VOID = "void", _("Take it out: an answer is asked for anew, a visitor’s text is not taken")
    MASK = "mask", _("Blacken it where others read it")
    FLAG = "flag", _("Show it to the admins, and blacken it where others read it")
    SUPPORT = "support", _("Show the visitor where to find help")


class Priority(models.IntegerChoices):
    VISITOR = 0, _("A person is waiting")
    PROBE = 5, _("A look at how a model is")
    BATCH = 9, _("Campaign batch")
