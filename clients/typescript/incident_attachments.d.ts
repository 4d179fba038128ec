// Written by `make gen` from proto/: edit that.

import type { TimelineEntry } from "./incident.js";
import type { Timestamp } from "./json.js";

/** A link to material elsewhere: a log, a trace, a screenshot. The server never fetches it. */
export interface Attachment {
  /** The attachment's id; later ones have larger ids. */
  id: string;
  /** The incident it belongs to. */
  incident_id: string;
  /** Where the material is. */
  url: string;
  /** One line for people. */
  title: string;
  /** What it is, for instance "image/png"; empty when not told. */
  media_type: string;
  /** Who attached it. */
  actor: string;
  /** When. */
  create_time?: Timestamp;
}

/** Request of AddAttachment. */
export interface AddAttachmentRequest {
  /** Id or number of the incident. Required. */
  incident_id: string;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
  /** Who attaches; the caller when empty. */
  actor: string;
  /** Where the material is: an absolute http or https URL without a user or a password in it. Required. */
  url: string;
  /** One line for people; the URL when empty. */
  title: string;
  /** What it is, for instance "image/png" or "text/plain; charset=utf-8". */
  media_type: string;
}

/** Reply of AddAttachment. */
export interface AddAttachmentResponse {
  /** The attachment. */
  attachment?: Attachment;
}

/** Request of ListAttachments. */
export interface ListAttachmentsRequest {
  /** Id or number of the incident. Required. */
  incident_id: string;
  /** How many; 100 when 0, at most 1,000. */
  page_size: number;
  /** Token of a former reply. */
  page_token: string;
}

/** Reply of ListAttachments. */
export interface ListAttachmentsResponse {
  /** The attachments, oldest first. */
  attachments: Attachment[];
  /** Gives the next page; empty at the end. */
  next_page_token: string;
}

/** Request of RemoveAttachment. */
export interface RemoveAttachmentRequest {
  /** Id or number of the incident. Required. */
  incident_id: string;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
  /** Who removes it; the caller when empty. */
  actor: string;
  /** Id of the attachment. Required. */
  attachment_id: string;
}

/** Reply of RemoveAttachment. */
export interface RemoveAttachmentResponse {
  /** The attachment as it was. */
  attachment?: Attachment;
}

/** Request of ListNotes. */
export interface ListNotesRequest {
  /** Id or number of the incident. Required. */
  incident_id: string;
  /** How many; 100 when 0, at most 1,000. */
  page_size: number;
  /** Token of a former reply. */
  page_token: string;
}

/** Reply of ListNotes. */
export interface ListNotesResponse {
  /** The notes as they stand in the timeline, oldest first. */
  notes: TimelineEntry[];
  /** Gives the next page; empty at the end. */
  next_page_token: string;
}
