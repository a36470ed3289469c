"""A large file is looked at while the answers of others go on: in which order things happen, on a real pump."""

import threading

import pytest

from inference_workers.engine.scripted import Script
from inference_workers.models import CompletionFile
from inference_workers.streams import StreamWriter
from inference_workers.tasks import files
from tests.inference_workers.factories import make_completion, make_endpoint, make_revision
from tests.inference_workers.pumping import Scripts, outcome, run_pump

pytestmark = pytest.mark.django_db(transaction=True)
WORDS = ("One", " two", " three", ".")


class Inline:
    """A thread that is none."""

    def __init__(self, *, target, **_given):
        self.start = target


@pytest.fixture
def order(tmp_path, settings, monkeypatch):
    """What happens, in order. A film is large: looking at it ends when all words of another answer have gone out, or
    after two seconds in which they did not."""
    settings.MEDIA_ROOT = tmp_path / "media"
    happened, told = [], threading.Event()
    look, add = files._checked, StreamWriter.add

    def looking(*given, **more):
        happened.append("look begins")
        told.wait(2)
        happened.append("look ends")
        return look(*given, **more)

    def adding(writer, completion_id, text):
        add(writer, completion_id, text)
        for word in text.strip(" .").split():
            happened.append(word)
        if text.endswith("."):
            told.set()

    monkeypatch.setattr(files, "_checked", looking)
    monkeypatch.setattr(StreamWriter, "add", adding)
    return happened


def write_beside_a_film():
    """A film that is there at once, and an answer whose words come after it."""
    endpoint = make_endpoint(capacity=4)
    film = make_completion(revision=make_revision(endpoint=endpoint, output="video"), content="A film.")
    answer = make_completion(revision=make_revision(endpoint=endpoint), content="Count.")
    run_pump(Scripts({"Count.": Script(WORDS, pace_s=0.3)}))
    assert outcome(film) == ("succeeded", "", "")
    assert outcome(answer) == ("succeeded", "", "One two three.")
    assert CompletionFile.objects.get().kind == "video"


def test_words_of_other_answers_go_out_while_a_film_is_looked_at(order):
    write_beside_a_film()
    assert order == ["look begins", "One", "two", "three", "look ends"]


def test_control_looked_at_in_the_pumps_own_thread_they_wait_for_its_end(order, monkeypatch):
    monkeypatch.setattr(files.threading, "Thread", Inline)
    write_beside_a_film()
    assert order == ["look begins", "look ends", "One", "two", "three"]


def test_nothing_is_left_of_a_look_that_nobody_waits_for(tmp_path, settings, monkeypatch):
    settings.MEDIA_ROOT = tmp_path / "media"
    begun, go_on = threading.Event(), threading.Event()
    look = files._checked

    def looking(path, *given, **more):
        begun.set()
        go_on.wait(10)
        return look(path, *given, **more)

    monkeypatch.setattr(files, "_checked", looking)
    dropped = files.FileLook(b"<html>", "image", most=100)
    begun.wait(10)
    dropped.drop()
    go_on.set()
    with pytest.raises(files.FileRefused), dropped.kept():
        pass
    for thread in threading.enumerate():
        if thread.name == "file-look":
            thread.join(10)
    assert list((tmp_path / "media" / "files").iterdir()) == []
