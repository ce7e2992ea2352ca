"""Every address of the house."""

from allauth.account.decorators import secure_admin_login
from allauth.account.views import account_inactive
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.i18n import set_language

from dentalclean import email_views, failures, health, sign_in, views

admin.autodiscover()
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

sign_in_page = sign_in.SignInView.as_view()

# allauth asks for these names; what is not here does not exist.
account = [
    path("logga-in/", sign_in_page, name="account_login"),
    path("logga-in/", sign_in_page, name="account_request_login_code"),
    path("logga-in/kod/", sign_in.CodeView.as_view(), name="account_confirm_login_code"),
    path("logga-ut/", sign_in.SignOutView.as_view(), name="account_logout"),
    path("stangt/", account_inactive, name="account_inactive"),
    path("skaffa/", sign_in.no_sign_up, name="account_signup"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.home, name="overview"),
    path("mina-uppgifter/", views.show_my_data, name="my_data"),
    path("mina-uppgifter/andra/e-post/", email_views.edit_email, name="edit_email"),
    path("mina-uppgifter/andra/e-post/kod/", email_views.confirm_email, name="confirm_email"),
    path("e-post/tillbaka/", email_views.revert_email, name="revert_email_page"),
    path("e-post/tillbaka/<str:token>/", email_views.revert_link, name="revert_email"),
    path("mina-uppgifter/andra/<slug:field>/", views.edit_field, name="edit_field"),
    path("mina-uppgifter/andra/<slug:field>/angra/", views.undo_field, name="undo_field"),
    path("mina-val/", include("consent.urls")),
    path("kontrollera-kvitto/", include("consent.receipt_urls")),
    path("sluta/", include("consent.unsubscribe_urls")),
    path("vem-har-fatt-dem/", include("disclosures.urls")),
    path("hur-lange/", include("retention.urls")),
    path("", include("privacy_requests.urls")),
    path("mer/", views.more, name="more"),
    path("mer/utseende/", views.set_theme, name="set_theme"),
    path("sprak/", set_language, name="set_language"),
    path("konto/", include(account)),
    path("personal/", admin.site.urls),
    path("utveckling/brevlada/", views.show_mailbox, name="mailbox"),
    path("utveckling/brevlada/<slug:key>/", views.show_mailbox, name="letter"),
    path("healthz", health.alive, name="healthz"),
    path("healthz/deep", health.deep, name="healthz_deep"),
]

handler429 = sign_in.too_many
handler500 = failures.failed
