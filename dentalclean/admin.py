"""The customer page, put together from every room."""

from consent.admin import EventInline, ProcessingRecordInline, StandingInline
from consent.facts import correct_details, mail_returned
from customers.admin import (
    AddressInline,
    CustomerAdmin,
    InvoiceInline,
    OrderInline,
    SubscriptionInline,
    SupportCaseInline,
)
from privacy_requests.admin import CaseInline
from privacy_requests.recording_views import PAGE as SAID
from retention.admin import HoldInline

CustomerAdmin.inlines = (
    AddressInline,
    SubscriptionInline,
    OrderInline,
    InvoiceInline,
    SupportCaseInline,
    CaseInline,
    StandingInline,
    EventInline,
    ProcessingRecordInline,
    HoldInline,
)
CustomerAdmin.correct_details = staticmethod(correct_details)
CustomerAdmin.mail_returned = staticmethod(mail_returned)
CustomerAdmin.pages = (SAID,)
