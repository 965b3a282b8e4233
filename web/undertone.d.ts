// The types of undertone.js: pictures from words, in the browser.

/**
 * A folder's model.json, loaded on a device of this machine. Every failure is an
 * UndertoneError, wrong arguments included (most with the code "request-invalid"); where
 * a promise is documented, it rejects and nothing throws.
 */
export declare class Undertone {
  private constructor();

  /**
   * Loads a model in a dedicated worker: opens the device, downloads the files
   * that model.json lists, compares every 4 MiB with its SHA-256, and puts them
   * on the device. Nothing is fetched before this is called.
   *
   * Published files without a model.json (FLUX.1, Stable Diffusion 3 and 3.5 as safetensors,
   * GGUF or diffusers folders) are read from where they lie: a File piece by piece as the
   * device takes it, an address with Range requests. With store: true they are kept on this
   * machine, and load(info.address) does without them from then on. What files are is found
   * out by the tensors in them: describe says it without loading.
   */
  static load(source: Source, options?: LoadOptions): Promise<Undertone>;

  /**
   * Says what a model offers and takes, without loading it: fetches its model.json, and the
   * engine, in a worker that ends when the answer is there. It rejects with what load would
   * say of the model.json. Sites that `undertone dist` builds hold the same as JSON in a
   * file description.json beside each model.json, which takes no engine to read.
   *
   * Of published files only the headers are read. Files that make no whole model are no
   * failure: found.missing lists what else is needed, and where people usually have it.
   * Files that fit nothing, or do not belong together, reject.
   */
  static describe(source: string | URL, options?: DescribeOptions): Promise<Description & { found?: Found }>;
  static describe(source: PublishedFiles, options?: DescribeOptions): Promise<Partial<Description> & { found: Found }>;

  /**
   * Makes one picture. One is made at a time: another call before it is finished
   * rejects with the code "busy". When the GPU was lost since the last picture,
   * the device is opened again and filled first, with the weights that are kept. If the
   * engine's worker dies, it rejects with the code "worker-failed"; the model has to be
   * loaded again then.
   */
  generate(request: Request): Promise<Result>;

  /**
   * Says what a picture shows, by the model's judge (info.judge): for each attribute that it
   * judges well enough, the probability of each of its values. The first call fetches the
   * judge, whose pieces are verified and kept as the model's are. One call at a time, as of
   * generate; the code is "request-invalid" where the model has no judge.
   */
  judge(image: ImageData, options?: { onProgress?: (progress: Progress) => void; signal?: AbortSignal }): Promise<Judgement>;

  /**
   * Makes the latent of a picture that has one of info.sizes, by the encoder for reference
   * pictures: token by token from the top left, the channels of a token one after the other.
   * How far two latents are apart tells how unlike two pictures are to the model. The first
   * call fetches the encoder. One call at a time, as of generate; the code is
   * "request-invalid" where the model has none, which info.edits tells.
   */
  encode(image: ImageData, options?: { onProgress?: (progress: Progress) => void; signal?: AbortSignal }): Promise<Float32Array>;

  /** What was loaded, and on which device. */
  readonly info: Info;

  /**
   * The model.json that was made of published files, to be shown or written down: its parts
   * have no hashes. undefined where the model has one of its own.
   */
  readonly manifest?: Record<string, unknown>;

  /**
   * What is kept on this machine by load with store: true, and how much room there is.
   * Never rejects: where the browser offers no storage, available is false.
   */
  static storage(): Promise<Storage>;

  /**
   * Deletes what is kept of the model at this address, one of a model.json or one that
   * storage lists (pieces that another model shares
   * stay), or, left out, of all models. A download that is running goes on, in memory only.
   * Nothing that is not Undertone's is touched. What is gone already, or is being deleted
   * by another tab, is no failure.
   */
  static remove(address?: string | URL): Promise<void>;

  /** Asks the browser not to delete what is kept when the disk runs low. Some browsers ask the person. */
  static persist(): Promise<boolean>;

