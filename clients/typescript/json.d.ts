// How JSON has what it has no type for, and what may be left out of what is sent.

/** A moment, RFC 3339 in UTC: "2026-11-22T13:26:07.123456Z". */
export type Timestamp = string;
/** A stretch of time in seconds: "90s", "0.250s". */
export type Duration = string;
/** Paths of fields with commas between them: "title,severity". */
export type FieldMask = string;
/** Bytes as base64. */
export type Bytes = string;
/** A number beyond 2^53, as text. */
export type Int64 = string;
/** A number; JSON has no word for these three. */
export type Double = number | "NaN" | "Infinity" | "-Infinity";
/** Any JSON object. */
export type Struct = Record<string, unknown>;
/** A message that says of which type it is. */
export type Any = { "@type": string } & Record<string, unknown>;

/** What is sent: every field may be left out, and then has its default. What is printed has all of them. */
export type Input<T> = T extends readonly (infer One)[]
  ? Input<One>[]
  : T extends object
    ? { [Name in keyof T]?: Input<T[Name]> }
    : T;

/** google.rpc.Status, as every refusal has it. The first detail is an ErrorInfo with the reason. */
export interface Status {
  /** Number of the gRPC code. */
  code: number;
  /** The sentence for people. */
  message: string;
  details: Any[];
}

/** A line of a stream: a result, or the refusal that ended it. */
export type Line<T> = { result: T; error?: never } | { error: Status; result?: never };
