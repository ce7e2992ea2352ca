"""What only shows when rows are held beside each other and beside what is stored already.

Every check marks the rows it refuses, with one sentence; a row keeps the first. Rows that hang on
a refused one are refused with it. All of it is set-based: a check costs the same for one bad row
as for none.
"""

from dataclasses import dataclass
from typing import Any

from customers.dates import FAR
from dentalclean.intake.formats import (
    ADDRESSES,
    CONSENTS,
    CUSTOMERS,
    FISCAL_YEARS,
    INVOICES,
    ORDERS,
    PRODUCTS,
    SUBSCRIPTIONS,
    Format,
)


@dataclass(frozen=True)
class Check:
    """Rows `s` of a file that meet `where` are refused; %(on)s is the day of the import."""

    form: Format
    column: str
    reason: str
    where: str

    @property
    def sql(self) -> str:
        return (
            f"UPDATE {self.form.table} s SET bad_column = %(column)s, problem = %(reason)s "
            f"WHERE s.problem IS NULL AND {self.where}"
        )

    def run(self, cursor: Any, params: dict[str, Any]) -> int:
        cursor.execute(self.sql, {**params, "column": self.column, "reason": self.reason})
        return int(cursor.rowcount)


def _twice(form: Format, key: str, reason: str) -> Check:
    """Refuse every row of a key that comes more than once: nobody can say which one is meant."""
    first = key.split(",")[0]
    return Check(
        form,
        first,
        reason,
        f"({key}) IN (SELECT {key} FROM {form.table} GROUP BY {key} HAVING count(*) > 1)",
    )


NOT_TWICE = "stands on more than one line, so none of them is loaded; keep the right one."

BEFORE_CUSTOMERS = (
    _twice(PRODUCTS, "code", f"The product {NOT_TWICE}"),
    Check(
        FISCAL_YEARS,
        "ends_on",
        "A fiscal year ends after it starts and lasts at most 18 months.",
        "NOT (s.ends_on > s.starts_on AND s.ends_on < s.starts_on + interval '18 months')",
    ),
    Check(
        FISCAL_YEARS,
        "starts_on",
        "The fiscal year overlaps another one; correct the days.",
        """(EXISTS (SELECT FROM customers_fiscalyear y
             WHERE daterange(y.starts_on, y.ends_on, '[]') &&
                   daterange(s.starts_on, s.ends_on, '[]')
               AND (y.starts_on, y.ends_on) <> (s.starts_on, s.ends_on))
            OR EXISTS (SELECT FROM staged_fiscal_years o
             WHERE o.line < s.line AND o.problem IS NULL AND o.starts_on <= o.ends_on
               AND daterange(o.starts_on, o.ends_on, '[]') &&
                   daterange(s.starts_on, s.ends_on, '[]')))""",
    ),
    _twice(CUSTOMERS, "number", f"The customer number {NOT_TWICE}"),
    _twice(CUSTOMERS, "national_id_hash", f"The national identity number {NOT_TWICE}"),
    Check(
        CUSTOMERS,
        "national_id",
        "The national identity number belongs to another customer here; correct one of them.",
        """EXISTS (SELECT FROM customers_customer c
             WHERE c.national_id_hash = s.national_id_hash AND c.number <> s.number)""",
    ),
    Check(
        CUSTOMERS,
        "national_id",
        "The customer has another national identity number here; correct it by hand.",
        """EXISTS (SELECT FROM customers_customer c
             WHERE c.number = s.number AND c.national_id_hash <> s.national_id_hash)""",
    ),
    Check(
        CUSTOMERS,
        "number",
        "The customer's details have been erased here; a file does not bring them back.",
        """EXISTS (SELECT FROM customers_customer c
             WHERE c.number = s.number AND c.given_name = '' AND c.family_name = '')""",
    ),
    *(
        Check(
            CUSTOMERS,
            kind,
            f"The {words} is on the suppression list of people who said no; leave the row out.",
            f"""s.{kind}_digest IN (SELECT digest FROM customers_suppression WHERE kind = '{kind}')
                AND NOT EXISTS (SELECT FROM customers_customer c WHERE c.{kind} = s.{kind})""",
        )
        for kind, words in (("email", "e-mail address"), ("phone", "phone number"))
    ),
)


def _known_person(form: Format) -> tuple[Check, ...]:
    return (
        Check(
            form,
            "number",
            "The customer's own row was refused, so this one is too; correct that row first.",
            "s.customer_id IS NULL AND s.number IN (SELECT number FROM staged_customers)",
        ),
        Check(
            form,
            "number",
            "The customer's details have been erased here; a file does not bring them back.",
            """s.customer_id IS NULL AND EXISTS (SELECT FROM customers_customer c
                 WHERE c.number = s.number)""",
        ),
        Check(
            form,
            "number",
            "There is no customer with that number here or in customers.csv; add the customer.",
            "s.customer_id IS NULL",
        ),
    )


def _known_product(form: Format) -> Check:
    return Check(
        form,
        "product",
        "There is no product with that code; add it to products.csv.",
        "s.product_id IS NULL",
    )


# The uses a person has decided on later than a row, by their own word.
NEWER_WORD = f"""EXISTS (SELECT FROM consent_standing st
    WHERE st.customer_id = s.customer_id AND st.purpose = s.purpose AND st.channel = s.channel
      AND st.third_party = COALESCE(s.third_party, '') AND st.authority = 4
      AND st.since > s.given_on
      AND (s.answer = 'yes' OR st.permission = 'consent' AND st.closes = DATE '{FAR}'))"""

