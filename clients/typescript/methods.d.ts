// Written by `make gen` from proto/: edit that.

import type { Input, Line } from "./json.js";
import type { AcknowledgeRequest, AcknowledgeResponse, AddNoteRequest, AddNoteResponse, AssignRequest, AssignResponse, CloseRequest, CloseResponse, DeEscalateRequest, DeEscalateResponse, EscalateRequest, EscalateResponse, ListTimelineRequest, ListTimelineResponse, MergeRequest, MergeResponse, ReopenRequest, ReopenResponse, ResolveRequest, ResolveResponse, SnoozeRequest, SnoozeResponse, SplitRequest, SplitResponse, StartWorkRequest, StartWorkResponse } from "./incident_verbs.js";
import type { AddAttachmentRequest, AddAttachmentResponse, ListAttachmentsRequest, ListAttachmentsResponse, ListNotesRequest, ListNotesResponse, RemoveAttachmentRequest, RemoveAttachmentResponse } from "./incident_attachments.js";
import type { AllowCertificateRequest, AllowCertificateResponse, DenyCertificateRequest, DenyCertificateResponse, ListDeniedCertificatesRequest, ListDeniedCertificatesResponse } from "./denied_certificate.js";
import type { AnalyzeCorrelationsRequest, CorrelationResult, CreateIncidentRequest, CreateIncidentResponse, GetIncidentRequest, ListIncidentsRequest, ListIncidentsResponse, StreamIncidentsRequest, UpdateIncidentRequest, WatchIncidentsRequest } from "./incident_service.js";
import type { ApplyToIncidentsRequest, ApplyToIncidentsResponse } from "./incident_apply.js";
import type { ApproveDirectiveRequest, ApproveDirectiveResponse, CancelDirectiveRequest, CancelDirectiveResponse, CreateDirectiveRequest, CreateDirectiveResponse, GetDirectiveRequest, GetDirectiveResponse, GetEdgeAgentRequest, GetEdgeAgentResponse, ListDirectivesRequest, ListDirectivesResponse, ListEdgeAgentsRequest, ListEdgeAgentsResponse, SubmitBatchRequest, SubmitBatchResponse } from "./edge_agent_service.js";
import type { CheckComplianceRequest, CheckComplianceResponse, GenerateReportRequest, GenerateReportResponse, GetEvidenceRequest, GetEvidenceResponse, GetGovernanceMetricsRequest, GetGovernanceMetricsResponse, ListFrameworksRequest, ListFrameworksResponse } from "./governance_service.js";
import type { CreateApiKeyRequest, CreateApiKeyResponse, GetApiKeyRequest, GetApiKeyResponse, ListApiKeysRequest, ListApiKeysResponse, RevokeApiKeyRequest, RevokeApiKeyResponse, RotateApiKeyRequest, RotateApiKeyResponse } from "./api_key.js";
import type { CreateRoleRequest, CreateRoleResponse, DeleteRoleRequest, DeleteRoleResponse, GetRoleRequest, GetRoleResponse, ListRolesRequest, ListRolesResponse, UpdateRoleRequest, UpdateRoleResponse } from "./role.js";
import type { CreateTenantRequest, CreateTenantResponse, EraseTenantRequest, EraseTenantResponse, ExportTenantRequest, ExportTenantResponse, GetTenantRequest, GetTenantResponse, ListTenantsRequest, ListTenantsResponse, UpdateTenantRequest, UpdateTenantResponse } from "./tenant.js";
import type { DropDeadLettersRequest, DropDeadLettersResponse, GetBusStatusRequest, GetBusStatusResponse, GetDeadLetterRequest, GetDeadLetterResponse, ListDeadLettersRequest, ListDeadLettersResponse, ReplayDeadLettersRequest, ReplayDeadLettersResponse } from "./admin_service.js";
import type { ExplainEventRequest, ExplainEventResponse, GetEventRequest, GetEventResponse, SubmitEventRequest, SubmitEventResponse, SubmitEventsRequest, SubmitEventsResponse } from "./ingest_service.js";
import type { ExportAuditRequest, ExportAuditResponse, ListAuditCheckpointsRequest, ListAuditCheckpointsResponse, ListAuditRecordsRequest, ListAuditRecordsResponse, VerifyAuditRequest, VerifyAuditResponse } from "./audit_service.js";
import type { GetIncidentMetricsRequest, GetIncidentMetricsResponse, GetIncidentTrendsRequest, GetIncidentTrendsResponse, GetSlaAttainmentRequest, GetSlaAttainmentResponse } from "./analytics_service.js";
import type { Incident, IncidentChange } from "./incident.js";
import type { LinkIncidentsRequest, LinkIncidentsResponse, ListRelatedIncidentsRequest, ListRelatedIncidentsResponse, UnlinkIncidentsRequest, UnlinkIncidentsResponse, UnmergeRequest, UnmergeResponse } from "./incident_relations.js";
import type { ListIncidentAnalysesRequest, ListIncidentAnalysesResponse, RequestAnalysisRequest, RequestAnalysisResponse } from "./incident_analyses.js";
import type { SubmitAlertRequest, SubmitAlertResponse } from "./alert.js";
import type { WhoAmIRequest, WhoAmIResponse } from "./principal.js";

