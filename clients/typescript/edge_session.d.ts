// Written by `make gen` from proto/: edit that.

import type { Directive, DirectiveState } from "./directive.js";
import type { EdgeAgentCapabilities, EdgeAgentTelemetry } from "./edge_agent.js";
import type { InferenceRequest, InferenceResult } from "./edge_inference.js";
import type { EventAcks, EventFrame, StreamDrain } from "./ingest_service.js";
import type { Duration, Int64, Timestamp } from "./json.js";

/** What to do with a directive. */
export type DirectiveCommand =
  /** Not said. */
  | "UNSPECIFIED"
  /** Apply it, unless it was before: then answer again what became of it. */
  | "APPLY"
  /** Revert it now. One that was never applied is not applied any more; report it as REVERTED as well. */
  | "REVERT";

/** What an agent sends. */
export interface SessionRequest {
  /** Must come first, and once. */
  register?: EdgeAgentRegistration;
  /** Events, with the rules of IngestService.StreamEvents: consecutive numbers, no more in flight than credits. */
  frame?: EventFrame;
  /** A sign of life, at least every heartbeat interval. Anything else sent is one too. */
  heartbeat?: EdgeAgentHeartbeat;
  /** How the agent is. */
  telemetry?: EdgeAgentTelemetry;
  /** What became of a directive. */
  report?: DirectiveReport;
  /** What became of a configuration. */
  configuration_applied?: ConfigurationApplied;
  /** What a model made of a request. */
  inference_result?: InferenceResult;
}

/** What the manager sends. */
export interface SessionResponse {
  /** The answer to `register`. */
  registered?: SessionRegistered;
  /** Acknowledged events. */
  acks?: EventAcks;
  /** How the agent shall work from now on. */
  configuration?: EdgeAgentConfiguration;
  /** A directive to apply or to revert. */
  order?: DirectiveOrder;
  /** A report is recorded. */
  reported?: DirectiveReported;
  /** A model to run. */
  inference?: InferenceRequest;
  /** The answer to a heartbeat. */
  heartbeat?: EdgeAgentHeartbeat;
  /** The server is about to go: send no more frames, take the outstanding acknowledgements, connect again. */
  drain?: StreamDrain;
}

/** Who the agent is and where it goes on. */
export interface EdgeAgentRegistration {
  /** Its id within the tenant; keep it across restarts. The first caller to use it owns it. Required. */
  agent_id: string;
  /** Its name for people; its id when empty. */
  display_name: string;
  /**
   * Version of the protocol it speaks; this is 1. The server refuses versions it does not speak, and names its
   * own.
   */
  protocol_version: number;
  /** Version of its program. */
  version: string;
  /** What it can do. */
  capabilities?: EdgeAgentCapabilities;
  /** The service whose traffic it sees. */
  service: string;
  /** For instance "production". */
  environment: string;
  /** Free key-value pairs, by which directives choose agents. */
  labels: Record<string, string>;
  /** Where it goes on after a disconnect. */
  resume?: ResumePoint;
  /** W3C trace context of the session; the call's own when unset. */
  traceparent: string;
}

/** What an agent knows of its last session. */
export interface ResumePoint {
  /** All its events up to this number were acknowledged to it. The server warns when it knows of fewer. */
  acknowledged_sequence: Int64;
  /** Version of the configuration it works with; empty when it has none. */
  configuration_version: string;
}

/** The agent is registered. */
export interface SessionRegistered {
  /** This session's epoch; sessions of the agent with a lower one are cut. */
  epoch: Int64;
  /**
   * All events up to this number are committed. Continue with the next; send earlier ones again to learn their
   * results.
   */
  last_sequence: Int64;
  /** How many events may be in flight (sent and not acknowledged). */
  credits: number;
  /** Largest frame the server takes, in events. */
  max_frame_events: number;
  /** Send a heartbeat at least so often. */
  heartbeat_interval?: Duration;
  /** After so many intervals without a sign of life the agent counts as lost. */
  missed_heartbeats: number;
  /** The protocol version the server speaks. */
  protocol_version: number;
  /** The server's time, for the agent to see how far its clock is off. */
  time?: Timestamp;
}

/** A sign of life. */
export interface EdgeAgentHeartbeat {
  /** When, by the sender's clock. */
  time?: Timestamp;
  /** Chosen by the agent; the answer to a heartbeat carries its number. */
  number: Int64;
}

/** How an agent shall work. */
export interface EdgeAgentConfiguration {
  /** Names this configuration. */
  version: string;
  /** Settings by name; those that are not named are as the agent's own file says. */
  settings: Record<string, string>;
  /** Send telemetry so often. */
  telemetry_interval?: Duration;
}

/** What became of a configuration. */
export interface ConfigurationApplied {
  /** Which one. */
  version: string;
  /** Why the agent goes on with the former; empty when it applied this one. */
  error: string;
}

/** A directive for the agent. It comes again with each session until it is answered. */
export interface DirectiveOrder {
  /** What to do. */
  command: DirectiveCommand;
  /** The directive; `deliveries` has this agent only. */
  directive?: Directive;
  /** How much of the time is left in which it may be begun; it does not depend on how the agent's clock is set. */
  start_within?: Duration;
}

/** What became of a directive. Send it again with the next session until it was recorded. */
export interface DirectiveReport {
  /** Which one. Required. */
  directive_id: string;
  /** ACCEPTED, APPLIED, FAILED, REJECTED or REVERTED. */
  state: DirectiveState;
  /** Why, in a sentence. */
  reason: string;
  /** When, by the agent's clock; the time of receipt when absent. */
  time?: Timestamp;
}

/** A report is recorded, now or before, or can never be. */
export interface DirectiveReported {
  /** Which directive. */
  directive_id: string;
  /** The state that was reported. */
  state: DirectiveState;
  /** Why the report changed nothing; empty when it did, or had before. */
  ignored: string;
}
