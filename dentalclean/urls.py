"""Every address of the house."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from dentalclean import health

admin.autodiscover()
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.alive, name="healthz"),
    path("healthz/deep", health.deep, name="healthz_deep"),
    path("konto/", include("allauth.urls")),
    path("personal/", admin.site.urls),
]
