"""PostgreSQL, Valkey, web, worker and beat on one machine, with nothing installed but wheels."""
