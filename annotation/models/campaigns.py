from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from annotation.enums import CampaignState, OrderDesign, Pool
from foundation.append_only import AppendOnly


class Campaign(models.Model):
    """A set of items and the instrument they are judged with. An arena is a campaign whose items visitors bring."""

    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(_("name"), max_length=120)
    purpose = models.TextField(_("purpose"), blank=True)
    standard = models.TextField(_("role and standard to judge by"), blank=True)
    state = models.CharField(max_length=10, choices=CampaignState, default=CampaignState.DRAFT)
    instrument = models.ForeignKey("Instrument", on_delete=models.PROTECT, null=True, related_name="+")
    guidelines = models.ForeignKey("GuidelinesVersion", on_delete=models.PROTECT, null=True, related_name="+")
    consent = models.ForeignKey("ConsentText", on_delete=models.PROTECT, null=True, related_name="+")
    # What the editor holds before it is published: {"questions": [...], "guidelines": "...", "consent": "..."}.
    draft = models.JSONField(default=dict, db_default={}, blank=True)
    is_template = models.BooleanField(default=False, db_default=False)
    # Its items are made as visitors come, each for one of them; no annotator is given any. Said when it is opened, and
    # never taken back.
    is_arena = models.BooleanField(default=False, db_default=False)
    pool = models.CharField(
        _("who may join"), max_length=12, choices=Pool, default=Pool.INVITED, db_default=Pool.INVITED
    )
    responses_per_item = models.PositiveSmallIntegerField(
        _("responses per item"), default=2, db_default=2, validators=[MinValueValidator(1), MaxValueValidator(9)]
    )
    overlap = models.PositiveSmallIntegerField(
        _("judgments per item"), default=1, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    order_design = models.CharField(
        _("order of responses"),
        max_length=10,
        choices=OrderDesign,
        default=OrderDesign.DRAWN,
        db_default=OrderDesign.DRAWN,
    )
    # Where the first judgments of an item disagree it gets more, up to this many.
    overlap_limit = models.PositiveSmallIntegerField(_("judgments where people disagree"), null=True, blank=True)
    quota_per_annotator = models.PositiveIntegerField(_("most judgments per person"), null=True, blank=True)
    share_per_annotator = models.FloatField(_("largest share of one person"), null=True, blank=True)
    # {"group": most judgments of its members together}
    group_quotas = models.JSONField(default=dict, db_default={}, blank=True)
    gold_share = models.FloatField(_("share of gold items"), default=0, db_default=0)
    attention_share = models.FloatField(_("share of attention checks"), default=0, db_default=0)
    repeat_share = models.FloatField(_("share of repeated items"), default=0, db_default=0)
    pass_mark = models.FloatField(_("share of the test that must be right"), null=True, blank=True)
    deadline = models.DateTimeField(_("deadline"), null=True, blank=True)
    budget_judgments = models.PositiveIntegerField(_("most judgments"), null=True, blank=True)
    budget_money = models.DecimalField(_("most money"), max_digits=12, decimal_places=2, null=True, blank=True)
    pay_per_judgment = models.DecimalField(
        _("pay per judgment"), max_digits=10, decimal_places=4, null=True, blank=True
    )
    pay_currency = models.CharField(_("currency of pay"), max_length=8, default="USD", db_default="USD")
    # Per active hour; a campaign that is expected to pay less is not launched.
    pay_floor = models.DecimalField(_("least pay per hour"), max_digits=8, decimal_places=2, null=True, blank=True)
    expected_seconds = models.PositiveIntegerField(_("expected seconds per item"), null=True, blank=True)
    # Paid to whoever fails the test or the check; no check withholds pay for what was judged.
    screen_out_pay = models.DecimalField(
        _("pay of a screen-out"), max_digits=8, decimal_places=2, null=True, blank=True
    )
    # Categories of content that people are warned of and may decline, and how many such items one person meets a day.
    warned_content = ArrayField(models.CharField(max_length=80), default=list, db_default=[], blank=True)
    exposure_cap = models.PositiveIntegerField(_("most items with a warning per person and day"), null=True, blank=True)
    # Share of a sound or a film that must have been played before its item can be answered.
    played_share = models.FloatField(_("share that must be played"), null=True, blank=True)
    # What paid amounts are paid from; each person is given one of these, drawn.
    endowments = ArrayField(
        models.DecimalField(max_digits=16, decimal_places=4), default=list, db_default=[], blank=True
    )
    # Items after which a session's answers are locked and its draw is held.
    session_items = models.PositiveSmallIntegerField(_("items per session"), null=True, blank=True)
    # The last day, in UTC, on which people take their answers back themselves; null: at any time.
    withdrawal_until = models.DateField(_("last day for withdrawals"), null=True, blank=True)
    # Who is responsible, as the consent text names them.
    contact = models.CharField(_("contact"), max_length=200, blank=True, default="", db_default="")
    lease_seconds = models.PositiveIntegerField(_("lease in seconds"), default=3600)
    currency = models.CharField(_("unit of amounts"), max_length=8, default="USD")
    policy = models.CharField(_("selection policy"), max_length=40, default="uniform")
    policy_parameters = models.JSONField(default=dict, blank=True)
    # What a selection goes by is kept though the policy learns nothing: how many votes each contestant has.
    keeps_state = models.BooleanField(default=False, db_default=False)
    # A state for each category of items too.
    learns_by_category = models.BooleanField(default=False, db_default=False)
    # Wrapped; gives this campaign's pseudonyms, so that nobody can be followed from one campaign to another.
    wrapped_key = models.BinaryField()
    # A dry run's shadow is left out of boards and exports.
    shadow_of = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="shadows")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="campaign_shares_in_range",
                condition=Q(gold_share__gte=0, repeat_share__gte=0)
                & Q(gold_share__lte=0.5, repeat_share__lte=0.5)
                & (Q(share_per_annotator__isnull=True) | Q(share_per_annotator__gt=0, share_per_annotator__lte=1))
                & (Q(pass_mark__isnull=True) | Q(pass_mark__gt=0, pass_mark__lte=1))
                & (Q(played_share__isnull=True) | Q(played_share__gt=0, played_share__lte=1)),
            ),
            models.CheckConstraint(
                name="campaign_attention_share_in_range", condition=Q(attention_share__gte=0, attention_share__lte=0.5)
            ),
            models.CheckConstraint(
                name="overlap_limit_not_below_overlap",
                condition=Q(overlap_limit__isnull=True) | Q(overlap_limit__gte=models.F("overlap")),
            ),
            models.CheckConstraint(
                name="arena_is_for_visitors",
                condition=Q(is_arena=False)
                | Q(
                    pool=Pool.INVITED,
                    responses_per_item__gte=2,
                    responses_per_item__lte=4,
                    overlap=1,
                    overlap_limit__isnull=True,
                    gold_share=0,
                    attention_share=0,
                    repeat_share=0,
                    pay_per_judgment__isnull=True,
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def asks(self) -> "Instrument":
        """The current instrument; ValueError before the first is published."""
        if self.instrument is None:
            raise ValueError(f"campaign {self.slug} has no instrument yet")
        return self.instrument


class GuidelinesVersion(AppendOnly):
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="guidelines_versions")
    number = models.PositiveIntegerField()
    text = models.TextField()
    # Whether whoever passed the test before is tested anew.
    requalify = models.BooleanField(default=False, db_default=False)
    # It says what the version before it says and answers to annotators' questions: news, which stops nobody's work.
    answers_only = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "number"], name="one_guidelines_per_number")]

    def __str__(self) -> str:
        return f"guidelines {self.number}"


