"""The log itself. The application may insert and select here, nothing else; a trigger refuses the rest."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Func, Q
from django.db.models.functions import Now

from accounts.models import PersonalText
from annotation.enums import Design, ImpressionEnd, Incentive, JudgmentKind, Preference
from annotation.models.boards import LeaderboardSnapshot
from annotation.models.campaigns import Campaign, GuidelinesVersion, Instrument
from annotation.models.items import Item
from annotation.models.people import Respondent, Source
from annotation.models.slots import Assignment
from foundation.append_only import AppendOnly


class CurrentTransaction(Func):
    """This transaction's id, so that the sequencer knows which rows could still have older neighbours in flight."""

    template = "(pg_current_xact_id()::text::bigint)"
    output_field = models.BigIntegerField()


def drawn_has_probability(what: str) -> models.CheckConstraint:
    """`p_<what>` is given exactly where `<what>_design` says it was drawn."""
    return models.CheckConstraint(
        name=f"impression_{what}_probability",
        condition=Q(
            **{
                f"{what}_design": Design.DRAWN,
                f"p_{what}__isnull": False,
                f"p_{what}__gt": 0,
                f"p_{what}__lte": 1,
            }
        )
        | (~Q(**{f"{what}_design": Design.DRAWN}) & Q(**{f"p_{what}__isnull": True})),
    )


