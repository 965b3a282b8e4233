// Starts the page. Everything it does goes through the public API, which fetches the
// engine when a model is loaded.
import * as offline from "./offline.js";
import * as png from "./png.js";
import { run } from "./program.js";
import { picture } from "./reference.js";
import { turn } from "./turn.js";
import { Undertone } from "./undertone.js";

/**
 * The API as the page uses it. A source of files has the address of a model beside it: an adapter that is alone is put
 * beside that, and described as what it makes of it; of all else the address is taken away.
 */
class Page extends Undertone {
  static async describe(source, options) {
    const described = await super.describe(source, options);
    const { beside, files } = source, parts = described.found?.parts;
    if (!files) return described;
    source.beside = parts.length === 1 && parts[0].role === "adapter" ? beside : "";
    if (!source.beside) return described;
    const { found, ...made } = await super.describe(beside, { ...options, adapter: files[0] });
    const [name] = found.parts[0].files;
    return { ...made, model: name, bytes: found.parts[0].diskBytes, found: { ...found, variant: `${made.title} + ${name}` } };
  }

  static load(source, options) {
    const { beside, files } = source;
    return beside ? super.load(beside, { ...options, adapter: files[0], store: true }) : super.load(source, options);
  }
}

const parts = {
  Undertone: Page, offline, png, picture, turn,
  comparison: () => import("./comparison.js"),
  element: () => import("./element.js"),
  film: () => import("./film.js"),
  folder: async (entry, most) => (await import("./folder.js")).walk(entry, most),
};

await run(parts, () => offline.register(import.meta.url));
offline.listen?.(() => {}); // nobody is left who could show it
