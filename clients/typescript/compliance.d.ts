// Written by `make gen` from proto/: edit that.

import type { Timestamp } from "./json.js";

/** What the records show for a requirement. */
export type ComplianceStatus =
  /** Not told. */
  | "UNSPECIFIED"
  /** There is evidence wherever the requirement applies. */
  | "PASSED"
  /** Evidence is missing, or shows the opposite, at least once. */
  | "FAILED"
  /** It applies to nothing in the period, or nothing is due yet. */
  | "NOT_APPLICABLE";

/** How grave it is when a control is not met. */
export type ControlGravity =
  /** Not told. */
  | "UNSPECIFIED"
  /** Low. */
  | "LOW"
  /** Medium. */
  | "MEDIUM"
  /** High. */
  | "HIGH"
  /** Critical. */
  | "CRITICAL";

/**
 * A framework as this server knows it: a dated set of controls. It is no legal advice, and not the whole
 * framework.
 */
export interface ComplianceFramework {
  /** Its name here: gdpr, hipaa, soc2, pci_dss or iso27001. */
  id: string;
  /** Its name, for instance "General Data Protection Regulation". */
  display_name: string;
  /** The edition that its sources are those of, for instance "Regulation (EU) 2016/679". */
  edition: string;
  /** The version of this set of controls: a date. */
  version: string;
  /** Since when the edition is in force: a date. */
  effective_date: string;
  /** What a report on it is not. */
  notice: string;
  /** Its controls. */
  controls: ComplianceControl[];
}

/** A control: something a framework asks for that the records here can show. */
export interface ComplianceControl {
  /** Its id in the framework, for instance "GDPR-33-1". */
  id: string;
  /** What it is about. */
  title: string;
  /** Where it stands, for instance "Article 33(1)". */
  source: string;
  /** What is asked for, in our words. */
  text: string;
  /** How grave it is when it is not met. */
  gravity: ControlGravity;
  /** What has to be shown. Each is a line of the report. */
  requirements: ComplianceRequirement[];
}

/** What has to be shown for a control. */
export interface ComplianceRequirement {
  /** Its id in the control, for instance "authority-notice". */
  id: string;
  /** The incidents that it applies to, as a filter; empty when it applies to the system. */
  applies_to: string;
  /** What counts as evidence, in a sentence. */
  evidence: string;
  /** What to do when there is none. */
  remedy: string;
}

/** A record that shows something. */
export interface EvidenceReference {
  /**
   * Its id: GetEvidence shows it. Begins with what it is: incident, timeline, delivery, attachment, audit,
   * checkpoint, api_key, setting or requirement.
   */
  id: string;
  /** What it shows, in a sentence. */
  summary: string;
  /** When that happened; absent of what has no time. */
  time?: Timestamp;
}

/** An incident, or a part of the system, for which evidence is missing. */
export interface ComplianceFinding {
  /** The incident's id; empty for the system. */
  incident_id: string;
  /** The incident's number; empty for the system. */
  incident_number: string;
  /** What is missing or wrong. */
  reason: string;
}

/** What the records show for one requirement. */
export interface ComplianceLine {
  /** The control. */
  control_id: string;
  /** The requirement of the control. */
  requirement_id: string;
  /** What the control is about. */
  title: string;
  /** Where it stands. */
  source: string;
  /** How grave it is when it is not met. */
  gravity: ControlGravity;
  /** What the records show. */
  status: ComplianceStatus;
  /** Why. */
  reason: string;
  /** What to do; empty unless it failed. */
  remedy: string;
  /** To how many incidents, or parts of the system, it applies and is due. */
  applicable_count: number;
  /** For how many of them evidence is missing. */
  failed_count: number;
  /** To how many it applies, but is not due yet. */
  pending_count: number;
  /** The records that this rests on, never none: at most 100, in order of the incidents. */
  evidence: EvidenceReference[];
  /** How many there are, those beyond 100 too. */
  evidence_count: number;
  /** For which of them evidence is missing: at most 100. */
  findings: ComplianceFinding[];
}

/** What the records of a period show for a framework. */
export interface ComplianceReport {
  /** The framework. */
  framework: string;
  /** Its name. */
  display_name: string;
  /** Its edition. */
  edition: string;
  /** The version of the set of controls. */
  version: string;
  /** What the report is not. */
  notice: string;
  /** Incidents that were created from then on … */
  start_time?: Timestamp;
  /** … and before then were looked at, … */
  end_time?: Timestamp;
  /** … of these only that match; empty for all. */
  filter: string;
  /** Of them at least one requirement applied to so many. */
  incident_count: number;
  /** FAILED when a line has failed, NOT_APPLICABLE when none applies, else PASSED. */
  status: ComplianceStatus;
  /** How many lines passed. */
  passed_count: number;
  /** How many failed. */
  failed_count: number;
  /** How many do not apply. */
  not_applicable_count: number;
  /** One for each requirement, in the order of the framework. */
  lines: ComplianceLine[];
}