class Impression(AppendOnly):
    """The fact that an item was shown, with the exact probability of everything that was drawn for it."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="impressions")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="impressions")
    respondent = models.ForeignKey(Respondent, on_delete=models.PROTECT, related_name="impressions")
    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, null=True, related_name="impressions")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    guidelines = models.ForeignKey(GuidelinesVersion, on_delete=models.PROTECT, null=True, related_name="+")
    # Positions of the item's responses in the order shown: side A first.
    order = ArrayField(models.PositiveSmallIntegerField())
    questions_asked = ArrayField(models.CharField(max_length=40), default=list)

    policy = models.CharField(max_length=40, blank=True)
    policy_version = models.CharField(max_length=20, blank=True)
    parameters = models.JSONField(default=dict)
    snapshot = models.ForeignKey(LeaderboardSnapshot, on_delete=models.PROTECT, null=True, related_name="+")
    candidate_count = models.PositiveIntegerField(null=True)
    candidate_digest = models.CharField(max_length=64, blank=True)
    outstanding = models.PositiveIntegerField(null=True)
    seed = models.BigIntegerField(null=True)
    floor = models.BooleanField(null=True)

    pair_design = models.CharField(max_length=10, choices=Design)
    # Of the unordered pair; of more than two responses, of the unordered set.
    p_pair = models.FloatField(null=True)
    side_design = models.CharField(max_length=10, choices=Design)
    p_side = models.FloatField(null=True)
    prompt_design = models.CharField(max_length=10, choices=Design)
    p_prompt = models.FloatField(null=True)
    questions_design = models.CharField(max_length=10, choices=Design)
    p_questions = models.FloatField(null=True)

    shown_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [drawn_has_probability(what) for what in ("pair", "side", "prompt", "questions")]
        indexes = [models.Index(fields=["campaign", "shown_at"], name="impression_campaign")]

    def __str__(self) -> str:
        return f"impression {self.pk}"


class ImpressionEvent(AppendOnly):
    """How an impression ended."""

    impression = models.OneToOneField(Impression, on_delete=models.PROTECT, related_name="end")
    kind = models.CharField(max_length=10, choices=ImpressionEnd)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.kind


class Judgment(AppendOnly):
    """This person, shown these responses in this order, answered this.

    A correction is a new row that supersedes the old one; a retraction is a row of that kind that does, and so is what
    an annotator took back: the answer that they give then supersedes that row, and is a first one again.
    `preference` and the sign of `strength` and `net_utility` refer to the sides as shown: a is `order[0]`,
    plus means a is better. Amounts are in `currency`; `amount_low` equals `amount_high` for a typed amount.
    """

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="judgments")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="judgments")
    respondent = models.ForeignKey(Respondent, on_delete=models.PROTECT, related_name="judgments")
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="judgments")
    impression = models.ForeignKey(Impression, on_delete=models.PROTECT, related_name="judgments")
    assignment = models.ForeignKey(Assignment, on_delete=models.PROTECT, null=True, related_name="judgments")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    guidelines = models.ForeignKey(GuidelinesVersion, on_delete=models.PROTECT, null=True, related_name="+")
    kind = models.CharField(max_length=10, choices=JudgmentKind, default=JudgmentKind.ANSWER)
    supersedes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="superseded_by")

    order = ArrayField(models.PositiveSmallIntegerField())
    # In the order shown; a response that nobody ranks has no contestant.
    contestants = ArrayField(models.BigIntegerField(null=True))
    answers = models.JSONField(default=dict)

    preference = models.CharField(max_length=16, choices=Preference, blank=True)
    strength = models.SmallIntegerField(null=True)
    strength_scale = models.PositiveSmallIntegerField(null=True)
    amount_low = models.DecimalField(max_digits=16, decimal_places=4, null=True)
    amount_high = models.DecimalField(max_digits=16, decimal_places=4, null=True)
    net_utility = models.DecimalField(max_digits=16, decimal_places=4, null=True)
    currency = models.CharField(max_length=8, blank=True)
    amount_mode = models.CharField(max_length=20, blank=True)
    incentive = models.CharField(max_length=20, choices=Incentive, blank=True)
    acceptable = ArrayField(models.BooleanField(), null=True)
    tiers = ArrayField(models.PositiveSmallIntegerField(), null=True)
    # What each response was given on the instrument's scale, in the order shown; its scale is in the answer.
    scores = ArrayField(models.FloatField(null=True), null=True)
    thumb = models.BooleanField(null=True)
    context = models.CharField(max_length=80, blank=True, db_default="")
    confidence = models.PositiveSmallIntegerField(null=True)

    rendered_at = models.DateTimeField(null=True)
    first_touch_at = models.DateTimeField(null=True)
    submitted_at = models.DateTimeField()
    active_ms = models.PositiveIntegerField(null=True)
    # Share of each response's sound or film that was played, in the order shown; null for what cannot be played.
    media_played = ArrayField(models.FloatField(null=True), null=True)
    device_class = models.CharField(max_length=10, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    transaction = models.BigIntegerField(db_default=CurrentTransaction(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["respondent", "item"],
                condition=Q(supersedes__isnull=True),
                name="one_first_judgment_per_respondent_and_item",
            ),
            models.CheckConstraint(
                name="retraction_supersedes",
                condition=Q(kind=JudgmentKind.ANSWER) | Q(supersedes__isnull=False),
            ),
            models.CheckConstraint(
                name="strength_agrees_with_preference",
                condition=Q(strength__isnull=True)
                | Q(preference=Preference.A, strength__gt=0)
                | Q(preference=Preference.B, strength__lt=0)
                | Q(preference=Preference.TIE, strength=0)
                | Q(preference="", strength__isnull=False),
            ),
            models.CheckConstraint(
                name="strength_has_scale",
                condition=Q(strength__isnull=True)
                | Q(strength_scale__isnull=False, strength__lte=models.F("strength_scale"))
                & Q(strength__gte=0 - models.F("strength_scale")),
            ),
            models.CheckConstraint(
                name="amount_has_unit_mode_and_incentive",
                condition=Q(amount_low__isnull=True, amount_high__isnull=True, net_utility__isnull=True)
                | (~Q(currency="") & ~Q(amount_mode="") & ~Q(incentive="")),
            ),
            models.CheckConstraint(
                name="amount_interval_ordered",
                condition=Q(amount_low__isnull=True)
                | Q(amount_high__isnull=True)
                | Q(amount_low__lte=models.F("amount_high")),
            ),
            models.CheckConstraint(
                name="amount_sign_agrees_with_preference",
                condition=Q(net_utility__isnull=True)
                | Q(preference=Preference.A, net_utility__gte=0)
                | Q(preference=Preference.B, net_utility__lte=0)
                | Q(preference=Preference.TIE, net_utility=0)
                | Q(preference=""),
            ),
        ]
        indexes = [models.Index(fields=["transaction", "id"], name="judgment_commit_order")]

    def __str__(self) -> str:
        return f"judgment {self.pk}"


class JudgmentText(AppendOnly):
    """A judgment's free text, sealed under its author's key; the answer holds the question's name only."""

    judgment = models.ForeignKey(Judgment, on_delete=models.PROTECT, related_name="texts")
    question = models.CharField(max_length=40)
    personal_text = models.ForeignKey(PersonalText, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["judgment", "question"], name="one_text_per_question")]

    def __str__(self) -> str:
        return f"text of {self.question}"


class LogEntry(AppendOnly):
    """Commit order and hash chain of the log, written by one sequencer after the commit.

    `digest` = SHA-256(previous digest + canonical JSON of the judgment). Numbers have no gaps.
    """

    sequence = models.BigIntegerField(primary_key=True)
    judgment = models.OneToOneField(Judgment, on_delete=models.PROTECT, related_name="log_entry")
    digest = models.BinaryField(max_length=32)

    def __str__(self) -> str:
        return f"entry {self.sequence}"
