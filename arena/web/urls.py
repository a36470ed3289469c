from django.urls import path

from arena.web import battles, leaderboard, mine, reactions, shares, turns

urlpatterns = [
    path("", battles.home, name="home"),
    path("workers", battles.workers, name="workers"),
    path("battles", battles.start, name="start-battle"),
    path("battles/<uuid:battle_id>", battles.battle, name="battle"),
    path("battles/<uuid:battle_id>/waiting", battles.waiting, name="battle-waiting"),
    path("battles/<uuid:battle_id>/follow-up", battles.follow_up, name="follow-up"),
    path("battles/<uuid:battle_id>/vote", battles.vote, name="vote"),
    path("battles/<uuid:battle_id>/regenerate", turns.regenerate, name="regenerate"),
    path("battles/<uuid:battle_id>/reactions", reactions.reaction, name="react"),
    path("battles/<uuid:battle_id>/stop", turns.stop, name="stop"),
    path("leaderboard", leaderboard.leaderboard, name="leaderboard"),
    path("leaderboard/<slug:slug>", leaderboard.board, name="board"),
    path("leaderboard/<slug:slug>/publish", leaderboard.publish, name="board-publish"),
    path("leaderboard/<slug:slug>/hide", leaderboard.hide, name="board-hide"),
    path("leaderboard/<slug:slug>/retire-simulated", leaderboard.retire, name="retire-simulated"),
    path("leaderboard/<slug:slug>/restore-simulated", leaderboard.restore, name="restore-simulated"),
    path("battles/<uuid:battle_id>/share", shares.share, name="share-battle"),
    path("battles/<uuid:battle_id>/share/revoke", shares.revoke, name="revoke-share"),
    path("shared/<str:token>", shares.shared, name="shared-battle"),
    path("shared/<str:token>/models", shares.models, name="shared-models"),
    path("mine", mine.battles, name="mine"),
    path("mine/board", mine.board, name="own-board"),
    path("mine/data", mine.data, name="own-data"),
    path("mine/data/download", mine.download, name="own-download"),
    path("mine/data/link", mine.make_link, name="make-own-link"),
    path("mine/data/erase", mine.erase, name="erase-own"),
    path("mine/erased", mine.erased, name="own-erased"),
    path("mine/link/<str:token>", mine.by_link, name="own-link"),
]
