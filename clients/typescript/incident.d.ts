// Written by `make gen` from proto/: edit that.

import type { Fingerprint } from "./event.js";
import type { Double, Duration, Timestamp } from "./json.js";
import type { IncidentType, Severity } from "./severity.js";

/** Where an incident stands. Only the verbs of IncidentService move it. */
export type IncidentState =
  /** No state; never stored. */
  | "UNSPECIFIED"
  /** Nobody has taken it yet. */
  | "NEW"
  /** A responder has taken it. */
  | "ACKNOWLEDGED"
  /** Somebody works on it. */
  | "IN_PROGRESS"
  /** A higher tier is involved. */
  | "ESCALATED"
  /** A fix was applied. */
  | "RESOLVED"
  /** Nothing is left to do. */
  | "CLOSED";

/** How an incident was brought to its end. */
export type ResolutionMethod =
  /** Same as RESOLUTION_METHOD_MANUAL. */
  | "UNSPECIFIED"
  /** By a person. */
  | "MANUAL"
  /** By a source event or a playbook. */
  | "AUTOMATED"
  /** By a person with a playbook's help. */
  | "AUTO_ASSISTED_MANUAL";

/** What a change was. */
export type ChangeKind =
  /** Not told. */
  | "UNSPECIFIED"
  /** The incident as it was when the stream began. */
  | "SNAPSHOT"
  /** It was opened. */
  | "OPENED"
  /** Its state changed. */
  | "STATE"
  /** Its severity changed. */
  | "SEVERITY"
  /** Its problem came back after a gap. */
  | "RECURRED"
  /** Something else about it changed. */
  | "UPDATED"
  /** A note was added. */
  | "NOTE";

/** What a timeline entry tells. */
export type TimelineKind =
  /** Not told. */
  | "UNSPECIFIED"
  /** Opened. */
  | "OPENED"
  /** Moved to another state. */
  | "STATE"
  /** Severity changed. */
  | "SEVERITY"
  /** Came back after a gap. */
  | "RECURRED"
  /** People assigned. */
  | "ASSIGNED"
  /** A note. */
  | "NOTE"
  /** Fields edited. */
  | "UPDATED"
  /** A route was chosen. */
  | "ROUTED"
  /** Somebody was told, or could not be. */
  | "NOTIFIED"
  /** Merged into another incident, or another one into this. */
  | "MERGED"
  /** Taken apart again. */
  | "UNMERGED"
  /** Events left for an incident of their own, or came from another one. */
  | "SPLIT"
  /** Linked to another incident, or unlinked. */
  | "LINKED"
  /** A link to material elsewhere was attached or removed. */
  | "ATTACHMENT"
  /** Work for the incident was given up, put back to work or dropped. */
  | "DEAD_LETTER"
  /** Snoozed, or awake again. */
  | "SNOOZED"
  /** Not acknowledged, or not resolved, by the deadline of its severity. */
  | "SLA_BREACHED"
  /** What became of a directive to Edge-Agents that was made for it; details carry its id. */
  | "DIRECTIVE"
  /** A service beside the manager was asked about it, and has answered or could not be asked. */
  | "ANALYSIS";

/** How an incident ended. */
export interface Resolution {
  /** Who ended it. */
  resolved_by: string;
  /** How. */
  method: ResolutionMethod;
  /** What was done. */
  notes: string;
  /** What had caused it. */
  root_cause: string;
  /** When. */
  resolve_time?: Timestamp;
}

/** What was agreed for incidents of this severity, and whether it was kept, as of the moment of the answer. */
export interface Sla {
  /** Acknowledge until then; absent for P4. */
  acknowledge_deadline?: Timestamp;
  /** Resolve until then. */
  resolve_deadline?: Timestamp;
  /** Not acknowledged by its deadline. */
  acknowledge_breached: boolean;
  /** Not resolved by its deadline. */
  resolve_breached: boolean;
}

