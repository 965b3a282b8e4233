for (const kind of ["mousedown", "pointerdown"]) addEventListener(kind, () => { throw new Error("a pointer was used"); }, true);
