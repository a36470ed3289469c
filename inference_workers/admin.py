"""Operators' pages: where models run, which there are, and what was asked of them. Texts of people do not show here."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Person, User
from accounts.use_cases.create_person import person_of_user
from inference_workers.dispatch import request_completion
from inference_workers.enums import CompletionState, Priority, Rejection, Task
from inference_workers.forms import (
    CARD_FIELDS,
    DIALECT_FIELDS,
    LIMIT_FIELDS,
    RECIPE_FIELDS,
    EndpointForm,
    LanguageModelForm,
)
from inference_workers.models import Completion, Endpoint, LanguageModel, LanguageModelRevision
from inference_workers.policies.screen import SCREEN_VERSION
from inference_workers.queries import Failures, completion_texts, recent_failures, worker_status
from inference_workers.use_cases.edit_endpoint import add_endpoint, edit_endpoint
from inference_workers.use_cases.edit_language_model import add_language_model, edit_language_model

TEST_QUESTION = "Say hello in one short sentence."
LEAK_HINT = _(
    "An answer that names its model is held back and asked for once more; the second one voids the battle. The system"
    " prompt can tell the model not to name itself, and other names that are ordinary words can be removed."
)
TESTS_AT_ONCE = 20
REFRESH_SECONDS = 2


class RevisionInline(admin.TabularInline):  # type: ignore[type-arg]
    """What the model answered with, and since when. Written once."""

    model = LanguageModelRevision
    verbose_name_plural = _("revisions")
    fields = readonly_fields = ("number", *RECIPE_FIELDS, "created_at")
    ordering = ["-number"]
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(LanguageModel)
class LanguageModelAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = LanguageModelForm
    fieldsets = [
        (None, {"fields": tuple(CARD_FIELDS)}),
        (_("What decides its answers (a change makes the next revision)"), {"fields": tuple(RECIPE_FIELDS)}),
    ]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [RevisionInline]
    readonly_fields = ["last_completions", "screen_version"]
    list_display = ["name", "organisation", "visibility", "weight", "endpoint", "revision", "last_completions"]
    list_filter = ["visibility", "current__endpoint"]
    list_select_related = ["current__endpoint"]
    search_fields = ["name", "slug", "organisation"]
    actions = ["test_now"]

    @admin.display(description=_("endpoint"))
    def endpoint(self, model: LanguageModel) -> str:
        return str(model.current.endpoint) if model.current else ""

    @admin.display(description=_("revision"))
    def revision(self, model: LanguageModel) -> int | None:
        return model.current.number if model.current else None

    @admin.display(description=_("last completions"))
    def last_completions(self, model: LanguageModel) -> str:
        """The list has looked up those of all its rows; the page of one model also says what to do about them."""
        if hasattr(model, "failures"):
            return failure_words(model.failures)
        failures = recent_failures([model.pk]).get(model.pk)
        leaks = failures is not None and Rejection.IDENTITY_LEAK in failures.reasons
        return f"{failure_words(failures)} {LEAK_HINT}" if leaks else failure_words(failures)

    @admin.display(description=_("version of the rules for answers"))
    def screen_version(self, model: LanguageModel) -> str:
        return SCREEN_VERSION

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        failures = recent_failures([model.pk for model in changelist.result_list])
        for model in changelist.result_list:
            model.failures = failures.get(model.pk)
        return changelist

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        past = [(_("Of late"), {"fields": ("last_completions", "screen_version")})] if obj else []
        return [*self.fieldsets, *past]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        # The revision's fields are no fields of the model; the form adds them itself.
        return super().get_form(request, obj, change=change, **(kwargs | {"fields": CARD_FIELDS}))

    def save_model(self, request: HttpRequest, obj: LanguageModel, form: Any, change: bool) -> None:
        values = {"card": form.card, "recipe": form.recipe, "now": timezone.now(), "actor": person_of(request)}
        saved = edit_language_model(language_model_id=obj.pk, **values) if change else add_language_model(**values)
        obj.pk = saved.pk

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # its judgments stand: retire it instead

    @admin.action(description=_("Test now"), permissions=["change"])
    def test_now(self, request: HttpRequest, queryset: QuerySet[LanguageModel]) -> HttpResponse | None:
        return ask_for_tests(self, request, queryset)


@admin.register(Endpoint)
class EndpointAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = EndpointForm
    fields = ["name", "backend", "base_url", "api_key", "has_key", "remove_key", *LIMIT_FIELDS, *DIALECT_FIELDS]
    readonly_fields = ["has_key"]
    list_display = ["name", "backend", "base_url", "capacity", "has_key"]
    actions = ["test_now"]

    @admin.display(description=_("key is set"), boolean=True)
    def has_key(self, endpoint: Endpoint) -> bool:
        return bool(endpoint.sealed_key)

    def save_model(self, request: HttpRequest, obj: Endpoint, form: Any, change: bool) -> None:
        values = {"settings": form.endpoint_settings, "now": timezone.now(), "actor": person_of(request)}
        saved = edit_endpoint(endpoint_id=obj.pk, **values) if change else add_endpoint(**values)
        obj.pk = saved.pk

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.revisions.exists())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        queryset.filter(revisions=None).delete()

    @admin.action(description=_("Test now"), permissions=["change"])
    def test_now(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> HttpResponse | None:
        """One tiny completion of every language model that runs there."""
        return ask_for_tests(self, request, LanguageModel.objects.filter(current__endpoint__in=queryset))


@admin.register(Completion)
class CompletionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The queue and its past, without what was asked and answered."""

    fields = readonly_fields = (
        "id",
        "revision",
        "state",
        "priority",
        "attempt",
        "max_attempts",
        "error_code",
        "error_message",
        "finish_reason",
        "prompt_tokens",
        "completion_tokens",
        "first_token_seconds",
        "total_seconds",
        "created_at",
        "started_at",
        "finished_at",
    )
    list_display = ["id", "revision", "state", "priority", "attempt", "error_code", "total_seconds", "created_at"]
    list_filter = ["state", "priority", "error_code"]
    list_select_related = ["revision__language_model"]
    ordering = ["-created_at"]
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        tests = path("tests/", self.admin_site.admin_view(self.tests), name="inference_workers_tests")
        return [tests, *super().get_urls()]

    def tests(self, request: HttpRequest) -> HttpResponse:
        """The test completions named in the address; refreshes itself until all have ended."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        ids = [pk for pk in request.GET.getlist("id")[:TESTS_AT_ONCE] if is_uuid(pk)]
        rows = list(
            Completion.objects.filter(pk__in=ids, person=None).select_related(
                "revision__language_model", "revision__endpoint"
            )
        )
        texts = completion_texts(rows)
        waiting = any(row.state in (CompletionState.QUEUED, CompletionState.RUNNING) for row in rows)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Test of language models"),
            "question": TEST_QUESTION,
            "tests": [(row, texts[row.pk]) for row in rows],
            "waiting": waiting,
            "worker": worker_status(),
        }
        response = TemplateResponse(request, "admin/inference_workers/tests.html", context)
        if waiting:
            response["Refresh"] = str(REFRESH_SECONDS)
        return response


def person_of(request: HttpRequest) -> Person | None:
    """Whose change the history names."""
    return person_of_user(user=request.user, now=timezone.now()) if isinstance(request.user, User) else None


def failure_words(failures: Failures | None) -> str:
    """How many of a language model's last completions failed or were held back, and why."""
    if failures is None:
        return gettext("none yet")
    if not failures.failed:
        return ngettext("%(ended)d, it succeeded", "%(ended)d, all succeeded", failures.ended) % {
            "ended": failures.ended
        }
    known = dict(Rejection.choices)
    reasons = "; ".join(f"{known.get(code, code)} ({count})" for code, count in failures.reasons.items())
    share = {
        "failed": failures.failed,
        "ended": failures.ended,
        "percent": round(100 * failures.failed / failures.ended),
    }
    return gettext("%(failed)d of %(ended)d (%(percent)d %%) failed or were held back") % share + f": {reasons}."


def ask_for_tests(
    page: "admin.ModelAdmin[Any]", request: HttpRequest, models: QuerySet[LanguageModel]
) -> HttpResponse | None:
    """Ask each language model the same small thing and go to where the answers appear."""
    chosen = list(
        models.filter(task=Task.TEXT, current__isnull=False).select_related("current").order_by("name")[:TESTS_AT_ONCE]
    )
    if not chosen:
        page.message_user(request, _("No language model runs there."), messages.WARNING)
        return None
    ids = [
        request_completion(
            revision=model.current,  # type: ignore[arg-type]
            messages=[{"role": "user", "content": TEST_QUESTION}],
            person=None,
            priority=Priority.VISITOR,
            seed=1,
        ).pk
        for model in chosen
    ]
    address = reverse(f"{page.admin_site.name}:inference_workers_tests")
    return HttpResponseRedirect(f"{address}?{urlencode({'id': ids}, doseq=True)}")


def is_uuid(value: str) -> bool:
    try:
        UUID(value)
    except ValueError:
        return False
    return True
