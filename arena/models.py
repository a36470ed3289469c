import uuid

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Person, PersonalText
from annotation.models import Assignment, Campaign, Contestant, Event, Impression, Item, Respondent
from arena.enums import (
    AppealState,
    BaseChoice,
    BattleState,
    EntryState,
    FindingOutcome,
    JudgedText,
    Look,
    Mode,
    ModerationState,
    OnSilence,
    PromptDrawKind,
    Silence,
)
from foundation.append_only import AppendOnly
from inference_workers.enums import Output, RuleAction, RuleKind
from inference_workers.models import Completion, LanguageModel, LanguageModelRevision, RuleSet


def only_hidden() -> list[str]:
    """The modes of an arena that nobody has changed."""
    return [Mode.ANONYMOUS.value]


class Arena(models.Model):
    """A campaign open to visitors, with battles. Its instrument is the campaign's."""

    campaign = models.OneToOneField(Campaign, on_delete=models.PROTECT, related_name="arena")
    lead = models.CharField(_("what it is about, in one sentence"), max_length=300, blank=True, db_default="")
    # Of all its battles alike: a trigger refuses to change it once there is one.
    output = models.CharField(
        _("what its models answer with"),
        max_length=8,
        choices=Output,
        default=Output.TEXT,
        db_default=Output.TEXT,
    )
    look = models.CharField(_("colours"), max_length=12, choices=Look, default=Look.PLAIN, db_default=Look.PLAIN)
    # The first message of every prompt that is asked here, the same for both sides.
    system_prompt = models.TextField(_("system prompt"), max_length=8000, blank=True, db_default="")
    examples = models.JSONField(_("example prompts"), default=list, blank=True)
    max_prompt_chars = models.PositiveIntegerField(
        _("longest prompt in characters"),
        default=4000,
        validators=[MinValueValidator(1), MaxValueValidator(100_000)],
    )
    max_turns = models.PositiveSmallIntegerField(_("turns per battle"), default=5, validators=[MinValueValidator(1)])
    # What somebody asked anew until they liked it is another question: it is bounded, and the count is stored.
    max_regenerations = models.PositiveSmallIntegerField(
        _("times both may be asked again per turn"), default=2, db_default=2, validators=[MaxValueValidator(10)]
    )
    battles_per_day = models.PositiveIntegerField(_("battles per visitor and day"), default=100)
    battles_per_network = models.PositiveIntegerField(
        _("battles per network and hour"), default=300, db_default=300, validators=[MinValueValidator(1)]
    )
    # Share of the votes of the last weeks that blocks have taken out, in percent; null gives no alarm.
    excluded_alarm = models.PositiveSmallIntegerField(
        _("alarm when more of the votes are set apart, in percent"),
        null=True,
        blank=True,
        default=5,
        db_default=5,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )
    # Since when it is above that.
    excluded_since = models.DateTimeField(null=True, editable=False)
    max_waiting = models.PositiveIntegerField(
        _("completions waiting before visitors are asked to come back"), default=32
    )
    # How visitors may say who meets; only hidden models that the arena draws are counted on its boards.
    modes = ArrayField(
        models.CharField(max_length=12, choices=Mode),
        default=only_hidden,
        db_default=[Mode.ANONYMOUS.value],
    )
    # Null is never: browsers are asked for no work.
    flood_per_minute = models.PositiveIntegerField(
        _("battles within a minute from which on browsers do some work first"),
        null=True,
        blank=True,
        default=300,
        db_default=300,
        validators=[MinValueValidator(1)],
    )
    work_bits = models.PositiveSmallIntegerField(
        _("how much work, as a power of two of tries"),
        default=18,
        db_default=18,
        validators=[MinValueValidator(8), MaxValueValidator(26)],
    )
    is_default = models.BooleanField(default=False)
    is_listed = models.BooleanField(_("in the list of arenas"), default=True, db_default=True)
    position = models.PositiveSmallIntegerField(_("place in the list"), default=0, db_default=0)
    # "Give me any": first a category, each as likely as any other, then one of its prompts; else any prompt alike.
    pool_by_category = models.BooleanField(
        _("draw a category first, then one of its prompts"), default=False, db_default=False
    )
    # Largest share of the draws that pairs with a newcomer get together; empty: as the policy has it.
    newcomer_share = models.FloatField(
        _("largest share of draws with a newcomer"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0.01), MaxValueValidator(1)],
    )
    newcomer_votes = models.PositiveIntegerField(
        _("votes until a model is no newcomer"), default=50, db_default=50, validators=[MinValueValidator(1)]
    )
    # A category with so many votes has a state of its own, which a policy that learns goes by; empty: one for all.
    category_votes = models.PositiveIntegerField(
        _("votes from which a category is learned by itself"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    # A picture beside the words of each turn; only models that take pictures are drawn for such a battle.
    takes_images = models.BooleanField(_("visitors may add a picture"), default=False, db_default=False)
    # Every model of the site enters by itself on its first chance.
    enters_all = models.BooleanField(_("every model of the site takes part"), default=False, db_default=False)

    class Meta:
        ordering = ["-is_default", "position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["is_default"], condition=Q(is_default=True), name="one_default_arena"),
            models.CheckConstraint(
                name="newcomer_share_in_range",
                condition=Q(newcomer_share__isnull=True) | Q(newcomer_share__gt=0, newcomer_share__lte=1),
            ),
            models.CheckConstraint(name="arena_has_a_mode", condition=Q(modes__len__gte=1)),
            # Who makes files is asked in words alone.
            models.CheckConstraint(
                name="pictures_are_answered_with_text", condition=Q(output=Output.TEXT) | Q(takes_images=False)
            ),
            # Models that answer with files are asked one thing, and know nothing of what was before.
            models.CheckConstraint(name="files_are_asked_once", condition=Q(output=Output.TEXT) | Q(max_turns=1)),
        ]

    def __str__(self) -> str:
        return str(self.campaign)


class Entry(models.Model):
    """A language model in an arena: the public fact that it was tested there, since when and until when.

    A trigger refuses that a row goes, and that what it said at the beginning changes.
    """

    arena = models.ForeignKey(Arena, on_delete=models.PROTECT, related_name="entries")
    language_model = models.ForeignKey(LanguageModel, on_delete=models.PROTECT, related_name="entries")
    state = models.CharField(max_length=8, choices=EntryState, default=EntryState.ACTIVE, db_default=EntryState.ACTIVE)
    # Its share of the draws beside the others', times what the model has on the whole site.
    weight = models.FloatField(_("weight"), default=1.0, db_default=1.0)
    boost = models.FloatField(_("boost"), default=1.0, db_default=1.0)
    boost_until = models.DateTimeField(_("until when"), null=True, blank=True)
    # Entered before its model was released: a private variant of its organisation, for good.
    was_private = models.BooleanField()
    entered_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True)
    # Why it is where it is; public.
    reason = models.CharField(_("reason"), max_length=300, blank=True, db_default="")

    class Meta:
        ordering = ["entered_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["arena", "language_model"], name="one_entry_per_arena_and_model"),
            models.CheckConstraint(name="entry_weights", condition=Q(weight__gt=0, boost__gte=1)),
            models.CheckConstraint(
                name="entry_boost_ends", condition=Q(boost=1, boost_until__isnull=True) | Q(boost_until__isnull=False)
            ),
            models.CheckConstraint(
                name="entry_ended_is_retired",
                condition=Q(state=EntryState.RETIRED, ended_at__isnull=False)
                | Q(~Q(state=EntryState.RETIRED), ended_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.language_model} in {self.arena}"


class EnteredRevision(AppendOnly):
    """A revision of an entry's model that battles could draw; each from before a release is a variant of its own."""

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="revisions")
    contestant = models.ForeignKey(Contestant, on_delete=models.PROTECT, related_name="+")
    was_private = models.BooleanField()
    entered_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["entered_at", "pk"]
        constraints = [models.UniqueConstraint(fields=["entry", "contestant"], name="one_row_per_entry_and_contestant")]

    def __str__(self) -> str:
        return f"{self.contestant} of entry {self.entry_id}"


class Battle(models.Model):
    """A contest of two to four models on a visitor's prompt. What was answered is its item; the vote is a judgment."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    arena = models.ForeignKey(Arena, on_delete=models.PROTECT, related_name="battles")
    item = models.OneToOneField(Item, on_delete=models.PROTECT, related_name="battle")
    assignment = models.OneToOneField(Assignment, on_delete=models.PROTECT, related_name="battle")
    impression = models.OneToOneField(Impression, on_delete=models.PROTECT, related_name="battle")
    state = models.CharField(max_length=10, choices=BattleState, default=BattleState.ANSWERING)
    mode = models.CharField(max_length=12, choices=Mode, default=Mode.ANONYMOUS, db_default=Mode.ANONYMOUS)
    # Drawn among models of which each takes pictures: a turn may have one. Else nobody is told which of its models do.
    takes_images = models.BooleanField(default=False, db_default=False)
    # How many turns each side has been asked for; streams and votes name the turn they mean.
    turn_count = models.PositiveSmallIntegerField(default=1)
    # How often all sides were asked anew, over all turns. With the turn it says which answers a form was made for.
    regenerations = models.PositiveSmallIntegerField(default=0, db_default=0)
    # Daily-keyed digest of the client's network, for caps; no address is stored.
    network = models.CharField(max_length=64, blank=True)
    # The conversation that it is a part of: the battle before it, the first of all, how many turns were before it, and
    # whose side's history both share (its position in the item before), by whose choice.
    continues = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="continued_by")
    first = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="later")
    turns_before = models.PositiveSmallIntegerField(default=0, db_default=0)
    base_position = models.PositiveSmallIntegerField(null=True)
    base_choice = models.CharField(max_length=10, choices=BaseChoice, blank=True, db_default="")
    # Files of its answers that its visitor's browser has been sent whole, by their places.
    files_sent = ArrayField(models.CharField(max_length=16), default=list, db_default=[])
    created_at = models.DateTimeField(db_default=Now())
    answered_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["created_at"],
                name="battle_unfinished",
                condition=Q(state__in=["answering", "votable"]),
            ),
            models.Index(fields=["network", "created_at"], name="battle_network"),
            models.Index(fields=["arena", "created_at"], name="battle_flood"),
        ]
        constraints = [
            models.CheckConstraint(
                name="battle_continues_whole",
                condition=Q(
                    continues__isnull=True,
                    first__isnull=True,
                    turns_before=0,
                    base_position__isnull=True,
                    base_choice="",
                )
                | Q(continues__isnull=False, first__isnull=False, turns_before__gt=0, base_position__isnull=False)
                & ~Q(base_choice=""),
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Share(models.Model):
    """A link by which anybody reads a battle. Only the digest of its token is kept: the link is shown once."""

    battle = models.ForeignKey(Battle, on_delete=models.PROTECT, related_name="shares")
    token_digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["battle"], condition=Q(revoked_at__isnull=True), name="one_open_share_per_battle"
            )
        ]

    def __str__(self) -> str:
        return f"share of battle {self.battle_id}"


class PoolPrompt(models.Model):
    """A prompt that an arena's visitors are offered. What it says stays as it is: a trigger refuses a change of it, and
    a prompt that is not to be offered any more is switched off.
    """

    arena = models.ForeignKey(Arena, on_delete=models.PROTECT, related_name="pool")
    text = models.TextField()
    # SHA-256 of the text: once in each arena.
    digest = models.CharField(max_length=64)
    category = models.CharField(_("category"), max_length=80, blank=True)
    language = models.CharField(_("language"), max_length=12, blank=True)
    source = models.CharField(_("source and licence"), max_length=200, blank=True)
    is_active = models.BooleanField(default=True, db_default=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["arena", "digest"], name="one_pool_prompt_per_text")]
        indexes = [models.Index(fields=["arena", "category"], name="pool_active", condition=Q(is_active=True))]

    def __str__(self) -> str:
        return f"pool prompt {self.pk}"


class PromptDraw(AppendOnly):
    """Which prompt of the pool a battle asks, and how it was drawn: before the pair, and without it."""

    battle = models.OneToOneField(Battle, on_delete=models.PROTECT, related_name="prompt_draw")
    prompt = models.ForeignKey(PoolPrompt, on_delete=models.PROTECT, related_name="draws")
    kind = models.CharField(max_length=10, choices=PromptDrawKind)
    # The category that was asked for; empty took the whole pool.
    category = models.CharField(max_length=80, blank=True)
    # Drawn by way of a category, each alike.
    by_category = models.BooleanField()
    seed = models.BigIntegerField()
    # Prompts that could be drawn, and SHA-256 of their ids in ascending order.
    pool_size = models.PositiveIntegerField()
    pool_digest = models.CharField(max_length=64)
    # Ids in the order drawn.
    drawn = ArrayField(models.BigIntegerField())
    # That this prompt is among the drawn ones; which of them the visitor takes is a choice.
    probability = models.FloatField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(name="prompt_draw_probability", condition=Q(probability__gt=0, probability__lte=1))
        ]

    def __str__(self) -> str:
        return f"prompt {self.prompt_id} of battle {self.battle_id}"


class KeptModel(models.Model):
    """A released model in somebody's own set: battles of theirs in that mode draw from it."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    arena = models.ForeignKey(Arena, on_delete=models.CASCADE, related_name="+")
    language_model = models.ForeignKey(LanguageModel, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "arena", "language_model"], name="one_kept_model_per_person")
        ]

    def __str__(self) -> str:
        return f"kept model {self.pk}"


