"""Triggers by which the database itself refuses what must not happen to a table."""

import pgtrigger


def not_emptied(name: str) -> pgtrigger.Trigger:
    """Refuse TRUNCATE, which row triggers do not see."""
    return pgtrigger.Trigger(
        name=f"{name}_not_emptied",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Truncate,
        func="RAISE EXCEPTION 'This table is never emptied.';",
    )


def never_changes(name: str) -> list[pgtrigger.Trigger]:
    """Keep a table append-only."""
    return [
        pgtrigger.Protect(
            name=f"{name}_append_only", operation=pgtrigger.Update | pgtrigger.Delete
        ),
        not_emptied(name),
    ]


def stays_until_its_date(name: str, rule: str) -> pgtrigger.Trigger:
    """Refuse to delete a row before the day after its `retain_until`, by the database's clock."""
    return pgtrigger.Trigger(
        name=f"{name}_stays",
        when=pgtrigger.Before,
        operation=pgtrigger.Delete,
        func=f"""
            IF OLD.retain_until >= (now() AT TIME ZONE 'Europe/Stockholm')::date THEN
                RAISE EXCEPTION 'Row % is kept to and including % ({rule}).',
                    OLD.id, OLD.retain_until;
            END IF;
            RETURN OLD;
        """,
    )


def only_unnamed(name: str, words: str, columns: tuple[str, ...], owner: str) -> pgtrigger.Trigger:
    """Refuse every change but one: that erasure takes the words from a row of somebody nameless.

    `owner` is SQL that gives the person of NEW; `columns` are all the others (RUL-02).
    """
    new, old = (", ".join(f"{row}.{column}" for column in columns) for row in ("NEW", "OLD"))
    return pgtrigger.Trigger(
        name=f"{name}_is_as_written",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        func=f"""
            IF ({new}) IS DISTINCT FROM ({old}) OR NEW.{words} <> ''
               OR NOT EXISTS (SELECT FROM customers_customer c WHERE c.id = {owner}
                                 AND c.given_name = '' AND c.family_name = '') THEN
                RAISE EXCEPTION 'Row % is as it was written.', OLD.id;
            END IF;
            RETURN NEW;
        """,
    )
