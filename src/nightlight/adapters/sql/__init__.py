"""State in SQLite or PostgreSQL through SQLAlchemy Core: one code, one suite, two dialects."""
