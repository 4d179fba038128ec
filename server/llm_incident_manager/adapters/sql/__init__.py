"""What both SQL back ends share: row mappings, the audit chain, the query loader, filters. Opens no connection."""