/** One problem. */
export interface Incident {
  /** The incident's id. */
  id: string;
  /** The number people say, for instance INC-20261121-00042; accepted wherever an id is. */
  number: string;
  /** Where it stands. */
  state: IncidentState;
  /** How bad it is: the most severe of its events, unless somebody set it. */
  severity: Severity;
  /** What sort of thing is wrong. */
  incident_type: IncidentType;
  /** The reported kind, for instance "prompt_injection.direct". */
  kind: string;
  /** Who reported it first. */
  source: string;
  /** One line for people. */
  title: string;
  /** More for people. */
  description: string;
  /** Free key-value pairs. */
  labels: Record<string, string>;
  /** The service that was hit first. */
  service: string;
  /** All services known to be hit. */
  affected_services: string[];
  /** production, staging, … */
  environment: string;
  /** The application or agent. */
  application: string;
  /** The model provider. */
  provider: string;
  /** The model that answered, otherwise the one asked for. */
  model: string;
  /** The deployment or endpoint of the model. */
  deployment: string;
  /** Where a responder reads what to do. */
  runbook_url: string;
  /** The people on it. */
  assignees: string[];
  /** The route that told somebody; empty until routed. */
  route: string;
  /** How it is identified. */
  fingerprint?: Fingerprint;
  /** Events that belong to it. */
  event_count: number;
  /** Tokens of its events; stays at 2147483647 once reached. */
  tokens: number;
  /** Cost of its events in US dollars. */
  cost_usd: Double;
  /** Most users any of its events reported. */
  users_affected: number;
  /** Its problem came back after a gap longer than the deduplication window. */
  recurred: boolean;
  /** The resolved incident with the same fingerprint that came before. */
  previous_incident_id: string;
  /** The incident it was merged into. */
  merged_into: string;
  /** How it ended; absent while it is open. */
  resolution?: Resolution;
  /** What was agreed and whether it was kept. */
  sla?: Sla;
  /** When its earliest event happened. */
  first_seen_time?: Timestamp;
  /** When its latest event happened. */
  last_seen_time?: Timestamp;
  /** When it was opened. */
  create_time?: Timestamp;
  /** When it last changed; mere repeats do not count. */
  update_time?: Timestamp;
  /** When it was first acknowledged. */
  acknowledge_time?: Timestamp;
  /** When it was resolved last; absent while it is open. */
  resolve_time?: Timestamp;
  /** When it was closed; absent until then. */
  close_time?: Timestamp;
  /** From opening to the first acknowledgement. */
  time_to_acknowledge?: Duration;
  /** From opening to the resolution. */
  time_to_resolve?: Duration;
  /** Changes with each change of the incident; a stale one is refused. */
  etag: string;
  /** By the producers' clocks: from the time of its earliest event to its opening. Absent without events. */
  time_to_detect?: Duration;
  /** By our clock: from receiving its earliest event to its opening. Absent without events. */
  time_to_detect_received?: Duration;
  /** Nobody is told of it before then; absent unless it is snoozed. */
  snoozed_until?: Timestamp;
  /**
   * When it was recorded, and people were told, that nobody had acknowledged it by its deadline; absent unless
   * so.
   */
  acknowledge_breach_time?: Timestamp;
  /** The same of its resolution. */
  resolve_breach_time?: Timestamp;
}

/** One change of one incident, in commit order. */
export interface IncidentChange {
  /** The incident as it is now; absent in a heartbeat or a drain. */
  incident?: Incident;
  /** What changed. */
  kind: ChangeKind;
  /** Continue after this change by giving it back. */
  resume_token: string;
  /** Nothing happened for a while; the stream is alive. */
  heartbeat: boolean;
  /** The server is about to go: connect again with the resume token. */
  drain: boolean;
}

/** One thing that happened to an incident. */
export interface TimelineEntry {
  /** The entry's id; later entries have larger ones. */
  id: string;
  /** When. */
  time?: Timestamp;
  /** What. */
  kind: TimelineKind;
  /** Who. */
  actor: string;
  /** The sentence for people; of a note its text. */
  text: string;
  /** Details by name, for instance {"from": "NEW", "to": "ACKNOWLEDGED", "verb": "acknowledge"}. */
  details: Record<string, string>;
}
