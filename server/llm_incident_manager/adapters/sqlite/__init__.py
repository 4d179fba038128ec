"""The store on SQLite: one thread owns every write and every checkpoint, a few others read. Decides nothing."""
