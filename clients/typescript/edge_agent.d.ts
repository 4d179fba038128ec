// Written by `make gen` from proto/: edit that.

import type { DirectiveAction } from "./directive.js";
import type { Double, Int64, Timestamp } from "./json.js";

/** Whether an agent can be reached. */
export type EdgeAgentState =
  /** Not said. */
  | "UNSPECIFIED"
  /** It has a session. */
  | "CONNECTED"
  /** It has none, and not for long. */
  | "DISCONNECTED"
  /** It gave no sign of life for so many heartbeats that an incident was opened. */
  | "LOST";

/** What an agent can do. */
export interface EdgeAgentCapabilities {
  /** Directives it can obey. */
  actions: DirectiveAction[];
  /** Models it can run near the traffic, for instance "pii-redactor". */
  models: string[];
}

/** What an agent uses of its machine. */
export interface ResourceSnapshot {
  /** Processor time in percent of all processors. */
  cpu_percent: Double;
  /** Resident memory in MB. */
  memory_mb: number;
  /** Graphics processors in percent. */
  gpu_percent: Double;
  /** Reads and writes of disks in MB a second. */
  disk_io_mb_per_second: number;
  /** Requests under way. */
  active_requests: number;
  /** Requests that wait. */
  queued_requests: number;
}

/** How an agent is. The last one of each agent is kept. */
export interface EdgeAgentTelemetry {
  /** When it was taken, by the agent's clock; the time of receipt when absent. */
  time?: Timestamp;
  /** What it uses. */
  resources?: ResourceSnapshot;
  /** What it has counted since it started, for instance "requests_total". */
  counters: Record<string, Int64>;
  /** What it measures, for instance "upstream_error_ratio". */
  gauges: Record<string, number>;
  /** Events in its spool that are not acknowledged yet. */
  spooled_events: Int64;
}

/** An agent. */
export interface EdgeAgent {
  /** Its id within the tenant. */
  agent_id: string;
  /** Its name for people. */
  display_name: string;
  /** Who it is: the subject that first registered the id. Nobody else may use it. */
  subject: string;
  /** Whether it can be reached. */
  state: EdgeAgentState;
  /** Version of its program. */
  version: string;
  /** Version of the protocol it speaks. */
  protocol_version: number;
  /** What it can do. */
  capabilities?: EdgeAgentCapabilities;
  /** The service whose traffic it sees. */
  service: string;
  /** For instance "production". */
  environment: string;
  /** Free key-value pairs, by which directives choose agents. */
  labels: Record<string, string>;
  /** Number of its last session; each has a higher one. */
  epoch: Int64;
  /** The server process that holds the session; empty when there is none. */
  server: string;
  /** When the id was registered first. */
  create_time?: Timestamp;
  /** When its last session began. */
  connect_time?: Timestamp;
  /** Its last sign of life, to a heartbeat. */
  last_seen_time?: Timestamp;
  /** Version of the configuration it works with; empty when none was applied. */
  configuration_version: string;
  /** Why it did not apply the last one; empty when it did. */
  configuration_error: string;
  /** How it is; absent when it never told. */
  telemetry?: EdgeAgentTelemetry;
}
