// Written by `make gen` from proto/: edit that.

import type { Disposition, Event, EventRecord, EventResult, Fingerprint, SeverityDecision } from "./event.js";
import type { Duration, Int64, Timestamp } from "./json.js";

/** Request of SubmitEvent. */
export interface SubmitEventRequest {
  /** The event. Required. */
  event?: Event;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
}

/** Reply of SubmitEvent. */
export interface SubmitEventResponse {
  /** "accepted", "duplicate", "suppressed" or "ignored". */
  status: string;
  /** The event's id; of a duplicate the id of the event accepted first. */
  event_id: string;
  /** The incident it opened, joined or acted on; empty when there is none. */
  incident_id: string;
  /** What became of the event. */
  disposition: Disposition;
  /** Why, as a stable word. */
  reason: string;
  /** How the event was identified. */
  fingerprint?: Fingerprint;
  /** Things accepted but noteworthy. */
  warnings: string[];
}

/** Request of SubmitEvents. */
export interface SubmitEventsRequest {
  /** The events, in order. An invalid one is REJECTED in its result. */
  events: Event[];
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
}

/** Reply of SubmitEvents. */
export interface SubmitEventsResponse {
  /** One result an event, in the order of the request. */
  results: EventResult[];
  /** How many were accepted: all but the rejected. */
  accepted: number;
  /** How many were rejected. */
  rejected: number;
}

/** What a producer sends on StreamEvents. */
export interface StreamEventsRequest {
  /** Must come first, and once. */
  open?: StreamOpen;
  /** Events. */
  frame?: EventFrame;
}

/** Opens a stream. */
export interface StreamOpen {
  /** Names the producer within its tenant; keep it across restarts. Required. */
  producer_id: string;
  /** W3C trace context of the stream; the call's own when unset. */
  traceparent: string;
}

/** Events with consecutive sequence numbers. */
export interface EventFrame {
  /** Sequence number of the first event; the first event of a producer has number 1. */
  first_sequence: Int64;
  /** The events, at most 1,000. An invalid one is REJECTED in its result. */
  events: Event[];
}

/** What the server sends on StreamEvents. */
export interface StreamEventsResponse {
  /** The answer to `open`. */
  opened?: StreamOpened;
  /** Acknowledged events. */
  acks?: EventAcks;
  /** The server is about to go: send nothing more, take the outstanding acknowledgements, connect again. */
  drain?: StreamDrain;
}

/** The stream is open. */
export interface StreamOpened {
  /** This stream's epoch; streams of the producer with a lower one are fenced. */
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
}

/** Results of consecutive events; all events up to the last of them are committed or rejected. */
export interface EventAcks {
  /** Sequence number of the first result. */
  first_sequence: Int64;
  /** One result an event, in sequence. */
  results: EventResult[];
  /** How many events may be in flight from now on. */
  credits: number;
}

/** The server is about to go. */
export interface StreamDrain {
  /** How long the stream stays open for outstanding acknowledgements. */
  grace?: Duration;
}

/** Request of GetEvent. */
export interface GetEventRequest {
  /** The event's id. Required. */
  event_id: string;
}

/** Reply of GetEvent. */
export interface GetEventResponse {
  /** The event. */
  event?: EventRecord;
}

/** Request of ExplainEvent. */
export interface ExplainEventRequest {
  /** The event's id. Required. */
  event_id: string;
}

/** Reply of ExplainEvent. */
export interface ExplainEventResponse {
  /** The event and what became of it. */
  event?: EventRecord;
  /** How it was identified. */
  fingerprint?: Fingerprint;
  /** Why it has its severity; absent when only the compact row of a repeat was kept. */
  severity?: SeverityDecision;
  /** Number of the incident, for instance INC-20261121-00042. */
  incident_number: string;
  /** What was sent for the incident, to whom, with what result. */
  deliveries: DeliverySummary[];
  /** The whole way in sentences. */
  steps: string[];
  /** What followed the commit: route, then notify. */
  stages: StageSummary[];
}

/** What a stage after the commit did with the event. */
export interface StageSummary {
  /** route or notify. */
  stage: string;
  /** done, waiting, failed, not_needed, or unknown where the records do not tell. */
  state: string;
  /** When it was done; absent otherwise. */
  time?: Timestamp;
  /** How, or why not, in one sentence. */
  explanation: string;
}

/** One notification in short. */
export interface DeliverySummary {
  /** The channel's name. */
  channel: string;
  /** pending, sent or dead. */
  state: string;
  /** Why it was sent, for instance "opened". */
  reason: string;
  /** Attempts so far. */
  attempts: number;
  /** The last error; empty when it was sent. */
  error: string;
  /** The route that asked for it. */
  route: string;
  /** When the route asked for it. */
  create_time?: Timestamp;
  /** When its state was last changed. */
  update_time?: Timestamp;
  /** Whether what this event did was its cause. Others tell of what else happened to the incident. */
  for_event: boolean;
}
