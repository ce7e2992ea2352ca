"""The customer page, put together from every room."""

from consent.admin import EventInline, ProcessingRecordInline, StandingInline
from consent.facts import correct_details, interrupt_debt, mail_returned
from customers.admin.corrections import details_page, returned_page
from customers.admin.debts import interruption_page
from customers.admin.people import AddressInline, CustomerAdmin, SupportCaseInline
from customers.admin.purchases import InvoiceInline, OrderInline, SubscriptionInline
from privacy_requests.admin import CaseInline, StatementInline
from privacy_requests.desk import REGISTER
from privacy_requests.identity_check_views import PAGE as IDENTITY
from privacy_requests.lifting_desk import PAGE as LIFTING
from privacy_requests.recording_views import PAGE as SAID
from privacy_requests.rectification_desk import PAGES as RECTIFICATION
from retention.admin import HoldInline

CustomerAdmin.inlines = (
    # First, so that nobody reads a detail without what its person has added to it (REC-01).
    StatementInline,
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
CustomerAdmin.pages = (
    details_page(correct_details),
    returned_page(mail_returned),
    interruption_page(interrupt_debt),
    SAID,
    REGISTER,
    IDENTITY,
    *RECTIFICATION,
    LIFTING,
)
