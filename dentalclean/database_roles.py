"""Who may do what in the database: three roles and one table of rights.

The owner migrates. The program (web, worker, clock) works as the app, which owns nothing and is not
granted what the database always refuses: whatever a trigger of a model protects against. The
auditor reads the ledger, the wording, the seals, the receipts and the runs, and no names.

Written after each migrate, only what differs. `check --database default` holds the database to it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pgtrigger
from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.management import CommandError
from django.db import connection, models, transaction
from psycopg2.extensions import quote_ident

from consent.models import Event, Notice, PolicyVersion, Seal
from dentalclean.ownership import OWNED_BY_OTHERS
from retention import estimates, readable
from retention.models import Receipt, Run

Rights = Mapping[str, frozenset[str]]  # privileges by table or sequence

READ = frozenset({"SELECT"})
WORK = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
# Sealing waits for writers with LOCK TABLE, which asks for this where UPDATE is not granted.
LOCKED_WHILE_SEALING = {Event, Seal}
# Also to wipe the files of what the night took (F19), and to look at tables before it is planned.
MAINTAIN = frozenset({"MAINTAIN"})
FOR_THE_AUDITOR = (PolicyVersion, Notice, Event, Seal, Receipt, Run)
MIGRATIONS = "django_migrations"  # read by `migrate --check`; no model of it is registered

OLDEST = 18  # it tells in RETURNING what a row was (consent.functions)
EVERYBODY = "public"
# Triggers of pgtrigger ask this function whether a word of the session sets them aside.
NOBODY_SETS_A_TRIGGER_ASIDE = "SELECT FALSE"


class RolesError(Exception):
    """Say in one sentence what is missing for the roles to work."""


# The table


def app_rights() -> Rights:
    """Give what the program may do: everything to rows that no trigger protects against."""
    maintained = LOCKED_WHILE_SEALING | estimates.of_the_night()
    maintained |= {table.model for table in readable.tables()}
    return {
        MIGRATIONS: READ,
        **{
            model._meta.db_table: (WORK - always_refused(model))
            | (MAINTAIN if model in maintained else frozenset())
            for model in _models()
        },
    }


def auditor_rights() -> Rights:
    """Give what the auditor may read."""
    return {model._meta.db_table: READ for model in FOR_THE_AUDITOR}


def always_refused(model: type[models.Model]) -> frozenset[str]:
    """Give what a table is protected against whatever the row."""
    return frozenset(
        operation
        for trigger in _triggers(model)
        if isinstance(trigger, pgtrigger.Protect)
        for operation in _operations(trigger)
    )


def protections() -> Iterator[tuple[str, str, frozenset[str]]]:
    """Yield table, name and operations of each trigger that protects what is stored."""
    for model in _models():
        for trigger in _triggers(model):
            operations = _operations(trigger)
            if operations - {"INSERT"}:
                yield model._meta.db_table, trigger.get_pgid(model), operations  # type: ignore[arg-type]


def _models() -> Iterator[type[models.Model]]:
    for model in apps.get_models(include_auto_created=True):
        if model._meta.managed and not model._meta.proxy:
            yield model


def _triggers(model: type[models.Model]) -> Sequence[pgtrigger.Trigger]:
    return getattr(model._meta, "triggers", ())


def _operations(trigger: pgtrigger.Trigger) -> frozenset[str]:
    return frozenset(str(operation) for operation in trigger.operation or ())


# Bringing the database to it


def demand_roles() -> None:
    """Make the roles that are missing, and demand the owner; raises RolesError."""
    version: int = connection.pg_version  # type: ignore[attr-defined]
    if version < OLDEST * 10000:
        raise RolesError(f"Use PostgreSQL {OLDEST} or newer; 18 is what is tested.")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolname, rolsuper, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        )
        user, is_superuser, makes_roles = cursor.fetchone()
        cursor.execute("SELECT rolname FROM pg_roles")
        missing = sorted(set(_names().values()) - {name for (name,) in cursor.fetchall()})
        if not is_superuser and user != _names()["owner"]:
            raise RolesError(
                f"Migrate as {_names()['owner']}, not as {user}: put its address into DATABASE_URL "
                "for this one command."
            )
        if missing and not (is_superuser or makes_roles):
            raise RolesError(
                f"Create the database roles {', '.join(missing)} first, as docs/running.md tells; "
                f"{user} may not."
            )
        for name in missing:
            cursor.execute(f"CREATE ROLE {_quoted(name)} NOLOGIN")


def apply() -> list[str]:
    """Bring the database to the table; return the statements that were needed for it."""
    with transaction.atomic(), connection.cursor() as cursor:
        needed = list(statements())
        for statement in needed:
            cursor.execute(statement)
    return needed


def statements() -> Iterator[str]:
    """Yield what differs, as the statements that set it right."""
    with connection.cursor() as cursor:
        yield from _handing_over(cursor)
        yield from _around_tables(cursor)
        yield from _grants(cursor)
        yield from _triggers_that_rest(cursor)


def _handing_over(cursor: Any) -> list[str]:
    """What a superuser created, as the owner of the tests' databases and of older houses did."""
    cursor.execute(OWNED_BY_OTHERS, {"owner": _names()["owner"]})
    return [statement for (statement,) in cursor.fetchall()]


