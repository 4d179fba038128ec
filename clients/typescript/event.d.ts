// Written by `make gen` from proto/: edit that.

import type { Timestamp } from "./json.js";
import type { IncidentType, Severity } from "./severity.js";

/** What an event asks for. */
export type Action =
  /** Same as ACTION_TRIGGER. */
  | "UNSPECIFIED"
  /** Something is wrong: opens an incident or attaches to the open one. */
  | "TRIGGER"
  /** Somebody has taken the matching open incident. */
  | "ACKNOWLEDGE"
  /** The matching open incident is over. */
  | "RESOLVE"
  /** Something was changed on purpose (deploy, prompt edit, model alias). Opens nothing; material for correlation. */
  | "CHANGE";

/** What became of one event. Fixed when the event is committed; every accepted event has exactly one. */
export type Disposition =
  /** Not decided; never stored. */
  | "UNSPECIFIED"
  /** It opened an incident. */
  | "NEW"
  /** It was added to the open incident with its fingerprint. */
  | "ATTACHED"
  /** This very event was accepted before (same idempotency key). */
  | "DUPLICATE"
  /** An ingest mute rule held it back. */
  | "SUPPRESSED"
  /** Its acknowledge, resolve or change took effect. */
  | "APPLIED"
  /** It was stored and had nothing to act on; `reason` says why. */
  | "IGNORED"
  /** It is invalid and was not accepted; `violations` names every bad field. */
  | "REJECTED";

/**
 * One thing a detector, a proxy or a person noticed about a system built on language models. TRIGGER and CHANGE
 * need a title; ACKNOWLEDGE and RESOLVE need a dedup_key or what the trigger was fingerprinted by.
 */
export interface Event {
  /** What the event asks for; TRIGGER when unset. */
  action: Action;
  /** Who reports, for instance "llm-sentinel". Required. */
  source: string;
  /** One line for people. Required for TRIGGER and CHANGE. */
  title: string;
  /** More for people; not part of the fingerprint. */
  description: string;
  /**
   * In the producer's own words: P0..P4, critical, SEV2, warning, … An unknown word is replaced by the source's
   * default and leaves a warning label.
   */
  severity: string;
  /** The reported kind, for instance "prompt_injection.direct" or "provider_outage". */
  kind: string;
  /** What sort of thing is wrong; derived from the kind when unset. */
  incident_type: IncidentType;
  /**
   * When it happened, by the producer's clock. Drives windows; clamped to the receive time. Receive time when
   * unset.
   */
  event_time?: Timestamp;
  /** Names this very event: a repeat within 24 hours is answered as DUPLICATE. */
  idempotency_key: string;
  /** Names the problem: replaces the computed fingerprint verbatim. */
  dedup_key: string;
  /** Free key-value pairs. */
  labels: Record<string, string>;
  /** Facts that move the severity floor: tool_executed, success_confirmed, cross_tenant, no_fallback, … */
  attributes: Record<string, boolean>;
  /** Measured values that thresholds are held against, for instance "latency_p95_seconds": 7.2. */
  metrics: Record<string, number>;
  /** The service that is hit first. */
  service: string;
  /** All services known to be hit. */
  affected_services: string[];
  /** production, staging, development, qa, … */
  environment: string;
  /** The application or agent. */
  application: string;
  /** The model provider, for instance "openai". */
  provider: string;
  /** The model as asked for: often an alias. */
  model_requested: string;
  /** The model that answered. */
  model_resolved: string;
  /** The deployment or endpoint of the model. */
  deployment: string;
  /** The provider's region. */
  region: string;
  /** The prompt template. */
  template: string;
  /** The guardrail policy. */
  policy: string;
  /** The rule of the policy, or the detector. */
  rule: string;
  /** The tool an agent called. */
  tool: string;
  /** The provider's or proxy's error class, for instance "rate_limit". */
  error_class: string;
  /** Tokens sent to the model. */
  input_tokens: number;
  /** Tokens the model wrote. */
  output_tokens: number;
  /** Cost in US dollars. */
  cost_usd: number;
  /** Users known to be affected. */
  users_affected: number;
  /** The producer's own id of this event or alert. */
  external_id: string;
  /** Where a responder reads what to do. */
  runbook_url: string;
  /** W3C trace context of the work that noticed it; the call's own when unset. */
  traceparent: string;
}

/** One broken rule of one field. */
export interface FieldViolation {
  /** Path of the field, for instance `labels["region"]`. */
  field: string;
  /** What is wrong, the value, and the remedy. */
  message: string;
  /** The rule, for instance "string.max_len". */
  rule: string;
}

/** What became of one submitted event. */
export interface EventResult {
  /** The event's id; of a DUPLICATE the id of the event accepted first; empty when REJECTED. */
  event_id: string;
  /** What became of it. */
  disposition: Disposition;
  /** Why, as a stable word, for instance "no_open_incident". */
  reason: string;
  /** The incident it opened, joined or acted on; empty when there is none. */
  incident_id: string;
  /** Every bad field of a REJECTED event. */
  violations: FieldViolation[];
  /** Things accepted but noteworthy, for instance an unknown severity word. */
  warnings: string[];
}

/** One named part of a fingerprint. */
export interface FingerprintComponent {
  /** The event field it came from. */
  name: string;
  /** The value after normalisation. */
  value: string;
}

/** How an event or incident was identified. */
export interface Fingerprint {
  /** Version of the algorithm; 0 = the producer's dedup_key verbatim. */
  version: number;
  /** The identity: events of a tenant with equal version and value belong together. */
  value: string;
  /** What went into the value. */
  components: FingerprintComponent[];
}

/** Why an event has its severity. */
export interface SeverityDecision {
  /** The severity decided on. */
  severity: Severity;
  /** Severity as the producer spelled it. */
  reported: string;
  /** What decided: "reported", "kind_floor", "attribute", "threshold", "source_default". */
  decided_by: string;
  /** The rule that decided, for instance "prompt_injection.direct/tool_executed". */
  rule: string;
  /** The sentence for people. */
  explanation: string;
}

/** A stored event with what became of it. */
export interface EventRecord {
  /** The event's id. */
  event_id: string;
  /** When it was received. */
  receive_time?: Timestamp;
  /** When it happened; never later than receive_time. */
  event_time?: Timestamp;
  /** What became of it. */
  disposition: Disposition;
  /** Why, as a stable word. */
  reason: string;
  /** The incident it opened, joined or acted on. */
  incident_id: string;
  /** Of a DUPLICATE: the event accepted first. */
  duplicate_of: string;
  /** The event as submitted; absent when only the compact row of a repeat was kept. */
  event?: Event;
}
