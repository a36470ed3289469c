"""Public boards as JSON: what the pages show, with the snapshot that it is from."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.boards.wording import board_sentence
from annotation.models import Board, LeaderboardSnapshot
from annotation.policies.boards import sees_hidden_boards
from annotation.queries import public_boards, readable_snapshot


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

    sentence = serializers.CharField(help_text="whose preferences these are, over which prompts")
    last_sequence = serializers.IntegerField(allow_null=True, help_text="the log was read up to this entry")
    retired_sources = serializers.ListField(child=serializers.IntegerField(), help_text="left out of the log")
    code_version = serializers.CharField(allow_blank=True)
    digest = serializers.CharField(allow_blank=True, help_text="SHA-256 of the canonical JSON of `standings`")
    standings = serializers.JSONField(
        help_text="entries in order of rank, and what they rest on; null before the first"
    )


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
        "sentence": board_sentence(snapshot.standings, snapshot.slice) if snapshot else _("Not computed yet."),
        "last_sequence": snapshot.last_sequence if snapshot else None,
        "retired_sources": snapshot.retired_sources if snapshot else [],
        "code_version": snapshot.code_version if snapshot else "",
        "digest": snapshot.digest if snapshot else "",
        "standings": snapshot.standings if snapshot else None,
    }


class BoardList(APIView):
    """Every public board."""

    permission_classes = [AllowAny]
    authentication_classes = ()

    @extend_schema(operation_id="boards", responses=BoardLine(many=True))
    def get(self, request: Request) -> Response:
        return Response(BoardLine([line(board, snapshot) for board, snapshot in public_boards()], many=True).data)


class BoardDetail(APIView):
    """One board with its newest standings: a public one for everybody, others for those who see them on pages."""

    permission_classes = [AllowAny]

    @extend_schema(operation_id="board", responses=BoardStandings)
    def get(self, request: Request, slug: str) -> Response:
        board = Board.objects.filter(slug=slug).first()
        if board is None or not (board.is_public or sees_hidden_boards(request.user)):
            raise NotFound
        return Response(BoardStandings(whole(board, readable_snapshot(board))).data)
