"""The PostgreSQL back end: the only package that knows asyncpg."""
