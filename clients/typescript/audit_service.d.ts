// Written by `make gen` from proto/: edit that.

import type { AuditCheckpoint, AuditRecord } from "./audit_record.js";
import type { Bytes, Int64, Timestamp } from "./json.js";

/** Request of ListAuditRecords. */
export interface ListAuditRecordsRequest {
  /** Only of this actor. */
  actor: string;
  /** Only this action, or actions that begin with it when it ends in a dot. */
  action: string;
  /** Only to this resource. */
  resource: string;
  /** Only from then on. */
  start_time?: Timestamp;
  /** Only before then. */
  end_time?: Timestamp;
  /** How many; 100 when 0, at most 1,000. */
  page_size: number;
  /** Token of a former reply. */
  page_token: string;
}

/** Reply of ListAuditRecords. */
export interface ListAuditRecordsResponse {
  /** The records. */
  records: AuditRecord[];
  /** Gives the next page; empty at the end. */
  next_page_token: string;
}

/** Request of ListAuditCheckpoints. */
export interface ListAuditCheckpointsRequest {
  /** How many; 100 when 0, at most 1,000. */
  page_size: number;
  /** Token of a former reply. */
  page_token: string;
}

/** Reply of ListAuditCheckpoints. */
export interface ListAuditCheckpointsResponse {
  /** The checkpoints. */
  checkpoints: AuditCheckpoint[];
  /** Gives the next page; empty at the end. */
  next_page_token: string;
}

/** Request of VerifyAudit. */
export interface VerifyAuditRequest {
}

/** Reply of VerifyAudit. */
export interface VerifyAuditResponse {
  /** Nothing was changed, inserted, moved or deleted, as far as the checkpoints reach. */
  intact: boolean;
  /** How many records were looked at. */
  records: Int64;
  /** In how many chains. */
  chains: Int64;
  /** How many checkpoints were looked at. */
  checkpoints: Int64;
  /** What is wrong with the first bad record; empty when intact. */
  fault: string;
  /** The chain of the first bad record. */
  writer: string;
  /** Its place in the chain. */
  sequence: Int64;
  /** The time of the newest checkpoint whose signature is right: what came later could be changed without a trace. */
  proven_until_time?: Timestamp;
  /** What keeps the proof from being a whole one, such as checkpoints whose key is not known here. */
  remarks: string[];
}

/** Request of ExportAudit. */
export interface ExportAuditRequest {
  /** Only chains with records from then on, each whole. */
  start_time?: Timestamp;
}

/** A piece of an export. */
export interface ExportAuditResponse {
  /** Whole lines. */
  chunk: Bytes;
}
