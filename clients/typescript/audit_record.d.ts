// Written by `make gen` from proto/: edit that.

import type { Int64, Timestamp } from "./json.js";

/** One record. Records of a chain (a tenant's, written by one writer) follow from each other by their hashes. */
export interface AuditRecord {
  /** Who wrote the chain: one start of one process. */
  writer: string;
  /** Its place in the chain, from 1, without a gap. */
  sequence: Int64;
  /** When it happened. */
  time?: Timestamp;
  /** Who did it: the subject of the caller, or a part of the system. */
  actor: string;
  /** How the caller proved that: "mtls", "api_key", "jwt", "anonymous", or "system". */
  proven_by: string;
  /** With which credential; no secret. */
  credential: string;
  /** From which address; empty for the system itself. */
  source: string;
  /** What was done, such as "incident.acknowledge". */
  action: string;
  /** To what: an id. */
  resource: string;
  /** What else belongs to it, such as its reason. */
  details: Record<string, string>;
  /** The fields that changed, as they were. */
  before: Record<string, string>;
  /** The fields that changed, as they are. */
  after: Record<string, string>;
  /** Hash of the record before, in hex; zeros for the first. */
  previous_hash: string;
  /** Hash of this record with the one before, in hex. */
  hash: string;
  /** How the hash is made: 1 for records of releases that knew no credentials, 2 since. */
  hash_version: number;
}

/**
 * A signed statement of where every chain of a tenant ends, kept outside the database as well: what is missing
 * behind it was cut off.
 */
export interface AuditCheckpoint {
  /** Its number, from 1, without a gap. */
  number: Int64;
  /** When it was made. */
  time?: Timestamp;
  /** How many records there are up to it, without those of chains that retention has ended. */
  records: Int64;
  /** Hash over `ends`, in hex. */
  root: string;
  /** Hash of the checkpoint before, in hex. */
  previous_hash: string;
  /** Which key signed it. */
  key_id: string;
  /** Ed25519 signature, in base64. */
  signature: string;
  /** The chains that have grown since the checkpoint before, and where they end. */
  ends: AuditChainEnd[];
  /** The writers of chains that retention ends from now on. */
  retired: string[];
}

/** Where a chain ends. */
export interface AuditChainEnd {
  /** Who wrote it. */
  writer: string;
  /** The place of its last record. */
  sequence: Int64;
  /** The hash of its last record, in hex. */
  hash: string;
}
