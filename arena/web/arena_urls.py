from django.urls import path

from arena.enums import Mode
from arena.web import battles, manage, moderation, modes, pool, selection, suggestions

urlpatterns = [
    path("arenas", manage.arenas, name="arenas"),
    path("arenas/new", manage.new, name="arena-new"),
    path("arenas/<slug:slug>", battles.home, name="arena"),
    path("arenas/<slug:slug>/battles", battles.start, name="start-battle-in"),
    path("arenas/<slug:slug>/battles/any", suggestions.start_any, name="start-any-in"),
    path("arenas/<slug:slug>/suggestions", suggestions.suggestions, name="suggestions-in"),
    path("arenas/<slug:slug>/prompts", pool.prompts, name="arena-prompts"),
    path("arenas/<slug:slug>/prompts/<int:prompt_id>/offered", pool.offer, name="arena-prompt-offered"),
    path("arenas/<slug:slug>/prompts/classifier", pool.classifier, name="arena-classifier"),
    path("arenas/<slug:slug>/choose", battles.arranged, {"mode": Mode.NAMED}, name="battle-choose-in"),
    path("arenas/<slug:slug>/own-models", battles.arranged, {"mode": Mode.OWN_SET}, name="battle-own-in"),
    path("arenas/<slug:slug>/own-models/set", modes.own_set, name="battle-set-in"),
    path("arenas/<slug:slug>/settings", manage.settings, name="arena-settings"),
    path("arenas/<slug:slug>/selection", selection.selection, name="arena-selection"),
    path("arenas/<slug:slug>/integrity", moderation.integrity, name="arena-integrity"),
    path("arenas/<slug:slug>/visitors/<int:respondent_id>", moderation.visitor, name="arena-visitor"),
    path("arenas/<slug:slug>/appeals/<int:appeal_id>", moderation.appeal, name="arena-appeal"),
    path("arenas/<slug:slug>/rules", moderation.rules, name="arena-rules"),
    path("arenas/<slug:slug>/rules/add", moderation.add, name="arena-rule-add"),
    path("arenas/<slug:slug>/rules/try", moderation.try_text, name="arena-rules-try"),
    path("arenas/<slug:slug>/rules/<int:rule_id>/switch", moderation.switch, name="arena-rule-switch"),
    path("arenas/<slug:slug>/rules/model", moderation.model, name="arena-moderator"),
    path("arenas/<slug:slug>/rules/model/remove", moderation.unset_model, name="arena-moderator-remove"),
    path("arenas/<slug:slug>/findings/<int:finding_id>", moderation.look, name="arena-finding"),
    path("arenas/<slug:slug>/moderations/<int:moderation_id>", moderation.look_model, name="arena-moderation"),
    path("arenas/<slug:slug>/models", manage.models, name="arena-models"),
    path("arenas/<slug:slug>/models/enter", manage.enter, name="arena-enter"),
    path("arenas/<slug:slug>/models/<int:entry_id>/state", manage.change, name="arena-entry-state"),
    path("arenas/<slug:slug>/models/<int:entry_id>/weight", manage.weigh, name="arena-entry-weight"),
]
