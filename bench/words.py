"""Words that titles are made of. None of them is a number or an id, so that no normalisation makes two of them one."""

_TEXT = """
abrupt brief chronic delayed erratic faint gradual heavy hidden intermittent isolated large local massive minor new
odd partial persistent quiet rapid rare recurring regional repeated rising severe sharp silent slow small sporadic
steady sudden sustained systematic unexpected unusual visible wide

answers batches budgets caches calls chains chunks citations contexts documents embeddings filters guardrails hints
indexes invoices judgements keys languages memories menus messages metrics moderators notes outputs pages passages
plans prompts proxies queries queues quotas rankings refusals replies rewrites routes sessions snippets streams
summaries templates tickets tokens tools traces transcripts translations uploads vectors verdicts voices

abandoned blocked broken clipped corrupted degraded denied diverted dropped duplicated exceeded expired exposed
failing flagged forged garbled ignored inflated leaking locked looping lost mismatched misrouted missing muted
overloaded poisoned refused rejected reordered retried skipped stalled stale starved swapped throttled truncated

archive billing checkout claims courses desk directory drafts editor forum gallery helpdesk hiring inbox kiosk
ledger library market mobile onboarding orders partners payroll playground portal press recipes registry research
returns sandbox scheduler shop staging storefront studio survey transit travel vault warehouse wiki
"""

QUALITIES, THINGS, TROUBLES, PLACES = (paragraph.split() for paragraph in _TEXT.split("\n\n"))
