from django.urls import path

from annotation.api import boards

urlpatterns = [
    path("boards", boards.BoardList.as_view(), name="api-boards"),
    path("boards/<slug:slug>", boards.BoardDetail.as_view(), name="api-board"),
    path("boards/<slug:slug>/snapshots", boards.SnapshotList.as_view(), name="api-snapshots"),
    path("boards/<slug:slug>/snapshots/<int:number>", boards.SnapshotDetail.as_view(), name="api-snapshot"),
]
