from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from annotation.models import Contestant
from arena.enums import EntryState
from arena.models.arenas import Arena
from foundation.append_only import AppendOnly
from inference_workers.models import LanguageModel


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
