"""What pictures, sounds and films cost, and that a day's budget stops them in time: pumps beside each other on a real
database, and a server of files on a real socket."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from inference_workers.engine import media_endpoint
from inference_workers.enums import Backend, Priority
from inference_workers.models import Completion, CompletionFile, EndpointGauge, LanguageModel
from inference_workers.streams import StreamWriter, sync_client
from inference_workers.tasks import pump as pumping
from inference_workers.tasks.backends import Backends
from inference_workers.tasks.pump import Pump
from inference_workers.use_cases import claim_completions as claiming
from inference_workers.use_cases.cancel_completion import cancel_completion
from inference_workers.use_cases.requeue_expired import requeue_expired
from tests.foundation.threads import run_together
from tests.inference_workers.engine.tiny_media_endpoint import TinyMediaEndpoint
from tests.inference_workers.factories import claim, let_lease_run_out, make_completion, make_endpoint, make_revision
from tests.inference_workers.pumping import while_pumping

pytestmark = pytest.mark.django_db(transaction=True)
# A film may play for five seconds; those of this server play for one.
PRICES = {
    "image": {"price_file": "0.25"},
    "audio": {"price_read": "60", "price_file": "0"},
    "video": {"price_file": "0.1", "price_second": "0.2", "longest_seconds": 5},
}
MOST_OF_A_FILM = Decimal("1.1")


@pytest.fixture(autouse=True)
def server(tmp_path, settings, monkeypatch):
    settings.MEDIA_ROOT = tmp_path / "media"
    monkeypatch.setattr(pumping, "PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr(media_endpoint, "POLL_S", 0.01)
    with TinyMediaEndpoint() as endpoint:
        settings.OUTBOUND_ALLOWED_HOSTS = [*settings.OUTBOUND_ALLOWED_HOSTS, endpoint.url.split("/")[2]]
        yield endpoint


def served(server, output, *, prices=None, **fields):
    values = {"backend": Backend.OPENAI, "base_url": server.url, "capacity": 8} | fields
    model = PRICES[output] if prices is None else prices
    return make_revision(endpoint=make_endpoint(**values), provider_model="canary", output=output, model=model)


def pump():
    writer = StreamWriter(sync_client())
    Pump(backends=Backends(), writer=writer, lease=timedelta(seconds=30), rest_seconds=20.0).run()


def asked(revision, prompt="A red circle.", count=1):
    return [make_completion(revision=revision, content=prompt, priority=Priority.BATCH) for _ in range(count)]


def spent(revision):
    return EndpointGauge.objects.get(pk=revision.endpoint_id).spent_today


def columns(completion):
    completion.refresh_from_db()
    return completion.state, completion.cost, completion.estimated_cost


@pytest.mark.parametrize("output", PRICES)
def test_a_file_costs_its_price_and_its_seconds_and_the_words_that_ask_for_it(server, output):
    revision = served(server, output)
    (completion,) = asked(revision)
    pump()
    seconds = Decimal(str(round(CompletionFile.objects.get().seconds or 0, 3)))
    # Thirteen characters, counted as four tokens.
    cost = {
        "image": Decimal("0.25"),
        "audio": 4 * Decimal(60) / 10**6,
        "video": Decimal("0.1") + seconds * Decimal("0.2"),
    }[output]
    assert columns(completion) == ("succeeded", cost, None)
    assert spent(revision) == cost
    LanguageModel.objects.update(price_file="9")
    assert columns(completion) == ("succeeded", cost, None)


def test_a_model_whose_words_have_a_price_and_whose_files_have_none_has_no_known_cost(server):
    (completion,) = asked(served(server, "image", prices={"price_read": "1", "price_written": "1"}))
    pump()
    assert columns(completion) == ("succeeded", None, None)


def two_pumps():
    assert [each for each in run_together(pump, pump, within=60) if each is not None] == []


def orders(server):
    return [place for method, place, _sent in server.asked if method == "POST"]


def test_a_days_budget_stops_files_in_time_whoever_races_for_it(server):
    revision = served(server, "image", daily_budget=Decimal(1))
    asked(revision, count=12)
    two_pumps()
    print(f"pictures ordered: {len(orders(server))}, spent: {spent(revision)}")
    assert (len(orders(server)), spent(revision)) == (4, Decimal(1))
    assert Completion.objects.filter(state="queued").count() == 8


def test_control_where_no_claim_reckons_with_the_file_the_budget_is_overrun(server, monkeypatch):
    for name in ("RUNNING", "CANDIDATES"):
        monkeypatch.setattr(claiming, name, getattr(claiming, name).replace(claiming.MOST_OF_A_FILE, "0"))
    revision = served(server, "image", daily_budget=Decimal(1))
    asked(revision, count=12)
    two_pumps()
    print(f"pictures ordered: {len(orders(server))}, spent: {spent(revision)}")
    assert spent(revision) > 1


def test_films_count_with_the_longest_until_they_are_there_and_their_worker_may_die(server):
    revision = served(server, "video", daily_budget=2 * MOST_OF_A_FILM, capacity=1)
    lost, kept, waits = asked(revision, count=3)
    claimed = claim(lost)
    assert claimed.reserved_cost == MOST_OF_A_FILM
    let_lease_run_out(claimed)
    requeue_expired(now=timezone.now())
    lost.refresh_from_db()
    assert (lost.cost, lost.estimated_cost) == (MOST_OF_A_FILM, MOST_OF_A_FILM)
    pump()
    # One film more is sure to fit; when it is there, too little is left for another.
    assert columns(lost)[0] == "succeeded"
    assert {columns(each) for each in (kept, waits)} == {("queued", None, None)}
    assert MOST_OF_A_FILM < spent(revision) <= 2 * MOST_OF_A_FILM


@pytest.mark.parametrize(
    ("output", "prompt", "code", "cost", "estimated"),
    [
        # What the endpoint refuses, or says that it did not make, costs nothing.
        ("image", "busy", "endpoint_status", None, None),
        ("video", "gone wrong", "endpoint_status", None, None),
        # What came was made, whatever it is.
        ("image", "html", "file_refused", Decimal("0.25"), None),
        # What was ordered and did not come may have been made: it counts with its most.
        ("image", "an address", "endpoint_protocol", Decimal("0.25"), Decimal("0.25")),
        ("video", "endless", "endpoint_timeout", MOST_OF_A_FILM, MOST_OF_A_FILM),
    ],
)
def test_a_file_that_fails_costs_what_its_endpoint_may_have_made(server, output, prompt, code, cost, estimated):
    revision = served(server, output, timeout_seconds=2)
    (completion,) = asked(revision, prompt)
    Completion.objects.update(max_attempts=1)
    pump()
    assert columns(completion) == ("failed", cost, estimated)
    assert (completion.error_code, spent(revision)) == (code, cost or 0)


def test_an_endpoint_that_was_never_reached_is_not_paid(server):
    revision = served(server, "video")
    (completion,) = asked(revision)
    Completion.objects.update(max_attempts=1)
    server.server.shutdown()
    server.server.server_close()
    pump()
    assert (columns(completion), completion.error_code) == (("failed", None, None), "endpoint_unreachable")


def test_a_film_that_nobody_waits_for_any_more_stays_charged_with_its_most(server):
    revision = served(server, "video")
    (completion,) = asked(revision, "endless")
    assert while_pumping(Backends(), lambda: cancel_completion(completion_id=completion.pk, now=timezone.now())) == []
    assert columns(completion) == ("cancelled", MOST_OF_A_FILM, MOST_OF_A_FILM)
    assert (spent(revision), completion.reserved_cost) == (MOST_OF_A_FILM, None)


def test_a_price_of_seconds_without_the_longest_file_is_refused_by_the_database():
    revision = make_revision()
    with pytest.raises(IntegrityError, match="priced_seconds_have_an_end"), transaction.atomic():
        LanguageModel.objects.filter(pk=revision.language_model_id).update(price_second="0.1")
