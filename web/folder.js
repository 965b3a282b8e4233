// What lies in a folder that was dropped on the page.

/**
 * Lists its files, with those of the folders in it, without what is hidden.
 * @param {FileSystemDirectoryEntry} folder
 * @param {number} most after so many files it stops
 * @returns {Promise<{ path: string, file: File }[]>} the paths begin with the folder's name.
 */
export async function walk(folder, most) {
  const found = [];
  const visit = async (entry) => {
    if (found.length >= most) return;
    if (entry.isFile) {
      found.push({ path: entry.fullPath.replace(/^\/+/, ""), file: await new Promise((done, failed) => entry.file(done, failed)) });
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((done, failed) => reader.readEntries(done, failed)); // a hundred at once
      if (some.length === 0) return;
      for (const one of some) if (!one.name.startsWith(".")) await visit(one);
    }
  };
  await visit(folder);
  return found;
}