  /**
   * Writes published files as a bundle into a folder: model.json with hashes, a GGUF file for
   * each network with every tensor's bytes as they are (8-bit floats as F16), and the words.
   * It is what load takes by the address of its model.json, on any site. The folder comes from
   * showDirectoryPicker({ mode: "readwrite" }), or is one of the origin's private file system;
   * files of the same names are replaced. Nothing is in memory as a whole. A model that has a
   * model.json of its own rejects with "request-invalid", another call meanwhile with "busy";
   * what the folder refuses rejects with "storage-refused" or "storage-full".
   */
  save(folder: FileSystemDirectoryHandle, options?: { onProgress?: (progress: Progress) => void; signal?: AbortSignal }): Promise<Saved>;

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

/**
 * Where a model comes from: the address of its model.json, of at most 8192 characters (a
 * relative one resolves against the document); the address of a published file, which ends
 * in .safetensors, .sft or .gguf; an address "stored:…" of published files that are kept; or
 * published files.
 */
export type Source = string | URL | PublishedFiles;

/**
 * At most 4096 files of one model, in any order and mixture: what an <input> gives, those
 * of a folder with their webkitRelativePath; a path and a File (or an address), as for a
 * folder that was dropped; and addresses. Names of weight files say nothing, but those of
 * config.json and tokenizers do, as do the folders that they are in. Files of a folder that
 * are no weights and describe none are left out; a file that was chosen by itself must be one.
 */
export interface PublishedFiles {
  files: FileList | readonly PublishedFile[];
}

export type PublishedFile = File | string | URL | { path: string; file: Blob | string | URL };

export interface DescribeOptions {
  signal?: AbortSignal;
  /** As of load. found then says what the adapter is. */
  adapter?: PublishedFile;
}

export interface LoadOptions {
  /**
   * The file of a pooled adapter, for a model that reads no pooled vector by itself: its address, or a File. It is read where
   * it lies, and not kept with the model; info.found says what it is. One for another model or width, and one for a model that
   * has a path or an adapter already, rejects with "parts-mixed", which names both numbers.
   */
  adapter?: PublishedFile;
  onProgress?: (progress: Progress) => void;
  /** Stops the download within 200 ms; load then rejects with the name AbortError. */
  signal?: AbortSignal;
  /**
   * "auto" (the default) is WebGPU, or fails with the reason. Where the browser has WebGPU in software alone, it is the
   * faster of that and the CPU, by a short measurement: see info.choice. A GPU is not measured, nor is what is named.
   */
  device?: "auto" | "webgpu" | "cpu";
  /**
   * true keeps the weights on this machine, in the origin's private file system, in
   * verified pieces of 4 MiB, and uses those that are kept: a download goes on where it
   * stopped, even in another visit, and the next one needs no network. They are read from
   * there when the device needs them, and take none of the tab's memory. Where the browser
   * refuses, the model is loaded into memory; info.storage says so. false by default.
   * Published files are kept likewise, under info.address: without this they are only read,
   * and read again where a lost GPU is filled again.
   */
  store?: boolean;
  /**
   * Which kernels are the fastest depends on the GPU. Once a picture is made, and while none is being made, they are measured,
   * for at most two seconds in all; what was found is kept on this machine, with the option store, and used whenever the model
   * is loaded again in the same version of the browser. A loaded model keeps its kernels, and with them its plan. true measures
   * in software, too, where compiling alone takes seconds; false neither measures nor uses what is known. See info.tuning.
   */
  tune?: boolean;
  /** Called when a measurement begins, is interrupted by a picture, and ends, with what is then in info.tuning. */
  onTuning?: (tuning: Tuning) => void;
}

/** What is known of the fastest kernels. */
export interface Tuning {
  /** "none": nothing, and nothing is measured. "due": measuring begins once a picture is made. */
  state: "none" | "due" | "running" | "done";
  /** The plan is made of what was found before. */
  used: boolean;
  /** Shapes of operations that more than one kernel takes; not all of them may have been measured. */
  shapes: number;
  /** The time it took so far. */
  ms: number;
  /** What was measured: the milliseconds of one run by kernel, and which is taken, "usual" unless another is clearly faster. */
  trials: { shape: string; taken: string; ms: { [kernel: string]: number } }[];
}

export interface Storage {
  available: boolean;
  /** Bytes of weights that are kept. */
  used: number;
  /** The browser's estimates for the whole origin, in bytes. */
  usage: number;
  quota: number;
  /** The browser has promised not to delete anything by itself. */
  persisted: boolean;
  /** stored of bytes are there; less after an interrupted download. The address of published files is "stored:NAME". */
  models: { address: string; name: string; title: string; revision: string; bytes: number; stored: number }[];
}

export interface Saved {
  /** The names of what was written, model.json last. */
  files: string[];
  /** Of all of them. */
  bytes: number;
}

export interface Progress {
  /** "device": asking for the GPU. "download": done and total are bytes of all files. "prepare": the weights go to the device. "save": of save, bytes written. */
  stage: "device" | "download" | "prepare" | "save";
  /** The file or part that is at work. */
  file?: string;
  done: number;
  total: number;
  /** Of done, what was on this machine already. */
  stored?: number;
  /** Number of the attempt, when the line broke or the server was busy. */
  retry?: number;
  /** Why nothing arrives: there is no network, or another tab downloads the same file. */
  wait?: "offline" | "tab";
}

/** Of a picture in pixels: the side of a square, or width and height. */
export type Size = number | [width: number, height: number];

/** Everything is optional; what is left out comes from the model's defaults. */
export interface Request {
  /** At most 4096 bytes. Left out or empty: unconditional. */
  prompt?: string;
  /** A whole number from 0 to 4294967295. The same seed and settings give the same bytes on one device. */
  seed?: number;
  /** From 1 to info.maxSteps. */
  steps?: number;
  /** One of info.sizes. */
  size?: Size;
  /** Classifier-free guidance scale, 0 to 30; 1 is off. Not modulation guidance. */
  cfg?: number;
  /** Directions of modulation guidance, at most eight; they add up. */
  guidance?: Direction[];
  /**
   * What the unconditional pass of classifier-free guidance gets of them: the same as the other pass ("both"),
   * nothing ("cond"), or their opposite ("signed"). By default "both", of a Cosmos "cond", of a HiDream "signed". Without a
   * second pass it means nothing.
   */
  guidanceRows?: "both" | "cond" | "signed";
  /**
   * A picture to edit, for a model that edits (info.edits): prompt is the instruction then, and an empty one gives the
   * picture back without a run. It may have any size up to 4096 pixels a side: nothing is distorted, the largest middle
   * part of the result's shape is taken (result.notices says what was cut) and scaled, and what is transparent becomes
   * white. A File or Blob is a picture that the browser can show; of the result of an earlier generate, its image is
   * taken. Where the model cannot edit, generate rejects with "reference-refused".
   */
  reference?: Result | ImageData | { width: number; height: number; data: Uint8Array | Uint8ClampedArray } | Blob | ImageBitmap;
  /** With reference, called while the model's encoder is fetched, before the first edit. */
  onProgress?: (progress: Progress) => void;
  /** Takes something of the prompt away, to see what it is good for. Left out: nothing, and the picture is the same to the last bit. */
  ablate?: Ablation;
  /** Called after every step. Without it, quick steps are not waited for one by one, which saves time. */
  onStep?: (step: Step) => void;
  /** Stops the picture; generate rejects with the name AbortError within half a second, whatever has come by then. */
  signal?: AbortSignal;
  /**
   * Looks on: result.probe. The picture stays the same to the last bit, and takes about
   * twice as long. word is the number of one token, in probe.tokens, whose attention is
   * wanted; left out: all of them.
   */
  probe?: { word?: number };
}

/** What the model reads in place of the prompt's own; the unconditional pass of cfg and the directions stay as they are, but for "off" and "guided". */
export interface Ablation {
  /**
   * In place of the pooled vector: zeros; normal numbers of the picture's seed, as long together as the vector; or the
   * pooled vector of the prompt below. "off" leaves the pooled path out, directions included: of a model with an adapter,
   * the model without. "guided" leaves it out of the blocks in which no direction has a weight, where there are directions.
   */
  pooled?: "zero" | "random" | "prompt" | "off" | "guided";
  /** With pooled: "prompt". */
  prompt?: string;
  /** In place of the tokens: those of the empty prompt. */
  tokens?: "empty";
}

/** Shifts the modulation of the blocks from the meaning of negative to that of positive. */
export interface Direction {
  positive?: string;
  negative?: string;
  /** From −20 to 20; 0 changes not a bit. How much is useful depends on the model; its presets tell. */
  weight: number;
  /** Weight at the output head. By default 0, and of a model whose directions steer it (info.steersHead) the weight of the blocks. */
  head?: number;
  /** true puts a random direction of the same length in its place, which the seed decides: something to compare with. */
  random?: boolean;
  /** How the weight is spread over the blocks; constant by default. */
  schedule?: Schedule;
}

/**
 * Block numbers count all blocks in the order they run, from 0. With `of`, they are
 * rescaled from a model of that many blocks. A list has at most 1000 entries.
 */
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
  /**
   * Everything that makes the same picture again; of a reference its width, its height and the SHA-256 of its pixels
   * (8-bit RGBA, row by row) in hexadecimal digits, never the picture.
   */
  parameters: Record<string, unknown>;
  /** Kernel launches per step. */
  dispatches: number;
  /** What a person should know, in sentences: unknown words, a shortened prompt. */
  notices?: string[];
  /** For every direction: lengths of the prompt's vector and of the direction, their angle, and each block's weight. */
  geometry?: { normY: number; normDelta: number; angleDegrees: number; weights: number[] }[];
  /** 1 when the GPU was lost before or in this picture and opened again. onStep then began anew. */
  recovered?: number;
  /** What was seen on the way, when request.probe asked for it. */
  probe?: Probe;
  /** The picture as a file, with its parameters in a text chunk (iTXt, keyword "undertone", JSON), made of image's own bytes. Only "image/png" can be made. */
  blob(type?: "image/png"): Promise<Blob>;
}

