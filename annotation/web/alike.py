"""Prompts that say nearly the same: their vectors are asked for, and pairs shown."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from annotation.forms.alike import AlikeForm
from annotation.policies.drafts import CampaignIsClosed
from annotation.queries.alike import alike_prompts
from annotation.use_cases.measure_prompts import measure_prompts
from annotation.web.access import for_campaign_admins
from annotation.web.managed import actor_of, managed_campaign
from inference_workers.enums import Task
from inference_workers.queries.measures import measuring_models


@require_http_methods(["GET", "HEAD", "POST"])
@for_campaign_admins
def alike(request: HttpRequest, slug: str) -> HttpResponse:
    campaign, models = managed_campaign(slug), measuring_models(Task.EMBEDDING)
    data = request.POST if request.method == "POST" else request.GET
    asked = request.method == "POST" or "model" in data
    form = AlikeForm(models, data if asked else None)
    found = None
    if form.is_valid():
        chosen, threshold = form.cleaned_data["model"], form.cleaned_data["threshold"]
        if request.method == "POST":
            try:
                measure_prompts(campaign_id=campaign.pk, model_id=chosen, actor=actor_of(request), now=timezone.now())
                return redirect(f"{reverse('campaign-alike', args=[slug])}?model={chosen}&threshold={threshold}")
            except CampaignIsClosed as error:
                form.add_error(None, str(error))
        else:
            model = next(each for each in models if each.pk == chosen)
            found = alike_prompts(campaign, model.serves, threshold)
    context = {"campaign": campaign, "models": models, "form": form, "found": found}
    return render(request, "annotation/items/alike.html", context, status=422 if form.errors else 200)
