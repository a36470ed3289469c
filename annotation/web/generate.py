"""Items by language models: prompts and contestants are chosen, reckoned up, started, and watched."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotation.enums import GenerationKind, GenerationState, SampleDesign
from annotation.forms.generate import ChangeForm, GenerateForm
from annotation.forms.samples import SampleForms, settings_in_words
from annotation.imports.problems import BrokenFile
from annotation.imports.prompts import GivenPrompt, prompts_of_campaign, prompts_of_file, prompts_of_lines
from annotation.imports.table_file import refusal
from annotation.imports.uploads import UploadTooLarge, file_name, store_file, uploads_root
from annotation.models import Campaign, Generation
from annotation.policies.drafts import CampaignIsClosed
from annotation.policies.samples import Samples
from annotation.queries.generations import campaign_generations, generation_progress, is_shared, usable_models
from annotation.transitions import GENERATION
from annotation.use_cases.change_generation import (
    cancel_generation,
    pause_generation,
    resume_generation,
    retry_generation,
)
from annotation.use_cases.start_generation import CannotGenerate, start_generation
from annotation.web.access import for_campaign_admins
from annotation.web.figures import in_words, reckoned
from annotation.web.managed import actor_of, managed_campaign
from foundation.idempotency import IdempotencyError, mint_key
from foundation.transitions import ForbiddenTransition
from inference_workers.enums import Output
from inference_workers.models import LanguageModel
from inference_workers.policies.price_words import price_words
from inference_workers.policies.prices import Prices

SALT = "annotation.generate.file"
# Files that nobody started with are swept away after a day.
KEPT_SECONDS = 23 * 3600
PIECE = 1 << 20
REFUSALS = (BrokenFile, UploadTooLarge, CannotGenerate, CampaignIsClosed, IdempotencyError)
CHANGES = {"pause": pause_generation, "resume": resume_generation, "cancel": cancel_generation}


@require_http_methods(["GET", "HEAD", "POST"])
@for_campaign_admins
def generate(request: HttpRequest, slug: str) -> HttpResponse:
    """A first POST reckons what it takes, a second of the same starts it."""
    campaign, models, given = managed_campaign(slug), usable_models(), _given(request)
    form, samples = GenerateForm(models, **given), SampleForms(given)
    figures = None
    # Both are asked, so that all that is wrong is said at once.
    if all([form.is_valid(), samples.is_valid()]):
        try:
            name = _kept_file(request, form, campaign)
            prompts = _prompts(campaign, form, name)
            chosen = [model for model in models if model.pk in form.cleaned_data["models"]]
            seen = _digest(prompts, chosen, samples.said)
            if form.cleaned_data["seen"] == seen:
                return _start(request, campaign, prompts, form, samples.said)
            figures = reckoned(campaign, prompts, chosen, samples.said)
            form, samples = _again(form, models, campaign, chosen, name, seen), SampleForms({}, samples.said)
        except REFUSALS as error:
            for line in str(error).splitlines()[:20]:
                form.add_error(None, line)
    context = _page(campaign, models, form, figures) | {"samples": samples}
    refused = form.errors or samples.has_errors
    return render(request, "annotation/items/generate.html", context, status=422 if refused else 200)


@require_GET
@for_campaign_admins
def generation(request: HttpRequest, slug: str, generation_id: int) -> HttpResponse:
    return render(request, "annotation/items/generation.html", watched(found_generation(slug, generation_id)))


@require_GET
@for_campaign_admins
def status(request: HttpRequest, slug: str, generation_id: int) -> HttpResponse:
    """The part of the page that changes; it asks for itself while the generation runs."""
    return render(request, "annotation/items/generation.html#progress", watched(found_generation(slug, generation_id)))


@require_POST
@for_campaign_admins
def change(request: HttpRequest, slug: str, generation_id: int) -> HttpResponse:
    found, form = found_generation(slug, generation_id), ChangeForm(request.POST)
    refused = not form.is_valid()
    if not refused:
        try:
            _change(found, form.cleaned_data, request)
        except ForbiddenTransition:
            refused = True
    if not refused:
        return redirect("generation", slug, generation_id)
    context = watched(found_generation(slug, generation_id)) | {"refused": True}
    return render(request, "annotation/items/generation.html", context, status=422)


def _change(found: Generation, wanted: dict[str, Any], request: HttpRequest) -> None:
    actor, now = actor_of(request), timezone.now()
    if wanted["action"] == "retry":
        retry_generation(generation_id=found.pk, item_id=wanted["item"], actor=actor, now=now)
    else:
        CHANGES[wanted["action"]](generation_id=found.pk, actor=actor, now=now)


def found_generation(slug: str, generation_id: int) -> Generation:
    found = Generation.objects.select_related("campaign", "created_by__user")
    return get_object_or_404(found, campaign=managed_campaign(slug), pk=generation_id, kind=GenerationKind.RESPONSES)


def watched(found: Generation) -> dict[str, Any]:
    progress = generation_progress(found, timezone.now())
    goes_to = GENERATION[found.state]
    return {
        "campaign": found.campaign,
        "generation": found,
        "progress": progress,
        "left": in_words(progress.left),
        "design": SampleDesign(found.parameters["design"]).label if is_shared(found) else "",
        "settings": [(each["name"], settings_in_words(each)) for each in found.parameters.get("settings", ())],
        "runs": found.state == GenerationState.RUNNING,
        "may_pause": GenerationState.PAUSED in goes_to,
        "may_resume": found.state == GenerationState.PAUSED,
        "may_cancel": GenerationState.CANCELLED in goes_to,
        "may_retry": progress.failed > 0 and found.state != GenerationState.CANCELLED,
    }


def _given(request: HttpRequest) -> dict[str, Any]:
    if request.method == "POST":
        return {"data": request.POST, "files": request.FILES}
    return {"initial": {"key": mint_key()}}


def _page(
    campaign: Campaign, models: Sequence[LanguageModel], form: GenerateForm, figures: dict[str, Any] | None
) -> dict[str, Any]:
    kept = _read_kept(form["kept"].value() or "", campaign)
    writers = [
        {
            "box": box,
            "output": Output(model.serves.output).label,
            "endpoint": model.serves.endpoint.name,
            "price": price_words(Prices.of(model.serves, model)),
        }
        for box, model in zip(form["models"], models, strict=True)
    ]
    return {
        "campaign": campaign,
        "models": models,
        "writers": writers,
        "form": form,
        "figures": figures,
        "kept_name": kept[1] if kept else "",
        "generations": campaign_generations(campaign, GenerationKind.RESPONSES),
    }


def _kept_file(request: HttpRequest, form: GenerateForm, campaign: Campaign) -> tuple[str, str] | None:
    """Where a file lies that was sent now or before, and what it is called."""
    sent = form.cleaned_data["file"]
    if sent:
        stored = store_file(sent.name or "", sent.chunks(PIECE))
        return stored.path.name, file_name(sent.name or "")
    kept = _read_kept(form.cleaned_data["kept"], campaign)
    if form.cleaned_data["kept"] and (kept is None or not _path(kept).is_file()):
        raise refusal(_("The file is not there any more. Choose it again."))
    return kept


def _read_kept(kept: str, campaign: Campaign) -> tuple[str, str] | None:
    try:
        slug, stored, name = signing.loads(kept, salt=SALT, max_age=KEPT_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return (stored, name) if slug == campaign.slug else None


def _prompts(campaign: Campaign, form: GenerateForm, file: tuple[str, str] | None) -> list[GivenPrompt]:
    if file is not None:
        return prompts_of_file(_path(file), form.cleaned_data["column"])
    if form.cleaned_data["stored"]:
        return prompts_of_campaign(campaign)
    return prompts_of_lines(form.cleaned_data["lines"])


def _path(file: tuple[str, str]) -> Path:
    return uploads_root() / Path(file[0]).name


def _digest(prompts: Sequence[GivenPrompt], models: Sequence[LanguageModel], samples: Samples) -> str:
    """Of what the figures are about: whoever starts something else sees its own figures first."""
    whole = sha256()
    for given in prompts:
        whole.update(given.messages.encode())
    about = [(model.pk, model.current_id, Prices.of(model.serves, model)) for model in models]
    whole.update(repr(about).encode())
    whole.update(repr(samples).encode())
    return whole.hexdigest()[:32]


def _again(
    form: GenerateForm,
    models: Sequence[LanguageModel],
    campaign: Campaign,
    chosen: Sequence[LanguageModel],
    file: tuple[str, str] | None,
    seen: str,
) -> GenerateForm:
    """The form as it was sent, with what the next POST needs to mean the same."""
    values = {name: form.cleaned_data[name] for name in ("lines", "column", "stored", "key")}
    values["models"] = [str(model.pk) for model in chosen]
    values["seen"] = seen
    values["kept"] = signing.dumps([campaign.slug, *file], salt=SALT) if file else ""
    return GenerateForm(models, initial=values)


def _start(
    request: HttpRequest, campaign: Campaign, prompts: Sequence[GivenPrompt], form: GenerateForm, samples: Samples
) -> HttpResponse:
    """A file stays until it is swept away, so that a second click finds it and is the same start."""
    started = start_generation(
        campaign_id=campaign.pk,
        prompts=prompts,
        models=form.cleaned_data["models"],
        samples=samples,
        key=form.cleaned_data["key"],
        actor=actor_of(request),
        now=timezone.now(),
    )
    return redirect("generation", campaign.slug, started.pk)