/** What a probe saw. With cfg ≠ 1 it is of the branch that has the prompt. */
export interface Probe {
  /** What the text encoder read, without the padding after it. */
  tokens: { id: number; text: string; kind: "start" | "word" | "unknown" | "end" }[];
  padding: number;
  /** Time before each step, and after the last: 1 is noise, 0 the picture. */
  times: number[];
  /** Length of y(p, t), the vector that all blocks would see without guidance, at every step. */
  normY: number[];
  /**
   * In the order the blocks run, the output head last. norm: length of ŷ, what the block sees;
   * angleDegrees: between y and ŷ; both at every step. normShift: length of Σ w·δ.
   */
  blocks: { kind: "double" | "single" | "head"; norm: number[]; angleDegrees: number[]; normShift: number }[];
  /**
   * Lengths of the vectors of modulation at every step, in the order of the blocks. part is
   * "image attention", "image MLP", "text attention" or "text MLP" of a double block, "block"
   * of a single one, or "head", which has no gate and blocks.length − 1 as its block.
   */
  modulation: { block: number; part: string; shift: number[]; scale: number[]; gate?: number[] }[];
  /**
   * [steps][blocks][words][rows · cols]: of the attention that a cell of the picture has for all
   * tokens of text and picture, which sums to 1, the share that it gives to the token; mean of
   * the heads.
   */
  attention: Float32Array;
  /** The tokens that attention is of. */
  words: number[];
  rows: number;
  cols: number;
  /** steps + 1 small pictures: the noise, then what each step has left, drawn by the preview's linear map. */
  latents: ImageData[];
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
  /** Looking on; it is in totalMs and in no other part. */
  probeMs?: number;
  totalMs: number;
}

