"""A picture that a visitor adds to a prompt, from their browser's request through a real worker process to the bytes
that a model's server is sent."""

import base64
import io
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from PIL import Image
from pytest_httpserver import HTTPServer
from werkzeug import Response

from accounts.files import read_personal_files
from accounts.models import PersonalFile
from accounts.use_cases.create_person import person_of_visitor
from inference_workers.enums import Backend
from inference_workers.models import Completion, LanguageModel
from tests.annotation.media.files import PLACE
from tests.arena.factories import make_arena, make_models
from tests.arena.voting import browser_of
from tests.factories import new_key
from tests.foundation.test_pictures_anew import WORDS, talkative_jpeg
from tests.inference_workers.factories import make_endpoint
from tests.worker_fixture import MODEL_SERVER, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.worker, pytest.mark.slow]
TOKEN = "cookie-of-who-shows-a-picture"


@pytest.fixture
def remote():
    """A model server whose place the worker was told it may call. It says what it sees in four words."""
    server = HTTPServer(*MODEL_SERVER)
    server.start()
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    said = {"index": 0, "delta": {"content": "A field in colours."}, "finish_reason": "stop"}
    body = f"data: {json.dumps(chunk | {'choices': [said]})}\n\ndata: [DONE]\n\n"
    answer = Response(body, content_type="text/event-stream")
    server.expect_request("/v1/chat/completions", method="POST").respond_with_response(answer)
    yield server
    server.stop()


def test_what_reaches_a_models_server_is_the_picture_drawn_anew_and_nothing_of_its_camera(remote, generation_worker):
    endpoint = make_endpoint(backend=Backend.OPENAI, base_url=remote.url_for("/v1"), capacity=4)
    make_models(2, endpoint=endpoint)
    LanguageModel.objects.update(takes_images=True)
    make_arena(takes_images=True)
    person_of_visitor(token=TOKEN, now=timezone.now())
    sent = talkative_jpeg()
    assert any(word in sent for word in WORDS)
    upload = SimpleUploadedFile("holiday.jpg", sent, content_type="image/jpeg")
    form = {"prompt": "What is this?", "key": new_key(), "picture": upload}
    assert browser_of(TOKEN).post(reverse("start-battle"), form).status_code == 302
    wait_until(
        lambda: Completion.objects.filter(state="succeeded").count() == 2,
        what=lambda: str(list(Completion.objects.values_list("state", "error_code", "error_message"))),
    )
    (kept,) = read_personal_files(PersonalFile.objects.values_list("pk", flat=True)).values()
    assert len(remote.log) == 2
    for request, _response in remote.log:
        instructions, asked = request.get_json()["messages"]
        words, picture = asked["content"]
        assert (instructions["role"], words) == ("system", {"type": "text", "text": "What is this?"})
        head, _comma, data = picture["image_url"]["url"].partition(",")
        content = base64.b64decode(data, validate=True)
        assert head == f"data:{kept.content_type};base64"
        assert content == kept.content != sent
        beside = request.get_data().replace(data.encode(), b"")
        assert [word for word in (*WORDS, b"holiday") if word in beside + content] == []
        with Image.open(io.BytesIO(content)) as shown, Image.open(io.BytesIO(sent)) as given:
            # It lay on its side, and stands upright without being told to.
            assert (shown.size, dict(shown.getexif()), shown.getexif().get_ifd(PLACE)) == (given.size[::-1], {}, {})
