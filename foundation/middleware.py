"""The outermost middleware: answers the orchestrator before hosts, sessions or TLS matter, and counts requests."""

import hmac
import time
from collections.abc import Awaitable, Callable
from typing import cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, JsonResponse
from django.http.response import HttpResponseBase
from prometheus_client import Counter, Histogram

from foundation.clientaddress import client_address
from foundation.health import drain_on_sigterm, metrics, readiness

REQUESTS = Counter("cardinal_requests", "Requests answered.", ["view", "method", "status"])
SECONDS = Histogram("cardinal_request_seconds", "Time to the response's first byte.", ["view"])
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

Answer = Callable[[HttpRequest], HttpResponseBase]


class HealthMiddleware:
    """`/livez` asks nothing of anyone, `/readyz` asks PostgreSQL and Redis, `/metrics` is for loopback or a token."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]):
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)
        drain_on_sigterm()

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.is_async:
            return self._call_async(request)
        page = PAGES.get(request.path_info)
        if page is not None:
            return page(request)
        started = time.perf_counter()
        response = cast(HttpResponseBase, self.get_response(request))
        _count(request, response, time.perf_counter() - started)
        return response

    async def _call_async(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info == "/livez":
            # On the event loop itself: it must answer also while every thread is busy.
            return livez(request)
        page = PAGES.get(request.path_info)
        if page is not None:
            return await sync_to_async(page, thread_sensitive=False)(request)
        started = time.perf_counter()
        response = await cast(Awaitable[HttpResponseBase], self.get_response(request))
        _count(request, response, time.perf_counter() - started)
        return response


def livez(request: HttpRequest) -> HttpResponse:
    return _fresh(HttpResponse("ok\n", content_type="text/plain; charset=utf-8"))


def readyz(request: HttpRequest) -> HttpResponse:
    failures = readiness()
    return _fresh(JsonResponse({"ready": not failures, "failing": failures}, status=503 if failures else 200))


def metrics_page(request: HttpRequest) -> HttpResponse:
    if not may_read_metrics(request):
        return HttpResponseNotFound()
    return _fresh(HttpResponse(metrics(), content_type="text/plain; version=0.0.4; charset=utf-8"))


def may_read_metrics(request: HttpRequest) -> bool:
    """With the token, or straight from this machine: a request that came through a proxy is from elsewhere."""
    token = getattr(settings, "METRICS_TOKEN", "")
    offered = request.META.get("HTTP_AUTHORIZATION", "")
    if token and hmac.compare_digest(offered.encode(), f"Bearer {token}".encode()):
        return True
    address = client_address(request)
    forwarded = any(name in request.META for name in ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP"))
    return address is not None and address.is_loopback and not forwarded


PAGES: dict[str, Answer] = {"/livez": livez, "/readyz": readyz, "/metrics": metrics_page}


def _fresh(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response


def _count(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    # By view, not by path, and only methods we know: a label's values must stay few.
    view = request.resolver_match.view_name if request.resolver_match else ""
    method = request.method if request.method in METHODS else "other"
    REQUESTS.labels(view or "none", method, str(response.status_code)).inc()
    SECONDS.labels(view or "none").observe(seconds)
