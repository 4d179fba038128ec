// Written by `make gen` from proto/: edit that.

export type * from "./admin_service.js";
export type * from "./alert.js";
export type * from "./analysis.js";
export type * from "./analytics_service.js";
export type * from "./api_key.js";
export type * from "./audit_record.js";
export type * from "./audit_service.js";
export type * from "./compliance.js";
export type * from "./denied_certificate.js";
export type * from "./event.js";
export type * from "./governance_service.js";
export type * from "./incident.js";
export type * from "./incident_analyses.js";
export type * from "./incident_apply.js";
export type * from "./incident_attachments.js";
export type * from "./incident_relations.js";
export type * from "./incident_service.js";
export type * from "./incident_verbs.js";
export type * from "./ingest_service.js";
export type * from "./json.js";
export type * from "./methods.js";
export type * from "./options.js";
export type * from "./principal.js";
export type * from "./role.js";
export type * from "./severity.js";
export type * from "./tenant.js";
