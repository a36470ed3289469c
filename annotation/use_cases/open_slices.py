from datetime import datetime

from annotation.boards.slices import WITH_EXCLUDED
from annotation.models import Board
from annotation.queries import large_enough, last_sequence, retired_sources, set_apart
from annotation.use_cases.open_slice import open_slice

# Of fewer judgments a board would be provisional all over.
LEAST_JUDGMENTS = 100
# A file may name thousands of categories; those with most judgments get a board.
MOST_OF_A_FIELD = 20


def open_slices(*, board_id: int, now: datetime) -> list[Board]:
    """Give every category and language of a whole board that has LEAST_JUDGMENTS a board, and the whole with the votes
    that blocks keep out, where there are any; returns the new ones.

    The same again changes nothing, and of two at once one makes it. One that was hidden stays hidden.
    """
    board = Board.objects.select_related("campaign").get(pk=board_id)
    held = [each.slice for each in board.slices.all()]
    slices = large_enough(board.campaign, least=LEAST_JUDGMENTS, most=MOST_OF_A_FIELD)
    retired = retired_sources(board.campaign)
    if set_apart(board.campaign, last_sequence=last_sequence(), retired=retired).judgments:
        slices.append(WITH_EXCLUDED)
    wanted = [slice for slice in slices if slice not in held]
    return [made for slice in wanted if (made := open_slice(board=board, slice=slice, actor=None, now=now)) is not None]
