// The errors of the API, and how they tell of a value.
import { advice } from "./protocol.js";

/** Every failure is one of these; an abort has the name AbortError. */
export class UndertoneError extends Error {
  constructor(code, message, what = advice[code] ?? advice.internal) {
    super(message);
    this.name = code === "aborted" ? "AbortError" : "UndertoneError";
    this.code = code;
    this.advice = what;
  }
}

export const aborted = () => new UndertoneError("aborted", "Stopped.");

/** What was thrown, as one of ours. */
export function failure(error) {
  return error instanceof UndertoneError ? error : new UndertoneError("internal", `Undertone met a bug: ${told(error)}`);
}

/** What an error says; anything can be thrown, even what throws when it is read. */
export function told(error) {
  try {
    return String(error?.message ?? error).slice(0, 200);
  } catch {
    return "something that cannot be read";
  }
}

/** A value as people read it in a sentence, never longer than a line. Never throws. */
export function show(value) {
  switch (typeof value) {
    case "string":
      return short(JSON.stringify(value.slice(0, 80)) + (value.length > 80 ? "…" : ""));
    case "object":
      return value === null ? "null" : isList(value) ? "a list" : "an object";
    case "function":
      return "a function";
    case "symbol":
      return "a symbol";
    case "bigint":
      return "a BigInt";
    default:
      return String(value);
  }
}

const short = (text) => (text.length > 83 ? `${text.slice(0, 79)}…` : text);

function isList(value) {
  try {
    return Array.isArray(value);
  } catch {
    return false; // a revoked proxy
  }
}
