from django.urls import path

from annotation.api import boards

urlpatterns = [
    path("boards", boards.BoardList.as_view(), name="api-boards"),
    path("boards/<slug:slug>", boards.BoardDetail.as_view(), name="api-board"),
]
