// Written by `make gen` from proto/: edit that.

import type { Timestamp } from "./json.js";
import type { Permission } from "./options.js";

/**
 * Narrows permissions to incidents and events of certain services or teams. Both lists given: both must hold.
 * Whatever else there is does not exist for whoever is narrowed; permissions that are about a whole tenant are
 * not given then.
 */
export interface ResourceCondition {
  /** Only of these services, as `service` names it; all when empty. */
  services: string[];
  /** Only of these teams, as the label `team` names it; all when empty. */
  teams: string[];
}

/** A named set of permissions. */
export interface Role {
  /** Its name, such as "responder". */
  name: string;
  /** What it is for. */
  description: string;
  /** What it allows. */
  permissions: Permission[];
  /** It comes with the product and cannot be changed. */
  built_in: boolean;
  /** When it was last changed; absent for built-in ones. */
  update_time?: Timestamp;
  /** Changes with each change; give it to UpdateRole to change only what you saw. */
  etag: string;
}

/** Request of ListRoles. */
export interface ListRolesRequest {
}

/** Reply of ListRoles. */
export interface ListRolesResponse {
  /** Built-in ones first, then by name. */
  roles: Role[];
}

/** Request of GetRole. */
export interface GetRoleRequest {
  /** Its name. Required. */
  name: string;
}

/** Reply of GetRole. */
export interface GetRoleResponse {
  /** The role. */
  role?: Role;
}

/** Request of CreateRole. */
export interface CreateRoleRequest {
  /** Its name. Lower-case letters, digits and dashes. Required. */
  name: string;
  /** What it is for. */
  description: string;
  /** What it allows; only permissions that the caller holds. Required. */
  permissions: Permission[];
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
}

/** Reply of CreateRole. */
export interface CreateRoleResponse {
  /** The role. */
  role?: Role;
}

/** Request of UpdateRole. It takes effect for all who have the role within five seconds. */
export interface UpdateRoleRequest {
  /** Its name. Required. */
  name: string;
  /** What it is for. */
  description: string;
  /** What it allows from now on; only permissions that the caller holds. Required. */
  permissions: Permission[];
  /** Change it only if it still is this one. */
  etag: string;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
}

/** Reply of UpdateRole. */
export interface UpdateRoleResponse {
  /** The role. */
  role?: Role;
}

/** Request of DeleteRole. A role that an API key has is IN_USE. */
export interface DeleteRoleRequest {
  /** Its name. Required. */
  name: string;
  /** Makes the call safe to repeat for 24 hours: same id and body, same answer. */
  request_id: string;
}

/** Reply of DeleteRole. */
export interface DeleteRoleResponse {
  /** The role as it was. */
  role?: Role;
}
