"""From when a debt runs: its last interruption, in one statement for one invoice or a million."""

from collections.abc import Sequence

from django.db import connection
from django.db.models import F, QuerySet, Sum
from django.db.models.functions import Abs, Coalesce

from customers.models import Customer, Invoice

# CLM-01: a payment in part, an acknowledgement, a written claim and a suit each start three years
# anew, if the debt had not become time-barred before. Whatever counted goes on counting when the
# verifications that told of it have left: the last interruption, and that all of it was settled.
RECKON = """
    UPDATE customers_invoice t SET interrupted_on = found.day, paid_on = found.paid_on
      FROM (SELECT i.id, GREATEST(chain.day, i.interrupted_on) AS day,
                   COALESCE(i.paid_on, CASE WHEN given.ore >= i.total_ore THEN given.day END)
                       AS paid_on
              FROM customers_invoice i
              LEFT JOIN LATERAL (
                   SELECT SUM(ABS(k.total_ore)) AS ore, max(k.issued_on) AS day
                     FROM customers_invoice k
                    WHERE k.refers_to_id = i.id AND k.kind IN ('credit', 'payment')) given ON TRUE
              LEFT JOIN LATERAL (
                   SELECT max(day) FILTER (WHERE runs) AS day
                     FROM (SELECT day, bool_and(day <= (since + interval '3 years')::date)
                                           OVER (ORDER BY day) AS runs
                             FROM (SELECT day, GREATEST(
                                              lag(day) OVER (ORDER BY day),
                                              COALESCE(GREATEST(i.due_on, i.interrupted_on),
                                                       i.issued_on)) AS since
                                     FROM (SELECT k.issued_on FROM customers_invoice k
                                            WHERE k.refers_to_id = i.id AND k.kind = 'payment'
                                           UNION
                                           SELECT n.happened_on FROM customers_debtinterruption n
                                            WHERE n.invoice_id = i.id) AS days (day)
                                  ) steps) chained) chain ON TRUE
             WHERE i.id = ANY(%s) AND i.kind = 'invoice') found
     WHERE t.id = found.id
       AND (t.interrupted_on, t.paid_on) IS DISTINCT FROM (found.day, found.paid_on)
"""


def reckon_interruptions(invoice_ids: Sequence[int]) -> int:
    """Bring what is known of these invoices' debts up to what has happened; return how many moved.

    Must run in the transaction that wrote down what happened.
    """
    with connection.cursor() as cursor:
        cursor.execute(RECKON, [list(invoice_ids)])
        return int(cursor.rowcount)


def open_debts(customer: Customer) -> QuerySet[Invoice]:
    """Return the invoices of a person of which something is still owed, time-barred ones too."""
    return (
        Invoice.objects.filter(customer=customer, kind=Invoice.Kind.INVOICE, paid_on=None)
        .annotate(settled=Coalesce(Sum(Abs("referred_by__total_ore")), 0))
        .filter(total_ore__gt=F("settled"))
        .order_by("-number")
    )
