// Written by `make gen` from proto/: edit that.

import type { Incident, ResolutionMethod } from "./incident.js";
import type { Timestamp } from "./json.js";

/** Takes the NEW ones. */
export interface ApplyAcknowledge {
}

/** Moves them to IN_PROGRESS. */
export interface ApplyStartWork {
}

/** Involves a higher tier. */
export interface ApplyEscalate {
  /** Why. */
  reason: string;
}

/** Gives the ESCALATED ones back to their responders. */
export interface ApplyDeEscalate {
  /** Why. */
  reason: string;
}

/** Ends them. */
export interface ApplyResolve {
  /** How. */
  method: ResolutionMethod;
  /** What was done. */
  notes: string;
  /** What had caused it. */
  root_cause: string;
  /** Resolve also those that are NEW and that nobody has taken. */
  force: boolean;
}

/** Files the RESOLVED ones. */
export interface ApplyClose {
}

/** Brings the RESOLVED and CLOSED ones back to IN_PROGRESS. */
export interface ApplyReopen {
  /** Why. */
  reason: string;
}

/** Replaces the people on them. */
export interface ApplyAssign {
  /** The people on them from now on. */
  assignees: string[];
}

/** Adds the same note to each. */
export interface ApplyAddNote {
  /** The note. Required. */
  text: string;
}

/** Tells nobody of them for a while. */
export interface ApplySnooze {
  /** Until when: a moment that has not passed. */
  until?: Timestamp;
}

/** Request of ApplyToIncidents. */
export interface ApplyToIncidentsRequest {
  /**
   * Which incidents: AIP-160 subset as in ListIncidents. Required; an empty one, which would mean all, is
   * refused.
   */
  filter: string;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
  /** Who does it; the caller when empty. */
  actor: string;
  /** Count and show what matches, and tell what the verb would do; change nothing. */
  preview: boolean;
  /** When given, how many incidents have to match; another number is refused with COUNT_CHANGED, changing nothing. */
  expected_count?: number;
  /**
   * At most so many incidents, oldest first. When 0, all that match: more than 10,000 are refused with
   * TOO_MANY_MATCHES. The preview's sample has the first ones in the same order.
   */
  limit: number;
  /** As Acknowledge. */
  acknowledge?: ApplyAcknowledge;
  /** As StartWork. */
  start_work?: ApplyStartWork;
  /** As Escalate. */
  escalate?: ApplyEscalate;
  /** As DeEscalate. */
  de_escalate?: ApplyDeEscalate;
  /** As Resolve. */
  resolve?: ApplyResolve;
  /** As Close. */
  close?: ApplyClose;
  /** As Reopen. */
  reopen?: ApplyReopen;
  /** As Assign. */
  assign?: ApplyAssign;
  /** As AddNote. */
  add_note?: ApplyAddNote;
  /** As Snooze. */
  snooze?: ApplySnooze;
}

/** An incident to which the verb could not be applied. */
export interface ApplyFailure {
  /** Id of the incident. */
  incident_id: string;
  /** Its number. */
  number: string;
  /** Why, as the reason of the error the single call would get, for instance "ILLEGAL_TRANSITION". */
  reason: string;
  /** The same for people. */
  message: string;
}

/** Reply of ApplyToIncidents. changed + unchanged + failed is matched, or `limit` when that is less. */
export interface ApplyToIncidentsResponse {
  /** How many incidents matched when the call began. */
  matched: number;
  /** How many were changed; in a preview, would be. */
  changed: number;
  /** How many were already so, or did not match any more when their turn came. */
  unchanged: number;
  /** How many could not be changed, each for a reason of its own. */
  failed: number;
  /** The first 100 of those that failed. */
  failures: ApplyFailure[];
  /** In a preview the first 20 incidents that match, oldest first. */
  sample: Incident[];
  /** Nothing was changed: it was a preview. */
  preview: boolean;
}
