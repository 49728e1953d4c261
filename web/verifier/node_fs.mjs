// The second verifier reads files only as a command; a page gives it their bytes.
export function readFileSync() {
  throw new Error("a page reads no files by name");
}
