// Written by `make gen` from proto/: edit that.

/** How bad it is. P0 is the most severe. */
export type Severity =
  /** Not judged. Refused on input where a severity is required. */
  | "UNSPECIFIED"
  /** System down, data breach, security incident. Also: critical, SEV0. */
  | "P0"
  /** Degraded, partial outage. Also: high, major, error, SEV1. */
  | "P1"
  /** An isolated problem. Also: medium, warning, SEV2. */
  | "P2"
  /** A minor problem. Also: low, minor, SEV3. */
  | "P3"
  /** For information. Also: info, none, maintenance, SEV4. */
  | "P4";

/** What sort of thing is wrong. Kinds (for instance `prompt_injection.direct`) refine it. */
export type IncidentType =
  /** Not given: derived from the kind, otherwise UNKNOWN. */
  | "UNSPECIFIED"
  /** Machines, networks, accelerators. */
  | "INFRASTRUCTURE"
  /** The application and its agents. */
  | "APPLICATION"
  /** Attacks and leaks. */
  | "SECURITY"
  /** Data, drift, evaluation quality. */
  | "DATA"
  /** Latency, throughput, cost. */
  | "PERFORMANCE"
  /** Something does not answer. */
  | "AVAILABILITY"
  /** A control or a law. */
  | "COMPLIANCE"
  /** Nobody could tell. */
  | "UNKNOWN";
