from django.urls import path

from arena.web import battles, manage

urlpatterns = [
    path("arenas", manage.arenas, name="arenas"),
    path("arenas/new", manage.new, name="arena-new"),
    path("arenas/<slug:slug>", battles.home, name="arena"),
    path("arenas/<slug:slug>/battles", battles.start, name="start-battle-in"),
    path("arenas/<slug:slug>/settings", manage.settings, name="arena-settings"),
    path("arenas/<slug:slug>/models", manage.models, name="arena-models"),
    path("arenas/<slug:slug>/models/enter", manage.enter, name="arena-enter"),
    path("arenas/<slug:slug>/models/<int:entry_id>/state", manage.change, name="arena-entry-state"),
    path("arenas/<slug:slug>/models/<int:entry_id>/weight", manage.weigh, name="arena-entry-weight"),
]