class HouseRule(models.Model):
    """What may not be asked, answered or published: on the whole site, or in one arena. What it looks for never
    changes; it is switched off, and another takes its place."""

    # Null for the whole site.
    arena = models.ForeignKey(Arena, on_delete=models.PROTECT, null=True, related_name="house_rules")
    # Of a rule that sites begin with.
    key = models.CharField(max_length=20, null=True, unique=True)
    name = models.CharField(_("name"), max_length=80)
    says = models.CharField(_("what a visitor reads whose text it refuses"), max_length=300, blank=True)
    kind = models.CharField(_("how it finds it"), max_length=8, choices=RuleKind)
    pattern = models.TextField(_("what it looks for"))
    action = models.CharField(_("what becomes of it"), max_length=8, choices=RuleAction)
    on_visitors = models.BooleanField(_("for what visitors write"), default=True)
    on_models = models.BooleanField(_("for what models answer"), default=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(name="house_rule_is_for_somebody", condition=Q(on_visitors=True) | Q(on_models=True))
        ]

    def __str__(self) -> str:
        return self.name


class RuleFinding(models.Model):
    """A text that broke a house rule: which rule, of which rule set, and what became of it; never the text."""

    arena = models.ForeignKey(Arena, on_delete=models.PROTECT, related_name="findings")
    rule = models.ForeignKey(HouseRule, on_delete=models.PROTECT, related_name="findings")
    action = models.CharField(max_length=8, choices=RuleAction)
    about = models.CharField(max_length=8, choices=JudgedText)
    # Null for a prompt that was refused: no battle exists.
    battle = models.ForeignKey(Battle, on_delete=models.PROTECT, null=True, related_name="findings")
    # Whose part in the arena it was, where they had one.
    respondent = models.ForeignKey(Respondent, on_delete=models.PROTECT, null=True, related_name="+")
    # Of an answer.
    completion = models.ForeignKey(Completion, on_delete=models.PROTECT, null=True, related_name="+")
    rule_set = models.ForeignKey(RuleSet, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    # What an admin made of it.
    outcome = models.CharField(max_length=12, choices=FindingOutcome, blank=True, db_default="")
    looked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["arena", "created_at"], name="finding_recent")]
        constraints = [
            models.CheckConstraint(
                name="finding_looked_at_has_outcome",
                condition=Q(outcome="", looked_at__isnull=True) | (~Q(outcome="") & Q(looked_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="finding_of_an_answer_names_it",
                condition=Q(about="answer", completion__isnull=False)
                | (~Q(about="answer") & Q(completion__isnull=True)),
            ),
            models.UniqueConstraint(fields=["completion", "rule"], name="one_finding_per_answer_and_rule"),
        ]

    def __str__(self) -> str:
        return f"finding {self.pk} of rule {self.rule_id}"


class Moderator(models.Model):
    """The language model that is shown what an arena's visitors write and its models answer, beside the house rules."""

    arena = models.OneToOneField(Arena, on_delete=models.PROTECT, primary_key=True, related_name="moderator")
    language_model = models.ForeignKey(LanguageModel, on_delete=models.PROTECT, related_name="+")
    # The least score of a class that stops a text; null for a class that never does. "*" is every class not named.
    limits = models.JSONField()
    wait_seconds = models.PositiveSmallIntegerField(default=5, validators=[MinValueValidator(1), MaxValueValidator(20)])
    on_silence = models.CharField(max_length=12, choices=OnSilence)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="moderator_waits", condition=Q(wait_seconds__gte=1, wait_seconds__lte=20))
        ]

    def __str__(self) -> str:
        return f"moderator of arena {self.arena_id}"


