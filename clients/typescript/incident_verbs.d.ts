// Written by `make gen` from proto/: edit that.

import type { Incident, ResolutionMethod, TimelineEntry } from "./incident.js";
import type { Timestamp } from "./json.js";

/** Request of Acknowledge. */
export interface AcknowledgeRequest {
  /** Id or number of the incident. Required. */
  incident_id: string;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
  /** When given, the incident's current etag; a stale one is refused. */
  etag: string;
  /** Who takes it; the caller when empty. */
  actor: string;
}

/** Reply of Acknowledge. */
export interface AcknowledgeResponse {
  /** The incident as it is now. */
  incident?: Incident;
}

/** Request of StartWork. */
export interface StartWorkRequest {
  /** Id or number of the incident. Required. */
  incident_id: string;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
  /** When given, the incident's current etag; a stale one is refused. */
  etag: string;
  /** Who works on it; the caller when empty. */
  actor: string;
}

/** Reply of StartWork. */
export interface StartWorkResponse {
  /** The incident as it is now. */
  incident?: Incident;
}

/** Request of Escalate. */
export interface EscalateRequest {
  /** Id or number of the incident. Required. */
  incident_id: string;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
  /** When given, the incident's current etag; a stale one is refused. */
  etag: string;
  /** Who escalates; the caller when empty. */
  actor: string;
  /** Why. */
  reason: string;
}

/** Reply of Escalate. */
export interface EscalateResponse {
  /** The incident as it is now. */
  incident?: Incident;
}

/** Request of DeEscalate. */
export interface DeEscalateRequest {
  /** Id or number of the incident. Required. */
  incident_id: string;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
  /** When given, the incident's current etag; a stale one is refused. */
  etag: string;
  /** Who de-escalates; the caller when empty. */
  actor: string;
  /** Why. */
  reason: string;
}

/** Reply of DeEscalate. */
export interface DeEscalateResponse {
  /** The incident as it is now. */
  incident?: Incident;
}

/** Request of Resolve. */
export interface ResolveRequest {
  /** Id or number of the incident. Required. */
  incident_id: string;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
  /** When given, the incident's current etag; a stale one is refused. */
  etag: string;
  /** Who resolves it; the caller when empty. */
  resolved_by: string;
  /** How. */
  method: ResolutionMethod;
  /** What was done. */
  notes: string;
  /** What had caused it. */
  root_cause: string;
  /** Resolve a NEW incident that nobody has taken. */
  force: boolean;
}

/** Reply of Resolve. */
export interface ResolveResponse {
  /** The incident as it is now. */
  incident?: Incident;
}

/** Request of Close. */
export interface CloseRequest {
  /** Id or number of the incident. Required. */
  incident_id: string;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
  /** When given, the incident's current etag; a stale one is refused. */
  etag: string;
  /** Who closes it; the caller when empty. */
  actor: string;
}

/** Reply of Close. */
export interface CloseResponse {
  /** The incident as it is now. */
  incident?: Incident;
}

/** Request of Reopen. */
export interface ReopenRequest {
  /** Id or number of the incident. Required. */
  incident_id: string;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
  /** When given, the incident's current etag; a stale one is refused. */
  etag: string;
  /** Who reopens it; the caller when empty. */
  actor: string;
  /** Why. */
  reason: string;
}

/** Reply of Reopen. */
export interface ReopenResponse {
  /** The incident as it is now. */
  incident?: Incident;
}

/** Request of Assign. */
export interface AssignRequest {
  /** Id or number of the incident. Required. */
  incident_id: string;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
  /** When given, the incident's current etag; a stale one is refused. */
  etag: string;
  /** Who assigns; the caller when empty. */
  actor: string;
  /** The people on it from now on. */
  assignees: string[];
}

/** Reply of Assign. */
export interface AssignResponse {
  /** The incident as it is now. */
  incident?: Incident;
}

/** Request of Snooze. */
export interface SnoozeRequest {
  /** Id or number of the incident. Required. */
  incident_id: string;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
  /** When given, the incident's current etag; a stale one is refused. */
  etag: string;
  /** Who snoozes; the caller when empty. */
  actor: string;
  /** Until when: a moment that has not passed. */
  until?: Timestamp;
}

/** Reply of Snooze. */
export interface SnoozeResponse {
  /** The incident as it is now. */
  incident?: Incident;
}

/** Request of Merge. */
export interface MergeRequest {
  /** Id or number of the incident that stays. Required. */
  incident_id: string;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
  /** When given, the incident's current etag; a stale one is refused. */
  etag: string;
  /** Who merges; the caller when empty. */
  actor: string;
  /** The incidents that end in this one. */
  source_incident_ids: string[];
}

/** Reply of Merge. */
export interface MergeResponse {
  /** The incident as it is now. */
  incident?: Incident;
  /** The incidents that ended in it, as they are now. */
  sources: Incident[];
}

/** Request of Split. */
export interface SplitRequest {
  /** Id or number of the incident. Required. */
  incident_id: string;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
  /** When given, the incident's current etag; a stale one is refused. */
  etag: string;
  /** Who splits; the caller when empty. */
  actor: string;
  /** The events that leave: those the incident counts, its own and those of incidents merged into it. */
  event_ids: string[];
  /** One line for people about the new incident; the first event's title when empty. */
  title: string;
  /** Why. */
  reason: string;
}

/** Which incident has a fingerprint after a split, and why. */
export interface SplitFingerprint {
  /** The version of its recipe. */
  version: number;
  /** The fingerprint. */
  value: string;
  /** Later events with it are the new incident's. */
  moved: boolean;
  /**
   * Why, as a stable word: "all_events_left", "events_remain", "events_unknown" (some of the events that leave
   * were stored without their body, so that nobody knows whether all with it left) or "new" (of the new
   * incident's own).
   */
  reason: string;
}

/** Reply of Split. */
export interface SplitResponse {
  /** The incident as it is now. */
  incident?: Incident;
  /** The new incident with the events that left. */
  new_incident?: Incident;
  /** How many events left. */
  moved_event_count: number;
  /**
   * How many of them were stored without their body: what they had counted for but their number stays where it
   * was.
   */
  unknown_event_count: number;
  /** Where later events will land. */
  fingerprints: SplitFingerprint[];
}

/** Request of AddNote. */
export interface AddNoteRequest {
  /** Id or number of the incident. Required. */
  incident_id: string;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
  /** Who writes; the caller when empty. */
  actor: string;
  /** The note. Required. */
  text: string;
}

/** Reply of AddNote. */
export interface AddNoteResponse {
  /** The note as it stands in the timeline. */
  entry?: TimelineEntry;
}

/** Request of ListTimeline. */
export interface ListTimelineRequest {
  /** Id or number of the incident. Required. */
  incident_id: string;
  /** How many; 100 when 0, at most 1,000. */
  page_size: number;
  /** Token of a former reply. */
  page_token: string;
}

/** Reply of ListTimeline. */
export interface ListTimelineResponse {
  /** The entries, oldest first. */
  entries: TimelineEntry[];
  /** Gives the next page; empty at the end. */
  next_page_token: string;
}