/** Every method by its name: `Methods["IngestService.SubmitEvent"]["response"]`. */
export interface Methods {
  /** Takes one event. */
  "IngestService.SubmitEvent": {
    verb: "POST";
    path: "/api/v1/events";
    /** What the braces in the path stand for. */
    parameters: Record<string, never>;
    query: Input<Pick<SubmitEventRequest, "request_id">>;
    body: Input<SubmitEventRequest["event"]>;
    response: SubmitEventResponse;
  };
  /** Takes one alert: an event in the words of monitoring systems. */
  "IngestService.SubmitAlert": {
    verb: "POST";
    path: "/api/v1/alerts";
    /** What the braces in the path stand for. */
    parameters: Record<string, never>;
    query: Input<Pick<SubmitAlertRequest, "request_id">>;
    body: Input<SubmitAlertRequest["alert"]>;
    response: SubmitAlertResponse;
  };
  /** Takes up to 1,000 events. Each has its own result; a bad one does not spoil the others. */
  "IngestService.SubmitEvents": {
    verb: "POST";
    path: "/api/v1/events/batch";
    /** What the braces in the path stand for. */
    parameters: Record<string, never>;
    query: Record<string, never>;
    body: Input<SubmitEventsRequest>;
    response: SubmitEventsResponse;
  };
  /** Returns a stored event, be it submitted as event or alert. */
  "IngestService.GetEvent": {
    verb: "GET";
    path: "/api/v1/events/{event_id}";
    /** What the braces in the path stand for. */
    parameters: { "event_id": string };
    query: Record<string, never>;
    body: undefined;
    response: GetEventResponse["event"];
  };
  /** Tells an event's way: fingerprint, severity, disposition, incident and why. */
  "IngestService.ExplainEvent": {
    verb: "GET";
    path: "/api/v1/events/{event_id}/explain";
    /** What the braces in the path stand for. */
    parameters: { "event_id": string };
    query: Record<string, never>;
    body: undefined;
    response: ExplainEventResponse;
  };
  /** Opens an incident by hand. While an open incident has the same fingerprint, FINGERPRINT_TAKEN names it. */
  "IncidentService.CreateIncident": {
    verb: "POST";
    path: "/api/v1/incidents";
    /** What the braces in the path stand for. */
    parameters: Record<string, never>;
    query: Record<string, never>;
    body: Input<CreateIncidentRequest>;
    response: CreateIncidentResponse;
  };
  /** Returns an incident. */
  "IncidentService.GetIncident": {
    verb: "GET";
    path: "/api/v1/incidents/{incident_id}";
    /** What the braces in the path stand for. */
    parameters: { "incident_id": string };
    query: Record<string, never>;
    body: undefined;
    response: Incident;
  };
  /** Edits fields of an incident; state and severity history follow their own rules. */
  "IncidentService.UpdateIncident": {
    verb: "PATCH";
    path: "/api/v1/incidents/{incident.id}";
    /** What the braces in the path stand for. */
    parameters: { "incident.id": string };
    query: Input<Pick<UpdateIncidentRequest, "request_id" | "update_mask" | "actor">>;
    body: Input<UpdateIncidentRequest["incident"]>;
    response: Incident;
  };
  /** Lists incidents, newest first unless ordered otherwise. */
  "IncidentService.ListIncidents": {
    verb: "GET";
    path: "/api/v1/incidents";
    /** What the braces in the path stand for. */
    parameters: Record<string, never>;
    query: Input<ListIncidentsRequest>;
    body: undefined;
    response: ListIncidentsResponse;
  };
  /** Streams incidents: first those that match and are open, then each one again as it changes. */
  "IncidentService.StreamIncidents": {
    verb: "GET";
    path: "/api/v1/incidents/stream";
    /** What the braces in the path stand for. */
    parameters: Record<string, never>;
    query: Input<StreamIncidentsRequest>;
    body: undefined;
    /** One of these a line; with server-sent events the result alone. */
    response: Line<Incident>;
  };
  /** Streams the changes of incidents in commit order, resumable without gap or repeat. */
  "IncidentService.WatchIncidents": {
    verb: "GET";
    path: "/api/v1/incidents/watch";
    /** What the braces in the path stand for. */
    parameters: Record<string, never>;
    query: Input<WatchIncidentsRequest>;
    body: undefined;
    /** One of these a line; with server-sent events the result alone. */
    response: Line<IncidentChange>;
  };
  /** Tells which incidents belong together. Not available in this release. */
  "IncidentService.AnalyzeCorrelations": {
    verb: "GET";
    path: "/api/v1/incidents/{incident_id}/correlations";
    /** What the braces in the path stand for. */
    parameters: { "incident_id": string };
    query: Record<string, never>;
    body: undefined;
    response: CorrelationResult;
  };
  /** Takes a NEW incident. */
  "IncidentService.Acknowledge": {
    verb: "POST";
    path: "/api/v1/incidents/{incident_id}/acknowledge";
    /** What the braces in the path stand for. */
    parameters: { "incident_id": string };
    query: Record<string, never>;
    body: Input<Pick<AcknowledgeRequest, "request_id" | "etag" | "actor">>;
    response: AcknowledgeResponse["incident"];
  };
  /** Moves an incident to IN_PROGRESS. */
  "IncidentService.StartWork": {
    verb: "POST";
    path: "/api/v1/incidents/{incident_id}/start";
    /** What the braces in the path stand for. */
    parameters: { "incident_id": string };
    query: Record<string, never>;
    body: Input<Pick<StartWorkRequest, "request_id" | "etag" | "actor">>;
    response: StartWorkResponse["incident"];
  };
  /** Involves a higher tier. */
  "IncidentService.Escalate": {
    verb: "POST";
    path: "/api/v1/incidents/{incident_id}/escalate";
    /** What the braces in the path stand for. */
    parameters: { "incident_id": string };
    query: Record<string, never>;
    body: Input<Pick<EscalateRequest, "request_id" | "etag" | "actor" | "reason">>;
    response: EscalateResponse["incident"];
  };
  /** Gives an ESCALATED incident back to its responders: IN_PROGRESS. */
  "IncidentService.DeEscalate": {
    verb: "POST";
    path: "/api/v1/incidents/{incident_id}/de-escalate";
    /** What the braces in the path stand for. */
    parameters: { "incident_id": string };
    query: Record<string, never>;
    body: Input<Pick<DeEscalateRequest, "request_id" | "etag" | "actor" | "reason">>;
    response: DeEscalateResponse["incident"];
  };
  /**
   * Ends an incident. From ACKNOWLEDGED and ESCALATED the implied step is written too; from NEW only with
   * `force`.
   */
  "IncidentService.Resolve": {
    verb: "POST";
    path: "/api/v1/incidents/{incident_id}/resolve";
    /** What the braces in the path stand for. */
    parameters: { "incident_id": string };
    query: Record<string, never>;
    body: Input<Pick<ResolveRequest, "request_id" | "etag" | "resolved_by" | "method" | "notes" | "root_cause" | "force">>;
    response: ResolveResponse["incident"];
  };
  /** Files a RESOLVED incident. */
  "IncidentService.Close": {
    verb: "POST";
    path: "/api/v1/incidents/{incident_id}/close";
    /** What the braces in the path stand for. */
    parameters: { "incident_id": string };
    query: Record<string, never>;
    body: Input<Pick<CloseRequest, "request_id" | "etag" | "actor">>;
    response: CloseResponse["incident"];
  };
  /** Brings a RESOLVED or CLOSED incident back to IN_PROGRESS. The resolution stays in its timeline. */
  "IncidentService.Reopen": {
    verb: "POST";
    path: "/api/v1/incidents/{incident_id}/reopen";
    /** What the braces in the path stand for. */
    parameters: { "incident_id": string };
    query: Record<string, never>;
    body: Input<Pick<ReopenRequest, "request_id" | "etag" | "actor" | "reason">>;
    response: ReopenResponse["incident"];
  };
  /** Replaces the people on an incident. */
  "IncidentService.Assign": {
    verb: "POST";
    path: "/api/v1/incidents/{incident_id}/assign";
    /** What the braces in the path stand for. */
    parameters: { "incident_id": string };
    query: Record<string, never>;
    body: Input<Pick<AssignRequest, "request_id" | "etag" | "actor" | "assignees">>;
    response: AssignResponse["incident"];
  };
  /**
   * Tells nobody of an open incident until a moment. Then people are told again, for the reason `snooze_ended`. A
   * higher severity, an escalation, the end of the incident or a merge into another one end it earlier. Snoozing
   * again replaces the moment.
   */
  "IncidentService.Snooze": {
    verb: "POST";
    path: "/api/v1/incidents/{incident_id}/snooze";
    /** What the braces in the path stand for. */
    parameters: { "incident_id": string };
    query: Record<string, never>;
    body: Input<Pick<SnoozeRequest, "request_id" | "etag" | "actor" | "until">>;
    response: SnoozeResponse["incident"];
  };
  /**
   * Merges other open incidents into this open one. They end CLOSED with `merged_into`; their fingerprints,
   * counters and later events are this one's from then on. Merging again what was merged changes nothing.
   */
  "IncidentService.Merge": {
    verb: "POST";
    path: "/api/v1/incidents/{incident_id}/merge";
    /** What the braces in the path stand for. */
    parameters: { "incident_id": string };
    query: Record<string, never>;
    body: Input<Pick<MergeRequest, "request_id" | "etag" | "actor" | "source_incident_ids">>;
    response: MergeResponse;
  };
  /**
   * Takes an incident out again that was merged into another one: it is back in the state it had, with its
   * fingerprints and the counters it brought. Events that came in meanwhile stay where they are; later ones are
   * its own again. Refused with FINGERPRINT_TAKEN when a newer incident holds one of its fingerprints, and with
   * MERGED while the other one is itself merged into a third: take that apart first.
   */
  "IncidentService.Unmerge": {
    verb: "POST";
    path: "/api/v1/incidents/{incident_id}/unmerge";
    /** What the braces in the path stand for. */
    parameters: { "incident_id": string };
    query: Record<string, never>;
    body: Input<Pick<UnmergeRequest, "request_id" | "etag" | "actor" | "reason">>;
    response: UnmergeResponse;
  };
  /**
   * Takes events out of an open incident into a new one. A fingerprint whose events all leave goes along, so that
   * later events with it are the new one's; otherwise the new one gets a fingerprint of its own and later events
   * stay here.
   */
  "IncidentService.Split": {
    verb: "POST";
    path: "/api/v1/incidents/{incident_id}/split";
    /** What the braces in the path stand for. */
    parameters: { "incident_id": string };
    query: Record<string, never>;
    body: Input<Pick<SplitRequest, "request_id" | "etag" | "actor" | "event_ids" | "title" | "reason">>;
    response: SplitResponse;
  };
  /** Adds a note, in any state. Notes are what other systems call comments. */
  "IncidentService.AddNote": {
    verb: "POST";
    path: "/api/v1/incidents/{incident_id}/notes";
    /** What the braces in the path stand for. */
    parameters: { "incident_id": string };
    query: Record<string, never>;
    body: Input<Pick<AddNoteRequest, "request_id" | "actor" | "text">>;
    response: AddNoteResponse["entry"];
  };
  /** Lists the notes of an incident, oldest first. */
  "IncidentService.ListNotes": {
    verb: "GET";
    path: "/api/v1/incidents/{incident_id}/notes";
    /** What the braces in the path stand for. */
    parameters: { "incident_id": string };
    query: Input<Pick<ListNotesRequest, "page_size" | "page_token">>;
    body: undefined;
    response: ListNotesResponse;
  };
  /** Lists what happened to an incident, oldest first. */
  "IncidentService.ListTimeline": {
    verb: "GET";
    path: "/api/v1/incidents/{incident_id}/timeline";
    /** What the braces in the path stand for. */
    parameters: { "incident_id": string };
    query: Input<Pick<ListTimelineRequest, "page_size" | "page_token">>;
    body: undefined;
    response: ListTimelineResponse;
  };
  /** Lists the incidents that one has to do with: merged, split, linked, the one before and those after it. */
  "IncidentService.ListRelatedIncidents": {
    verb: "GET";
    path: "/api/v1/incidents/{incident_id}/related";
    /** What the braces in the path stand for. */
    parameters: { "incident_id": string };
    query: Input<Pick<ListRelatedIncidentsRequest, "page_size" | "page_token">>;
    body: undefined;
    response: ListRelatedIncidentsResponse;
  };
  /** Links two incidents, in any state and for both. Linking them again changes nothing. */
  "IncidentService.LinkIncidents": {
    verb: "POST";
    path: "/api/v1/incidents/{incident_id}/links";
    /** What the braces in the path stand for. */
    parameters: { "incident_id": string };
    query: Record<string, never>;
    body: Input<Pick<LinkIncidentsRequest, "request_id" | "actor" | "linked_incident_id" | "reason">>;
    response: LinkIncidentsResponse["related"];
  };
  /** Takes a link between two incidents away, for both. */
  "IncidentService.UnlinkIncidents": {
    verb: "DELETE";
    path: "/api/v1/incidents/{incident_id}/links/{linked_incident_id}";
    /** What the braces in the path stand for. */
    parameters: { "incident_id": string; "linked_incident_id": string };
    query: Input<Pick<UnlinkIncidentsRequest, "request_id" | "actor">>;
    body: undefined;
    response: UnlinkIncidentsResponse["incident"];
  };
  /**
   * Attaches a link to material elsewhere, in any state. The server never fetches it. An incident takes 200 of
   * them.
   */
  "IncidentService.AddAttachment": {
    verb: "POST";
    path: "/api/v1/incidents/{incident_id}/attachments";
    /** What the braces in the path stand for. */
    parameters: { "incident_id": string };
    query: Record<string, never>;
    body: Input<Pick<AddAttachmentRequest, "request_id" | "actor" | "url" | "title" | "media_type">>;
    response: AddAttachmentResponse["attachment"];
  };
  /** Lists the attachments of an incident, oldest first. */
  "IncidentService.ListAttachments": {
    verb: "GET";
    path: "/api/v1/incidents/{incident_id}/attachments";
    /** What the braces in the path stand for. */
    parameters: { "incident_id": string };
    query: Input<Pick<ListAttachmentsRequest, "page_size" | "page_token">>;
    body: undefined;
    response: ListAttachmentsResponse;
  };
  /** Removes an attachment. The timeline keeps that it was there. */
  "IncidentService.RemoveAttachment": {
    verb: "DELETE";
    path: "/api/v1/incidents/{incident_id}/attachments/{attachment_id}";
    /** What the braces in the path stand for. */
    parameters: { "incident_id": string; "attachment_id": string };
    query: Input<Pick<RemoveAttachmentRequest, "request_id" | "actor">>;
    body: undefined;
    response: RemoveAttachmentResponse["attachment"];
  };
  /**
   * Asks the services beside the manager about an incident: an anomaly, a threat, a risk, a plan, a control. They
   * are asked after the answer, and again until they answer or it is given up; the incident's timeline tells how
   * it went.
   */
  "IncidentService.RequestAnalysis": {
    verb: "POST";
    path: "/api/v1/incidents/{incident_id}/analyses";
    /** What the braces in the path stand for. */
    parameters: { "incident_id": string };
    query: Record<string, never>;
    body: Input<Pick<RequestAnalysisRequest, "request_id" | "actor" | "questions">>;
    response: RequestAnalysisResponse;
  };
  /** Lists what the services beside the manager were asked about an incident and what they answered, oldest first. */
  "IncidentService.ListIncidentAnalyses": {
    verb: "GET";
    path: "/api/v1/incidents/{incident_id}/analyses";
    /** What the braces in the path stand for. */
    parameters: { "incident_id": string };
    query: Input<Pick<ListIncidentAnalysesRequest, "page_size" | "page_token">>;
    body: undefined;
    response: ListIncidentAnalysesResponse;
  };
  /**
   * Applies one verb to every incident that a filter matches, each by its own decision: one that is refused stops
   * no other. Works in small transactions, oldest incident first; a call that was cut off continues under its
   * request_id.
   */
  "IncidentService.ApplyToIncidents": {
    verb: "POST";
    path: "/api/v1/incidents/apply";
    /** What the braces in the path stand for. */
    parameters: Record<string, never>;
    query: Record<string, never>;
    body: Input<ApplyToIncidentsRequest>;
    response: ApplyToIncidentsResponse;
  };
  /**
   * How many incidents there were, and how long detecting, acknowledging and resolving them took. Incidents that
   * were merged into another one do not count.
   */
  "AnalyticsService.GetIncidentMetrics": {
    verb: "GET";
    path: "/api/v1/analytics/metrics";
    /** What the braces in the path stand for. */
    parameters: Record<string, never>;
    query: Input<GetIncidentMetricsRequest>;
    body: undefined;
    response: GetIncidentMetricsResponse;
  };
  /**
   * The same figures hour by hour, day by day, week by week or month by month. Incidents count where they were
   * created.
   */
  "AnalyticsService.GetIncidentTrends": {
    verb: "GET";
    path: "/api/v1/analytics/trends";
    /** What the braces in the path stand for. */
    parameters: Record<string, never>;
    query: Input<GetIncidentTrendsRequest>;
    body: undefined;
    response: GetIncidentTrendsResponse;
  };
  /**
   * How many incidents were acknowledged and resolved within the time agreed for their severity. Incidents that
   * were merged into another one do not count.
   */
  "AnalyticsService.GetSlaAttainment": {
    verb: "GET";
    path: "/api/v1/analytics/sla";
    /** What the braces in the path stand for. */
    parameters: Record<string, never>;
    query: Input<GetSlaAttainmentRequest>;
    body: undefined;
    response: GetSlaAttainmentResponse;
  };
  /** Lists records, newest first. */
  "AuditService.ListAuditRecords": {
    verb: "GET";
    path: "/api/v1/audit";
    /** What the braces in the path stand for. */
    parameters: Record<string, never>;
    query: Input<ListAuditRecordsRequest>;
    body: undefined;
    response: ListAuditRecordsResponse;
  };
  /** Lists signed checkpoints, newest first. */
  "AuditService.ListAuditCheckpoints": {
    verb: "GET";
    path: "/api/v1/audit/checkpoints";
    /** What the braces in the path stand for. */
    parameters: Record<string, never>;
    query: Input<ListAuditCheckpointsRequest>;
    body: undefined;
    response: ListAuditCheckpointsResponse;
  };
  /** Looks through all records: whether each follows from the one before it, and the checkpoints from them. */
  "AuditService.VerifyAudit": {
    verb: "GET";
    path: "/api/v1/audit/verify";
    /** What the braces in the path stand for. */
    parameters: Record<string, never>;
    query: Record<string, never>;
    body: undefined;
    response: VerifyAuditResponse;
  };
  /** Gives all records and checkpoints as JSON lines, which `audit verify` can prove without the server. */
  "AuditService.ExportAudit": {
    verb: "GET";
    path: "/api/v1/audit/export";
    /** What the braces in the path stand for. */
    parameters: Record<string, never>;
    query: Input<ExportAuditRequest>;
    body: undefined;
    /** One of these a line; with server-sent events the result alone. */
    response: Line<ExportAuditResponse>;
  };
  /** Lists the frameworks with their controls: what each one says, where that stands, and what evidence it takes. */
  "GovernanceService.ListFrameworks": {
    verb: "GET";
    path: "/api/v1/compliance/frameworks";
    /** What the braces in the path stand for. */
    parameters: Record<string, never>;
    query: Input<ListFrameworksRequest>;
    body: undefined;
    response: ListFrameworksResponse;
  };
  /** Holds the incidents of a period, and the system, against a framework. What has no evidence has failed. */
  "GovernanceService.CheckCompliance": {
    verb: "POST";
    path: "/api/v1/compliance/check";
    /** What the braces in the path stand for. */
    parameters: Record<string, never>;
    query: Record<string, never>;
    body: Input<CheckComplianceRequest>;
    response: CheckComplianceResponse["report"];
  };
  /** The same as a document. The same records give the same bytes. */
  "GovernanceService.GenerateReport": {
    verb: "POST";
    path: "/api/v1/compliance/reports/{framework}";
    /** What the braces in the path stand for. */
    parameters: { "framework": string };
    query: Record<string, never>;
    body: Input<Pick<GenerateReportRequest, "start" | "end" | "filter" | "format">>;
    response: GenerateReportResponse;
  };
  /** Shows a record that a line of a report names. */
  "GovernanceService.GetEvidence": {
    verb: "GET";
    path: "/api/v1/compliance/evidence/{evidence_id}";
    /** What the braces in the path stand for. */
    parameters: { "evidence_id": string };
    query: Record<string, never>;
    body: undefined;
    response: GetEvidenceResponse["evidence"];
  };
  /** How many lines of each framework passed and failed. */
  "GovernanceService.GetGovernanceMetrics": {
    verb: "GET";
    path: "/api/v1/governance/metrics";
    /** What the braces in the path stand for. */
    parameters: Record<string, never>;
    query: Input<GetGovernanceMetricsRequest>;
    body: undefined;
    response: GetGovernanceMetricsResponse;
  };
  /** Shows how much work of all tenants waits, since when, and how much was given up, topic by topic. */
  "AdminService.GetBusStatus": {
    verb: "GET";
    path: "/api/v1/bus";
    /** What the braces in the path stand for. */
    parameters: Record<string, never>;
    query: Record<string, never>;
    body: undefined;
    response: GetBusStatusResponse;
  };
  /** Lists dead letters, oldest first. */
  "AdminService.ListDeadLetters": {
    verb: "GET";
    path: "/api/v1/dead-letters";
    /** What the braces in the path stand for. */
    parameters: Record<string, never>;
    query: Input<ListDeadLettersRequest>;
    body: undefined;
    response: ListDeadLettersResponse;
  };
  /** Shows one dead letter. */
  "AdminService.GetDeadLetter": {
    verb: "GET";
    path: "/api/v1/dead-letters/{dead_letter_id}";
    /** What the braces in the path stand for. */
    parameters: { "dead_letter_id": string };
    query: Record<string, never>;
    body: undefined;
    response: GetDeadLetterResponse["dead_letter"];
  };
  /**
   * Puts dead letters back to work, with all their attempts before them and behind what waits in their lane. A
   * notification keeps its idempotency key: a receiver that had it after all recognises it.
   */
  "AdminService.ReplayDeadLetters": {
    verb: "POST";
    path: "/api/v1/dead-letters/replay";
    /** What the braces in the path stand for. */
    parameters: Record<string, never>;
    query: Record<string, never>;
    body: Input<ReplayDeadLettersRequest>;
    response: ReplayDeadLettersResponse;
  };
  /** Deletes dead letters: their work is not done any more. The audit keeps who did it and why. */
  "AdminService.DropDeadLetters": {
    verb: "POST";
    path: "/api/v1/dead-letters/drop";
    /** What the braces in the path stand for. */
    parameters: Record<string, never>;
    query: Record<string, never>;
    body: Input<DropDeadLettersRequest>;
    response: DropDeadLettersResponse;
  };
  /** Shows who calls, and how the server knows. */
  "AdminService.WhoAmI": {
    verb: "GET";
    path: "/api/v1/whoami";
    /** What the braces in the path stand for. */
    parameters: Record<string, never>;
    query: Record<string, never>;
    body: undefined;
    response: WhoAmIResponse["principal"];
  };
  /** Makes an API key, with no permission that the caller lacks. Its secret is in the reply and nowhere else. */
  "AdminService.CreateApiKey": {
    verb: "POST";
    path: "/api/v1/api-keys";
    /** What the braces in the path stand for. */
    parameters: Record<string, never>;
    query: Record<string, never>;
    body: Input<CreateApiKeyRequest>;
    response: CreateApiKeyResponse;
  };
  /** Shows one API key, without its secret. */
  "AdminService.GetApiKey": {
    verb: "GET";
    path: "/api/v1/api-keys/{api_key_id}";
    /** What the braces in the path stand for. */
    parameters: { "api_key_id": string };
    query: Record<string, never>;
    body: undefined;
    response: GetApiKeyResponse["api_key"];
  };
  /** Lists the API keys of the caller's tenant, newest first. */
  "AdminService.ListApiKeys": {
    verb: "GET";
    path: "/api/v1/api-keys";
    /** What the braces in the path stand for. */
    parameters: Record<string, never>;
    query: Input<ListApiKeysRequest>;
    body: undefined;
    response: ListApiKeysResponse;
  };
  /** Replaces the secret of an API key; the one before may go on working for a while. */
  "AdminService.RotateApiKey": {
    verb: "POST";
    path: "/api/v1/api-keys/{api_key_id}/rotate";
    /** What the braces in the path stand for. */
    parameters: { "api_key_id": string };
    query: Record<string, never>;
    body: Input<Pick<RotateApiKeyRequest, "overlap" | "request_id">>;
    response: RotateApiKeyResponse;
  };
  /** Revokes an API key for ever: every process refuses it within five seconds, and cuts its open streams. */
  "AdminService.RevokeApiKey": {
    verb: "POST";
    path: "/api/v1/api-keys/{api_key_id}/revoke";
    /** What the braces in the path stand for. */
    parameters: { "api_key_id": string };
    query: Record<string, never>;
    body: Input<Pick<RevokeApiKeyRequest, "reason" | "request_id">>;
    response: RevokeApiKeyResponse;
  };
  /** Lists the roles, built in and custom. */
  "AdminService.ListRoles": {
    verb: "GET";
    path: "/api/v1/roles";
    /** What the braces in the path stand for. */
    parameters: Record<string, never>;
    query: Record<string, never>;
    body: undefined;
    response: ListRolesResponse;
  };
  /** Shows one role. */
  "AdminService.GetRole": {
    verb: "GET";
    path: "/api/v1/roles/{name}";
    /** What the braces in the path stand for. */
    parameters: { "name": string };
    query: Record<string, never>;
    body: undefined;
    response: GetRoleResponse["role"];
  };
  /** Makes a custom role in the caller's tenant. */
  "AdminService.CreateRole": {
    verb: "POST";
    path: "/api/v1/roles";
    /** What the braces in the path stand for. */
    parameters: Record<string, never>;
    query: Record<string, never>;
    body: Input<CreateRoleRequest>;
    response: CreateRoleResponse["role"];
  };
  /** Changes a custom role. */
  "AdminService.UpdateRole": {
    verb: "PATCH";
    path: "/api/v1/roles/{name}";
    /** What the braces in the path stand for. */
    parameters: { "name": string };
    query: Record<string, never>;
    body: Input<Pick<UpdateRoleRequest, "description" | "permissions" | "etag" | "request_id">>;
    response: UpdateRoleResponse["role"];
  };
  /** Deletes a custom role that nobody has. */
  "AdminService.DeleteRole": {
    verb: "DELETE";
    path: "/api/v1/roles/{name}";
    /** What the braces in the path stand for. */
    parameters: { "name": string };
    query: Input<Pick<DeleteRoleRequest, "request_id">>;
    body: undefined;
    response: DeleteRoleResponse["role"];
  };
  /** Makes a tenant. */
  "AdminService.CreateTenant": {
    verb: "POST";
    path: "/api/v1/tenants";
    /** What the braces in the path stand for. */
    parameters: Record<string, never>;
    query: Record<string, never>;
    body: Input<CreateTenantRequest>;
    response: CreateTenantResponse["tenant"];
  };
  /** Shows one tenant. */
  "AdminService.GetTenant": {
    verb: "GET";
    path: "/api/v1/tenants/{tenant_id}";
    /** What the braces in the path stand for. */
    parameters: { "tenant_id": string };
    query: Record<string, never>;
    body: undefined;
    response: GetTenantResponse["tenant"];
  };
  /** Lists the tenants. */
  "AdminService.ListTenants": {
    verb: "GET";
    path: "/api/v1/tenants";
    /** What the braces in the path stand for. */
    parameters: Record<string, never>;
    query: Input<ListTenantsRequest>;
    body: undefined;
    response: ListTenantsResponse;
  };
  /** Renames, limits, suspends or resumes a tenant. */
  "AdminService.UpdateTenant": {
    verb: "PATCH";
    path: "/api/v1/tenants/{tenant_id}";
    /** What the braces in the path stand for. */
    parameters: { "tenant_id": string };
    query: Record<string, never>;
    body: Input<Pick<UpdateTenantRequest, "display_name" | "state" | "limits" | "etag" | "request_id">>;
    response: UpdateTenantResponse["tenant"];
  };
  /** Gives everything a tenant has, as JSON lines. */
  "AdminService.ExportTenant": {
    verb: "GET";
    path: "/api/v1/tenants/{tenant_id}/export";
    /** What the braces in the path stand for. */
    parameters: { "tenant_id": string };
    query: Record<string, never>;
    body: undefined;
    /** One of these a line; with server-sent events the result alone. */
    response: Line<ExportTenantResponse>;
  };
  /** Deletes everything a tenant has but its audit, for ever. */
  "AdminService.EraseTenant": {
    verb: "POST";
    path: "/api/v1/tenants/{tenant_id}/erase";
    /** What the braces in the path stand for. */
    parameters: { "tenant_id": string };
    query: Record<string, never>;
    body: Input<Pick<EraseTenantRequest, "confirm" | "reason" | "request_id">>;
    response: EraseTenantResponse["tenant"];
  };
  /** Refuses a client certificate from now on. */
  "AdminService.DenyCertificate": {
    verb: "POST";
    path: "/api/v1/denied-certificates";
    /** What the braces in the path stand for. */
    parameters: Record<string, never>;
    query: Record<string, never>;
    body: Input<DenyCertificateRequest>;
    response: DenyCertificateResponse["certificate"];
  };
  /** Ends the refusal of a client certificate. */
  "AdminService.AllowCertificate": {
    verb: "DELETE";
    path: "/api/v1/denied-certificates/{fingerprint}";
    /** What the braces in the path stand for. */
    parameters: { "fingerprint": string };
    query: Input<Pick<AllowCertificateRequest, "request_id">>;
    body: undefined;
    response: AllowCertificateResponse["certificate"];
  };
  /** Lists the refused client certificates, newest first. */
  "AdminService.ListDeniedCertificates": {
    verb: "GET";
    path: "/api/v1/denied-certificates";
    /** What the braces in the path stand for. */
    parameters: Record<string, never>;
    query: Input<ListDeniedCertificatesRequest>;
    body: undefined;
    response: ListDeniedCertificatesResponse;
  };
  /** Has agents run models, and answers when all requests have a result or are queued. */
  "EdgeAgentService.SubmitBatch": {
    verb: "POST";
    path: "/api/v1/inference/batch";
    /** What the braces in the path stand for. */
    parameters: Record<string, never>;
    query: Record<string, never>;
    body: Input<SubmitBatchRequest>;
    response: SubmitBatchResponse;
  };
  /** Lists agents by id. */
  "EdgeAgentService.ListEdgeAgents": {
    verb: "GET";
    path: "/api/v1/edge-agents";
    /** What the braces in the path stand for. */
    parameters: Record<string, never>;
    query: Input<ListEdgeAgentsRequest>;
    body: undefined;
    response: ListEdgeAgentsResponse;
  };
  /** Returns an agent. */
  "EdgeAgentService.GetEdgeAgent": {
    verb: "GET";
    path: "/api/v1/edge-agents/{agent_id}";
    /** What the braces in the path stand for. */
    parameters: { "agent_id": string };
    query: Record<string, never>;
    body: undefined;
    response: GetEdgeAgentResponse["agent"];
  };
  /** Makes a directive. It is not sent before it was approved. The agents it goes to are those that match now. */
  "EdgeAgentService.CreateDirective": {
    verb: "POST";
    path: "/api/v1/directives";
    /** What the braces in the path stand for. */
    parameters: Record<string, never>;
    query: Record<string, never>;
    body: Input<CreateDirectiveRequest>;
    response: CreateDirectiveResponse["directive"];
  };
  /** Approves a directive: it is sent. One of wide scope is approved by somebody else than who made it. */
  "EdgeAgentService.ApproveDirective": {
    verb: "POST";
    path: "/api/v1/directives/{directive_id}/approve";
    /** What the braces in the path stand for. */
    parameters: { "directive_id": string };
    query: Record<string, never>;
    body: Input<Pick<ApproveDirectiveRequest, "reason" | "request_id">>;
    response: ApproveDirectiveResponse["directive"];
  };
  /** Takes a directive back. Agents it was not sent to never see it; the others are told to revert it. */
  "EdgeAgentService.CancelDirective": {
    verb: "POST";
    path: "/api/v1/directives/{directive_id}/cancel";
    /** What the braces in the path stand for. */
    parameters: { "directive_id": string };
    query: Record<string, never>;
    body: Input<Pick<CancelDirectiveRequest, "reason" | "request_id">>;
    response: CancelDirectiveResponse["directive"];
  };
  /** Returns a directive. */
  "EdgeAgentService.GetDirective": {
    verb: "GET";
    path: "/api/v1/directives/{directive_id}";
    /** What the braces in the path stand for. */
    parameters: { "directive_id": string };
    query: Record<string, never>;
    body: undefined;
    response: GetDirectiveResponse["directive"];
  };
  /** Lists directives, newest first. */
  "EdgeAgentService.ListDirectives": {
    verb: "GET";
    path: "/api/v1/directives";
    /** What the braces in the path stand for. */
    parameters: Record<string, never>;
    query: Input<ListDirectivesRequest>;
    body: undefined;
    response: ListDirectivesResponse;
  };
}
