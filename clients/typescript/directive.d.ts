// Written by `make gen` from proto/: edit that.

import type { Duration, Timestamp } from "./json.js";

/** What an agent is told to do. */
export type DirectiveAction =
  /** Not said. */
  | "UNSPECIFIED"
  /** Send calls for the target's model elsewhere. Parameters: text "to", the other model or deployment (required). */
  | "FAIL_OVER_MODEL"
  /** Let no more through than so much. Parameters: number "requests_per_second" (required), number "burst". */
  | "RATE_LIMIT"
  /** Refuse calls of the target's tool. The target names the tool. */
  | "DISABLE_TOOL"
  /** Use a stricter policy. Parameters: text "policy" (required), numbers for its thresholds. */
  | "TIGHTEN_POLICY"
  /** Turn a part of the traffic away. Parameters: number "ratio", above 0, at most 1 (required). */
  | "SHED_TRAFFIC"
  /** What a plug-in of the agent does. Parameters: text "name" (required), and whatever it takes. */
  | "CUSTOM";

/** Where a directive stands. Of a directive to several agents each has its own state. */
export type DirectiveState =
  /** Not said. */
  | "UNSPECIFIED"
  /** It waits for somebody to approve it; nothing was sent. */
  | "PENDING_APPROVAL"
  /** It may be sent. */
  | "APPROVED"
  /** It was sent; the agent has not answered yet. */
  | "SENT"
  /** The agent has it and will do it. */
  | "ACCEPTED"
  /** It holds. */
  | "APPLIED"
  /** The agent could not do it, or not revert it. */
  | "FAILED"
  /** The agent refuses it, for instance because it does not know such an action. */
  | "REJECTED"
  /** It holds no more: its time was over, somebody asked for it, or the agent ended. */
  | "REVERTED"
  /** Its time was over before the agent said what became of it. */
  | "EXPIRED"
  /** It was taken back before it was sent. */
  | "CANCELED";

/** What a directive is about. Agents: those named, or all known ones that match service, environment and labels. */
export interface DirectiveTarget {
  /** Ids of agents. */
  agent_ids: string[];
  /** Agents of this service. */
  service: string;
  /** Agents of this environment. */
  environment: string;
  /** Agents with all of these labels. */
  labels: Record<string, string>;
  /** Only traffic to this model; to all when empty. */
  model: string;
  /** Only this tool. */
  tool: string;
  /** Only traffic of this consumer: a key, a user or an application, as the agent knows it. */
  consumer: string;
}

/** Parameters of a directive, by type. */
export interface DirectiveParameters {
  /** Texts by name. */
  texts: Record<string, string>;
  /** Numbers by name. */
  numbers: Record<string, number>;
  /** Yes or no by name. */
  flags: Record<string, boolean>;
}

/** Who agreed to a directive. */
export interface DirectiveApproval {
  /** Whether it must be somebody else than who made the directive: it has a wide scope. */
  by_other: boolean;
  /** Why, or why not. */
  explanation: string;
  /** Who approved it; empty while nobody has. */
  actor: string;
  /** When. */
  time?: Timestamp;
}

/** How a directive stands at one agent. */
export interface DirectiveDelivery {
  /** The agent. */
  agent_id: string;
  /** Where it stands there. */
  state: DirectiveState;
  /** Why, in the words of whoever moved it there. */
  reason: string;
  /** When it was moved there. */
  update_time?: Timestamp;
  /** When the agent applied it; absent when it did not. */
  apply_time?: Timestamp;
  /** How often it was sent. */
  attempts: number;
}

/** A directive. */
export interface Directive {
  /** Its id. The agent remembers it, and applies a directive at most once. */
  id: string;
  /** What to do. */
  action: DirectiveAction;
  /** What it is about. */
  target?: DirectiveTarget;
  /** How to do it. */
  parameters?: DirectiveParameters;
  /** How long it holds from when the agent applied it; then the agent reverts it by itself. */
  ttl?: Duration;
  /** Who agreed to it. */
  approval?: DirectiveApproval;
  /** What holds after it was reverted; what held before it was applied when absent. */
  rollback?: DirectiveParameters;
  /** Where it stands: with several agents, of those it is not over with the least advanced. */
  state: DirectiveState;
  /** Why it stands there. */
  state_reason: string;
  /** How it stands at each agent. */
  deliveries: DirectiveDelivery[];
  /** The incident it is for; empty when for none. */
  incident_id: string;
  /** Why it was made. */
  reason: string;
  /** Who made it. */
  create_actor: string;
  /** When it was made. */
  create_time?: Timestamp;
  /** When it was last changed. */
  update_time?: Timestamp;
  /** No agent begins with it after this time; absent until it is approved. */
  expire_time?: Timestamp;
  /** Whether agents were told to revert it before its time is over. */
  revert_requested: boolean;
  /** Changes with each change. */
  etag: string;
}
