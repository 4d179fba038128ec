// Written by `make gen` from proto/: edit that.

import type { Timestamp } from "./json.js";

/** A refused certificate. */
export interface DeniedCertificate {
  /** SHA-256 of the certificate, 64 lower-case hex digits. */
  fingerprint: string;
  /** Why it is refused. */
  reason: string;
  /** Who said so. */
  actor: string;
  /** Since when. */
  create_time?: Timestamp;
}

/** Request of DenyCertificate. Open streams with the certificate are cut within 15 seconds. */
export interface DenyCertificateRequest {
  /** SHA-256 of the certificate, 64 hex digits, with or without colons. Required. */
  fingerprint: string;
  /** Why, for the audit. */
  reason: string;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
}

/** Reply of DenyCertificate. */
export interface DenyCertificateResponse {
  /** The refused certificate. */
  certificate?: DeniedCertificate;
}

/** Request of AllowCertificate. */
export interface AllowCertificateRequest {
  /** SHA-256 of the certificate, 64 hex digits, with or without colons. Required. */
  fingerprint: string;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
}

/** Reply of AllowCertificate. */
export interface AllowCertificateResponse {
  /** The certificate that is no longer refused. */
  certificate?: DeniedCertificate;
}

/** Request of ListDeniedCertificates. */
export interface ListDeniedCertificatesRequest {
  /** How many; 100 when 0, at most 1,000. */
  page_size: number;
  /** Token of a former reply. */
  page_token: string;
}

/** Reply of ListDeniedCertificates. */
export interface ListDeniedCertificatesResponse {
  /** The certificates, newest first. */
  certificates: DeniedCertificate[];
  /** Gives the next page; empty at the end. */
  next_page_token: string;
}
