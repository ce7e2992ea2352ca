"""Products, fiscal years, subscriptions, orders and invoices: from staging into the register."""

from typing import Any

from customers.debts import reckon_interruptions
from dentalclean.intake.people import Written


def write_products(cursor: Any) -> Written:
    """Add products and rename those that are here."""
    cursor.execute(
        """
        UPDATE customers_product p SET name = s.name, similar_group = s.similar_group
          FROM staged_products s
         WHERE p.code = s.code AND s.problem IS NULL
           AND (p.name, p.similar_group) <> (s.name, s.similar_group)
        """
    )
    written = Written(changed=cursor.rowcount)
    cursor.execute(
        """
        INSERT INTO customers_product (code, name, similar_group)
        SELECT code, name, similar_group FROM staged_products WHERE problem IS NULL
        ON CONFLICT (code) DO NOTHING
        """
    )
    written.new = cursor.rowcount
    return written


def write_fiscal_years(cursor: Any) -> Written:
    """Add fiscal years; one that is here never changes."""
    cursor.execute(
        """
        INSERT INTO customers_fiscalyear (starts_on, ends_on)
        SELECT starts_on, ends_on FROM staged_fiscal_years s
         WHERE problem IS NULL
           AND NOT EXISTS (SELECT FROM customers_fiscalyear y WHERE y.ends_on = s.ends_on)
        """
    )
    return Written(new=cursor.rowcount)


def find_products(cursor: Any) -> None:
    """Give subscriptions and orders their product, invoices the fiscal year of their day."""
    for table in ("staged_subscriptions", "staged_orders"):
        cursor.execute(
            f"UPDATE {table} s SET product_id = p.id FROM customers_product p "
            "WHERE p.code = s.product AND s.problem IS NULL"
        )
    cursor.execute(
        """
        UPDATE staged_invoices s SET year_ends_on = y.ends_on FROM customers_fiscalyear y
         WHERE s.issued_on BETWEEN y.starts_on AND y.ends_on AND s.problem IS NULL
        """
    )


def write_subscriptions(cursor: Any) -> Written:
    """Add subscriptions; one that is here gets its last day. An empty cell reopens none."""
    cursor.execute(
        """
        UPDATE customers_subscription t SET ended_on = s.ended_on
          FROM staged_subscriptions s
         WHERE (t.customer_id, t.product_id, t.started_on)
               = (s.customer_id, s.product_id, s.started_on)
           AND s.problem IS NULL AND s.ended_on IS NOT NULL
           AND t.ended_on IS DISTINCT FROM s.ended_on
        """
    )
    written = Written(changed=cursor.rowcount)
    cursor.execute(
        """
        INSERT INTO customers_subscription (public_id, customer_id, product_id, started_on,
               ended_on, collected)
        SELECT gen_random_uuid(), customer_id, product_id, started_on, ended_on,
               COALESCE(collected, 'import')
          FROM staged_subscriptions s
         WHERE problem IS NULL AND NOT EXISTS (SELECT FROM customers_subscription t
               WHERE t.customer_id = s.customer_id AND t.product_id = s.product_id
                 AND t.started_on = s.started_on)
        """
    )
    written.new = cursor.rowcount
    return written


def write_orders(cursor: Any) -> Written:
    """Add orders; one that is here gets the days that have come since."""
    cursor.execute(
        """
        UPDATE customers_order t
           SET delivered_on = COALESCE(s.delivered_on, t.delivered_on),
               withdrawn_on = COALESCE(s.withdrawn_on, t.withdrawn_on),
               cancelled_on = COALESCE(s.cancelled_on, t.cancelled_on)
          FROM staged_orders s
         WHERE t.number = s.order_number AND t.customer_id = s.customer_id AND s.problem IS NULL
           AND (t.delivered_on, t.withdrawn_on, t.cancelled_on) IS DISTINCT FROM
               (COALESCE(s.delivered_on, t.delivered_on), COALESCE(s.withdrawn_on, t.withdrawn_on),
                COALESCE(s.cancelled_on, t.cancelled_on))
        """
    )
    written = Written(changed=cursor.rowcount)
    cursor.execute(
        """
        INSERT INTO customers_order (public_id, number, customer_id, product_id, quantity,
               collected, ordered_on, delivered_on, withdrawn_on, cancelled_on)
        SELECT gen_random_uuid(), order_number, customer_id, product_id, COALESCE(quantity, 1),
               COALESCE(collected, 'import'), ordered_on, delivered_on, withdrawn_on, cancelled_on
          FROM staged_orders s
         WHERE problem IS NULL
           AND NOT EXISTS (SELECT FROM customers_order t WHERE t.number = s.order_number)
         ORDER BY order_number
        """
    )
    written.new = cursor.rowcount
    return written


