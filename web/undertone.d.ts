// The types of undertone.js: pictures from words, in the browser.

/** A folder's model.json, loaded on a device of this machine. */
export declare class Undertone {
  private constructor();

  /**
   * Loads a model in a dedicated worker: opens the device, downloads the files
   * that model.json lists, compares every 4 MiB with its SHA-256, and puts them
   * on the device. Nothing is fetched before this is called.
   *
   * @param address of model.json; a relative one resolves against the document.
   */
  static load(address: string | URL, options?: LoadOptions): Promise<Undertone>;

  /**
   * Makes one picture. One is made at a time: another call before it is finished
   * rejects with the code "busy". When the GPU was lost since the last picture,
   * the device is opened again and filled from memory first.
   */
  generate(request: Request): Promise<Result>;

  /** What was loaded, and on which device. */
  readonly info: Info;

  /** Frees the device and all memory; a running load or generate rejects with the code "closed". */
  close(): void;
}

/** Every failure rejects with one of these. */
export declare class UndertoneError extends Error {
  /** "AbortError" after an abort, else "UndertoneError". */
  name: string;
  /** What happened, for programs: "webgpu-missing", "weights-hash", "seed-range", … (engine/fault/codes.go has the list). */
  code: string;
  /** What a person can do about it, in a sentence. The message names the value and the limit. */
  advice: string;
}

export interface LoadOptions {
  onProgress?: (progress: Progress) => void;
  /** Stops the download within 200 ms; load then rejects with the name AbortError. */
  signal?: AbortSignal;
  /** "auto" (the default) is WebGPU, or fails with the reason. The CPU, which is far slower, is only ever chosen by name. */
  device?: "auto" | "webgpu" | "cpu";
  /**
   * Whether the weights may be kept on this machine beyond the tab. Today they are
   * held in the tab's memory in either case, and the browser's HTTP cache keeps
   * files whose names contain their hash; true asks for no more than that yet.
   */
  store?: boolean;
}

export interface Progress {
  /** "device": asking for the GPU. "download": done and total are bytes of all files. "prepare": the weights go to the device. */
  stage: "device" | "download" | "prepare";
  /** The file or part that is at work. */
  file?: string;
  done: number;
  total: number;
  /** Number of the attempt, when the line broke or the server was busy. */
  retry?: number;
}

/** Everything is optional; what is left out comes from the model's defaults. */
export interface Request {
  /** At most 4096 bytes. Left out or empty: unconditional. */
  prompt?: string;
  /** A whole number from 0 to 4294967295. The same seed and settings give the same bytes on one device. */
  seed?: number;
  /** From 1 to info.maxSteps. */
  steps?: number;
  /** Side of the picture in pixels, one of info.sizes. */
  size?: number;
  /** Classifier-free guidance scale, 0 to 30; 1 is off. Not modulation guidance. */
  cfg?: number;
  /** Directions of modulation guidance, at most eight; they add up. */
  guidance?: Direction[];
  /** Called after every step. Without it, quick steps are not waited for one by one, which saves time. */
  onStep?: (step: Step) => void;
  /** Stops the picture; generate rejects with the name AbortError within half a second. */
  signal?: AbortSignal;
}

/** Shifts the modulation of the blocks from the meaning of negative to that of positive. */
export interface Direction {
  positive?: string;
  negative?: string;
  /** From −20 to 20; 0 changes not a bit. How much is useful depends on the model; its presets tell. */
  weight: number;
  /** Weight at the output head; 0 by default. */
  head?: number;
  /** How the weight is spread over the blocks; constant by default. */
  schedule?: Schedule;
}

/** Block numbers count all blocks in the order they run, from 0. With `of`, they are rescaled from a model of that many blocks. */
export type Schedule = { of?: number } & (
  | { kind: "constant" }
  /** The weight from block start on, 0 before it. */
  | { kind: "step"; start: number }
  /** The weight from block start to block end, both included. */
  | { kind: "window"; start: number; end: number }
  /** The weight times a sum of bumps exp(−|l − centre| / width). */
  | { kind: "bumps"; centers: number[]; width: number }
  /** Weights of their own on [from, to). */
  | { kind: "intervals"; intervals: { from: number; to: number; weight: number }[] }
  /** One weight per block. */
  | { kind: "table"; table: number[] }
);

export interface Step {
  /** From 1. */
  step: number;
  steps: number;
  /** A small picture of how far it is, a pixel for every cell of the latent. */
  preview?: ImageData;
}

export interface Result {
  image: ImageData;
  seed: number;
  /** Wall-clock milliseconds of the parts. */
  timings: Timings;
  /** Everything that makes the same picture again. */
  parameters: Record<string, unknown>;
  /** Kernel launches per step. */
  dispatches: number;
  /** What a person should know, in sentences: unknown words, a shortened prompt. */
  notices?: string[];
  /** For every direction: lengths of the prompt's vector and of the direction, their angle, and each block's weight. */
  geometry?: { normY: number; normDelta: number; angleDegrees: number; weights: number[] }[];
  /** The picture as a file, with its parameters in a text chunk (iTXt, keyword "undertone", JSON). Only "image/png" can be made. */
  blob(type?: "image/png"): Promise<Blob>;
}

export interface Timings {
  textMs: number;
  guidanceMs: number;
  prepareMs: number;
  modulationMs: number;
  /** Each step; one number, modulation included, where quick steps were not waited for one by one. */
  stepsMs: number[];
  encodeMsPerStep: number;
  decodeMs: number;
  totalMs: number;
}

export interface Info {
  model: string;
  title: string;
  family: string;
  revision: string;
  licenses: { weights: string; data: string };
  parameters: { dit: number; text: number; vae: number };
  /** Of the transformer's weights, for example "Q8_0". */
  precision: string;
  /** Of all files. */
  bytes: number;
  backend: "webgpu" | "cpu";
  /** The vendor's words for the GPU. */
  adapter: string;
  /** The adapter computes on the CPU. */
  software: boolean;
  features: string[] | null;
  /** The chosen kernel variants: pictures are identical, byte for byte, under one plan. */
  plan: string;
  blocks: { double: number; single: number };
  sizes: number[];
  /** The default. */
  steps: number;
  maxSteps: number;
  defaults: { steps: number; size: number; shift: number; cfg: number; seed: number; prompt: string };
  presets: { id: string; title: string; positive: string; negative: string; weight: number; head: number; schedule: Schedule }[];
  understands: Record<"objects" | "colours" | "counts" | "places" | "styles" | "quality" | "relations", string[]>;
  examples: string[];
}
