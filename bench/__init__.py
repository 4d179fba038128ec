"""The benchmarks: what the server takes, how quickly it answers, and what that costs, as JSON objects a line.

A load process, made cheap enough not to matter, works on a server in a process of its own with all features and full
durability. Beside each figure stands what it depends on. Loads without a rate are saturating: as much is in flight as
`in_flight` says, and their latency is that of a full queue. `ingest_paced_10k` keeps to a schedule and waits for
nobody, and its latency counts from the moment an event was due.

    rate                    events acknowledged a second inside the window, which opens after a warm-up
    cpu_us_per_event        processor time of the server, user and system, per event of the window
    *_cores                 processors busy in the window: the server's, the load's, and whatever else ran meanwhile
    rss_mb                  the most memory the server held until the end of the load
    bytes_per_event         growth of the database, its log moved into it, per event
    batch_events, stage_ms  from the server's metrics: mean size of a batch, mean time of a batch in each stage
    after_commit_backlog    rows that wait for routing or notifying when the load ends, and the seconds they take
    ratio_to_floor          rate against that of a bare server of the same library under the same load, just before
"""
