import pytest

pytest.register_assert_rewrite("tests.annotation.questions.round_trip")
