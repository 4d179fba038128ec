// Written by `make gen` from proto/: edit that.

import type { Bytes, Timestamp } from "./json.js";

/** Whether a tenant is served. */
export type TenantState =
  /** Not said. */
  | "UNSPECIFIED"
  /** It is. */
  | "ACTIVE"
  /** Its callers are refused; what it has is kept. */
  | "SUSPENDED"
  /** What it had is being deleted. */
  | "ERASING"
  /** What it had is deleted; the audit keeps its records, and its name is not given again. */
  | "ERASED";

/** How much a tenant may send, all its callers together; where 0, what the configuration says. */
export interface TenantLimits {
  /** Events a second. */
  events_per_second: number;
  /**
   * Calls a minute, each event of a batch counted as one; of one API key or subject as much at most, unless its
   * tier says otherwise.
   */
  calls_per_minute: number;
  /** How many of those may come at once. */
  burst: number;
}

/** A tenant. */
export interface Tenant {
  /** Its id, as credentials name it. */
  id: string;
  /** Its name for people. */
  display_name: string;
  /** Whether it is served. */
  state: TenantState;
  /** How much it may send. */
  limits?: TenantLimits;
  /** When it was made. */
  create_time?: Timestamp;
  /** When it was last changed. */
  update_time?: Timestamp;
  /** Changes with each change; give it to UpdateTenant to change only what you saw. */
  etag: string;
}

/** Request of CreateTenant. */
export interface CreateTenantRequest {
  /** Its id. Lower-case letters, digits and dashes. Required. */
  tenant_id: string;
  /** Its name for people; its id when empty. */
  display_name: string;
  /** How much it may send. */
  limits?: TenantLimits;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
}

/** Reply of CreateTenant. */
export interface CreateTenantResponse {
  /** The tenant. */
  tenant?: Tenant;
}

/** Request of GetTenant. */
export interface GetTenantRequest {
  /** Its id. Required. */
  tenant_id: string;
}

/** Reply of GetTenant. */
export interface GetTenantResponse {
  /** The tenant. */
  tenant?: Tenant;
}

/** Request of ListTenants. */
export interface ListTenantsRequest {
  /** How many; 100 when 0, at most 1,000. */
  page_size: number;
  /** Token of a former reply. */
  page_token: string;
}

/** Reply of ListTenants. */
export interface ListTenantsResponse {
  /** The tenants by id. */
  tenants: Tenant[];
  /** Gives the next page; empty at the end. */
  next_page_token: string;
}

/** Request of UpdateTenant. What is absent or empty stays as it is. */
export interface UpdateTenantRequest {
  /** Its id. Required. */
  tenant_id: string;
  /** Its name for people. */
  display_name: string;
  /** ACTIVE or SUSPENDED. */
  state: TenantState;
  /** How much it may send. */
  limits?: TenantLimits;
  /** Change it only if it still is this one. */
  etag: string;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
}

/** Reply of UpdateTenant. */
export interface UpdateTenantResponse {
  /** The tenant. */
  tenant?: Tenant;
}

/** Request of ExportTenant. */
export interface ExportTenantRequest {
  /** Its id. Required. */
  tenant_id: string;
}

/**
 * A piece of an export: JSON lines, a row each, with the table as `table`. The last line counts the rows of every
 * table.
 */
export interface ExportTenantResponse {
  /** Whole lines. */
  chunk: Bytes;
}

/** Request of EraseTenant. */
export interface EraseTenantRequest {
  /** Its id. Required. */
  tenant_id: string;
  /** The id once more, so that nobody erases by mistake. Required. */
  confirm: string;
  /** Why, for the audit. */
  reason: string;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
}

/** Reply of EraseTenant. */
export interface EraseTenantResponse {
  /** The tenant, ERASING or ERASED. */
  tenant?: Tenant;
}
