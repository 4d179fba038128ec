"""Methods that the contract has before this server does: until then they are refused with NOT_AVAILABLE."""

METHODS = frozenset(
    {
        "Merge",
        "Unmerge",
        "Split",
        "ListNotes",
        "ListRelatedIncidents",
        "LinkIncidents",
        "UnlinkIncidents",
        "AddAttachment",
        "ListAttachments",
        "RemoveAttachment",
        "ApplyToIncidents",
        "GetIncidentMetrics",
    }
)
