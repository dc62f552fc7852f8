// Why a worker has ended, as its `error` event tells.

/** What is read of the event. */
export interface WorkerErrorEvent {
  message?: string;
  preventDefault?(): void;
}

/** A worker that may know why it did not start. */
export interface Accountable {
  readonly notLoaded?: () => string;
}

/** Whether its script was run: one that was not has nothing to say. */
export function wasRun({ message }: WorkerErrorEvent): boolean {
  return message !== undefined && message !== "";
}

/** The reason, for whoever is told of it; the browser need not print it once more. */
export function reasonOf(event: WorkerErrorEvent, worker: Accountable): string {
  event.preventDefault?.();
  if (wasRun(event)) return event.message ?? "";
  return worker.notLoaded?.() ?? "its script could not be loaded";
}
