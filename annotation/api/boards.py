"""Public boards as JSON: what the pages show, with the snapshot that it is from."""

from typing import Any

from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ParseError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.boards.wording import board_sentence
from annotation.models import Board, LeaderboardSnapshot
from annotation.policies.boards import is_shown, sees_hidden_boards
from annotation.queries import public_boards, readable_snapshot, readable_snapshots
from annotation.queries.snapshots import NotADay, day_of, names_of_entries
from foundation.conditional import tag_of, unless_known

# Snapshots in one answer of the list.
PER_PAGE = 50


class BoardLine(serializers.Serializer[Any]):
    """One board in the list."""

    slug = serializers.SlugField()
    name = serializers.CharField()
    method = serializers.CharField()
    number = serializers.IntegerField(allow_null=True, help_text="of the newest snapshot, null before the first")
    judgments = serializers.IntegerField(help_text="in the newest snapshot")
    computed_at = serializers.DateTimeField(allow_null=True)


class BoardStandings(BoardLine):
    """A board with its newest standings. Ratings of different boards or methods cannot be compared."""

    slice = serializers.JSONField(help_text="which part of the log; empty for all of it")
    sentence = serializers.CharField(help_text="whose preferences these are, over which prompts")
    last_sequence = serializers.IntegerField(allow_null=True, help_text="the log was read up to this entry")
    retired_sources = serializers.ListField(child=serializers.IntegerField(), help_text="left out of the log")
    code_version = serializers.CharField(allow_blank=True)
    digest = serializers.CharField(
        allow_blank=True,
        help_text="SHA-256 of the canonical JSON of `standings` as they were frozen, with the names of then; empty"
        " where one of those may be said no longer",
    )
    renamed = serializers.BooleanField(help_text="whether `standings` have other names than were frozen: those of now")
    standings = serializers.JSONField(
        help_text="entries in order of rank, and what they rest on; null before the first"
    )


class SnapshotLine(serializers.Serializer[Any]):
    """One snapshot in the list; its standings stand under its number."""

    number = serializers.IntegerField()
    method = serializers.CharField()
    judgments = serializers.IntegerField()
    last_sequence = serializers.IntegerField()
    code_version = serializers.CharField()
    computed_at = serializers.DateTimeField(source="created_at")


def line(board: Board, snapshot: LeaderboardSnapshot | None) -> dict[str, Any]:
    return {
        "slug": board.slug,
        "name": board.name,
        "method": snapshot.method if snapshot else board.method,
        "number": snapshot.number if snapshot else None,
        "judgments": snapshot.judgments if snapshot else 0,
        "computed_at": snapshot.created_at if snapshot else None,
    }


def whole(board: Board, snapshot: LeaderboardSnapshot | None) -> dict[str, Any]:
    return line(board, snapshot) | {
        "slice": snapshot.slice if snapshot else board.slice,
        "sentence": board_sentence(snapshot.standings, snapshot.slice) if snapshot else _("Not computed yet."),
        "last_sequence": snapshot.last_sequence if snapshot else None,
        "retired_sources": snapshot.retired_sources if snapshot else [],
        "code_version": snapshot.code_version if snapshot else "",
        "digest": snapshot.digest if snapshot else "",
        "renamed": snapshot.is_renamed if snapshot else False,
        "standings": snapshot.standings if snapshot else None,
    }


def standings_json(board: Board, snapshot: LeaderboardSnapshot | None) -> dict[str, Any]:
    """What the API says of a board, and what its file says."""
    found: dict[str, Any] = BoardStandings(whole(board, snapshot)).data
    return found


def json_tag(board: Board, snapshot: LeaderboardSnapshot | None) -> str:
    """Of everything that stands in it; the sentence is in the reader's language."""
    if snapshot is None:
        return tag_of("json", board.slug, board.name, board.method, board.slice, get_language())
    names = names_of_entries(snapshot)
    return tag_of("json", board.slug, board.name, snapshot.number, snapshot.digest, names, get_language())


class BoardList(APIView):
    """Every public board."""

    permission_classes = [AllowAny]
    authentication_classes = ()

    @extend_schema(operation_id="boards", responses=BoardLine(many=True))
    def get(self, request: Request) -> Response:
        return Response(BoardLine([line(board, snapshot) for board, snapshot in public_boards()], many=True).data)


class BoardDetail(APIView):
    """One board with its newest standings, or those as a day ended: a public one for everybody, others for those who
    see them on pages."""

    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="board",
        responses=BoardStandings,
        parameters=[OpenApiParameter("on", OpenApiTypes.DATE, description="the newest as this UTC day ended")],
    )
    def get(self, request: Request, slug: str) -> HttpResponseBase:
        board = seen_board(slug, request.user)
        if not (day := request.query_params.get("on")):
            return _answer(request, board, readable_snapshot(board))
        try:
            snapshot = readable_snapshot(board, on=day_of(day))
        except NotADay as refusal:
            raise ParseError(str(refusal)) from refusal
        if snapshot is None:
            raise NotFound(_("The board has no snapshot of that day or before."))
        return _answer(request, board, snapshot)


class SnapshotList(APIView):
    """The snapshots of a board, the newest first, fifty at a time."""

    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="snapshots",
        responses=SnapshotLine(many=True),
        parameters=[OpenApiParameter("before", OpenApiTypes.INT, description="only those of a lower number")],
    )
    def get(self, request: Request, slug: str) -> Response:
        snapshots = readable_snapshots(seen_board(slug, request.user))
        if before := request.query_params.get("before"):
            if not (before.isascii() and before.isdigit() and len(before) < 10):
                raise ParseError(_("`before` is the number of a snapshot."))
            snapshots = snapshots.filter(number__lt=int(before))
        return Response(SnapshotLine(snapshots[:PER_PAGE], many=True).data, headers={"Cache-Control": "no-cache"})


class SnapshotDetail(APIView):
    """The board as it was at one snapshot."""

    permission_classes = [AllowAny]

    @extend_schema(operation_id="snapshot", responses=BoardStandings)
    def get(self, request: Request, slug: str, number: int) -> HttpResponseBase:
        board = seen_board(slug, request.user)
        snapshot = readable_snapshot(board, number=number)
        if snapshot is None:
            raise NotFound
        return _answer(request, board, snapshot)


def seen_board(slug: str, user: Any) -> Board:
    """Raises NotFound, also for one that is there and not to be seen."""
    board = Board.objects.select_related("parent").filter(slug=slug).first()
    if board is None or not (is_shown(board) or sees_hidden_boards(user)):
        raise NotFound
    return board


def _answer(request: Request, board: Board, snapshot: LeaderboardSnapshot | None) -> HttpResponseBase:
    """Asked for again before it is shown again, at numbers too: a name may be said no longer, a board not be public."""
    tag = json_tag(board, snapshot)
    answer = unless_known(request, tag, lambda: Response(standings_json(board, snapshot)))
    patch_vary_headers(answer, ["Accept-Language"])
    patch_cache_control(answer, no_cache=True, **({} if is_shown(board) else {"private": True}))
    return answer
