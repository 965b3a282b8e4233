// Types of <undertone-demo> and <undertone-value> in JSX, for React 19:
//
//     import "undertone/react";

import type { DetailedHTMLProps, HTMLAttributes } from "react";
import type { UndertoneDemo, UndertoneDemoAttributes } from "./site/element.js";
import type { UndertoneValue, UndertoneValueAttributes } from "./site/value.js";

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "undertone-demo": DetailedHTMLProps<HTMLAttributes<UndertoneDemo>, UndertoneDemo> & UndertoneDemoAttributes;
      "undertone-value": DetailedHTMLProps<HTMLAttributes<UndertoneValue>, UndertoneValue> & UndertoneValueAttributes;
    }
  }
}