class ConsentText(AppendOnly):
    """What people are told and agree to before they judge; each remembers the version they agreed to."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="consent_texts")
    number = models.PositiveIntegerField()
    text = models.TextField()
    # Until when whoever agrees to this may withdraw, whatever the campaign says later.
    withdrawal_until = models.DateField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "number"], name="one_consent_per_number")]

    def __str__(self) -> str:
        return f"consent {self.number}"


class Instrument(AppendOnly):
    """A frozen, ordered list of questions; `digest` is the SHA-256 of their canonical JSON."""

    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="instruments")
    number = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "number"], name="one_instrument_per_number")]

    def __str__(self) -> str:
        return f"instrument {self.number}"


class Question(AppendOnly):
    """One thing asked about an item. `type` names a folder under `annotation/questions/`."""

    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="questions")
    position = models.PositiveSmallIntegerField()
    name = models.SlugField(max_length=40)
    type = models.CharField(max_length=40)
    title = models.CharField(max_length=300, blank=True)
    required = models.BooleanField(default=True)
    settings = models.JSONField(default=dict)
    # {"question": an earlier one, "values": [...]}: asked only after one of these answers to it.
    condition = models.JSONField(null=True)
    # Share of impressions in which it is asked at all; the draw is stored on the impression.
    ask_probability = models.FloatField(default=1.0)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["instrument", "position"], name="one_question_per_position"),
            models.UniqueConstraint(fields=["instrument", "name"], name="one_question_per_name"),
            models.CheckConstraint(
                name="ask_probability_in_range", condition=Q(ask_probability__gt=0, ask_probability__lte=1)
            ),
        ]

    def __str__(self) -> str:
        return self.name
