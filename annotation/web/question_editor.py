"""The editor of questions. Buttons put the list in order and write nothing; only saving does."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from annotation.forms.questions import QuestionsForm
from annotation.policies.drafts import QUESTIONS, section_content
from annotation.questions import all_types
from annotation.use_cases.save_campaign_draft import save_campaign_draft
from annotation.web.access import for_campaign_admins
from annotation.web.managed import actor_of, managed_campaign
from annotation.web.preview import draw, question_assets
from annotation.web.saving import Page, saved

SAVE = "save"


@require_http_methods(["GET", "POST"])
@for_campaign_admins
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    page = Page(managed_campaign(slug), QUESTIONS)
    if request.method == "GET":
        stored = section_content(page.campaign, QUESTIONS)
        return show(request, page, QuestionsForm.of_draft(stored, page.version))
    if page.frozen:
        return refuse_frozen(request, page)
    action = request.POST.get("action", SAVE)
    form = QuestionsForm.of_post(request.POST, bound=action == SAVE)
    if action != SAVE:
        return show(request, page, form, about=form.change(action))
    if form.is_valid() and save(request, page, form):
        return saved(request, page.campaign, QUESTIONS)
    return show(request, page, form)


def save(request: HttpRequest, page: Page, form: QuestionsForm) -> bool:
    actor = actor_of(request)
    done = page.attempt(
        lambda: save_campaign_draft(
            campaign_id=page.campaign.pk,
            section=QUESTIONS,
            content=form.questions,
            version=form.version,
            actor=actor,
            now=timezone.now(),
        )
    )
    if page.is_stale:
        # Theirs is shown beside it from here on, so saving again is meant.
        form.version = page.version
    return done


def refuse_frozen(request: HttpRequest, page: Page) -> HttpResponse:
    """The page as it is now: what was typed cannot be asked here any more."""
    page.problems.append(_("The questions are frozen. Copy the campaign to ask others."))
    return show(request, page, QuestionsForm.of_draft(section_content(page.campaign, QUESTIONS), page.version))


def show(request: HttpRequest, page: Page, form: QuestionsForm, about: str = "") -> HttpResponse:
    """`about` is the uid of the question that a button was pressed for."""
    is_part = bool(request.headers.get("HX-Request")) and request.method == "POST"
    template = "annotation/campaigns/edit_questions.html" + ("#editor" if is_part else "")
    stored = QuestionsForm.of_draft(page.theirs, "") if page.is_stale else None
    return page.render(
        request,
        template,
        invalid=form.has_errors and form.bound,
        form=form,
        about=about,
        types=sorted(all_types().values(), key=lambda kind: str(kind.label)),
        stored=stored,
        changed=request.method == "POST",
        assets=question_assets(),
        preview=None if is_part else draw(page.campaign, form.drawable),
    )
