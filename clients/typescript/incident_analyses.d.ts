// Written by `make gen` from proto/: edit that.

import type { AnalysisQuestion, IncidentAnalysis } from "./analysis.js";

/** Request of RequestAnalysis. */
export interface RequestAnalysisRequest {
  /** Id or number of the incident. Required. */
  incident_id: string;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
  /** Who asks; the caller when empty. */
  actor: string;
  /** What to ask. Required. */
  questions: AnalysisQuestion[];
}

/** Reply of RequestAnalysis. */
export interface RequestAnalysisResponse {
  /** The analyses in the order of the questions, all PENDING: they are read with ListIncidentAnalyses. */
  analyses: IncidentAnalysis[];
}

/** Request of ListIncidentAnalyses. */
export interface ListIncidentAnalysesRequest {
  /** Id or number of the incident. Required. */
  incident_id: string;
  /** How many; 100 when 0, at most 1,000. */
  page_size: number;
  /** Token of a former reply. */
  page_token: string;
}

/** Reply of ListIncidentAnalyses. */
export interface ListIncidentAnalysesResponse {
  /** The analyses, oldest first. */
  analyses: IncidentAnalysis[];
  /** Gives the next page; empty at the end. */
  next_page_token: string;
}
