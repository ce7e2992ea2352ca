"""What staff see of how long: the nights, the receipts and the holds."""

from retention.admin.holds import HoldAdmin, HoldInline
from retention.admin.nights import ForecastAdmin, RunAdmin, SetAsideAdmin
from retention.admin.receipts import ReceiptAdmin, SuppressionAdmin

__all__ = [
    "ForecastAdmin",
    "HoldAdmin",
    "HoldInline",
    "ReceiptAdmin",
    "RunAdmin",
    "SetAsideAdmin",
    "SuppressionAdmin",
]
