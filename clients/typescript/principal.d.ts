// Written by `make gen` from proto/: edit that.

import type { Timestamp } from "./json.js";
import type { Permission } from "./options.js";
import type { ResourceCondition } from "./role.js";

/** A caller and how it proved who it is. */
export interface Principal {
  /** Its tenant. */
  tenant: string;
  /** Its name, as incidents, timelines and the audit show it. */
  subject: string;
  /** Its roles. */
  roles: string[];
  /** What they allow. */
  permissions: Permission[];
  /** What narrows that; absent when nothing does. */
  condition?: ResourceCondition;
  /** "mtls", "api_key", "jwt" or "anonymous". */
  proven_by: string;
  /**
   * Which one: the id of the API key, the fingerprint of the certificate, the issuer and id of the token. No
   * secret.
   */
  credential: string;
  /** When the credential expires; absent when it does not. */
  expire_time?: Timestamp;
}

/** Request of WhoAmI. */
export interface WhoAmIRequest {
}

/** Reply of WhoAmI. */
export interface WhoAmIResponse {
  /** The caller. */
  principal?: Principal;
}