def _around_tables(cursor: Any) -> Iterator[str]:
    """The schema for all, new tables for the owner alone, temporary ones for the import."""
    owner = _names()["owner"]
    cursor.execute("SELECT has_schema_privilege(%s, 'public', 'CREATE')", [owner])
    if not cursor.fetchone()[0]:
        yield f"GRANT ALL ON SCHEMA public TO {_quoted(owner)}"
    cursor.execute(
        """
        SELECT role, has_schema_privilege(role, 'public', 'USAGE'),
               has_schema_privilege(role, 'public', 'CREATE'),
               has_database_privilege(role, current_database(), 'TEMPORARY')
          FROM unnest(%s) AS role
        """,
        [[_names()["app"], _names()["auditor"]]],
    )
    for role, enters, creates, keeps_aside in cursor.fetchall():
        if not enters:
            yield f"GRANT USAGE ON SCHEMA public TO {_quoted(role)}"
        if creates:
            yield f"REVOKE CREATE ON SCHEMA public FROM PUBLIC, {_quoted(role)}"
        if role == _names()["app"] and not keeps_aside:
            database = _quoted(connection.settings_dict["NAME"])
            yield f"GRANT TEMPORARY ON DATABASE {database} TO {_quoted(role)}"


def _grants(cursor: Any) -> Iterator[str]:
    """Grant and revoke, table by table and sequence by sequence."""
    wanted = {_names()["app"]: app_rights(), _names()["auditor"]: auditor_rights(), EVERYBODY: {}}
    cursor.execute(
        """
        SELECT c.relname, c.relkind = 'S', owner.relname
          FROM pg_class c
          LEFT JOIN pg_depend d ON c.relkind = 'S' AND d.classid = 'pg_class'::regclass
               AND d.objid = c.oid AND d.deptype IN ('a', 'i')
          LEFT JOIN pg_class owner ON owner.oid = d.refobjid
         WHERE c.relnamespace = 'public'::regnamespace
           AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
         ORDER BY c.relname
        """
    )
    relations = cursor.fetchall()
    have = granted(cursor)
    for relation, is_sequence, table in relations:
        what = f"{'SEQUENCE' if is_sequence else 'TABLE'} {_quoted(relation)}"
        for role, rights in wanted.items():
            should = rights.get(table if is_sequence else relation, frozenset())
            if is_sequence:
                should = frozenset({"USAGE"}) if "INSERT" in should else frozenset()
            has = have[role, relation]
            name = "PUBLIC" if role == EVERYBODY else _quoted(role)
            if has - should:
                yield f"REVOKE {', '.join(sorted(has - should))} ON {what} FROM {name}"
            if should - has:
                yield f"GRANT {', '.join(sorted(should - has))} ON {what} TO {name}"


