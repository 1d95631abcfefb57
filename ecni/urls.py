"""Web addresses: each app owns its own; this file only says where they hang."""

from importlib.util import find_spec

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("exploitation/", include("ecni.watch.urls")),
    *(
        path(prefix, include(f"{app}.urls"))
        for app, prefix in {"exams": "", "centres": "", "grading": "notation/", "ranking": ""}.items()
        if find_spec(app) and find_spec(f"{app}.urls")
    ),
]
