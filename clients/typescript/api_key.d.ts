// Written by `make gen` from proto/: edit that.

import type { Duration, Timestamp } from "./json.js";
import type { ResourceCondition } from "./role.js";

/** An API key without its secret. */
export interface ApiKey {
  /** Its id, which is part of the key itself and of no secrecy. */
  id: string;
  /** What it is for, in people's words. */
  display_name: string;
  /** Who calls with it, as incidents, timelines and the audit name the caller. */
  subject: string;
  /** Its roles, built in or custom. */
  roles: string[];
  /** Narrows what the roles allow; absent when nothing does. */
  condition?: ResourceCondition;
  /** When it was made. */
  create_time?: Timestamp;
  /** Who made it. */
  create_actor: string;
  /** From when on it is refused; absent when it does not expire. */
  expire_time?: Timestamp;
  /** When it was last used, to the minute; absent when never. */
  last_used_time?: Timestamp;
  /** When it was revoked; absent while it holds. */
  revoke_time?: Timestamp;
  /** Why it was revoked. */
  revoke_reason: string;
  /** When its secret was last replaced. */
  rotate_time?: Timestamp;
  /** Until when the secret before the last rotation still works; absent when it does not. */
  former_expire_time?: Timestamp;
  /** The limits it goes by; empty for the tenant's. */
  tier: string;
}

/** Request of CreateApiKey. */
export interface CreateApiKeyRequest {
  /** What it is for, in people's words. Required. */
  display_name: string;
  /** Who calls with it; `key:` and its id when empty. */
  subject: string;
  /** Its roles; nobody can give a role with a permission that they lack. Required. */
  roles: string[];
  /** Narrows what the roles allow. */
  condition?: ResourceCondition;
  /** From when on it is refused; it does not expire when absent. */
  expire_time?: Timestamp;
  /** The limits it goes by; empty for the tenant's. Naming one needs the permission TENANT_WRITE. */
  tier: string;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
  /** Its tenant; the caller's when empty. Another one needs the permission TENANT_WRITE. */
  tenant_id: string;
}

/** Reply of CreateApiKey. */
export interface CreateApiKeyResponse {
  /** The key as it is kept. */
  api_key?: ApiKey;
  /**
   * The whole key, to be sent as X-API-Key. It is shown here and never again; a repeat of the request does not
   * show it.
   */
  secret: string;
}

/** Request of GetApiKey. */
export interface GetApiKeyRequest {
  /** Its id. Required. */
  api_key_id: string;
}

/** Reply of GetApiKey. */
export interface GetApiKeyResponse {
  /** The key. */
  api_key?: ApiKey;
}

/** Request of ListApiKeys. */
export interface ListApiKeysRequest {
  /** How many; 100 when 0, at most 1,000. */
  page_size: number;
  /** Token of a former reply. */
  page_token: string;
  /** Show revoked and expired ones as well. */
  show_revoked: boolean;
}

/** Reply of ListApiKeys. */
export interface ListApiKeysResponse {
  /** The keys, newest first. */
  api_keys: ApiKey[];
  /** Gives the next page; empty at the end. */
  next_page_token: string;
}

/** Request of RotateApiKey. */
export interface RotateApiKeyRequest {
  /** Its id. Required. */
  api_key_id: string;
  /** How long the secret of before still works; not at all when absent, at most 30 days. */
  overlap?: Duration;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
}

/** Reply of RotateApiKey. */
export interface RotateApiKeyResponse {
  /** The key as it is kept. */
  api_key?: ApiKey;
  /** The whole key with its new secret, shown once. */
  secret: string;
}

/** Request of RevokeApiKey. */
export interface RevokeApiKeyRequest {
  /** Its id. Required. */
  api_key_id: string;
  /** Why, for the audit. */
  reason: string;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
}

/** Reply of RevokeApiKey. */
export interface RevokeApiKeyResponse {
  /** The revoked key. */
  api_key?: ApiKey;
}