def write_invoices(cursor: Any) -> Written:
    """Add verifications as printed; one that is here is at most paid. The series goes on after."""
    cursor.execute(
        """
        UPDATE customers_invoice t SET paid_on = s.paid_on
          FROM staged_invoices s
         WHERE t.number = s.invoice_number AND s.problem IS NULL AND s.paid_on IS NOT NULL
           AND t.paid_on IS DISTINCT FROM s.paid_on
        """
    )
    written = Written(changed=cursor.rowcount)
    cursor.execute(
        """
        UPDATE staged_invoices s
           SET is_new = t.id IS NULL,
               row_id = COALESCE(
                   t.id, nextval(pg_get_serial_sequence('customers_invoice', 'id')))
          FROM (SELECT x.line, i.id FROM staged_invoices x
                  LEFT JOIN customers_invoice i ON i.number = x.invoice_number
                 WHERE x.problem IS NULL) AS t
         WHERE t.line = s.line
        """
    )
    cursor.execute("ANALYZE staged_invoices")
    # Pairwise, both take the later of their fiscal years (RUL-19).
    cursor.execute(
        """
        CREATE TEMP TABLE invoice_links ON COMMIT DROP AS
        SELECT s.row_id AS id, COALESCE(r.row_id, i.id) AS refers_to,
               s.year_ends_on AS own_year, COALESCE(r.year_ends_on, i.fiscal_year_id) AS their_year
          FROM staged_invoices s
          LEFT JOIN staged_invoices r ON r.invoice_number = s.refers_to AND r.problem IS NULL
          LEFT JOIN customers_invoice i ON i.number = s.refers_to
         WHERE s.problem IS NULL AND s.is_new AND s.refers_to IS NOT NULL
        """
    )
    cursor.execute(
        """
        CREATE TEMP TABLE linked_years ON COMMIT DROP AS
        SELECT id, max(year) AS year FROM (
            SELECT id, their_year FROM invoice_links
            UNION ALL SELECT refers_to, own_year FROM invoice_links) AS pairs (id, year)
         GROUP BY id
        """
    )
    for table in ("invoice_links", "linked_years"):
        cursor.execute(f"CREATE UNIQUE INDEX ON {table} (id)")
        cursor.execute(f"ANALYZE {table}")
    cursor.execute(
        """
        INSERT INTO customers_invoice (id, public_id, number, kind, customer_id, fiscal_year_id,
               linked_year_id, refers_to_id, issued_on, due_on, paid_on, buyer_number, buyer_name,
               buyer_address, lines, total_ore, vat_ore)
        SELECT s.row_id, gen_random_uuid(), s.invoice_number, s.kind, s.customer_id,
               s.year_ends_on, y.year, l.refers_to, s.issued_on, s.due_on, s.paid_on, s.number,
               s.buyer_name, s.buyer_address,
               jsonb_build_array(jsonb_build_object(
                   'text', s.text, 'quantity', COALESCE(s.quantity, 1), 'ore', s.total_ore)),
               s.total_ore, s.vat_ore
          FROM staged_invoices s
          LEFT JOIN invoice_links l ON l.id = s.row_id
          LEFT JOIN linked_years y ON y.id = s.row_id
         WHERE s.problem IS NULL AND s.is_new
         ORDER BY s.invoice_number
        """
    )
    written.new = cursor.rowcount
    cursor.execute(
        """
        UPDATE customers_invoice t SET linked_year_id = y.year
          FROM linked_years y
         WHERE t.id = y.id AND y.year > COALESCE(t.linked_year_id, DATE '0001-01-01')
        """
    )
    # A payment in part starts the limitation of what is left anew (CLM-01).
    cursor.execute("SELECT DISTINCT refers_to FROM invoice_links")
    reckon_interruptions([row[0] for row in cursor.fetchall()])
    cursor.execute(
        """
        INSERT INTO customers_invoiceseries (id, last_number)
        SELECT 1, max(invoice_number) FROM staged_invoices WHERE problem IS NULL
        HAVING count(*) > 0
        ON CONFLICT (id) DO UPDATE SET last_number = EXCLUDED.last_number
         WHERE customers_invoiceseries.last_number < EXCLUDED.last_number
        """
    )
    return written
