// Written by `make gen` from proto/: edit that.

/** A permission a principal must hold to call a method. Roles are sets of permissions. */
export type Permission =
  /** No permission declared. A method without one fails the build. */
  | "UNSPECIFIED"
  /** Report events: held by producers. */
  | "EVENT_WRITE"
  /** Read events and how they were judged. */
  | "EVENT_READ"
  /** Read incidents and their timelines. */
  | "INCIDENT_READ"
  /** Open incidents and change them: held by responders. */
  | "INCIDENT_WRITE"
  /** See who one is oneself: held by everybody who is let in. */
  | "SELF_READ"
  /** See what keepers of the system look after, for instance dead letters. */
  | "ADMIN_READ"
  /** Act on it: held by administrators. */
  | "ADMIN_WRITE"
  /**
   * Read and prove the audit trail of the own tenant, and hold it against compliance frameworks: held by
   * auditors.
   */
  | "AUDIT_READ"
  /** See API keys and roles of the own tenant. */
  | "ACCESS_READ"
  /** Make, change and revoke them. */
  | "ACCESS_WRITE"
  /** See the tenants and what is refused for all of them: held by operators of the whole installation. */
  | "TENANT_READ"
  /** Make, limit, suspend, export and erase tenants, and refuse certificates. */
  | "TENANT_WRITE"
  /** Hold the session of an Edge-Agent: held by Edge-Agents. */
  | "AGENT_CONNECT"
  /** See Edge-Agents and directives. */
  | "AGENT_READ"
  /** Make, approve and cancel directives: held by responders. */
  | "DIRECTIVE_WRITE"
  /** Have Edge-Agents run models. */
  | "INFERENCE_RUN";
