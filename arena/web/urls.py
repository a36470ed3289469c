from django.urls import path

from arena.web import battles, leaderboard

urlpatterns = [
    path("", battles.home, name="home"),
    path("workers", battles.workers, name="workers"),
    path("battles", battles.start, name="start-battle"),
    path("battles/<uuid:battle_id>", battles.battle, name="battle"),
    path("battles/<uuid:battle_id>/waiting", battles.waiting, name="battle-waiting"),
    path("battles/<uuid:battle_id>/follow-up", battles.follow_up, name="follow-up"),
    path("battles/<uuid:battle_id>/vote", battles.vote, name="vote"),
    path("leaderboard", leaderboard.leaderboard, name="leaderboard"),
    path("leaderboard/<slug:slug>", leaderboard.board, name="board"),
    path("leaderboard/<slug:slug>/publish", leaderboard.publish, name="board-publish"),
    path("leaderboard/<slug:slug>/hide", leaderboard.hide, name="board-hide"),
    path("leaderboard/<slug:slug>/retire-simulated", leaderboard.retire, name="retire-simulated"),
    path("leaderboard/<slug:slug>/restore-simulated", leaderboard.restore, name="restore-simulated"),
]
