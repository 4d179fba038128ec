// Written by `make gen` from proto/: edit that.

import type { ApiKey } from "./api_key.js";
import type { AuditCheckpoint, AuditRecord } from "./audit_record.js";
import type { ComplianceControl, ComplianceFramework, ComplianceReport, ComplianceStatus } from "./compliance.js";
import type { Incident, TimelineEntry } from "./incident.js";
import type { Attachment } from "./incident_attachments.js";
import type { Double, Timestamp } from "./json.js";

/** What a report is written as. */
export type ReportFormat =
  /** JSON. */
  | "UNSPECIFIED"
  /** JSON, as CheckCompliance answers over HTTP. */
  | "JSON"
  /** One row for each line of the report. */
  | "CSV"
  /** A page to read. */
  | "MARKDOWN"
  /** The same as one HTML file that needs nothing else. */
  | "HTML";

/** Request of ListFrameworks. */
export interface ListFrameworksRequest {
  /** Only this one: its id, or its usual name such as "SOC 2"; all when empty. */
  framework: string;
}

/** Reply of ListFrameworks. */
export interface ListFrameworksResponse {
  /** The frameworks by id. */
  frameworks: ComplianceFramework[];
}

/** Request of CheckCompliance. */
export interface CheckComplianceRequest {
  /** The framework: its id, or its usual name such as "SOC 2". Required. */
  framework: string;
  /** Incidents created on or after this date or RFC 3339 time; 30 days before the end when empty. */
  start: string;
  /** Incidents created up to and including this date or RFC 3339 time; now when empty. */
  end: string;
  /** Of these only that match: AIP-160 subset as in ListIncidents. */
  filter: string;
}

/** Reply of CheckCompliance. */
export interface CheckComplianceResponse {
  /** The report. */
  report?: ComplianceReport;
}

/** Request of GenerateReport. */
export interface GenerateReportRequest {
  /** The framework: its id, or its usual name such as "SOC 2". Required. */
  framework: string;
  /** Incidents created on or after this date or RFC 3339 time; 30 days before the end when empty. */
  start: string;
  /** Incidents created up to and including this date or RFC 3339 time; now when empty. */
  end: string;
  /** Of these only that match: AIP-160 subset as in ListIncidents. */
  filter: string;
  /** What to write it as; JSON when unspecified. */
  format: ReportFormat;
}

/** Reply of GenerateReport. */
export interface GenerateReportResponse {
  /** What the document is, for instance "text/csv; charset=utf-8". */
  content_type: string;
  /** A name for its file, for instance "compliance-soc2-2025-11-01-2025-11-30.csv". */
  file_name: string;
  /** The document. */
  content: string;
  /** SHA-256 of the document in UTF-8, in hex: for whoever keeps it. */
  sha256: string;
}

/** Request of GetEvidence. */
export interface GetEvidenceRequest {
  /** The id that a report names, for instance "delivery.018f….0190…". Required. */
  evidence_id: string;
}

/** Reply of GetEvidence. */
export interface GetEvidenceResponse {
  /** The evidence. */
  evidence?: Evidence;
}

/** A record as it lies in the database, or what a setting is. */
export interface Evidence {
  /** Its id. */
  id: string;
  /** An incident. */
  incident?: Incident;
  /** An entry of an incident's timeline. */
  timeline_entry?: TimelineEntry;
  /** A notification. */
  delivery?: DeliveryEvidence;
  /** A link to material elsewhere. */
  attachment?: Attachment;
  /** A record of the audit trail. */
  audit_record?: AuditRecord;
  /** A signed checkpoint of the audit trail. */
  audit_checkpoint?: AuditCheckpoint;
  /** An API key without its secret. */
  api_key?: ApiKey;
  /** A setting of this server. */
  setting?: SettingEvidence;
  /** A control, where what its requirement applies to is the evidence that it applies to nothing. */
  control?: ComplianceControl;
}

/** A notification and how far it is. */
export interface DeliveryEvidence {
  /** Its id. */
  id: string;
  /** The incident that it is about. */
  incident_id: string;
  /** The channel's name. */
  channel: string;
  /** The route that asked for it. */
  route: string;
  /** Why, for instance "opened". */
  reason: string;
  /** pending, sent or dead. */
  state: string;
  /** Attempts so far. */
  attempts: number;
  /** The last error; empty when it was sent. */
  error: string;
  /** When the route asked for it. */
  create_time?: Timestamp;
  /** When its state was last changed. */
  update_time?: Timestamp;
}

/** A setting as this server goes by it; no secret. */
export interface SettingEvidence {
  /** Its name, for instance "audit.signed". */
  key: string;
  /** Its value, for instance "true". */
  value: string;
  /** What it means. */
  meaning: string;
}

/** Request of GetGovernanceMetrics. */
export interface GetGovernanceMetricsRequest {
  /** Incidents created on or after this date or RFC 3339 time; 30 days before the end when empty. */
  start: string;
  /** Incidents created up to and including this date or RFC 3339 time; now when empty. */
  end: string;
}

/** Figures of a framework. */
export interface FrameworkFigures {
  /** The framework. */
  framework: string;
  /** FAILED when a line has failed, NOT_APPLICABLE when none applies, else PASSED. */
  status: ComplianceStatus;
  /** How many lines its report has. */
  total_checks: number;
  /** How many passed. */
  passed_checks: number;
  /** How many failed. */
  failed_checks: number;
  /** How many do not apply. */
  not_applicable_checks: number;
  /** Passed ones of those that apply, from 0 to 1; absent when none does. */
  compliance_rate?: Double;
  /** How many failed by gravity: "low", "medium", "high" and "critical", those with any. */
  violations_by_gravity: Record<string, number>;
}

/** Reply of GetGovernanceMetrics. */
export interface GetGovernanceMetricsResponse {
  /** Figures by framework. */
  frameworks: FrameworkFigures[];
  /** Incidents that were created from then on … */
  start_time?: Timestamp;
  /** … and before then were looked at. */
  end_time?: Timestamp;
}
