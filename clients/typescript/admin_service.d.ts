// Written by `make gen` from proto/: edit that.

import type { Timestamp } from "./json.js";

/** Request of GetBusStatus. */
export interface GetBusStatusRequest {
}

/** Reply of GetBusStatus. */
export interface GetBusStatusResponse {
  /** What brings work to those who do it: "database" or "redis". */
  backend: string;
  /** The topics, in the order in which an incident passes them. */
  topics: BusTopic[];
}

/** How far the work of a topic is, for all tenants together. */
export interface BusTopic {
  /** Its name, such as "incidents.routed". */
  topic: string;
  /** How much waits or is being done, given up work apart. */
  waiting: number;
  /** Since when the oldest of that waits; absent when nothing does. */
  oldest_time?: Timestamp;
  /** Dead letters. */
  dead: number;
  /** Batches that Redis carries; absent where the bus is the database, or Redis does not answer. */
  carried?: number;
  /** Those of them that a process has received and not finished. */
  received?: number;
}

/** Work that was given up. */
export interface DeadLetter {
  /** Its id. */
  id: string;
  /** Which work: "incidents.routed", "incidents.notify", "incidents.consult" or "incidents.actions". */
  topic: string;
  /** Work of one lane is done in order; what came behind this one has gone on. */
  lane: string;
  /** The incident it was for. */
  incident_id: string;
  /** What was to be done, as JSON. */
  payload: string;
  /** How often it was tried. */
  attempts: number;
  /** Why it was given up. */
  reason: string;
  /** When the work was asked for. */
  create_time?: Timestamp;
  /** When it was given up. */
  fail_time?: Timestamp;
}

/** Dead letters by their ids. */
export interface DeadLetterIds {
  /** The ids; one that does not exist is NOT_FOUND, and nothing is changed. */
  ids: string[];
}

/** All dead letters that fit; without fields all there are. */
export interface DeadLetterFilter {
  /** Of this topic: "incidents.routed", "incidents.notify", "incidents.consult" or "incidents.actions". */
  topic: string;
  /** Of this incident, by id or number. */
  incident_id: string;
}

/** Which dead letters. */
export interface DeadLetterSelection {
  /** These. */
  named?: DeadLetterIds;
  /** All of a topic, of an incident, or all there are. */
  matching?: DeadLetterFilter;
}

/** Request of ListDeadLetters. */
export interface ListDeadLettersRequest {
  /** Only of this topic: "incidents.routed", "incidents.notify", "incidents.consult" or "incidents.actions". */
  topic: string;
  /** Only of this incident, by id or number. */
  incident_id: string;
  /** How many; 100 when 0, at most 1,000. */
  page_size: number;
  /** Token of a former reply. */
  page_token: string;
}

/** Reply of ListDeadLetters. */
export interface ListDeadLettersResponse {
  /** The dead letters. */
  dead_letters: DeadLetter[];
  /** Gives the next page; empty at the end. */
  next_page_token: string;
}

/** Request of GetDeadLetter. */
export interface GetDeadLetterRequest {
  /** Its id. Required. */
  dead_letter_id: string;
}

/** Reply of GetDeadLetter. */
export interface GetDeadLetterResponse {
  /** The dead letter. */
  dead_letter?: DeadLetter;
}

/** Request of ReplayDeadLetters. */
export interface ReplayDeadLettersRequest {
  /** Which. Required. */
  selection?: DeadLetterSelection;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
  /** Who does it; the caller when empty. */
  actor: string;
  /** Count and show what is selected; change nothing. */
  preview: boolean;
  /** When given, how many have to be selected; another number is refused with COUNT_CHANGED, changing nothing. */
  expected_count?: number;
  /** At most so many, oldest first. When 0, all: more than 10,000 are refused with TOO_MANY_MATCHES. */
  limit: number;
  /** Why, for instance what has been mended. */
  reason: string;
}

/** Reply of ReplayDeadLetters. */
export interface ReplayDeadLettersResponse {
  /** How many were selected when the call began. */
  matched: number;
  /** How many were put back to work; in a preview, would be. */
  replayed: number;
  /** How many were gone when their turn came: somebody else has replayed or dropped them. */
  gone: number;
  /** In a preview the first 20, oldest first. */
  sample: DeadLetter[];
  /** Nothing was changed: it was a preview. */
  preview: boolean;
}

/** Request of DropDeadLetters. */
export interface DropDeadLettersRequest {
  /** Which. Required. */
  selection?: DeadLetterSelection;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
  /** Who does it; the caller when empty. */
  actor: string;
  /** Count and show what is selected; change nothing. */
  preview: boolean;
  /** When given, how many have to be selected; another number is refused with COUNT_CHANGED, changing nothing. */
  expected_count?: number;
  /** At most so many, oldest first. When 0, all: more than 10,000 are refused with TOO_MANY_MATCHES. */
  limit: number;
  /** Why the work need not be done. Required. */
  reason: string;
}

/** Reply of DropDeadLetters. */
export interface DropDeadLettersResponse {
  /** How many were selected when the call began. */
  matched: number;
  /** How many were deleted; in a preview, would be. */
  dropped: number;
  /** How many were gone when their turn came: somebody else has replayed or dropped them. */
  gone: number;
  /** In a preview the first 20, oldest first. */
  sample: DeadLetter[];
  /** Nothing was changed: it was a preview. */
  preview: boolean;
}
