// Types of <undertone-demo> in JSX, for React 19:
//
//     import "undertone/react";

import type { DetailedHTMLProps, HTMLAttributes } from "react";
import type { UndertoneDemo, UndertoneDemoAttributes } from "./site/element.js";

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "undertone-demo": DetailedHTMLProps<HTMLAttributes<UndertoneDemo>, UndertoneDemo> & UndertoneDemoAttributes;
    }
  }
}
