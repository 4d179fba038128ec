// Written by `make gen` from proto/: edit that.

import type { Duration } from "./json.js";

/** Request of GetIncidentMetrics. */
export interface GetIncidentMetricsRequest {
  /** Incidents created on or after this date or RFC 3339 time. */
  start: string;
  /** Incidents created up to and including this date or RFC 3339 time. */
  end: string;
  /** AIP-160 subset as in ListIncidents. */
  filter: string;
  /**
   * One figure set for each value of this field as well: severity, state, incident_type, kind, source, service,
   * environment, application, provider, model, deployment or route.
   */
  group_by: string;
}

/** How long something took, over the incidents where it happened. */
export interface DurationFigures {
  /** How many that were; the durations are absent when 0. */
  count: number;
  /** The mean, rounded down to a microsecond. */
  mean?: Duration;
  /** The median: the smallest value that at least half of them do not exceed. */
  p50?: Duration;
  /** The smallest value that at least 95 % of them do not exceed. */
  p95?: Duration;
}

/** Figures of a set of incidents. */
export interface IncidentFigures {
  /** How many incidents. */
  count: number;
  /** How many of them are open. */
  open_count: number;
  /**
   * MTTD by the producers' clocks: from the time of the earliest event to the opening. Counts incidents with
   * events, but not those that opened with events so old that nobody was told.
   */
  time_to_detect?: DurationFigures;
  /**
   * MTTD by our clock: from receiving the earliest event to the opening. More than the time of one commit only
   * where incidents were split or merged. Counts the same incidents.
   */
  time_to_detect_received?: DurationFigures;
  /** MTTA: from the opening to the first acknowledgement. */
  time_to_acknowledge?: DurationFigures;
  /** MTTR: from the opening to the last resolution of incidents that are resolved or closed. */
  time_to_resolve?: DurationFigures;
}

/** Figures of the incidents that have one value of the grouping field. */
export interface IncidentFiguresGroup {
  /** The value, for instance "P1"; empty for incidents without one. */
  value: string;
  /** Their figures. */
  figures?: IncidentFigures;
}

/** Reply of GetIncidentMetrics. */
export interface GetIncidentMetricsResponse {
  /** Figures of all incidents that match. */
  total?: IncidentFigures;
  /**
   * Figures by value of `group_by`, the largest group first, equal ones by value; at most 1,000. Empty without
   * it.
   */
  groups: IncidentFiguresGroup[];
  /** How many groups there are, those beyond 1,000 too. */
  group_count: number;
}
