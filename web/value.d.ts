// The types of value.js: <undertone-value>, a number or a word in a sentence that sets an
// attribute of another element.

export interface UndertoneValueAttributes {
  /** Id of the element that it changes. */
  for?: string;
  /** The attribute that it sets: "weight" by default. */
  sets?: string;
  /** What that is set to: {} stands for this value, {id} for that of another <undertone-value>. "{}" by default. */
  as?: string;
  /** What it is, for screen readers. */
  label?: string;
  min?: number | string;
  max?: number | string;
  /** 1 by default. */
  step?: number | string;
  /** In the place of a number, words to choose among, each with what it sets: "zeros=pooled:zero|its own=". */
  options?: string;
}

/** <undertone-value>. Its event change tells of every change, and bubbles. */
export declare class UndertoneValue extends HTMLElement {
  /** What is chosen. A number is brought into its range. Writing it changes the other element, and opens it where that is a demo. */
  value: string;
}

declare global {
  interface HTMLElementTagNameMap {
    "undertone-value": UndertoneValue;
  }
}
