"""The addresses of people's requests."""

from django.urls import path

from privacy_requests import (
    case_views,
    erasure_views,
    identity_views,
    objection_views,
    rectification_views,
    views,
)
from privacy_requests.models import Case

WHOLE, TAKEN_ALONG = {"of": Case.Right.ACCESS}, {"of": Case.Right.PORTABILITY}

app_name = "privacy_requests"

urlpatterns = [
    path("mina-arenden/", views.cases, name="cases"),
    path("mina-arenden/ny/", case_views.new, name="new"),
    path("mina-arenden/<uuid:public_id>/", case_views.case, name="case"),
    path("mina-arenden/<uuid:public_id>/mer/", case_views.more, name="case_more"),
    path("mina-arenden/<uuid:public_id>/identitet/", case_views.identify, name="case_identify"),
    path("mina-arenden/<uuid:public_id>/ta-tillbaka/", case_views.take_back, name="take_back"),
    path("mina-arenden/saga-nej/", objection_views.objection, name="objection"),
    path("mina-arenden/begransa/", objection_views.restriction, name="restriction"),
    path("mina-arenden/begransa/hav/", objection_views.lift_restriction, name="lift_restriction"),
    path("visa-att-det-ar-du/", identity_views.identify, name="identify"),
    path("visa-att-det-ar-du/brev/", identity_views.identify_letter, name="identify_letter"),
    path(
        "visa-att-det-ar-du/e-leg/<slug:broker>/",
        identity_views.identify_broker,
        name="identify_broker",
    ),
    path(
        "visa-att-det-ar-du/e-leg/<slug:broker>/svar/",
        identity_views.identify_answer,
        name="identify_answer",
    ),
    path("mina-arenden/ratta/", rectification_views.rectification, name="rectification"),
    path("mina-arenden/ratta/tillagg/", rectification_views.statement, name="statement"),
    path(
        "mina-arenden/ratta/tillagg/<uuid:public_id>/ta-bort/",
        rectification_views.remove_statement,
        name="remove_statement",
    ),
    path("radera/", erasure_views.erasure, name="erasure"),
    path("radera/bekrafta/", erasure_views.erasure_confirm, name="erasure_confirm"),
    path("radera/angra/", erasure_views.erasure_take_back, name="erasure_take_back"),
    path("scheman/utdrag.json", views.schema, {"of": Case.Right.ACCESS}, name="extract_schema"),
    path(
        "scheman/ta-med.json",
        views.schema,
        {"of": Case.Right.PORTABILITY},
        name="portability_schema",
    ),
    path("ta-med/", views.portability, name="portability"),
    path("ta-ut-allt/", views.extract, name="extract"),
    path("ta-ut-allt/<uuid:extract_id>/", views.extract_download, name="extract_download"),
]
