// Written by `make gen` from proto/: edit that.

import type { Timestamp } from "./json.js";

/** One alert of a monitoring system. It becomes an Event with action TRIGGER. */
export interface Alert {
  /**
   * The monitoring system's own id of this very alert: sent again within 24 hours with the same source it is
   * answered as "duplicate". Without one every call is a new alert.
   */
  external_id: string;
  /** Who reports, for instance "monitoring". Required. */
  source: string;
  /**
   * When it happened, by the source's clock; never counted as later than the receive time, which it is when
   * unset.
   */
  timestamp?: Timestamp;
  /** P0..P4, critical, SEV2, warning, … in the source's own words, as Event.severity. */
  severity: string;
  /** The incident type ("Infrastructure", "Security", …) or, when it names none, the kind ("provider_outage"). */
  alert_type: string;
  /** One line for people. Required. */
  title: string;
  /** More for people. */
  description: string;
  /** Free key-value pairs. */
  labels: Record<string, string>;
  /** All services known to be hit. */
  affected_services: string[];
  /** Where a responder reads what to do. */
  runbook_url: string;
  /** Notes of the alerting rule; each becomes the label `annotation_<key>`, in place of a label of that name. */
  annotations: Record<string, string>;
}

/** Request of SubmitAlert. */
export interface SubmitAlertRequest {
  /** The alert. Required. */
  alert?: Alert;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
}

/** Reply of SubmitAlert. */
export interface SubmitAlertResponse {
  /**
   * The alert's id, by which GetEvent and ExplainEvent know it; of a duplicate the id of the alert accepted
   * first.
   */
  alert_id: string;
  /** The incident it opened or joined; empty when it was suppressed. */
  incident_id: string;
  /** "accepted", "duplicate" or "suppressed". */
  status: string;
  /** What became of it, in a sentence. */
  message: string;
}
