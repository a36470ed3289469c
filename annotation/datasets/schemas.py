"""The columns of every view, written out: a shard's types never depend on what happens to be in it.

Names that trainers take for their own (`margin`, `label`, `images`, `chat_template_kwargs`, `ref_*_logps`) are absent
unless a view gives them a value in every row.
"""

from collections.abc import Sequence

import pyarrow as pa

MOMENT = pa.timestamp("us", tz="UTC")
MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
TURN = pa.struct(
    [
        ("kind", pa.string()),
        ("text", pa.string()),
        ("file", pa.string()),
        ("file_sha256", pa.string()),
        ("content_type", pa.string()),
        ("seed", pa.int64()),
        ("prompt_tokens", pa.int64()),
        ("completion_tokens", pa.int64()),
        ("first_token_seconds", pa.float64()),
        ("total_seconds", pa.float64()),
        ("cost", pa.float64()),
        ("sampling", pa.string()),
        ("finish_reason", pa.string()),
        ("screen_version", pa.string()),
        ("regenerations", pa.int64()),
        ("reactions", pa.list_(pa.string())),
    ]
)
RESPONSE = pa.struct(
    [
        ("position", pa.int64()),
        ("model", pa.string()),
        ("kind", pa.string()),
        ("revision", pa.int64()),
        ("provider_model", pa.string()),
        ("system_prompt", pa.string()),
        ("temperature", pa.float64()),
        ("top_p", pa.float64()),
        ("top_k", pa.int64()),
        ("repetition_penalty", pa.float64()),
        ("max_tokens", pa.int64()),
        ("turns", pa.list_(TURN)),
    ]
)
ITEM = [
    ("item", pa.int64()),
    ("prompt_cluster", pa.string()),
    ("split", pa.string()),
    ("language", pa.string()),
    ("category", pa.string()),
    ("flags", pa.list_(pa.string())),
]
PAIR = [
    ("id", pa.string()),
    *ITEM,
    ("prompt", MESSAGES),
    ("chosen", MESSAGES),
    ("rejected", MESSAGES),
    ("chosen_model", pa.string()),
    ("rejected_model", pa.string()),
    ("chosen_revision", pa.int64()),
    ("rejected_revision", pa.int64()),
    ("n_judgments", pa.int64()),
    ("agreement", pa.float64()),
    ("vote_share", pa.float64()),
    ("chosen_score", pa.float64()),
    ("rejected_score", pa.float64()),
    ("strength", pa.float64()),
    ("net_utility", pa.float64()),
    ("currency", pa.string()),
    ("conflict", pa.bool_()),
    ("adjudicated", pa.bool_()),
    ("chosen_acceptable", pa.bool_()),
    ("rejected_acceptable", pa.bool_()),
    ("source_kind", pa.string()),
    ("simulated", pa.bool_()),
]
# Only where the rows carry a fit: then every pair has them.
FITTED = [("fitted_probability", pa.float64()), ("fitted_probability_se", pa.float64())]
MARGIN = [("margin", pa.float64())]
OWN_TEXTS = pa.list_(pa.struct([("question", pa.string()), ("text", pa.string())]))
VOTE = [
    ("id", pa.string()),
    ("sequence", pa.int64()),
    *ITEM,
    ("purpose", pa.string()),
    ("repeat_of", pa.int64()),
    ("adjudicated", pa.bool_()),
    ("settles", pa.bool_()),
    ("prompt", MESSAGES),
    ("follow_ups", pa.list_(MESSAGES)),
    ("order", pa.list_(pa.int64())),
    ("models", pa.list_(pa.string())),
    ("responses", pa.list_(RESPONSE)),
    ("respondent", pa.string()),
    ("respondent_kind", pa.string()),
    ("groups", pa.list_(pa.string())),
    ("source", pa.string()),
    ("source_kind", pa.string()),
    ("simulated", pa.bool_()),
    ("instrument", pa.int64()),
    ("guidelines", pa.int64()),
    ("questions_asked", pa.list_(pa.string())),
    ("answers", pa.string()),
    ("texts", OWN_TEXTS),
]
HOW = [
    ("shown_at", MOMENT),
    ("rendered_at", MOMENT),
    ("first_touch_at", MOMENT),
    ("submitted_at", MOMENT),
    ("active_ms", pa.int64()),
    ("media_played", pa.list_(pa.float64())),
    ("device_class", pa.string()),
    ("policy", pa.string()),
    ("policy_version", pa.string()),
    ("policy_parameters", pa.string()),
    ("candidate_count", pa.int64()),
    ("seed", pa.int64()),
    ("floor", pa.bool_()),
    ("pair_design", pa.string()),
    ("p_pair", pa.float64()),
    ("side_design", pa.string()),
    ("p_side", pa.float64()),
    ("prompt_design", pa.string()),
    ("p_prompt", pa.float64()),
    ("questions_design", pa.string()),
    ("p_questions", pa.float64()),
]


def votes_schema(*, given: Sequence[pa.Field], answered: Sequence[pa.Field]) -> pa.Schema:
    """`given` are the log's columns of answers, `answered` those of single questions: see `answers`."""
    return pa.schema([*VOTE, *given, *HOW, *answered])


def pair_schema(*, fitted: bool, margin: bool) -> pa.Schema:
    return pa.schema([*PAIR, *(FITTED if fitted else []), *(MARGIN if margin else [])])
