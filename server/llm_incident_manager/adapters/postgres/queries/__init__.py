"""The statements of the PostgreSQL back end. Bulk inserts are not among them: they are COPY, by column list."""