AFTER_CUSTOMERS = (
    *_known_person(ADDRESSES),
    _twice(ADDRESSES, "number, kind", f"The customer's address of that kind {NOT_TWICE}"),
    *_known_person(SUBSCRIPTIONS),
    _known_product(SUBSCRIPTIONS),
    Check(
        SUBSCRIPTIONS,
        "started_on",
        "The subscription overlaps one of the same product that is here; correct the days.",
        """EXISTS (SELECT FROM customers_subscription o
             WHERE o.customer_id = s.customer_id AND o.product_id = s.product_id
               AND o.started_on <> s.started_on
               AND daterange(o.started_on, o.ended_on, '[]') &&
                   daterange(s.started_on, s.ended_on, '[]')
               AND NOT EXISTS (SELECT FROM staged_subscriptions x
                    WHERE x.problem IS NULL AND x.customer_id = o.customer_id
                      AND x.product_id = o.product_id AND x.started_on = o.started_on))""",
    ),
    *_known_person(ORDERS),
    _known_product(ORDERS),
    _twice(ORDERS, "order_number", f"The order number {NOT_TWICE}"),
    Check(
        ORDERS,
        "order_number",
        "The order number belongs to another customer here; correct one of the two.",
        """EXISTS (SELECT FROM customers_order o
             WHERE o.number = s.order_number AND o.customer_id <> s.customer_id)""",
    ),
    Check(
        ORDERS,
        "order_number",
        "That order is here with another product, quantity or day; correct it by hand.",
        """EXISTS (SELECT FROM customers_order o
             WHERE o.number = s.order_number
               AND (o.product_id, o.quantity, o.ordered_on)
                   <> (s.product_id, COALESCE(s.quantity, 1), s.ordered_on))""",
    ),
    Check(
        ORDERS,
        "order_number",
        "That order is cancelled here and delivered in the file, or the reverse; correct one.",
        """EXISTS (SELECT FROM customers_order o
             WHERE o.number = s.order_number
               AND (o.cancelled_on IS NOT NULL AND s.delivered_on IS NOT NULL
                    OR o.delivered_on IS NOT NULL AND s.cancelled_on IS NOT NULL))""",
    ),
    *_known_person(INVOICES),
    _twice(INVOICES, "invoice_number", f"The invoice number {NOT_TWICE}"),
    Check(
        INVOICES,
        "issued_on",
        "No fiscal year covers the day; add the year to fiscal_years.csv.",
        "s.year_ends_on IS NULL",
    ),
    Check(
        INVOICES,
        "invoice_number",
        "That invoice is here with other contents; what is issued stays, so send a credit note.",
        """EXISTS (SELECT FROM customers_invoice i
              LEFT JOIN customers_invoice r ON r.id = i.refers_to_id
             WHERE i.number = s.invoice_number AND
                   (i.customer_id, i.kind, i.issued_on, i.due_on, i.buyer_name, i.buyer_address,
                    i.total_ore, i.vat_ore, r.number, i.lines) IS DISTINCT FROM
                   (s.customer_id, s.kind, s.issued_on, s.due_on, s.buyer_name, s.buyer_address,
                    s.total_ore, s.vat_ore, s.refers_to, jsonb_build_array(jsonb_build_object(
                        'text', s.text, 'quantity', COALESCE(s.quantity, 1), 'ore', s.total_ore))))
        """,
    ),
    *_known_person(CONSENTS),
    Check(
        CONSENTS,
        "number",
        "The row repeats an earlier line; take one of the two away.",
        """s.line NOT IN (SELECT min(line) FROM staged_consents WHERE problem IS NULL
             GROUP BY customer_id, kind, purpose, channel, third_party, given_on)""",
    ),
    Check(
        CONSENTS,
        "given_on",
        "The person has answered the same question later here, and that answer stands.",
        f"s.is_new AND {NEWER_WORD}",
    ),
)

# The first overlapping row of each product and person; run until it finds none.
OVERLAP = Check(
    SUBSCRIPTIONS,
    "started_on",
    "The subscription overlaps another one of the same product in the file; correct the days.",
    """s.line IN (
         SELECT DISTINCT ON (customer_id, product_id) line FROM (
             SELECT line, customer_id, product_id, started_on,
                    MAX(COALESCE(ended_on, 'infinity')) OVER (
                        PARTITION BY customer_id, product_id ORDER BY started_on, line
                        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS taken_until
               FROM staged_subscriptions WHERE problem IS NULL) AS rows
          WHERE started_on <= taken_until
          ORDER BY customer_id, product_id, started_on, line)""",
)

# Whatever refers to a refused verification is refused; run until it finds none.
REFERENCE = Check(
    INVOICES,
    "refers_to",
    "The invoice it refers to is not the customer's or was refused; correct that one first.",
    """s.refers_to IS NOT NULL AND NOT EXISTS (SELECT FROM staged_invoices r
             WHERE r.problem IS NULL AND r.invoice_number = s.refers_to
               AND r.customer_id = s.customer_id AND r.invoice_number <> s.invoice_number)
         AND NOT EXISTS (SELECT FROM customers_invoice i
             WHERE i.number = s.refers_to AND i.customer_id = s.customer_id)""",
)


def run_all(cursor: Any, checks: tuple[Check, ...], params: dict[str, Any]) -> None:
    """Run checks in their order."""
    for check in checks:
        check.run(cursor, params)


def run_until_none(cursor: Any, check: Check, params: dict[str, Any]) -> None:
    """Run a check again until it refuses nothing more."""
    while check.run(cursor, params):
        pass