class BlockAppeal(models.Model):
    """What a visitor says against a block of theirs, once for each, and what an admin decided."""

    respondent = models.ForeignKey(Respondent, on_delete=models.PROTECT, related_name="block_appeals")
    # The event of the block.
    block = models.OneToOneField(Event, on_delete=models.PROTECT, related_name="+")
    personal_text = models.ForeignKey(PersonalText, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=8, choices=AppealState, default=AppealState.OPEN)
    # What the visitor reads.
    answer = models.CharField(max_length=300, blank=True, default="")
    created_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="decided_appeal_has_its_time",
                condition=Q(state=AppealState.OPEN, decided_at__isnull=True)
                | (~Q(state=AppealState.OPEN) & Q(decided_at__isnull=False)),
            )
        ]

    def __str__(self) -> str:
        return f"appeal of respondent {self.respondent_id}"


class PromptClassifier(models.Model):
    """The language model that labels an arena's prompts beside the rules. Nothing waits for it."""

    arena = models.OneToOneField(Arena, on_delete=models.PROTECT, primary_key=True, related_name="prompt_classifier")
    language_model = models.ForeignKey(LanguageModel, on_delete=models.PROTECT, related_name="+")
    # The least score of a class that becomes a label.
    limit = models.FloatField(default=0.5)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(name="classifier_limit_in_range", condition=Q(limit__gt=0, limit__lte=1))]

    def __str__(self) -> str:
        return f"classifier of arena {self.arena_id}"

    @property
    def version(self) -> str:
        """Of its labels: another revision or limit labels anew."""
        return f"{self.language_model.slug[:50]} r{self.language_model.serves.number} from {self.limit:g}"


