// Written by `make gen` from proto/: edit that.

import type { Double, Timestamp } from "./json.js";
import type { Severity } from "./severity.js";

/** What is asked about an incident. Each question is for one service. */
export type AnalysisQuestion =
  /** Not told. */
  | "UNSPECIFIED"
  /** Is it an anomaly, of which sort, and what speaks for it? Sentinel. */
  | "ANOMALY"
  /** Which threat is it? Shield. */
  | "THREAT"
  /** How great is the risk? Shield. */
  | "RISK"
  /**
   * What should be done against the threat? Shield; asked by itself when the threat is told with a confidence of
   * 0.7.
   */
  | "MITIGATION"
  /** Which controls does it break? Governance. */
  | "COMPLIANCE";

/** How far a question is. */
export type AnalysisState =
  /** Not told. */
  | "UNSPECIFIED"
  /** It will be asked, or asked again; `error` says what kept it from being answered so far. */
  | "PENDING"
  /** It is answered. */
  | "ANSWERED"
  /** It was given up; `error` says why. */
  | "FAILED";

/** How bad something may become. */
export type RiskLevel =
  /** Not told. */
  | "UNSPECIFIED"
  /** Little. */
  | "LOW"
  /** To be watched. */
  | "MEDIUM"
  /** To be acted on. */
  | "HIGH"
  /** To be acted on at once. */
  | "CRITICAL";

/** What a threat is. */
export type ThreatType =
  /** Nobody could tell. */
  | "UNSPECIFIED"
  /** Malicious code. */
  | "MALWARE"
  /** Data taken hostage. */
  | "RANSOMWARE"
  /** Data that left, or could. */
  | "DATA_BREACH"
  /** Something is kept from answering. */
  | "DENIAL_OF_SERVICE"
  /** Somebody inside. */
  | "INSIDER"
  /** People are deceived. */
  | "PHISHING"
  /** Credentials are guessed. */
  | "BRUTE_FORCE"
  /** SQL is smuggled in. */
  | "SQL_INJECTION"
  /** Scripts are smuggled in. */
  | "CROSS_SITE_SCRIPTING"
  /** A hole nobody knew. */
  | "ZERO_DAY"
  /** Somebody with patience and means. */
  | "ADVANCED_PERSISTENT_THREAT"
  /** Instructions are smuggled into a prompt. */
  | "PROMPT_INJECTION"
  /** A model is talked out of its rules. */
  | "JAILBREAK"
  /** A policy is broken. */
  | "POLICY_VIOLATION"
  /** Somebody may do more than they should. */
  | "PRIVILEGE_ESCALATION";

/** One thing that speaks for a finding, or against it. */
export interface AnalysisFactor {
  /** What it is, for instance "latency_p95_seconds". */
  name: string;
  /** Its value. */
  value: number;
  /** How much of the finding it makes: from -1, which speaks against it, to 1. */
  contribution: number;
  /** The sentence for people. */
  description: string;
}

/** Another severity that was considered. */
export interface SeverityAlternative {
  /** The severity. */
  severity: Severity;
  /** How sure the service is of it, from 0 to 1. */
  confidence: number;
}

/** What Sentinel says of an anomaly. */
export interface AnomalyAnalysis {
  /** Whether it is one at all. */
  is_anomalous: boolean;
  /** How sure the service is, from 0 to 1. */
  confidence: number;
  /** Of which sort it is, for instance "model_drift". */
  anomaly_type: string;
  /** What speaks for it, the most important first. */
  factors: AnalysisFactor[];
  /** The severity that the service would give the incident; unset when it has no opinion. */
  recommended_severity: Severity;
  /** Others it considered. */
  alternatives: SeverityAlternative[];
  /** The sentence for people. */
  summary: string;
}

/** What Shield says of a threat. */
export interface ThreatAnalysis {
  /** What it is. */
  threat_type: ThreatType;
  /** How bad it may become. */
  risk_level: RiskLevel;
  /** How sure the service is, from 0 to 1. */
  confidence: number;
  /** What it was recognised by: signatures, hashes, addresses. */
  indicators: string[];
  /** What speaks for it, the most important first. */
  factors: AnalysisFactor[];
  /** The severity that the service would give the incident; unset when it has no opinion. */
  recommended_severity: Severity;
  /** The sentence for people. */
  summary: string;
}

/** What Shield says of the risk. */
export interface RiskAssessment {
  /** How great it is. */
  risk_level: RiskLevel;
  /** The same as a number from 0 to 1. */
  score: number;
  /** How sure the service is, from 0 to 1. */
  confidence: number;
  /** What makes it so, the most important first. */
  factors: AnalysisFactor[];
  /** The severity that the service would give the incident; unset when it has no opinion. */
  recommended_severity: Severity;
  /** The sentence for people. */
  summary: string;
}

/** One thing to do against a threat. */
export interface MitigationStep {
  /** What to do, in a stable word, for instance "block_source". */
  action: string;
  /** To what. */
  target: string;
  /** The sentence for people. */
  description: string;
  /** How urgent it is. */
  priority: RiskLevel;
  /** It takes something away that cannot be put back: somebody has to agree first. */
  destructive: boolean;
}

/** What Shield would do. */
export interface MitigationPlan {
  /** The steps, in the order in which to take them. */
  steps: MitigationStep[];
  /** How sure the service is that they help, from 0 to 1. */
  confidence: number;
  /** The sentence for people. */
  summary: string;
}

/** One control that was looked at. */
export interface ControlFinding {
  /** The framework, for instance "GDPR". */
  framework: string;
  /** The control's id in it, for instance "GDPR-001". */
  control: string;
  /** Whether it is kept. */
  compliant: boolean;
  /** How bad it is that it is not. */
  severity: RiskLevel;
  /** The sentence for people. */
  description: string;
  /** What to do about it. */
  remediation: string;
}

/** What Governance says of an incident. */
export interface ComplianceEvaluation {
  /** Whether every control that it touches is kept. */
  compliant: boolean;
  /** The controls that were looked at. */
  controls: ControlFinding[];
  /** How sure the service is, from 0 to 1. */
  confidence: number;
  /** The severity that the service would give the incident; unset when it has no opinion. */
  recommended_severity: Severity;
  /** The sentence for people. */
  summary: string;
}

/** One question about an incident, how far it is, and what was answered. */
export interface IncidentAnalysis {
  /** The analysis' id; later ones have larger ids. The service is told the same id each time it is asked. */
  id: string;
  /** The incident it is about. */
  incident_id: string;
  /** What was asked. */
  question: AnalysisQuestion;
  /** How far it is. */
  state: AnalysisState;
  /** Which service was asked: "sentinel", "shield" or "governance". */
  service: string;
  /** Who asked; "router" when the opening of the incident did. */
  requested_by: string;
  /** When. */
  request_time?: Timestamp;
  /** When it last came further. */
  update_time?: Timestamp;
  /** How often the service was called. */
  attempts: number;
  /** Why it is not answered yet, or was given up: a sentence for people. */
  error: string;
  /** How sure the service is, from 0 to 1. */
  confidence: Double;
  /** The severity that the service would give the incident; unset when it has no opinion. */
  recommended_severity: Severity;
  /** Its recommendation was more severe than the incident and has raised it. */
  severity_applied: boolean;
  /** To ANOMALY. */
  anomaly?: AnomalyAnalysis;
  /** To THREAT. */
  threat?: ThreatAnalysis;
  /** To RISK. */
  risk?: RiskAssessment;
  /** To MITIGATION. */
  mitigation?: MitigationPlan;
  /** To COMPLIANCE. */
  compliance?: ComplianceEvaluation;
}
