"""Around the audit trail: keys that sign it, copies of what was signed, and the proof without a server."""