def granted(cursor: Any) -> dict[tuple[str, str], frozenset[str]]:
    """Give what is granted now, by role and table or sequence; one column counts as the whole."""
    cursor.execute(
        """
        SELECT COALESCE(r.rolname, 'public'), c.relname, acl.privilege_type
          FROM pg_class c
          CROSS JOIN LATERAL (
                SELECT c.relacl AS list UNION ALL
                SELECT a.attacl FROM pg_attribute a WHERE a.attrelid = c.oid
          ) AS lists
          CROSS JOIN LATERAL aclexplode(lists.list) AS acl
          LEFT JOIN pg_roles r ON r.oid = acl.grantee
         WHERE c.relnamespace = 'public'::regnamespace AND acl.grantee <> c.relowner
        """
    )
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for role, relation, privilege in cursor.fetchall():
        found[role, relation].add(privilege)
    return defaultdict(frozenset, {key: frozenset(names) for key, names in found.items()})


def _triggers_that_rest(cursor: Any) -> Iterator[str]:
    """Wake the triggers that protect: always, whatever a session calls itself or asks for."""
    states = _trigger_states(cursor)
    for table, name, _operations in protections():
        if states.get((table, name), "A") != "A":
            yield f"ALTER TABLE {_quoted(table)} ENABLE ALWAYS TRIGGER {_quoted(name)}"
    cursor.execute(
        "SELECT prosrc FROM pg_proc WHERE proname = '_pgtrigger_should_ignore' "
        "AND pronamespace = 'public'::regnamespace"
    )
    found = cursor.fetchone()
    if found and found[0] != NOBODY_SETS_A_TRIGGER_ASIDE:
        yield (
            "CREATE OR REPLACE FUNCTION public._pgtrigger_should_ignore(trigger_name name) "
            f"RETURNS boolean LANGUAGE sql IMMUTABLE AS '{NOBODY_SETS_A_TRIGGER_ASIDE}'"
        )


def _trigger_states(cursor: Any) -> dict[tuple[str, str], str]:
    cursor.execute(
        """
        SELECT c.relname, t.tgname, t.tgenabled
          FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
         WHERE c.relnamespace = 'public'::regnamespace AND NOT t.tgisinternal
        """
    )
    return {(table, name): state for table, name, state in cursor.fetchall()}


# Holding the database to it


def check(
    app_configs: Any, databases: Iterable[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Refuse a database with other rights than the table's, or with a trigger gone (I10)."""
    if not databases:
        return []
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        if MIGRATIONS not in tables:
            return []
        states = _trigger_states(cursor)
        gone = sorted(
            f"{table} has lost its trigger {name}"
            for table, name, _operations in protections()
            if table in tables and (table, name) not in states
        )
        cursor.execute(
            "SELECT count(*) FROM pg_roles WHERE rolname = ANY(%s)", [[*_names().values()]]
        )
        made = cursor.fetchone()[0] == len(_names())
    wrong = [*gone, *(statements() if made else ["the roles are not made"])]
    return [
        Error(
            f"The rights in the database are not those of dentalclean/database_roles.py: {what}.",
            hint="Run manage.py migrate --skip-checks as the owner; it sets everything right but "
            "a trigger that is gone, which its migration creates.",
            id="dentalclean.E001",
        )
        for what in wrong[:10]
    ]


def too_strong() -> bool:
    """Tell whether this very session could change what is only ever added to (I11)."""
    tables = [
        model._meta.db_table for model in _models() if {"UPDATE", "DELETE"} <= always_refused(model)
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT bool_or(has_any_column_privilege(c.oid, 'UPDATE')
                           OR has_table_privilege(c.oid, 'DELETE, TRUNCATE')
                           OR pg_has_role(c.relowner, 'MEMBER'))
              FROM pg_class c
             WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY(%s)
            """,
            [tables],
        )
        return bool(cursor.fetchone()[0])


# Signals of migrate


def before_migrate(using: str, **kwargs: Any) -> None:
    """Stop before anything is changed when the roles cannot work."""
    if using == connection.alias:
        try:
            demand_roles()
        except RolesError as problem:
            raise CommandError(str(problem)) from problem


def after_migrate(using: str, **kwargs: Any) -> None:
    """Write the rights for the tables as they are now."""
    if using == connection.alias:
        apply()


def _names() -> dict[str, str]:
    names: dict[str, str] = settings.DATABASE_ROLES
    return names


def _quoted(name: str) -> str:
    """Quote a name as PostgreSQL would, whatever is in it."""
    connection.ensure_connection()
    quoted: str = quote_ident(name, connection.connection)
    return quoted
