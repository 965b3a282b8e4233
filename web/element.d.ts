// The types of element.js: <undertone-demo>, a live picture in any page.

/** What an attribute takes; as a property, each is the attribute's text, or null. */
export interface UndertoneDemoAttributes {
  /** Address of the folder that the site is in; a relative one resolves against the document. Beside element.js by default. */
  src?: string;
  /** What the picture shows; also its caption. The model's own example by default. */
  prompt?: string;
  /** 0 to 4294967295. */
  seed?: number | string;
  steps?: number | string;
  /** One of the model's: "512", or "512x384". */
  size?: number | string;
  cfg?: number | string;
  /** Directions: "towards | away from", or the API's list as JSON. */
  guidance?: string;
  guidancerows?: "both" | "cond" | "signed";
  /** Ids of the model's presets, with spaces between them. Each is a direction, before those of guidance. */
  preset?: string;
  /** Weights of the directions in their order, with spaces between them. */
  weight?: number | string;
  /** Of all directions: "constant", "step:FIRST", "window:FIRST-LAST" or "bumps", each with "/OF" for block numbers of a model with OF blocks; or JSON. */
  schedule?: string;
  /** What is taken from what the model reads of the prompt: "pooled:zero", "pooled:random", "tokens:empty", or two of them. */
  ablate?: string;
  /** Shows the picture without guidance beside it, with a divider. */
  compare?: boolean | "";
  /** Which controls there are: "guidance", "another", "compare" and "open", with spaces between them, or "none". All by default. */
  controls?: string;
  /** The name of one of the site's models, its folder's. The first by default. */
  model?: string;
  /** Bits that the model spends on a weight, where the site has several: "8" or "4". */
  precision?: number | string;
  /** By default the page's own scheme. */
  theme?: "light" | "dark" | "auto";
  lang?: string;
  /** Address of a picture that is shown until the button is pressed, and printed. */
  poster?: string;
  /** "click", the default, opens the demo when its button is pressed; "visible", when it comes into view. Neither downloads a model. */
  autoload?: "click" | "visible";
}

/** Why something was refused; also the detail of undertone-error, which is no Error. */
export interface DemoFault {
  /** "needs-consent", "no-picture", "busy", "src-invalid", "protocol-mismatch", or a code of the API. */
  code: string;
  message: string;
  advice: string;
}

/** What a picture is made of, as the API's generate takes it. */
export interface DemoSettings {
  prompt: string;
  seed: number;
  steps: number;
  size: number | [number, number];
  cfg: number;
  guidance: { positive: string; negative: string; weight: number; head: number; schedule: Record<string, unknown> }[];
  guidanceRows?: "both" | "cond" | "signed";
  ablate?: { pooled: string; prompt: string; tokens: string };
}

/** A value that was not taken as it was given: brought into its range (used), or left out (""). */
export interface DemoNotice {
  field: string;
  given: string;
  used: string;
}

export interface DemoReady {
  model: string;
  title: string;
  /** Of the model's files. */
  bytes: number;
  /** The files are on this device already. */
  stored: boolean;
  webgpu: boolean;
  presets: { id: string; title: string; low: number; high: number }[];
}

export interface DemoProgress {
  /** "queue": before frames of this site have their turn first. */
  stage: "queue" | "device" | "download" | "prepare";
  /** Bytes. */
  done: number;
  total: number;
  before: number;
}

export interface DemoImage {
  width: number;
  height: number;
  milliseconds: number;
  settings: DemoSettings;
}

/** What the frame is set to: what of the attributes was not taken as given, and whether the
 * reader has changed it in the frame. */
export type DemoTold = DemoSettings & { notices: DemoNotice[]; reader: boolean };

/** The events of the element; all bubble. */
export interface UndertoneDemoEventMap {
  "undertone-ready": CustomEvent<DemoReady>;
  "undertone-progress": CustomEvent<DemoProgress>;
  "undertone-step": CustomEvent<{ step: number; steps: number }>;
  "undertone-image": CustomEvent<DemoImage>;
  "undertone-error": CustomEvent<DemoFault>;
  "undertone-settings": CustomEvent<DemoTold>;
}

/**
 * <undertone-demo>. Its shadow parts are figure, poster, image, text, caption, button, note
 * and frame; an element with slot="poster" stands in the place of the poster, one with slot="label" in
 * that of the button's words.
 */
export declare class UndertoneDemo extends HTMLElement {
  src: string | null;
  prompt: string | null;
  seed: string | null;
  steps: string | null;
  size: string | null;
  cfg: string | null;
  guidance: string | null;
  guidancerows: string | null;
  preset: string | null;
  weight: string | null;
  schedule: string | null;
  ablate: string | null;
  compare: boolean;
  controls: string | null;
  model: string | null;
  precision: string | null;
  theme: string | null;
  poster: string | null;
  autoload: string | null;

  /** Opens the frame, as a press of the button does; resolves when it knows its model. It downloads none. */
  load(): Promise<DemoReady>;

  /**
   * Makes the picture of the settings. Before somebody has pressed Start in the frame, it
   * rejects with the code "needs-consent" and moves no byte, unless the model is on this
   * device already. Rejects with the name AbortError where it is stopped.
   */
  generate(): Promise<DemoImage>;

  /** Stops what is running. */
  stop(): void;

  /** The PNG file of the picture, with its parameters. */
  toBlob(): Promise<Blob>;

  /** What the frame is set to; undefined before it is open. */
  settings(): DemoTold | Record<string, string> | undefined;

  addEventListener<K extends keyof UndertoneDemoEventMap>(type: K, listener: (this: UndertoneDemo, event: UndertoneDemoEventMap[K]) => unknown, options?: boolean | AddEventListenerOptions): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | AddEventListenerOptions): void;
}

declare global {
  interface HTMLElementTagNameMap {
    "undertone-demo": UndertoneDemo;
  }
}
