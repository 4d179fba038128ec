"""The pipeline: what happens to events and incidents, in which order.

    dedup -> triage -> create   ||   route   ||   notify   consult
    BEFORE_ACK (one commit)          AFTER_COMMIT      EFFECTS

Read assembly.py first. Beside it timers.py does what is due at a moment.
"""
