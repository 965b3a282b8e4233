// Brings Undertone into an app that a bundler builds. The API starts a worker and
// fetches its program by addresses beside its own, so its files are served as they
// are: copy this package's folder site to where the app is served, and name the copy.

/**
 * Imports the API from a copy of the folder site.
 *
 * @param {string | URL} folder address of the copy; a relative one resolves against the document
 */
export async function importUndertone(folder) {
  const base = new URL(folder, document.baseURI);
  if (base.origin !== location.origin) {
    throw new Error(`Undertone's files are at ${base.origin} and this page is at ${location.origin}: browsers start workers only from the page's own origin. Serve the files from there.`);
  }
  if (!base.pathname.endsWith("/")) base.pathname += "/";
  const address = new URL("undertone.js", base).href;
  try {
    // Bundlers leave an address alone that they cannot know, and these comments ask them to say nothing about it.
    return await import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ address);
  } catch (error) {
    throw new Error(`${address} could not be imported (${error.message}): copy the folder site of the package undertone to ${base}`, { cause: error });
  }
}
