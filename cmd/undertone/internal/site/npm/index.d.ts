// Types of the package undertone; what importUndertone brings is in site/undertone.d.ts.

export type * from "./site/undertone.js";

/**
 * Imports the API from a copy of this package's folder site, which has to be served
 * from the page's own origin:
 *
 *     const { Undertone } = await importUndertone("undertone/");
 *
 * Rejects with an Error that says what to do when the files are not there.
 *
 * @param folder address of the copy; a relative one resolves against the document.
 */
export declare function importUndertone(folder: string | URL): Promise<typeof import("./site/undertone.js")>;
