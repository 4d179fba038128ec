// Written by `make gen` from proto/: edit that.

import type { Double, Duration, Timestamp } from "./json.js";

/** How long each step of a trend is, by the calendar of its time zone. */
export type TrendInterval =
  /** Days. */
  | "UNSPECIFIED"
  /** Hours. */
  | "HOUR"
  /** Days, which are an hour shorter or longer when clocks change. */
  | "DAY"
  /** Weeks from Monday on. */
  | "WEEK"
  /** Months. */
  | "MONTH";

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
   * environment, application, provider, model, deployment, route or team (the label `team`).
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

/** Request of GetIncidentTrends. */
export interface GetIncidentTrendsRequest {
  /**
   * Incidents created on or after this date or RFC 3339 time; 24 hours, 30 days, 12 weeks or 12 months before the
   * end when empty. A date begins in the time zone.
   */
  start: string;
  /** Incidents created up to and including this date or RFC 3339 time; now when empty. */
  end: string;
  /** AIP-160 subset as in ListIncidents. */
  filter: string;
  /** One figure set for each value of this field as well, as in GetIncidentMetrics. */
  group_by: string;
  /** How long each step is; at most 750 of them. */
  interval: TrendInterval;
  /**
   * Where days, weeks and months begin: a name of the IANA time zone database such as "Europe/Berlin"; UTC when
   * empty.
   */
  time_zone: string;
}

/** One step of a trend. */
export interface TrendStep {
  /** Where it begins: of the first one, where the span does. */
  start_time?: Timestamp;
  /** Where the next one begins: of the last one, where the span ends. */
  end_time?: Timestamp;
  /** Figures of the incidents created in it. */
  figures?: IncidentFigures;
  /** Figures by value of `group_by`: those of the reply's `values` that occur in it. */
  groups: IncidentFiguresGroup[];
}

/** Reply of GetIncidentTrends. */
export interface GetIncidentTrendsResponse {
  /** All steps of the span, those without incidents too. */
  steps: TrendStep[];
  /** The values of `group_by` in the whole span, the largest first, equal ones by value; at most 20. */
  values: string[];
  /** How many values there are, those beyond 20 too. */
  value_count: number;
}

/** Request of GetSlaAttainment. */
export interface GetSlaAttainmentRequest {
  /** Incidents created on or after this date or RFC 3339 time. */
  start: string;
  /** Incidents created up to and including this date or RFC 3339 time. */
  end: string;
  /** AIP-160 subset as in ListIncidents. */
  filter: string;
  /** Attainment for each value of this field as well, as in GetIncidentMetrics. */
  group_by: string;
}

/** How often one promise was kept, over the incidents for whose severity it was made. */
export interface PromiseFigures {
  /** How often it was kept in time. */
  met: number;
  /** How often its deadline went by, whether it was kept later or not. */
  breached: number;
  /** How often its deadline is still ahead. */
  pending: number;
  /** Those met of those met or breached, from 0 to 1; absent when there are none. */
  attainment?: Double;
}

/** How often promises were kept for a set of incidents. */
export interface SlaFigures {
  /** How many incidents. */
  count: number;
  /** To acknowledge in time. */
  acknowledge?: PromiseFigures;
  /** To resolve in time. */
  resolve?: PromiseFigures;
}

/** Attainment of the incidents that have one value of the grouping field. */
export interface SlaFiguresGroup {
  /** The value, for instance "P1"; empty for incidents without one. */
  value: string;
  /** Their figures. */
  figures?: SlaFigures;
}

/** Reply of GetSlaAttainment. */
export interface GetSlaAttainmentResponse {
  /** Of all incidents that match. */
  total?: SlaFigures;
  /** By value of `group_by`, the largest group first, equal ones by value; at most 1,000. Empty without it. */
  groups: SlaFiguresGroup[];
  /** How many groups there are, those beyond 1,000 too. */
  group_count: number;
}
