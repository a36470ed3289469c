from django.urls import path

from annotation.web import datasets

urlpatterns = [
    path("datasets", datasets.datasets, name="datasets"),
    path("datasets/<slug:slug>/new", datasets.new, name="dataset-new"),
    path("datasets/<slug:slug>/preview", datasets.show_preview, name="dataset-preview"),
    path("datasets/<slug:slug>/v<int:number>", datasets.dataset, name="dataset"),
    path("datasets/<slug:slug>/v<int:number>/status", datasets.status, name="dataset-status"),
    path("datasets/<slug:slug>/v<int:number>/files/<path:name>", datasets.file, name="dataset-file"),
]
