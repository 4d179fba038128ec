// The messages of the WebSocket at /ws, both ways (docs/websocket.md).

import type { Disposition, Event, EventResult } from "./event.js";
import type { ChangeKind, Incident } from "./incident.js";
import type { Any, Input } from "./json.js";

/** Names a message, and comes back in its answer. */
export type MessageId = string | number;

/** What the client sends. */
export type SocketClientMessage =
  | ({ type: "event"; id?: MessageId } & Input<Event>)
  | { type: "event"; id?: MessageId; event: Input<Event> }
  | { type: "batch"; id?: MessageId; events: Input<Event>[] }
  | SocketSubscribe
  | { type: "unsubscribe"; id?: MessageId; subscription_id: string }
  | { type: "heartbeat" }
  | { type: "ping"; id?: MessageId };

/** Asks for changes of incidents. */
export interface SocketSubscribe {
  type: "subscribe";
  id?: MessageId;
  subscription_id: string;
  /** A filter of the filter language; or `filters`. */
  filter?: string;
  filters?: {
    severities?: string[];
    states?: string[];
    sources?: string[];
    affected_resources?: string[];
    incident_ids?: string[];
    labels?: Record<string, string>;
    event_types?: string[];
  };
  /** Go on behind this token. */
  resume_token?: string;
  /** First the open incidents that match. Not together with a token. */
  snapshot?: boolean;
}

/** Why a message was refused, or the connection ends. */
export interface SocketRefusal {
  /** The gRPC code, for instance "INVALID_ARGUMENT". */
  code: string;
  /** The contract's word; see docs/api-errors.md. */
  reason: string;
  /** The sentence for people. */
  message: string;
  details: Any[];
}

/** What the server sends. */
export type SocketServerMessage =
  | SocketConnectionAck
  | SocketAck
  | SocketBatchAck
  | { type: "subscribed" | "unsubscribed"; id?: MessageId; subscription_id: string; resume_token: string }
  | SocketChange
  | { type: "heartbeat"; subscriptions: Record<string, string> }
  | { type: "pong"; id?: MessageId }
  | ({ type: "error"; id?: MessageId; subscription_id?: string } & SocketRefusal)
  | ({ type: "closing"; subscriptions: Record<string, string> } & SocketRefusal);

/** The first message: who this connection is, and what it may do. */
export interface SocketConnectionAck {
  type: "connection_ack";
  session_id: string;
  protocol_version: string;
  features: string[];
  heartbeat_secs: number;
  timeout_secs: number;
  max_frame_bytes: number;
  max_batch_events: number;
  max_subscriptions: number;
}

/** The event is durable. */
export interface SocketAck {
  type: "ack";
  id?: MessageId;
  event_id: string;
  incident_id: string;
  disposition: Exclude<Disposition, "UNSPECIFIED" | "REJECTED">;
  status: string;
  reason?: string;
  warnings?: string[];
}

/** The events of a batch that were accepted are durable. */
export interface SocketBatchAck {
  type: "ack";
  id?: MessageId;
  /** One for each event, in order. */
  results: EventResult[];
  accepted: number;
  rejected: number;
}

/** Something about an incident changed. */
export interface SocketChange {
  type: "change";
  subscription_id: string;
  incident: Incident;
  kind: ChangeKind;
  resume_token: string;
  heartbeat: false;
  drain: false;
}
