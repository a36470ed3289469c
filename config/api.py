"""The API router: every app's routes under one version."""

from typing import Any

from django.urls import include, path
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView
from rest_framework.request import Request
from rest_framework.response import Response


class Docs(SpectacularSwaggerView):
    """Under the site's policy: scripts with a nonce, and no window of elsewhere may hold on to this one."""

    template_name = "api/docs.html"

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
        del response["Cross-Origin-Opener-Policy"]
        return response


urlpatterns = [
    path("v1/", include("annotation.api.urls")),
    path("schema", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs", Docs.as_view(url_name="api-schema"), name="api-docs"),
]
