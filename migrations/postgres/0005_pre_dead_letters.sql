-- Dead letters of a tenant in the order of their lists, and how many each topic has.
CREATE INDEX ix_outbox_dead_letters ON outbox (tenant, id, topic) WHERE dead;
