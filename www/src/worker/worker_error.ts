// Why a worker has ended, as its `error` event tells.

/** What is read of the event. */
export interface WorkerErrorEvent {
  message?: string;
  preventDefault?(): void;
}

/** The reason, for whoever is told of it; the browser need not print it once more. */
export function reasonOf(event: WorkerErrorEvent): string {
  event.preventDefault?.();
  const { message } = event;
  return message === undefined || message === "" ? "its script could not be loaded" : message;
}
