from customers.models.access import AccessLog
from customers.models.debts import DebtInterruption
from customers.models.people import Address, Change, Customer, Session, User
from customers.models.purchases import (
    FiscalYear,
    Invoice,
    InvoiceSeries,
    Order,
    Product,
    Subscription,
)
from customers.models.support import SupportCase
from customers.models.suppression import Suppression

__all__ = [
    "AccessLog",
    "Address",
    "Change",
    "Customer",
    "DebtInterruption",
    "FiscalYear",
    "Invoice",
    "InvoiceSeries",
    "Order",
    "Product",
    "Session",
    "Subscription",
    "SupportCase",
    "Suppression",
    "User",
]
