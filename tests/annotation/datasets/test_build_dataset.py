"""A version is frozen when it is asked for, built once by whoever holds the lease, and whole or absent."""

import json
from hashlib import sha256
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from celery import Signature, current_app
from datasets import Features, load_dataset
from django.db import connection
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts.enums import Role
from annotation import tasks
from annotation.datasets.folders import version_folder
from annotation.datasets.scope import Filters
from annotation.models import DatasetVersion, Event
from annotation.queries import standing_judgments
from annotation.use_cases import build_dataset as module
from annotation.use_cases.build_dataset import build_dataset, sweep_datasets
from annotation.use_cases.request_dataset import BadDataset, NotAResearcher, NothingToExport, request_dataset
from annotation.use_cases.retire_source import retire_source
from annotation.use_cases.simulate_judgments import simulate_judgments
from tests.annotation.datasets.rows import ALL_VIEWS, build, judged, make_models, request, rows_of, scope_of
from tests.factories import later, make_campaign, make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def surroundings(tmp_path, settings):
    """The split is a hash under the key: a drawn one leaves the test split empty in one run of twelve."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.ENCRYPTION_KEY = bytes(range(32))


@pytest.fixture
def campaign():
    campaign = make_campaign()
    models = make_models(campaign, "alpha", "beta", "gamma")
    for number in range(24):
        pair = models[number % 2 : number % 2 + 2]
        judged(campaign, pair, number % 3 // 2, prompt=f"Question {number}?", strength=1 + number % 3)
    judged(campaign, models[:2], "tie")
    return campaign


def read_jsonl(path: Path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def contents(version):
    folder = version_folder(version)
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_version_is_built_with_its_files_counts_and_card(campaign):
    version = build(campaign)
    shards = [
        f"{view}/{split}.{ending}"
        for view in ALL_VIEWS
        for split in ("test", "train")
        for ending in ("jsonl", "parquet")
    ]
    assert sorted(contents(version)) == sorted(["README.md", "leaderboard.json", *shards])
    assert (version.state, version.number, version.attempt, version.lease_token) == ("ready", 1, 1, None)
    for file in version.files:
        content = contents(version)[file["name"]]
        assert (file["bytes"], file["digest"]) == (len(content), sha256(content).hexdigest())
    assert version.counts["views"]["preference_pairs"]["dropped"] == {"tie": 1}
    assert [sum(version.counts["views"][view]["rows"].values()) for view in ALL_VIEWS] == [24, 24, 25]
    assert (version.counts["judgments"], version.counts["simulated"], version.counts["margin_divisor"]) == (25, 0, 1.0)
    assert [entry.verb for entry in Event.objects.filter(subject="annotation.datasetversion")] == ["requested", "built"]


def test_parquet_and_jsonl_hold_the_rows_of_the_view(campaign):
    version = build(campaign)
    for view in ALL_VIEWS:
        rows, _dropped = rows_of(scope_of(campaign), view)
        for split in ("train", "test"):
            expected = [row for row in rows if row["split"] == split]
            written = read_jsonl(version_folder(version) / view / f"{split}.jsonl")
            assert written == json.loads(json.dumps(expected, default=lambda at: at.isoformat())), (view, split)
            assert expected


@pytest.fixture
def offline(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return str(tmp_path / "cache")


def test_datasets_loads_every_file_whole(campaign, offline):
    folder = version_folder(build(campaign))
    for view in ALL_VIEWS:
        rows, _dropped = rows_of(scope_of(campaign), view)
        for split in ("train", "test"):
            expected = [row for row in rows if row["split"] == split]
            for loader, ending in (("parquet", "parquet"), ("json", "jsonl")):
                files = {split: str(folder / view / f"{split}.{ending}")}
                loaded = load_dataset(loader, data_files=files, split=split, cache_dir=offline)
                assert as_json(loaded.to_list()) == as_json(expected), (view, ending)


def test_lines_load_with_the_types_of_the_parquet_file_as_the_card_says(campaign, offline):
    version = build(campaign)
    for view in ALL_VIEWS:
        folder = version_folder(version) / view
        features = Features.from_arrow_schema(pq.read_schema(folder / "train.parquet"))
        options = {"split": "train", "cache_dir": offline}
        lines = load_dataset("json", data_files=str(folder / "train.jsonl"), features=features, **options)
        rows = load_dataset("parquet", data_files=str(folder / "train.parquet"), **options)
        assert lines.features == rows.features, view
        assert lines.to_list() == rows.to_list(), view


def as_json(rows):
    """Moments as text, however a loader read them."""
    return [json.loads(json.dumps(row, sort_keys=True, default=lambda at: at.isoformat())) for row in rows]


def test_the_folder_loads_by_its_card(campaign, offline):
    version = build(campaign)
    for view in ALL_VIEWS:
        loaded = load_dataset(str(version_folder(version)), view, cache_dir=offline)
        assert {split: len(loaded[split]) for split in loaded} == version.counts["views"][view]["rows"], view


def test_two_builds_of_one_version_are_equal_to_the_byte(campaign):
    version = build(campaign)
    first, digest = contents(version), version.rows_digest
    judged(campaign, make_models(campaign, "late", "later"), 0)
    retire_source(source_id=campaign.sources.get().pk, actor=None, reason="test", now=timezone.now())
    DatasetVersion.objects.update(state="queued", attempt=0)
    again = build_dataset(version_id=version.pk, now=timezone.now())
    assert (contents(again), again.rows_digest) == (first, digest)
    assert len(digest) == 64


def test_no_name_that_trainers_take_for_their_own_is_null_or_misplaced(campaign):
    version = build(campaign)
    reserved = {"margin", "label", "images", "chat_template_kwargs", "ref_chosen_logps", "ref_rejected_logps"}
    found = {
        name: reserved & set(row)
        for name in ALL_VIEWS
        for split in ("train", "test")
        for row in read_jsonl(version_folder(version) / name / f"{split}.jsonl")
    }
    assert found == {"preference_pairs": set(), "reward_pairs": {"margin"}, "votes": set()}
    margins = [
        row["margin"]
        for split in ("train", "test")
        for row in read_jsonl(version_folder(version) / "reward_pairs" / f"{split}.jsonl")
    ]
    assert len(margins) == 24
    assert all(isinstance(margin, float) and 0 <= margin <= 1 for margin in margins)


def test_the_leaderboard_is_of_exactly_these_judgments(campaign):
    version = build(campaign)
    standings = json.loads((version_folder(version) / "leaderboard.json").read_text())
    assert sum(entry["votes"] for entry in standings["entries"]) == 2 * 25
    assert {entry["model"] for entry in standings["entries"]} == {"alpha", "beta", "gamma"}


def test_the_card_says_whose_preferences_these_are(campaign):
    simulate_judgments(
        campaign=campaign, contestants=make_models(campaign, "x", "y"), judgments=5, seed=1, now=timezone.now()
    )
    version = build(campaign, licence="cc-by-4.0")
    card = (version_folder(version) / "README.md").read_text()
    for part in (
        "license: cc-by-4.0",
        "- config_name: reward_pairs",
        "    path: reward_pairs/train.parquet",
        "30 judgments by 3",
        "**5 of them are simulated** (0.167 of all)",
        "| Simulated person | 5 | ",
        "| `tie`: as many votes for one response as for the other, an amount of 0, or two that are both ranked",
        "so that the top of the scale is one logit",
        "TRL RewardTrainer",
        "not** searched for personal data",
        f"Instrument 1, SHA-256 `{campaign.instrument.digest}`:",
        "| `worth` | amount | What is the better one worth to you? |",
        "- `worth__amount_state` (text): given, zero, implied by a tie, protest, skipped and so on.",
        'pq.read_schema("preference_pairs/train.parquet")',
        'data_files="preference_pairs/train.jsonl", features=features',
    ):
        assert part in card, part


def test_a_sources_name_cannot_break_out_of_the_cards_tables(campaign):
    campaign.sources.update(name="two | three\n\n# Trap \\")
    card = (version_folder(build(campaign)) / "README.md").read_text()
    assert "| two \\| three # Trap \\\\ | Live | 25 |" in card.splitlines()


def test_a_view_without_rows_has_no_file_that_could_not_be_loaded():
    lonely = make_campaign()
    judged(lonely, make_models(lonely), "tie")
    version = build(lonely, views=["preference_pairs"])
    assert list(contents(version)) == ["README.md", "leaderboard.json"]
    assert version.counts["views"] == {"preference_pairs": {"rows": {}, "dropped": {"tie": 1}}}
    card = contents(version)["README.md"].decode()
    assert ("configs:" in card, "## Load" in card, "\n0 rows.\n" in card) == (False, False, True)


def test_only_a_researcher_may_ask(campaign):
    scope = scope_of(campaign)
    for user in (make_user(), make_user(role=Role.ANNOTATOR), make_user(role=Role.OPERATOR)):
        with pytest.raises(NotAResearcher):
            request_dataset(
                campaign_id=campaign.pk, views=["votes"], filters=scope.filters, actor=user, now=timezone.now()
            )
    assert DatasetVersion.objects.count() == 0


NOT_THERE = (
    ([], {}),
    (["votes", "nothing"], {}),
    (["votes"], {"sources": ()}),
    (["votes"], {"sources": (0,)}),
    (["votes"], {"licence": "mine"}),
    (["votes"], {"minimum_agreement": 1.5}),
    (["votes"], {"minimum_agreement": float("nan")}),
)


def test_what_does_not_exist_is_refused(campaign):
    for views, filters in NOT_THERE:
        with pytest.raises(BadDataset):
            request(campaign, views=views, **filters)
    assert not DatasetVersion.objects.exists()


def test_an_empty_log_is_refused():
    with pytest.raises(NothingToExport):
        request(make_campaign())


def test_numbers_count_up_and_views_stand_in_order(campaign):
    versions = [request(campaign, views=views) for views in (["votes", "preference_pairs"], ["votes"])]
    assert [(version.number, version.views) for version in versions] == [
        (1, ["preference_pairs", "votes"]),
        (2, ["votes"]),
    ]
    assert Filters.from_json(versions[0].filters).to_json() == versions[0].filters
    assert versions[0].last_sequence == standing_judgments(campaign).count()


@pytest.fixture
def eager():
    current_app.conf.task_always_eager = True
    yield
    current_app.conf.task_always_eager = False


def test_asking_tells_a_worker_by_the_tasks_name(campaign, eager):
    assert tasks.build.name == "annotation.build_dataset"
    version = request(campaign)
    version.refresh_from_db()
    assert version.state == "ready"


def test_a_broker_that_is_away_only_delays_the_build(campaign, monkeypatch):
    def refuse(*arguments, **options):
        raise OperationalError("connection refused")

    monkeypatch.setattr(Signature, "apply_async", refuse)
    version = request(campaign)
    assert sweep_datasets(now=timezone.now()) == [version.pk]
    assert build_dataset(version_id=version.pk, now=timezone.now()).state == "ready"


def test_a_version_is_built_once(campaign):
    version = build(campaign)
    assert build_dataset(version_id=version.pk, now=timezone.now()) is None
    assert build_dataset(version_id=10**9, now=timezone.now()) is None
    version.refresh_from_db()
    assert version.attempt == 1


class Killed(BaseException):
    """Like a kill: no handler of errors sees it."""


def die_in_the_middle(monkeypatch, *, error):
    write, calls = module.build_files, []

    def dying(version, folder, beat):
        def count(view, rows):
            beat(view, rows)
            calls.append(rows)
            if len(calls) == 3:
                raise error

        return write(version, folder, count)

    monkeypatch.setattr(module, "build_files", dying)
    return calls


def test_a_killed_build_leaves_nothing_half_and_is_built_again(campaign, monkeypatch):
    version = request(campaign)
    with monkeypatch.context() as patched:
        die_in_the_middle(patched, error=Killed())
        with pytest.raises(Killed):
            build_dataset(version_id=version.pk, now=timezone.now())
    assert not version_folder(version).exists()
    version.refresh_from_db()
    assert version.state == "building"
    assert sweep_datasets(now=timezone.now()) == []
    DatasetVersion.objects.update(lease_expires_at=later(seconds=-1))
    assert sweep_datasets(now=timezone.now()) == [version.pk]
    built = build_dataset(version_id=version.pk, now=timezone.now())
    assert (built.state, built.attempt, built.error_message) == ("ready", 2, "")
    assert [path.name for path in version_folder(built).parent.iterdir()] == ["v1"]


def test_control_without_the_sweeper_a_killed_build_waits_for_ever(campaign, monkeypatch):
    version = request(campaign)
    with monkeypatch.context() as patched:
        die_in_the_middle(patched, error=Killed())
        with pytest.raises(Killed):
            build_dataset(version_id=version.pk, now=timezone.now())
    DatasetVersion.objects.update(lease_expires_at=later(seconds=-1))
    assert build_dataset(version_id=version.pk, now=timezone.now()) is None


def test_a_build_that_fails_three_times_is_parked_with_its_error(campaign, monkeypatch):
    version = request(campaign)
    for attempt, state in ((1, "queued"), (2, "queued"), (3, "failed")):
        with monkeypatch.context() as patched:
            die_in_the_middle(patched, error=OSError("no space left on device"))
            with pytest.raises(OSError, match="no space"):
                build_dataset(version_id=version.pk, now=timezone.now())
        version.refresh_from_db()
        assert (version.attempt, version.state, version.error_message) == (
            attempt,
            state,
            "OSError: no space left on device",
        )
    assert build_dataset(version_id=version.pk, now=timezone.now()) is None
    assert list(version_folder(version).parent.iterdir()) == []


def take_over_in_the_middle(version, monkeypatch):
    """A second worker takes the build over while the first one writes; what the first one's end comes to."""
    write, taken = module.build_files, []

    def slow(row, folder, beat):
        built = write(row, folder, beat)
        if not taken:
            taken.append(True)
            DatasetVersion.objects.filter(pk=row.pk).update(lease_expires_at=later(seconds=-1))
            sweep_datasets(now=timezone.now())
            taken.append(build_dataset(version_id=row.pk, now=timezone.now()))
        return built

    monkeypatch.setattr(module, "build_files", slow)
    first = build_dataset(version_id=version.pk, now=timezone.now())
    return first, taken[1]


