// Written by `make gen` from proto/: edit that.

import type { Incident } from "./incident.js";
import type { Timestamp } from "./json.js";

/** How an incident stands to another one. */
export type Relation =
  /** Not told. */
  | "UNSPECIFIED"
  /** It was merged into the other one. */
  | "MERGED_INTO"
  /** The other one was merged into it. */
  | "MERGED_FROM"
  /** It was opened with events of the other one. */
  | "SPLIT_FROM"
  /** The other one was opened with events of it. */
  | "SPLIT_INTO"
  /** The other one had the same fingerprint before, and was resolved. */
  | "PREVIOUS"
  /** The other one has the same fingerprint and came after it. */
  | "NEXT"
  /** Somebody linked the two. */
  | "LINKED";

/** One incident that another one has to do with. */
export interface RelatedIncident {
  /** How the incident that was asked for stands to this one. */
  relation: Relation;
  /** This one, as it is now. */
  incident?: Incident;
  /** Since when; of PREVIOUS and NEXT when the later one was opened. */
  relate_time?: Timestamp;
  /** Who related them; empty for PREVIOUS and NEXT. */
  actor: string;
  /** Why, in that person's words. */
  reason: string;
}

/** Request of Unmerge. */
export interface UnmergeRequest {
  /** Id or number of the incident that had been merged into another one. Required. */
  incident_id: string;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
  /** When given, the incident's current etag; a stale one is refused. */
  etag: string;
  /** Who takes them apart; the caller when empty. */
  actor: string;
  /** Why. */
  reason: string;
}

/** Reply of Unmerge. */
export interface UnmergeResponse {
  /** The incident that is back, in the state it had before the merge and with the counters it had then. */
  incident?: Incident;
  /** The incident it had been merged into, without what the other one had brought. */
  target?: Incident;
}

/** Request of ListRelatedIncidents. */
export interface ListRelatedIncidentsRequest {
  /** Id or number of the incident. Required. */
  incident_id: string;
  /** How many; 100 when 0, at most 1,000. */
  page_size: number;
  /** Token of a former reply. */
  page_token: string;
}

/** Reply of ListRelatedIncidents. */
export interface ListRelatedIncidentsResponse {
  /** The incidents, grouped by relation, within it oldest first. */
  related: RelatedIncident[];
  /** Gives the next page; empty at the end. */
  next_page_token: string;
}

/** Request of LinkIncidents. */
export interface LinkIncidentsRequest {
  /** Id or number of the incident. Required. */
  incident_id: string;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
  /** Who links; the caller when empty. */
  actor: string;
  /** Id or number of the other incident. Required. */
  linked_incident_id: string;
  /** What they have to do with each other. */
  reason: string;
}

/** Reply of LinkIncidents. */
export interface LinkIncidentsResponse {
  /** The other incident as it stands to the first one. */
  related?: RelatedIncident;
}

/** Request of UnlinkIncidents. */
export interface UnlinkIncidentsRequest {
  /** Id or number of the incident. Required. */
  incident_id: string;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
  /** Who unlinks; the caller when empty. */
  actor: string;
  /** Id or number of the other incident. Required. */
  linked_incident_id: string;
}

/** Reply of UnlinkIncidents. */
export interface UnlinkIncidentsResponse {
  /** The first incident as it is now. */
  incident?: Incident;
}
