/** A value that decides what a step does but is no tensor: training mode, an option. Returns what it is now. */
export type Reading = () => unknown;
let watcher: ((name: string, read: Reading) => void) | null = null;

/** Set while a step is recorded; each reading becomes a guard of its plan. */
export function setWatcher(w: ((name: string, read: Reading) => void) | null): void {
  watcher = w;
}
/** Reads through the guard: a compiled step is recorded anew when the answer changes. */
export function observe<T>(name: string, read: () => T): T {
  watcher?.(name, read);
  return read();
}
