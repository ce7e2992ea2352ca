"""A process killed between any two of its steps: statements, commits and file operations.

So it is killed before and after each of them: what comes after one step and before the next is one
moment, in which nothing can be lost or kept. The kill is a real one as far as the database can
tell: its session is terminated and whatever was under way is rolled back. From then on the process
does nothing more, neither a statement nor a change of a file, whatever `except` and `finally` would
like to do. With `power_cut` the files too are left as a computer without power may leave them: what
was not flushed is empty, a name whose folder was not flushed is the old one.
"""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import psycopg2
from django.db import DEFAULT_DB_ALIAS, connections


class Killed(BaseException):
    """The process does not exist any more."""


@dataclass
class Process:
    """Something that is done step by step, and killed before one of them, counted from 0.

    `kill_at` is None for a process that nobody kills, and the number of all steps to be killed when
    everything is done. Only changes in `folders` are steps of files.
    """

    control: Any
    folders: tuple[Path, ...]
    kill_at: int | None = None
    power_cut: bool = False
    is_dead: bool = False
    steps: list[str] = field(default_factory=list)  # the last one was not taken by who was killed
    _unflushed: set[Path] = field(default_factory=set)
    _undo: list[tuple[Path, Callable[[], object]]] = field(default_factory=list)

    def run(self, act: Callable[[], object]) -> "Process":
        """Do it, or as much of it as there is time for."""
        connection = connections[DEFAULT_DB_ALIAS]
        commit = connection._commit
        try:
            counted = partial(self._step, "commit", commit)
            with (
                connection.execute_wrapper(self._statement),
                mock.patch.object(connection, "_commit", counted, create=True),
                self._files(),
            ):
                act()
                self._reach("the end")
        except BaseException:
            # What comes out of a dead process is anything: Django answers for a lost session.
            if not self.is_dead:
                raise
        finally:
            with suppress(psycopg2.Error):
                connection.close()
        return self

    def _step(self, name: str, act: Callable[[], Any]) -> Any:
        self._reach(name)
        return act()

    def _reach(self, name: str) -> None:
        if self.is_dead:
            raise Killed
        self.steps.append(name)
        if len(self.steps) - 1 == self.kill_at:
            self._die()
            raise Killed

    def _die(self) -> None:
        self.is_dead = True
        raw = connections[DEFAULT_DB_ALIAS].connection
        if raw is not None and not raw.closed:
            with self.control.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [raw.get_backend_pid()])
        if self.power_cut:
            for path in self._unflushed:
                if path.exists():
                    path.write_bytes(b"")
            for _folder, undo in reversed(self._undo):
                undo()

    def _statement(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        words = " ".join(str(sql).split())
        return self._step(words, lambda: execute(sql, params, many, context))

    # Files

    @contextmanager
    def _files(self) -> Iterator[None]:
        with (
            mock.patch("os.open", self._open(os.open)),
            mock.patch("os.fsync", self._fsync(os.fsync)),
            mock.patch("os.replace", self._rename(os.replace)),
            mock.patch("os.rename", self._rename(os.rename)),
            mock.patch("os.unlink", self._unlink(os.unlink)),
        ):
            yield

    def _is_ours(self, path: Path) -> bool:
        return any(path.is_relative_to(folder) for folder in self.folders)

    def _open(self, real: Callable[..., int]) -> Callable[..., int]:
        def opened(path: Any, flags: int, *rest: Any, **options: Any) -> int:
            writes = flags & (os.O_WRONLY | os.O_RDWR)
            if not writes or not self._is_ours(Path(path)):
                return real(path, flags, *rest, **options)
            self._unflushed.add(Path(path))
            return self._step("open", lambda: real(path, flags, *rest, **options))  # type: ignore[no-any-return]

        return opened

    def _fsync(self, real: Callable[[int], None]) -> Callable[[int], None]:
        def flushed(descriptor: int) -> None:
            path = Path(f"/proc/self/fd/{descriptor}").readlink()
            if not self._is_ours(path):
                return real(descriptor)
            self._step("fsync", lambda: real(descriptor))
            self._unflushed.discard(path)
            self._undo = [step for step in self._undo if step[0] != path]
            return None

        return flushed

    def _rename(self, real: Callable[..., None]) -> Callable[..., None]:
        def renamed(old: Any, new: Any, **options: Any) -> None:
            source, target = Path(old), Path(new)
            if not self._is_ours(target):
                return real(old, new, **options)
            covered = target.read_bytes() if target.exists() else None

            def undo() -> None:
                source.write_bytes(target.read_bytes())
                target.unlink() if covered is None else target.write_bytes(covered)

            def act() -> None:
                real(old, new, **options)
                self._undo.append((target.parent, undo))
                if source in self._unflushed:
                    self._unflushed.remove(source)
                    self._unflushed.add(target)

            return self._step("rename", act)

        return renamed

    def _unlink(self, real: Callable[..., None]) -> Callable[..., None]:
        def unlinked(path: Any, **options: Any) -> None:
            gone = Path(path)
            if not self._is_ours(gone):
                return real(path, **options)
            words = gone.read_bytes() if gone.exists() else None

            def act() -> None:
                real(path, **options)
                if words is not None:
                    self._undo.append((gone.parent, lambda: gone.write_bytes(words)))

            return self._step("unlink", act)

        return unlinked


# A world that is gone back to, thousands of times


class World:
    """The committed rows of a database and the files beside it, to be kept by name and restored.

    Sequences go on: a number that is drawn again would be another difference than a restart makes.
    `free` names columns by table that two equal worlds may differ in: moments and numbers drawn.
    """

    def __init__(
        self, control: Any, folders: tuple[Path, ...], free: Mapping[str, frozenset[str]], box: Path
    ) -> None:
        self.control, self.folders, self.box = control, folders, box
        self._columns: dict[str, list[str]] = {}
        self._always: dict[str, list[str]] = {}
        self._kept: dict[str, dict[str, tuple[str, str]]] = {}
        for table, column in self._ask(
            "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
            "WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 "
            "AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY 1, a.attnum"
        ):
            self._columns.setdefault(table, []).append(column)
        for table, trigger in self._ask(
            "SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "WHERE t.tgenabled = 'A' AND c.relnamespace = 'public'::regnamespace"
        ):
            self._always.setdefault(table, []).append(trigger)
        self._free = free
        # The tables that are gone back in: those in which two kept worlds differ.
        self.touched: set[str] = set(self._columns)

    def _ask(self, statement: str) -> list[tuple[Any, ...]]:
        with self.control.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []

    def _digests(self, free: Mapping[str, frozenset[str]], tables: Iterable[str]) -> dict[str, str]:
        parts = (
            f"SELECT '{table}', count(*) || ' ' || COALESCE(sum(hashtextextended("
            f'ROW({self._compared(table, free)})::text, 0)::numeric), 0) FROM public."{table}" t'
            for table in tables
        )
        return dict(self._ask(" UNION ALL ".join(parts)))

    def _compared(self, table: str, free: Mapping[str, frozenset[str]]) -> str:
        left_out = free.get(table, frozenset())
        return ", ".join(f't."{c}"' for c in self._columns[table] if c not in left_out)

    def alike(self) -> dict[str, str]:
        """Return a digest per table of what two equal worlds have in common."""
        return self._digests(self._free, sorted(self.touched))

    def keep(self, name: str) -> None:
        """Keep the world as it is now under a name, in place of what had it before."""
        self._forget(name)
        digests = self._digests({}, self._columns)
        kept: dict[str, tuple[str, str]] = {}
        self._ask(f"CREATE SCHEMA {name}")
        first = next(iter(self._kept.values()), {})
        for table, digest in digests.items():
            if table in first and first[table][1] == digest:
                kept[table] = first[table]
            else:
                self._ask(f'CREATE TABLE {name}."{table}" AS TABLE public."{table}"')
                kept[table] = (name, digest)
        self._kept[name] = kept
        for folder in self.folders:
            if folder.exists():
                shutil.copytree(folder, self.box / name / folder.name)

    def go_back_only_in_what_differs(self, one: str, other: str) -> None:
        """From here on expect changes in the tables in which two kept worlds differ."""
        kept = self._kept[one], self._kept[other]
        self.touched = {table for table in self._columns if kept[0][table] != kept[1][table]}

    def demand(self, name: str) -> None:
        """Raise RuntimeError where this is not wholly the world that was kept under a name."""
        found = self._digests({}, self._columns)
        differing = [t for t, (_, digest) in self._kept[name].items() if found[t] != digest]
        if differing:
            raise RuntimeError(f"These tables are not as in the {name}: {', '.join(differing)}.")

    def _forget(self, name: str) -> None:
        self._kept.pop(name, None)
        self._ask(f"DROP SCHEMA IF EXISTS {name} CASCADE")
        shutil.rmtree(self.box / name, ignore_errors=True)

    def restore(self, name: str, *, wholly: bool = False) -> None:
        """Bring back a world that was kept: the rows of tables that are touched, and every file.

        `wholly` asks for the rows of all tables.
        """
        steps = ["SET LOCAL session_replication_role = replica"]
        for table in sorted(self._columns if wholly else self.touched):
            schema, _digest = self._kept[name][table]
            columns = ", ".join(f'"{column}"' for column in self._columns[table])
            always = self._always.get(table, [])
            steps += [f'ALTER TABLE "{table}" DISABLE TRIGGER "{trigger}"' for trigger in always]
            steps.append(f'DELETE FROM public."{table}"')
            steps.append(
                f'INSERT INTO public."{table}" ({columns}) OVERRIDING SYSTEM VALUE '
                f'SELECT {columns} FROM {schema}."{table}"'
            )
            steps += [
                f'ALTER TABLE "{table}" ENABLE ALWAYS TRIGGER "{trigger}"' for trigger in always
            ]
        self._ask(f"BEGIN; {'; '.join(steps)}; COMMIT")
        for folder in self.folders:
            shutil.rmtree(folder, ignore_errors=True)
            with suppress(FileNotFoundError):
                shutil.copytree(self.box / name / folder.name, folder)

    def differences(self, name: str, tables: list[str]) -> str:
        """Say which rows of some tables differ from a kept world's; for people who look for why."""
        found = []
        for table in tables:
            schema, columns = self._kept[name][table][0], self._compared(table, self._free)
            here, there = (
                f'SELECT ROW({columns})::text FROM {place}."{table}" t'
                for place in ("public", schema)
            )
            for sign, query in (
                ("+", f"{here} EXCEPT ALL {there}"),
                ("-", f"{there} EXCEPT ALL {here}"),
            ):
                found += [f"{table} {sign} {row[:300]}" for (row,) in self._ask(query)]
        return "\n".join(found)

    def close(self) -> None:
        """Take away what was kept."""
        for name in list(self._kept):
            self._forget(name)