def test_a_worker_that_lost_its_lease_throws_its_files_away(campaign, monkeypatch):
    version = request(campaign)
    first, second = take_over_in_the_middle(version, monkeypatch)
    assert first is None
    assert (second.state, second.attempt) == ("ready", 2)
    assert Event.objects.filter(verb="built").count() == 1
    assert [path.name for path in version_folder(version).parent.iterdir()] == ["v1"]


def test_control_without_the_fence_both_workers_finish(campaign, monkeypatch):
    version = request(campaign)
    monkeypatch.setattr(module, "_held", lambda pk, token: DatasetVersion.objects.filter(pk=pk))
    monkeypatch.setattr(module, "check", lambda *arguments: None)
    monkeypatch.setattr(module, "remove_unfinished", lambda version: None)
    take_over_in_the_middle(version, monkeypatch)
    assert Event.objects.filter(verb="built").count() == 2


def test_the_rows_of_a_page_cost_a_fixed_number_of_queries(campaign, django_assert_max_num_queries):
    scope = scope_of(campaign)
    with django_assert_max_num_queries(11):
        rows_of(scope, "votes")
    models = make_models(campaign, "p", "q")
    for _ in range(10):
        judged(campaign, models, 0)
    scope = scope_of(campaign)
    with django_assert_max_num_queries(11):
        rows_of(scope, "votes")
    assert connection.vendor == "postgresql"
