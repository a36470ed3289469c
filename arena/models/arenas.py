from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from annotation.models import Campaign
from arena.enums import Look, Mode
from inference_workers.enums import Output


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
