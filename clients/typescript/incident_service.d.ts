// Written by `make gen` from proto/: edit that.

import type { Incident } from "./incident.js";
import type { FieldMask } from "./json.js";
import type { IncidentType, Severity } from "./severity.js";

/** Request of CreateIncident. */
export interface CreateIncidentRequest {
  /** Who reports. Required. */
  source: string;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
  /** One line for people. Required. */
  title: string;
  /** More for people. */
  description: string;
  /** How bad it is; judged by the rules when unset. */
  severity: Severity;
  /** What sort of thing is wrong; derived from the kind when unset. */
  incident_type: IncidentType;
  /** The kind, for instance "provider_outage". */
  kind: string;
  /** Free key-value pairs. */
  labels: Record<string, string>;
  /** The service that is hit first. */
  service: string;
  /** The model provider. */
  provider: string;
  /** Names the problem: replaces the computed fingerprint verbatim. */
  dedup_key: string;
  /** The people on it from the start. */
  assignees: string[];
}

/** Reply of CreateIncident. */
export interface CreateIncidentResponse {
  /** Id of the incident. */
  incident_id: string;
  /** "created". */
  status: string;
  /** The incident. */
  incident?: Incident;
}

/** Request of GetIncident. */
export interface GetIncidentRequest {
  /** Id or number of the incident. Required. */
  incident_id: string;
}

/** Request of UpdateIncident. */
export interface UpdateIncidentRequest {
  /** The incident: `id` names it (id or number), `etag` guards it when given, the fields of the mask are taken. */
  incident?: Incident;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
  /**
   * Fields to take: title, description, severity, incident_type, kind, labels, service, affected_services,
   * environment, application, provider, model, deployment, runbook_url, assignees. All fields given when empty.
   */
  update_mask?: FieldMask;
  /** Who edits; the caller when empty. */
  actor: string;
}

/** Request of ListIncidents. */
export interface ListIncidentsRequest {
  /** Incidents created on or after this date or RFC 3339 time. */
  start: string;
  /** Incidents created up to and including this date or RFC 3339 time. */
  end: string;
  /**
   * AIP-160 subset, for instance `severity >= P1 AND state = "NEW" AND labels.region = "eu"`. `severity >= P1`
   * means at least as severe as P1.
   */
  filter: string;
  /**
   * Field names with optional "desc", for instance "severity desc, create_time"; severities go by gravity, so
   * "severity desc" begins with P0.
   */
  order_by: string;
  /** How many; 50 when 0, at most 100. */
  page_size: number;
  /** Token of a former reply. Not together with `page`. */
  page_token: string;
  /** Number of the page, from 1. Not together with `page_token`. */
  page: number;
  /**
   * Words that title, description, labels or notes must contain, all of them, in any order and case; `latenc*`
   * takes every word that begins so. Goes together with `filter`, span and order. About a second behind.
   */
  search: string;
}

/** Where a page stands in its list. */
export interface Pagination {
  /** Number of the page, from 1; 0 when the page was asked for by token. */
  page: number;
  /** How many incidents a page has. */
  page_size: number;
  /** How many incidents match; at least this many when `total_count_is_lower_bound` says so. */
  total_count: number;
  /** How many pages that makes. */
  total_pages: number;
  /** There is a next page. */
  has_next: boolean;
  /** There is a previous page; false when the page was asked for by token. */
  has_previous: boolean;
  /** Gives the next page; empty at the end. */
  next_page_token: string;
  /**
   * More incidents match than were counted. Counts are exact up to 10,000, with `search` up to 1,000; beyond that
   * they are exact without a filter and for filters on state, severity, incident_type and source alone.
   */
  total_count_is_lower_bound: boolean;
}

/** Reply of ListIncidents. */
export interface ListIncidentsResponse {
  /** The incidents. */
  incidents: Incident[];
  /** Where the page stands. */
  pagination?: Pagination;
}

/** Request of StreamIncidents. */
export interface StreamIncidentsRequest {
  /** AIP-160 subset as in ListIncidents. */
  filter: string;
}

/** Request of WatchIncidents. */
export interface WatchIncidentsRequest {
  /** AIP-160 subset as in ListIncidents. */
  filter: string;
  /** Continue after this token; from now on when empty. */
  resume_token: string;
  /** First send the open incidents that match, as SNAPSHOT. Not together with `resume_token`. */
  snapshot: boolean;
}

/** Request of AnalyzeCorrelations. */
export interface AnalyzeCorrelationsRequest {
  /** Id or number of the incident. Required. */
  incident_id: string;
}

/** Which incidents belong together. */
export interface CorrelationResult {
  /** How many related incidents were found. */
  correlation_count: number;
  /** Their ids. */
  related_incident_ids: string[];
}
