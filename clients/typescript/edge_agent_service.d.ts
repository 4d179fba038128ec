// Written by `make gen` from proto/: edit that.

import type { Directive, DirectiveAction, DirectiveParameters, DirectiveState, DirectiveTarget } from "./directive.js";
import type { EdgeAgent, EdgeAgentState } from "./edge_agent.js";
import type { InferenceRequest, InferenceResult } from "./edge_inference.js";
import type { Duration } from "./json.js";

/** Request of StreamInference. */
export interface StreamInferenceRequest {
  /** What a model is to do. Required. */
  request?: InferenceRequest;
}

/** Reply of StreamInference. */
export interface StreamInferenceResponse {
  /** What became of a request. */
  result?: InferenceResult;
}

/** Request of SubmitBatch. */
export interface SubmitBatchRequest {
  /** What models are to do. Required. */
  requests: InferenceRequest[];
}

/** Reply of SubmitBatch. */
export interface SubmitBatchResponse {
  /** What became of each request, in their order. */
  results: InferenceResult[];
}

/** Request of ListEdgeAgents. */
export interface ListEdgeAgentsRequest {
  /** Only agents in this state. */
  state: EdgeAgentState;
  /** Only agents of this service. */
  service: string;
  /** How many; 100 when 0, at most 1,000. */
  page_size: number;
  /** Token of a former reply. */
  page_token: string;
}

/** Reply of ListEdgeAgents. */
export interface ListEdgeAgentsResponse {
  /** The agents by id. */
  agents: EdgeAgent[];
  /** Gives the next page; empty at the end. */
  next_page_token: string;
}

/** Request of GetEdgeAgent. */
export interface GetEdgeAgentRequest {
  /** The agent's id. Required. */
  agent_id: string;
}

/** Reply of GetEdgeAgent. */
export interface GetEdgeAgentResponse {
  /** The agent. */
  agent?: EdgeAgent;
}

/** Request of CreateDirective. */
export interface CreateDirectiveRequest {
  /** What to do. Required. */
  action: DirectiveAction;
  /** What it is about. Required. */
  target?: DirectiveTarget;
  /** How to do it; which parameters an action needs is said there. */
  parameters?: DirectiveParameters;
  /** How long it shall hold from when an agent applies it. Required; within the server's bounds. */
  ttl?: Duration;
  /** What shall hold after it was reverted; what held before when absent. */
  rollback?: DirectiveParameters;
  /** Why it is made, for the agents' owners and the audit. */
  reason: string;
  /** The incident it is for, by id or number: its timeline tells what becomes of the directive. */
  incident_id: string;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
}

/** Reply of CreateDirective. */
export interface CreateDirectiveResponse {
  /** The directive, which waits for approval. */
  directive?: Directive;
}

/** Request of ApproveDirective. */
export interface ApproveDirectiveRequest {
  /** The directive's id. Required. */
  directive_id: string;
  /** Why, for the audit. */
  reason: string;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
}

/** Reply of ApproveDirective. */
export interface ApproveDirectiveResponse {
  /** The directive. */
  directive?: Directive;
}

/** Request of CancelDirective. */
export interface CancelDirectiveRequest {
  /** The directive's id. Required. */
  directive_id: string;
  /** Why, for the audit. */
  reason: string;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
}

/** Reply of CancelDirective. */
export interface CancelDirectiveResponse {
  /** The directive; agents that were told to revert it have yet to answer. */
  directive?: Directive;
}

/** Request of GetDirective. */
export interface GetDirectiveRequest {
  /** The directive's id. Required. */
  directive_id: string;
}

/** Reply of GetDirective. */
export interface GetDirectiveResponse {
  /** The directive. */
  directive?: Directive;
}

/** Request of ListDirectives. */
export interface ListDirectivesRequest {
  /** Only directives in this state. */
  state: DirectiveState;
  /** Only directives to this agent. */
  agent_id: string;
  /** Only directives for this incident, by id or number. */
  incident_id: string;
  /** How many; 100 when 0, at most 1,000. */
  page_size: number;
  /** Token of a former reply. */
  page_token: string;
}

/** Reply of ListDirectives. */
export interface ListDirectivesResponse {
  /** The directives. */
  directives: Directive[];
  /** Gives the next page; empty at the end. */
  next_page_token: string;
}
