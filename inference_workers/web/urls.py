from django.urls import path

from inference_workers.web import endpoints, models

urlpatterns = [
    path("models", models.listed, name="models"),
    path("models/new", models.new, name="model-new"),
    path("models/<int:model_id>", models.show, name="model"),
    path("models/<int:model_id>/edit", models.edit, name="model-edit"),
    path("models/<int:model_id>/test", models.test, name="model-test"),
    path("models/<int:model_id>/tests/<uuid:completion_id>", models.tested, name="model-tested"),
    path("endpoints/new", endpoints.new, name="endpoint-new"),
    path("endpoints/<int:endpoint_id>", endpoints.edit, name="endpoint"),
]