/** What a model.json offers and takes. */
export interface Description {
  model: string;
  title: string;
  family: string;
  revision: string;
  licenses: { weights: string; data: string };
  parameters: { dit: number; text: number; vae: number };
  /** Of all files but the encoder's: what has to be downloaded. */
  bytes: number;
  /** Bytes of each file, by its role. */
  files: Record<"dit" | "text" | "vae" | "tokenizer", number> & { encoder?: number };
  /** That the transformer spends on a weight, without the scales of quantized blocks. */
  bits: number;
  blocks: { double: number; single: number };
  /** Of the pictures that the model makes. */
  sizes: Size[];
  /** The default. */
  steps: number;
  maxSteps: number;
  /** edit_steps: steps of an edit, where they are others. */
  defaults: { steps: number; edit_steps?: number; size: Size; cfg: number; seed: number; prompt: string };
  presets: { id: string; title: string; positive: string; negative: string; weight: number; head: number; range?: [number, number]; schedule: Schedule }[];
  /** Whether directions that do not say steer the output head as strongly as the blocks: where the model's presets steer it (HiDream). */
  steersHead: boolean;
  understands: Record<"objects" | "colours" | "counts" | "places" | "styles" | "quality" | "relations", string[]> & {
    /** Everyday words that the model does not know, by the nearest that it does. */
    near?: Record<string, string[]>;
    /** Objects that keep their own colours, whatever the prompt says. */
    uncoloured?: string[];
    /** The instruction that leaves a reference as it is: where an edit's own is empty, directions act on this one. */
    keep?: string;
  };
  examples: string[];
  /** Floating-point operations of the first picture, with one direction of guidance. */
  flops: number;
  /** Bytes that this picture takes at its peak, weights included. */
  memory: number;
  /**
   * What Request.reference takes; absent for models that make pictures from words alone: bytes to download before the
   * first edit, and flops and memory of an edit with the settings of the first picture.
   */
  edits?: { bytes: number; flops: number; memory: number };
  /** What Undertone.judge can say of the model's pictures; absent where it has no judge. */
  judge?: {
    /** Of its file, which is fetched when it is first asked. */
    bytes: number;
    /** Of the square pictures that it sees, in pixels. */
    size: number;
    /** On how many its accuracy was measured. */
    pictures: number;
    /** accuracy: how often it was right, 0 to 1. Below 0.95 an attribute is unjudged, and absent in a Judgement. */
    attributes: { name: string; values: string[]; accuracy: number }[];
  };
}

