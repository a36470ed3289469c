from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Person
from inference_workers.enums import Backend, Output, Task, Visibility
from inference_workers.models import Endpoint, LanguageModel, LanguageModelRevision
from inference_workers.signals import output_changing
from inference_workers.use_cases.record_change import record_change


@dataclass(frozen=True, kw_only=True)
class Card:
    """What a language model is called and how it takes part. Changing it changes no answer."""

    name: str
    slug: str
    aliases: Sequence[str] = ()
    organisation: str = ""
    licence: str = ""
    task: str = Task.TEXT
    visibility: str = Visibility.PUBLIC
    weight: float = 1.0
    # In US dollars for a million tokens; None where nobody said.
    price_read: Decimal | None = None
    price_written: Decimal | None = None
    # Of a file, of each second that it plays, and the longest that it plays.
    price_file: Decimal | None = None
    price_second: Decimal | None = None
    longest_seconds: int | None = None
    keeps_logprobs: bool = False
    takes_images: bool = False


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that decides what a language model answers; kept as a revision."""

    endpoint: Endpoint
    provider_model: str
    system_prompt: str = ""
    temperature: float = 0.7
    top_p: float = 0.95
    top_k: int = 0
    repetition_penalty: float = 1.0
    max_tokens: int = 256
    stop: Sequence[str] = ()
    accepts_cut: bool = False
    takes_schema: bool = False
    output: str = Output.TEXT

    @classmethod
    def of(cls, revision: LanguageModelRevision) -> "Recipe":
        return cls(
            endpoint=revision.endpoint,
            provider_model=revision.provider_model,
            system_prompt=revision.system_prompt,
            temperature=revision.temperature,
            top_p=revision.top_p,
            top_k=revision.top_k,
            repetition_penalty=revision.repetition_penalty,
            max_tokens=revision.max_tokens,
            stop=tuple(revision.stop),
            accepts_cut=revision.accepts_cut,
            takes_schema=revision.takes_schema,
            output=revision.output,
        )

    def same_as(self, other: "Recipe") -> bool:
        return replace(self, stop=tuple(self.stop)) == replace(other, stop=tuple(other.stop))


def add_language_model(*, card: Card, recipe: Recipe, now: datetime, actor: Person | None = None) -> LanguageModel:
    """A new language model at its first revision. Raises django's ValidationError."""
    with transaction.atomic():
        model = LanguageModel()
        refuse_card_beside(recipe, card)
        _write_card(model, card, now)
        revision = add_revision(model, recipe)
        record_change(subject=model, verb="added", before={}, after=_told(model), actor=actor, revision=revision)
    return model


def edit_language_model(
    *, language_model_id: int, card: Card, recipe: Recipe, now: datetime, actor: Person | None = None
) -> LanguageModel:
    """Write the card, and, only if the recipe differs from the current revision, the next revision. Revisions that
    were answered with stay as they are. Raises django's ValidationError."""
    with transaction.atomic():
        model = (
            LanguageModel.objects.select_for_update(of=("self",))
            .select_related("current__endpoint")
            .get(pk=language_model_id)
        )
        before, former = _told(model), model.current_id
        if card.task != model.task and model.revisions.filter(completions__isnull=False).exists():
            raise ValidationError({"task": _("It was asked already: add another model for another task.")})
        refuse_card_beside(recipe, card)
        refuse_other_output(model, recipe)
        _write_card(model, card, now)
        if model.current is None or not Recipe.of(model.current).same_as(recipe):
            add_revision(model, recipe)
        revision = model.current if model.current_id != former else None
        record_change(subject=model, verb="edited", before=before, after=_told(model), actor=actor, revision=revision)
    return model


def refuse_card_beside(recipe: Recipe, card: Card) -> None:
    """Raises ValidationError for what a card says that cannot be so of a model of that recipe."""
    _refuse_pictures_without_a_reader(card, recipe)
    _refuse_prices_of_nothing(card, recipe)
    if recipe.takes_schema and (recipe.endpoint.backend == Backend.TRANSFORMERS or recipe.output != Output.TEXT):
        raise ValidationError({"takes_schema": _("Only a model of an address that answers with text takes a schema.")})


def refuse_other_output(model: LanguageModel, recipe: Recipe) -> None:
    """Raises ValidationError where the model would come to answer with something else, and an app above says why that
    may not be."""
    if model.current is None or model.current.output == recipe.output:
        return
    said = output_changing.send(sender=LanguageModel, language_model_id=model.pk, output=recipe.output)
    reasons = [reason for _receiver, reason in said if reason]
    if reasons:
        raise ValidationError({"output": reasons})


def _refuse_prices_of_nothing(card: Card, recipe: Recipe) -> None:
    if recipe.output == Output.TEXT and (card.price_file is not None or card.price_second is not None):
        name = "price_file" if card.price_file is not None else "price_second"
        raise ValidationError({name: _("A model that answers with text has no price of a file.")})
    if card.price_second is None:
        return
    if recipe.output == Output.IMAGE:
        raise ValidationError({"price_second": _("An image has no seconds.")})
    if card.longest_seconds is None:
        raise ValidationError({"longest_seconds": _("Where seconds are paid, a budget has to know the longest file.")})


def _refuse_pictures_without_a_reader(card: Card, recipe: Recipe) -> None:
    """What a model in the worker's own process reads is text alone, and so is what one that measures reads. Raises
    ValidationError."""
    if not card.takes_images:
        return
    if recipe.endpoint.backend == Backend.TRANSFORMERS:
        said = _("In the worker’s own process models read text alone: %(name)s cannot take pictures.")
        raise ValidationError({"takes_images": said % {"name": card.name}})
    if card.task != Task.TEXT:
        raise ValidationError({"takes_images": _("Only a model that writes answers takes pictures.")})


def _told(model: LanguageModel) -> dict[str, Any]:
    return {name: getattr(model, name) for name in Card.__dataclass_fields__}


def add_revision(model: LanguageModel, recipe: Recipe) -> LanguageModelRevision:
    """Make the recipe the current revision of a locked language model, in the caller's transaction."""
    newest = model.revisions.order_by("-number").values_list("number", flat=True).first() or 0
    values = {name: getattr(recipe, name) for name in recipe.__dataclass_fields__} | {"stop": list(recipe.stop)}
    revision = LanguageModelRevision(language_model=model, number=newest + 1, **values)
    revision.full_clean()
    revision.save()
    model.current = revision
    model.save(update_fields=["current"])
    return revision


def _write_card(model: LanguageModel, card: Card, now: datetime) -> None:
    for name, value in asdict(card).items():
        setattr(model, name, value)
    if card.visibility == Visibility.PUBLIC and model.released_at is None:
        model.released_at = now
    model.aliases = list(card.aliases)
    model.full_clean(exclude=["current"])
    model.save()
