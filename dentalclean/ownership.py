"""What somebody else than the owner's role owns of our tables, and how to hand it over.

Runs without Django too: an embedded house hands over before it migrates.
"""

# One statement a row. Sequences of columns follow their table; what belongs to an extension stays.
OWNED_BY_OTHERS = """
    SELECT format('ALTER TABLE %%s OWNER TO %%I', c.oid::regclass, %(owner)s)
      FROM pg_class c
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
       AND c.relowner <> (SELECT oid FROM pg_roles WHERE rolname = %(owner)s)
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                          AND d.objid = c.oid AND d.deptype IN ('e', 'i', 'a')
                          AND (c.relkind = 'S' OR d.deptype = 'e'))
    UNION ALL
    SELECT format('ALTER ROUTINE %%s OWNER TO %%I', p.oid::regprocedure, %(owner)s)
      FROM pg_proc p
     WHERE p.pronamespace = 'public'::regnamespace
       AND p.proowner <> (SELECT oid FROM pg_roles WHERE rolname = %(owner)s)
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass
                          AND d.objid = p.oid AND d.deptype = 'e')
"""