/** By the name of an attribute, the probability of each of its values, in their order. */
export type Judgement = Record<string, number[]>;

/** What published files are, together. Sizes are in bytes. */
export interface Found {
  /** For people, as "Stable Diffusion 3.5 medium". Absent without a transformer, as family is. */
  variant?: string;
  family?: string;
  /** Text encoders in the family's order, the transformer, the decoder. */
  parts: {
    role: "text" | "transformer" | "decoder";
    /** Of a text encoder: "clip_l", "clip_g" or "t5". */
    name?: string;
    kind: string;
    /** For people, as "CLIP". */
    title: string;
    files: string[];
    /** Of its largest tensor, as the file calls it. */
    type: string;
    /** Of its tensors in the files. */
    diskBytes: number;
    /** Of its weights on the device; known where no network is missing, as peakBytes is. */
    deviceBytes?: number;
    /** Most of its weights that one program reads, and what that program computes with. */
    peakBytes?: number;
    /** Of its largest weight; the engine cuts it where a device's bindings are smaller. */
    largestBytes: number;
  }[];
  /** What else is there of such a model: what, what the file is usually called, and where people have it. Without what is required, load rejects. */
  missing: { role: "text" | "transformer" | "decoder" | "tokenizer"; name?: string; what: string; file: string; where: string; required: boolean }[];
  /** Files that nothing reads, the first hundred of a folder. */
  unused: { file: string; why: string }[];
  /** The files of each text encoder's tokenizer, by the encoder's name. */
  tokenizers: Record<string, string[]>;
  /** Of the first picture at its peak, where the GPU holds the weights of what is computing alone: less than memory, and slower. */
  leastBytes?: number;
  /** Whether the limits of this machine's GPU have room for the tensors of the first picture; absent without a GPU or a whole model. How much memory it has, browsers do not tell. */
  fits?: {
    /** What the GPU allows a buffer, and a binding. */
    buffer: number;
    binding: number;
    /** Of the picture's largest tensor. */
    largest: number;
    ok: boolean;
    /** The largest of the model's sizes that fits, where the first picture does not. */
    size?: Size;
    why?: string;
  };
}

/** A loaded model, and the device that it is on. */
export interface Info extends Description {
  /** Of published files: what they are, as of an adapter, and, with store, the address under which they are kept. */
  found?: Found;
  address?: string;
  /** Of the transformer's weights, for example "Q8_0". */
  precision: string;
  backend: "webgpu" | "cpu";
  /**
   * Where "auto" compared the CPU with WebGPU in software: which it took, in a sentence, and
   * the milliseconds that the same small piece of arithmetic took on either. A model that
   * takes more than 1 GiB is not compared and stays on WebGPU.
   */
  choice?: { reason: string; webgpuMs: number; cpuMs: number };
  /** Of WebGPU, unless the option tune is false. */
  tuning?: Tuning;
  /** The vendor's words for the GPU. */
  adapter: string;
  /** The adapter computes on the CPU. */
  software: boolean;
  features: string[] | null;
  /** The chosen kernel variants: pictures are identical, byte for byte, under one plan. */
  plan: string;
  /** Every word the tokenizer knows; others stand for nothing in a prompt. */
  words: string[];
  /**
   * With the option store: bytes that are kept now, bytes that were there before, and
   * why not all is kept ("storage-full", "storage-refused"), or why an older version was
   * taken.
   */
  storage?: { stored: number; reused: number; fault?: { code: string; message: string; advice: string } };
}
