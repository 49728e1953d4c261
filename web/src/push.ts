// This browser's push service: asked for an address for the node, and told when nobody wants it.

export interface Subscription {
  target: string;
  public_key: string;
  shared: string;
}

async function manager(): Promise<PushManager | null> {
  if (!("serviceWorker" in navigator) || !("PushManager" in window)) return null;
  return (await navigator.serviceWorker.ready).pushManager;
}

/** Where this browser is reached already, or null. */
export async function endpointOf(): Promise<string | null> {
  const found = await (await manager())?.getSubscription();
  return found?.endpoint ?? null;
}

/** Asks the reader, then the push service. `key`: the node's, by which the service knows it. */
export async function subscribe(key: string): Promise<Subscription> {
  const service = await manager();
  if (!service) throw new Error("no push service");
  // One that another node's key made here is of no use to this one.
  await (await service.getSubscription())?.unsubscribe();
  const made = await service.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  return { target: made.endpoint, public_key: plain(made.getKey("p256dh")), shared: plain(made.getKey("auth")) };
}

/** The node forgot this browser's address: so does the browser. `target`: its beginning. */
export async function ended(target: string): Promise<void> {
  const found = await (await manager())?.getSubscription();
  if (found?.endpoint.startsWith(`${target}/`)) await found.unsubscribe();
}

function plain(key: ArrayBuffer | null): string {
  const text = String.fromCharCode(...new Uint8Array(key ?? new ArrayBuffer(0)));
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
