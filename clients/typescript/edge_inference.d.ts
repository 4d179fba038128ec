// Written by `make gen` from proto/: edit that.

import type { Duration, Timestamp } from "./json.js";

/** How urgent a request is; a waiting one of a lower number goes first. */
export type InferencePriority =
  /** Same as NORMAL. */
  | "UNSPECIFIED"
  /** Never waits for an agent that is away. */
  | "CRITICAL"
  /** Before the ordinary. */
  | "HIGH"
  /** The ordinary. */
  | "NORMAL"
  /** When there is nothing else. */
  | "LOW";

/** Where a request stands. */
export type InferenceStatus =
  /** Not said. */
  | "UNSPECIFIED"
  /** It has its output. */
  | "COMPLETED"
  /** It waits for an agent. Send it again, with the same request_id, to learn its result. */
  | "QUEUED"
  /** An agent has it. */
  | "PROCESSING"
  /** It has no output and will have none; `error` says why. */
  | "FAILED";

/** What a model is to do. */
export interface InferenceRequest {
  /** Names the request within its tenant for 24 hours: it is run once, however often it is sent. Required. */
  request_id: string;
  /** The model, as agents name it. Required. */
  model_id: string;
  /** What the model reads. */
  input: string;
  /** What else the model takes. */
  parameters: Record<string, string>;
  /** How urgent it is. */
  priority: InferencePriority;
  /** Whether it may wait for an agent that is away; otherwise it fails at once. A CRITICAL one never waits. */
  allow_offline_queue: boolean;
  /** How long the result is of use; 30 s when absent, at most a day. */
  timeout?: Duration;
  /** The agent that is to run it; any that has the model when empty. */
  agent_id: string;
}

/** What became of a request. */
export interface InferenceResult {
  /** The request. */
  request_id: string;
  /** Where it stands. */
  status: InferenceStatus;
  /** What the model made of the input. */
  output: string;
  /** What the model measured, for instance the probability of each class. */
  scores: Record<string, number>;
  /** Why there is no output. */
  error: string;
  /** The agent that ran it; set by the server. */
  agent_id: string;
  /** How long the model took. */
  latency?: Duration;
  /** When the result came; set by the server. */
  complete_time?: Timestamp;
}