class Moderation(models.Model):
    """One text that was shown to a moderation model: what it said, under which limits, and what became of the text;
    never the text."""

    arena = models.ForeignKey(Arena, on_delete=models.PROTECT, related_name="moderations")
    about = models.CharField(max_length=8, choices=JudgedText)
    state = models.CharField(max_length=12, choices=ModerationState, default=ModerationState.ASKED)
    # The model as it was, and the measure's digest.
    revision = models.ForeignKey(LanguageModelRevision, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64)
    limits = models.JSONField()
    # By class, in thousandths rounded; and the classes that reached their limits.
    scores = models.JSONField(null=True)
    found = ArrayField(models.CharField(max_length=80), default=list)
    silence = models.CharField(max_length=8, choices=Silence, blank=True, default="")
    # As a finding of a house rule.
    battle = models.ForeignKey(Battle, on_delete=models.PROTECT, null=True, related_name="moderations")
    respondent = models.ForeignKey(Respondent, on_delete=models.PROTECT, null=True, related_name="+")
    completion = models.OneToOneField(Completion, on_delete=models.PROTECT, null=True, related_name="+")
    asked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["arena", "asked_at"], name="moderation_recent"),
            models.Index(
                fields=["revision", "digest"], name="moderation_open", condition=Q(state=ModerationState.ASKED)
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="moderation_of_an_answer_names_it",
                condition=Q(about="answer", completion__isnull=False)
                | (~Q(about="answer") & Q(completion__isnull=True)),
            ),
            models.CheckConstraint(
                name="ended_moderation_has_its_time",
                condition=Q(state=ModerationState.ASKED, ended_at__isnull=True)
                | (~Q(state=ModerationState.ASKED) & Q(ended_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="moderation_has_scores_or_says_why_not",
                condition=Q(
                    state__in=[ModerationState.PASSED, ModerationState.STOPPED], scores__isnull=False, silence=""
                )
                | Q(state__in=[ModerationState.LET_THROUGH, ModerationState.HELD_BACK]) & ~Q(silence="")
                | Q(state__in=[ModerationState.ASKED, ModerationState.DROPPED]),
            ),
        ]

    def __str__(self) -> str:
        return f"moderation {self.pk}"
